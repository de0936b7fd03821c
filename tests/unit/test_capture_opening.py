"""What a source may be called, and which cameras there are on each platform."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from posestream.capture import list_cameras, open_source, opening
from posestream.capture.base import CaptureSettings, camera_for
from posestream.capture.cameras import CameraInfo, check_access, find_camera
from posestream.capture.opencv import open_camera
from posestream.capture.opening import without_credentials
from posestream.errors import CaptureError

FAST = CaptureSettings(pace="fast")


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """A machine with two cameras, whose numbers have a gap and two digits."""
    for number, name in (
        (90_002, "HD Pro Webcam C920"),
        (90_010, "OBS Virtual\x1b[2J Camera"),
    ):
        node = tmp_path / f"video{number}"
        node.mkdir()
        (node / "name").write_text(f"{name}\n")
    (tmp_path / "radio0").mkdir()
    return tmp_path


def test_linux_cameras_have_names_without_control_characters(sysfs: Path) -> None:
    assert list_cameras("linux", sysfs) == [
        CameraInfo(90_002, "HD Pro Webcam C920"),
        CameraInfo(90_010, "OBS Virtual[2J Camera"),
    ]


def test_a_camera_is_found_by_number_and_by_part_of_its_name(sysfs: Path) -> None:
    assert find_camera("90010", "linux", sysfs).index == 90_010
    assert find_camera("c920", "linux", sysfs).index == 90_002


def test_a_camera_that_is_not_there_lists_those_that_are(sysfs: Path, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"no camera 5: connected are camera:90002 \(HD Pro"):
        find_camera("5", "linux", sysfs)
    with pytest.raises(CaptureError, match='named "kinect"'):
        find_camera("kinect", "linux", sysfs)
    with pytest.raises(CaptureError, match="nor any other: plug one in"):
        find_camera("0", "linux", tmp_path / "nothing")


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_cameras_are_probed_and_go_by_number(platform: str) -> None:
    found = list_cameras(platform, probe=lambda index: index in (0, 2))
    assert [camera.index for camera in found] == [0, 2]
    assert find_camera("2", platform).index == 2
    with pytest.raises(CaptureError, match="by number on this system"):
        find_camera("c920", platform)


def test_no_right_to_use_a_camera_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "video3").touch()
    check_access(3, tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(CaptureError, match="usermod -aG video"):
        check_access(3, tmp_path)


def test_a_camera_that_cannot_be_opened_is_explained_quietly(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CaptureError, match="another program uses it or it is not connected"):
        open_camera(CameraInfo(9_000, "ghost"), FAST)
    assert capfd.readouterr().err == ""


def test_a_camera_that_returns_under_another_number_is_found_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected = {0: "C920"}
    opened: list[str] = []

    def open_by(spec: str, _: CaptureSettings) -> str:
        opened.append(spec)
        name = spec.removeprefix("camera:")
        if name not in (*map(str, connected), *connected.values()):
            raise CaptureError("not there.")
        return spec

    monkeypatch.setattr(opening.sys, "platform", "linux")
    monkeypatch.setattr(
        opening, "list_cameras", lambda: [CameraInfo(i, name) for i, name in connected.items()]
    )
    monkeypatch.setattr(opening, "open_source", open_by)
    reopen = opening.reopener("camera:0", FAST)
    assert str(reopen()) == "camera:0"
    connected = {1: "C920"}
    assert str(reopen()) == "camera:C920"
    connected = {}
    with pytest.raises(CaptureError):
        reopen()


@pytest.mark.parametrize("spec", ["ftp://example.org/a.mp4", "kinect:0", "concat:a|b", "file:///x"])
def test_unknown_sources_list_what_is_accepted(spec: str) -> None:
    with pytest.raises(CaptureError, match="is not a source: use camera:0, camera:NAME, a video"):
        open_source(spec, FAST)


def test_an_empty_source_and_a_recording_are_explained() -> None:
    with pytest.raises(CaptureError, match="is empty: name camera:0"):
        open_source(" ", FAST)
    with pytest.raises(CaptureError, match="avatars, not pictures"):
        open_source("replay:dance.psrec", FAST)


def test_a_windows_path_is_a_path() -> None:
    with pytest.raises(CaptureError, match="There is no file"):
        open_source("C:\\videos\\clip.mp4", FAST)


def test_passwords_are_not_shown() -> None:
    shown = without_credentials("rtsp://admin:secret@10.0.0.7:554/stream?token=abc")
    assert shown == "rtsp://10.0.0.7:554/stream"
    with pytest.raises(CaptureError, match=r"No video comes from rtsp://127\.0") as caught:
        open_source("rtsp://admin:secret@127.0.0.1:9/x", CaptureSettings(timeout_s=1.0))
    assert "secret" not in str(caught.value)


def test_intrinsics_come_from_the_angle_of_view_or_from_a_calibration() -> None:
    guessed = camera_for((1280, 720), CaptureSettings(fov_deg=90.0))
    assert guessed.K_px[0, 0] == pytest.approx(640.0)
    calibrated = CaptureSettings(
        fx=1000.0, fy=1010.0, cx=650.0, cy=350.0, calibrated_width=1280, calibrated_height=720,
        distortion=(0.1, -0.05),
    )  # fmt: skip
    full = camera_for((1280, 720), calibrated)
    np.testing.assert_allclose(full.K_px, [[1000, 0, 650], [0, 1010, 350], [0, 0, 1]])
    np.testing.assert_allclose(full.distortion, [0.1, -0.05])
    half = camera_for((640, 360), calibrated)
    np.testing.assert_allclose(half.K_px[:2, :2], [[500, 0], [0, 505]])


def test_a_calibration_of_another_shape_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    settings = CaptureSettings(fx=1000.0, calibrated_width=1280, calibrated_height=720)
    camera_for((640, 480), settings)
    assert "calibrate again" in caplog.text


@pytest.mark.parametrize(
    "values",
    [
        {"fps": 0},
        {"pace": "warp"},
        {"fov_deg": 180},
        {"distortion": [0] * 6},
        {"colour": 1},
        {"fx": -1},
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, CaptureSettings)


def test_capture_and_its_settings_load_without_opencv() -> None:
    code = (
        "import sys, posestream.capture, posestream.capture.base; "
        "posestream.capture.list_cameras('linux'); sys.exit('cv2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == 0
