"""A stored place of the camera in a real run of a real back end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posestream.assets import DEMO_CLIP
from posestream.calibrate.stored import StoredCamera, StoredFloor, write_camera
from posestream.capture.base import Lens
from posestream.locate.floor import camera_pose, up_from_tilt


def first_camera(home: Path, out: Path, *more: str) -> dict[str, object]:
    """The camera as the first line of what ``process`` writes of the bundled clip tells it."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(home), "HOME": str(home)}
    command = [sys.executable, "-m", "posestream", "process", "images:" + str(home / "pictures")]
    done = subprocess.run(
        [*command, "--backend", "mediapipe", "--out", str(out), *more], env=environment,
        text=True, capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    header = json.loads(next(out.glob("*.jsonl")).read_text().splitlines()[0])
    return dict(header["camera"])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's folder with two pictures of the clip and a calibration of their camera."""
    cv2 = pytest.importorskip("cv2")
    pytest.importorskip("mediapipe")
    clip = cv2.VideoCapture(str(DEMO_CLIP))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(2):
        cv2.imwrite(str(pictures / f"{i}.png"), clip.read()[1])
    clip.release()
    lens = Lens(width=1536, height=864, fx=1400.0, fy=1400.0, cx=767.5, cy=431.5)
    floor = StoredFloor(height_m=1.8, pitch_deg=-15.0, roll_deg=1.0)
    camera = StoredCamera(name=str(pictures.resolve()), lenses=(lens,), floor=floor)
    write_camera(camera, tmp_path / "posestream" / "calibration")
    return tmp_path


def test_lens_and_place_are_taken(home: Path) -> None:
    camera = first_camera(home, home / "out")
    K = np.array(camera["K_px"]).reshape(3, 3)
    assert K[0, 0] == pytest.approx(700.0)  # the picture is half as wide
    T = np.array(camera["T_world_cam"]).reshape(4, 4) @ np.diag([1.0, -1.0, -1.0, 1.0])  # as sent
    expected = camera_pose(up_from_tilt(np.radians(-15.0), np.radians(1.0)), 1.8)
    np.testing.assert_allclose(T, expected, atol=1e-5)


def test_none_takes_nothing(home: Path) -> None:
    camera = first_camera(home, home / "out", "--set", "source.calibration=none")
    assert np.array(camera["K_px"]).reshape(3, 3)[0, 0] != pytest.approx(700.0)
