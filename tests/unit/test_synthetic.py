"""Rendered people: what is drawn is what the truth says, and both are deterministic."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.capture.live import every_frame
from posestream.capture.synthetic import SyntheticSource, parse_options
from posestream.errors import BackendError, CaptureError
from posestream.estimate.backends.fake import FakeEstimator
from posestream.estimate.base import EstimateSettings
from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.skeleton.joints import JOINT, ROOT
from posestream.types import Estimate, Frame, level_camera_pose

FAST = CaptureSettings(pace="fast")


def _frames(spec: str = "people=4,seconds=40,fps=3") -> list[Frame]:
    return list(every_frame(open_source(f"synthetic:{spec}", FAST)))


def _root3d(truth: Estimate) -> np.ndarray:
    assert truth.root3d is not None
    assert truth.root_cam_m is not None
    return truth.root3d.xyz_root_m + truth.root_cam_m[:, None]


def test_the_nearest_persons_chest_is_painted_where_the_truth_says() -> None:
    checked = 0
    empty = _frames("people=0,seconds=1,fps=1")[0].image
    for frame in _frames():
        truth = frame.truth
        assert truth is not None
        assert truth.root_cam_m is not None
        nearest = int(np.argmin(truth.root_cam_m[:, 2]))
        chest = truth.people2d.xy_px[nearest, [JOINT["neck"], JOINT["spine"]]].mean(axis=0)
        if np.isfinite(chest).all():
            x, y = np.rint(chest).astype(int)
            assert np.any(frame.image[y, x] != empty[y, x])
            checked += 1
    assert checked > 100


def test_2d_is_the_projection_of_3d_and_missing_only_outside_the_picture() -> None:
    outside = 0
    for frame in _frames():
        truth = frame.truth
        assert truth is not None
        xy = project(_root3d(truth), frame.camera.K_px)
        inside = truth.people2d.score > 0
        np.testing.assert_allclose(xy[inside], truth.people2d.xy_px[inside])
        assert np.isnan(truth.people2d.xy_px[~inside]).all()
        within = ((xy >= -0.5) & (xy < np.array([639.5, 359.5]))).all(axis=-1)
        np.testing.assert_array_equal(within, inside)
        outside += int((~inside).sum())
    assert outside > 0


def test_feet_are_on_the_floor_of_the_cameras_world() -> None:
    frame = _frames("people=3,seconds=1,fps=1")[0]
    assert frame.truth is not None
    world = rigid.apply(frame.camera.T_world_cam, _root3d(frame.truth))
    assert world[..., 1].min() == pytest.approx(0.0, abs=0.01)
    assert np.ptp(world[:, JOINT["head_top"], 1] - 1.6) < 0.3
    assert not np.allclose(frame.camera.T_world_cam, level_camera_pose(1.5))  # it is tilted


def test_one_person_leaves_and_comes_back() -> None:
    people = [len(frame.truth.people2d) for frame in _frames() if frame.truth]
    assert max(people) == people[0] == people[-1] == 4
    assert people.count(3) > 10


def test_it_is_deterministic_and_seeds_differ() -> None:
    a, b = _frames("seconds=1,fps=5"), _frames("seconds=1,fps=5")
    assert all(np.array_equal(x.image, y.image) for x, y in zip(a, b, strict=True))
    assert [f.t_capture_ns for f in a] == [round(k * 2e8) for k in range(5)]
    other = _frames("seconds=1,fps=5,seed=1")
    assert not np.array_equal(a[2].image, other[2].image)


def test_a_late_reader_skips_at_real_pace_and_loop_never_ends() -> None:
    now_ns = [0]

    def sleep(seconds: float) -> None:
        now_ns[0] += round(seconds * 1e9)

    settings = CaptureSettings(loop=True)
    options = parse_options("people=1,fps=10,seconds=0.5,size=64x36")
    source = SyntheticSource(options, settings, lambda: now_ns[0], sleep)
    assert source.read() is not None
    now_ns[0] += 850_000_000
    frame = source.read()
    assert frame is not None
    assert frame.index == 8
    assert source.counts.late == 7


@pytest.mark.parametrize("size", [(16, 16), (100, 300)])
def test_any_picture_size_can_be_painted(size: tuple[int, int]) -> None:
    for frame in _frames(f"people=9,seconds=20,fps=1,size={size[0]}x{size[1]}"):
        assert frame.image.shape == (size[1], size[0], 3)


def test_options_are_checked() -> None:
    options = parse_options("people=2, fps=59.94,seconds=1.5,size=320x180,seed=7")
    assert (options.people, options.width, options.height, options.seed) == (2, 320, 180, 7)
    for wrong in ("people=-1", "people=many", "fps=0", "size=640", "colour=red", "people"):
        with pytest.raises(CaptureError, match="write it like synthetic:people=4"):
            parse_options(wrong)


def test_fake_back_end_hands_on_the_truth() -> None:
    frame = _frames("people=3,seconds=1,fps=1")[0]
    assert FakeEstimator().estimate(frame) is frame.truth
    fewer = FakeEstimator(EstimateSettings(max_people=2)).estimate(frame)
    assert len(fewer.people2d) == 2


def test_fake_back_ends_errors_have_the_asked_size_and_repeat() -> None:
    frames = _frames("people=4,seconds=40,fps=1")
    estimator = FakeEstimator(noise_px=2.0, noise_m=0.05, dropout=0.2, miss=0.25, seed=3)
    answers = [estimator.estimate(frame) for frame in frames]
    again = FakeEstimator(noise_px=2.0, noise_m=0.05, dropout=0.2, miss=0.25, seed=3)
    for frame, answer in zip(reversed(frames), reversed(answers), strict=True):
        np.testing.assert_array_equal(again.estimate(frame).people2d.xy_px, answer.people2d.xy_px)
    true_people = sum(len(f.truth.people2d) for f in frames if f.truth)
    assert sum(len(a.people2d) for a in answers) / true_people == pytest.approx(0.75, abs=0.12)
    for answer in answers:
        assert answer.root3d is not None
        np.testing.assert_array_equal(answer.root3d.xyz_root_m[:, ROOT], 0.0)
        np.testing.assert_array_equal(
            np.isnan(answer.people2d.xy_px[..., 0]), answer.people2d.score == 0.0
        )


def test_fake_noise_has_the_asked_size() -> None:
    deviations = []
    estimator = FakeEstimator(noise_px=2.0)
    for frame in _frames("people=4,seconds=20,fps=1"):
        assert frame.truth is not None
        deviations.append(estimator.estimate(frame).people2d.xy_px - frame.truth.people2d.xy_px)
    spread = np.nanstd(np.concatenate(deviations))
    assert spread == pytest.approx(2.0, rel=0.1)


def test_fake_back_end_needs_a_source_that_knows() -> None:
    frame = _frames("people=1,seconds=1,fps=1")[0]
    blind = Frame(0, 0, frame.image, frame.camera)
    with pytest.raises(BackendError, match="such as synthetic:"):
        FakeEstimator().estimate(blind)
