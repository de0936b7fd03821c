"""MediaPipe's back end on real clips: people found, joints where they belong, no noise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.errors import BackendError
from posestream.estimate.backends import mediapipe_models
from posestream.estimate.base import EstimateSettings
from posestream.estimate.registry import available, create
from posestream.geometry.camera import intrinsics_from_fov, project
from posestream.locate.geometric import locate
from posestream.skeleton.joints import JOINT
from posestream.types import Camera, Frame

REPOSITORY = Path(__file__).resolve().parents[2]
MAJOR = [
    JOINT[f"{side}_{part}"]
    for side in ("left", "right")
    for part in ("shoulder", "elbow", "hip", "knee", "ankle")
]

pytestmark = pytest.mark.mediapipe


@pytest.fixture(scope="module", autouse=True)
def _installed():
    ok, reason = mediapipe_models.check()
    if not ok:
        pytest.skip(reason)


def frames(path, count):
    """The first ``count`` frames of a clip, with a guessed camera."""
    video = cv2.VideoCapture(str(path))
    for index in range(count):
        ok, image = video.read()
        if not ok:
            break
        height, width = image.shape[:2]
        camera = Camera(intrinsics_from_fov((width, height), 60.0), (width, height))
        yield Frame(index, index * 33_000_000, image, camera)
    video.release()


def estimates(path, count, **settings):
    """(frame, estimate) of each of the first frames."""
    estimator = create("mediapipe", EstimateSettings(**settings))
    try:
        return [(frame, estimator.estimate(frame)) for frame in frames(path, count)]
    finally:
        estimator.close()


@pytest.mark.parametrize(
    ("clip", "people"),
    [
        ("stgcn_clean_and_jerk.mp4", 1),
        ("ntu_S001C001P001R001A001.mp4", 1),
        ("mmhuman3d_multi_person.mp4", 2),
    ],
)
def test_the_right_number_of_people(shared_data, clip, people):
    found = [len(e.people2d) for _, e in estimates(shared_data / "videos" / clip, 30)]
    assert np.mean(np.array(found) == people) >= 0.9, found


def test_no_more_people_than_asked_for(shared_data):
    clip = shared_data / "videos" / "mmhuman3d_multi_person.mp4"
    assert {len(e.people2d) for _, e in estimates(clip, 8, max_people=1)} == {1}


def test_joints_lie_in_the_picture_and_the_body_is_the_right_way_up(shared_data):
    clip = shared_data / "videos" / "stgcn_clean_and_jerk.mp4"
    for frame, estimate in estimates(clip, 20):
        xy, score = estimate.people2d.xy_px[0], estimate.people2d.score[0]
        assert np.all((xy[MAJOR] > 0) & (xy[MAJOR] < frame.camera.size_px))
        assert np.all((score >= 0) & (score <= 1))
        assert xy[JOINT["nose"], 1] < xy[JOINT["pelvis"], 1] < xy[JOINT["left_ankle"], 1]
        # he faces the camera: his left is on the picture's right
        assert xy[JOINT["left_shoulder"], 0] > xy[JOINT["right_shoulder"], 0]
        assert np.isnan(xy[JOINT["head_top"]]).all() and score[JOINT["head_top"]] == 0.0


def test_3d_agrees_with_2d_once_located(shared_data):
    for clip in ("stgcn_clean_and_jerk.mp4", "mmhuman3d_multi_person.mp4"):
        for frame, estimate in estimates(shared_data / "videos" / clip, 10):
            assert estimate.root3d is not None
            people = locate(estimate.people2d, estimate.root3d, frame.camera)
            again_px = project(people.xyz_cam_m, frame.camera.K_px)
            seen_px = estimate.people2d.xy_px
            height_px = np.nanmax(seen_px[..., 1], axis=1) - np.nanmin(seen_px[..., 1], axis=1)
            off_px = np.linalg.norm(again_px - seen_px, axis=-1)[:, MAJOR].mean(axis=1)
            assert np.all(off_px < 0.05 * height_px), (clip, off_px, height_px)
            assert np.all((people.root_cam_m[:, 2] > 1.0) & (people.root_cam_m[:, 2] < 12.0))
            pelvis = estimate.root3d.xyz_root_m[:, JOINT["pelvis"]]
            np.testing.assert_allclose(pelvis, 0.0, atol=1e-9)


def test_nobody_on_blank_pictures_of_any_shape():
    estimator = create("mediapipe", EstimateSettings())
    for index, shape in enumerate([(240, 320), (240, 320), (320, 240), (100, 101), (1, 1)]):
        image = np.full((*shape, 3), 127, dtype=np.uint8)
        size_px = (shape[1], shape[0])
        frame = Frame(index, index, image, Camera(intrinsics_from_fov(size_px, 60.0), size_px))
        estimate = estimator.estimate(frame)
        assert len(estimate.people2d) == 0 and estimate.root3d is not None
    estimator.close()


def test_the_same_frames_give_the_same_people(shared_data):
    clip = shared_data / "videos" / "mmhuman3d_multi_person.mp4"
    once, again = (
        [e.people2d.xy_px for _, e in estimates(clip, 8, threads=threads)] for threads in (1, 2)
    )
    for a, b in zip(once, again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


SCRIPT = """
import sys, numpy as np
from posestream.estimate.base import EstimateSettings
from posestream.estimate.registry import create
from posestream.types import Camera, Frame
import cv2, threading
image = cv2.VideoCapture(sys.argv[1]).read()[1]
size = (image.shape[1], image.shape[0])
K = np.array([[500.0, 0, size[0] / 2], [0, 500.0, size[1] / 2], [0, 0, 1]])
estimator = create("mediapipe", EstimateSettings())
for index in range(5):
    people = estimator.estimate(Frame(index, index, image, Camera(K, size))).people2d
estimator.close()
estimator.close()
print(len(people))
"""


def run_script(clip, **environment):
    import os

    return subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(clip)],
        capture_output=True, text=True, cwd=REPOSITORY, timeout=120,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )  # fmt: skip


def test_nothing_is_written_to_the_terminal(shared_data):
    done = run_script(shared_data / "videos" / "mmhuman3d_multi_person.mp4")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_an_empty_or_damaged_cache_is_filled_anew(shared_data, tmp_path):
    clip = shared_data / "videos" / "mmhuman3d_multi_person.mp4"
    assert run_script(clip, POSESTREAM_CACHE=str(tmp_path)).stdout == "2\n"
    models = sorted(tmp_path.rglob("*.tflite"))
    assert len(models) == 2
    intact = models[1].read_bytes()
    models[1].write_bytes(intact[: len(intact) // 2])
    assert run_script(clip, POSESTREAM_CACHE=str(tmp_path)).stdout == "2\n"
    assert models[1].read_bytes() == intact
    assert not [p for p in tmp_path.rglob("*") if p.name.startswith("tmp")]


def test_a_cache_that_cannot_be_written_is_one_clear_sentence(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("POSESTREAM_CACHE", str(blocked))
    with pytest.raises(BackendError, match="POSESTREAM_CACHE"):
        create("mediapipe", EstimateSettings())


def test_doctor_can_ask_what_is_available():
    known = {entry.name: entry for entry in available()}
    assert known["mediapipe"].ok and known["mediapipe"].reason.startswith("MediaPipe 0.10")
    assert known["fake"].ok
