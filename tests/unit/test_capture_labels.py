"""Videos with labels beside them: the bundled clip knows its people exactly."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from posestream import config
from posestream.assets import DEMO_CLIP
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.capture.labels import labels_of
from posestream.daemon.sources import first_camera, open_for
from posestream.errors import BackendError, CaptureError
from posestream.estimate.registry import create
from posestream.geometry.camera import project
from posestream.skeleton.joints import ROOT

FAST = CaptureSettings(pace="fast")
TRUTH = DEMO_CLIP.with_name("demo_truth.npz")


@pytest.fixture
def copy(tmp_path):
    """The clip under another name, with labels that a test may spoil."""
    shutil.copy(DEMO_CLIP, tmp_path / "clip.mp4")
    return tmp_path / "clip.mp4"


def spoil(clip, **changes):
    with np.load(TRUTH) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    np.savez(clip.with_name("clip_truth.npz"), **{**kept, **changes})


def test_the_bundled_clip_hands_on_where_everybody_is():
    source = open_source(str(DEMO_CLIP), FAST, labelled=True)
    with np.load(TRUTH) as arrays:
        xy_px, root_cam_m = arrays["xy_px"], arrays["root_cam_m"]
    for index in range(3):
        frame = source.read()
        assert frame.index == index and frame.truth is not None
        np.testing.assert_allclose(frame.truth.people2d.xy_px, xy_px[index], atol=2e-3)
        np.testing.assert_allclose(frame.truth.root_cam_m, root_cam_m[index], atol=1e-5)
        again_px = project(
            frame.truth.root3d.xyz_root_m + frame.truth.root_cam_m[:, None], frame.camera.K_px
        )
        np.testing.assert_allclose(again_px[:, ROOT], xy_px[index][:, ROOT], atol=2e-3)
    source.close()


def test_every_picture_has_its_labels_also_the_second_time_round():
    settings = CaptureSettings(pace="fast", loop=True)
    source = open_source(str(DEMO_CLIP), settings, labelled=True)
    assert source.frame_count == 420
    first = source.read()
    later = [source.read() for _ in range(420)]
    assert [frame.index for frame in later] == list(range(1, 421))
    np.testing.assert_array_equal(later[-1].truth.root_cam_m, first.truth.root_cam_m)
    source.close()


def test_only_the_fake_back_end_asks_for_them():
    spec = str(DEMO_CLIP)
    asking, other = (config.load(None, [f"estimate.backend={b}"]) for b in ("fake", "mediapipe"))
    exact, guessed = open_for(spec, asking), open_for(spec, other)
    assert exact.read().truth is not None and guessed.read().truth is None
    with np.load(TRUTH) as arrays:
        T_world_cam, K_px = arrays["T_world_cam"], arrays["K_px"]
    np.testing.assert_array_equal(first_camera(exact, spec, asking).T_world_cam, T_world_cam)
    assert not np.allclose(guessed.camera.K_px, K_px)
    exact.close(), guessed.close()


def test_a_video_without_labels_is_an_ordinary_one(copy):
    assert labels_of(copy) is None
    frame = open_source(str(copy), FAST, labelled=True).read()
    with pytest.raises(BackendError, match="labels"):
        create("fake", config.load().estimate).estimate(frame)


@pytest.mark.parametrize(
    "changes",
    [
        {"joints": np.array(["nose"])},
        {"xyz_world_m": np.zeros((420, 2, 3))},
        {"xyz_world_m": np.zeros((0, 2, 32, 3))},
        {"xyz_world_m": np.full((420, 2, 32, 3), np.nan)},
        {"K_px": np.zeros((2, 2))},
        {"T_world_cam": np.full((4, 4), np.inf)},
        {"size_px": np.array([768])},
        {"size_px": np.array([448, 252])},
        {"joints": np.array([object()])},
    ],
)
def test_labels_that_do_not_fit_are_refused_in_one_sentence(copy, changes):
    spoil(copy, **changes)
    with pytest.raises(CaptureError, match="clip") as refused:
        open_source(str(copy), FAST, labelled=True)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 and no more", b"no archive at all"])
def test_damaged_labels_are_refused_in_one_sentence(copy, damage):
    copy.with_name("clip_truth.npz").write_bytes(damage)
    with pytest.raises(CaptureError, match="clip_truth"):
        open_source(str(copy), FAST, labelled=True)
