"""The boundary to OpenCV: opening cameras, files and streams, quietly and with limits."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

import cv2
import numpy as np

from posestream.arrays import Image
from posestream.capture.base import CaptureSettings
from posestream.capture.cameras import CameraInfo, check_access
from posestream.errors import CaptureError

log = logging.getLogger(__name__)
_LOW_LATENCY: Final = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"
_TO_BGR: Final = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}
_FORMATS: Final = {"auto": "MJPG", "MJPG": "MJPG", "YUYV": "YUYV"}


class Device(Protocol):
    """The part of ``cv2.VideoCapture`` that sources use; tests put their own in its place."""

    def grab(self) -> bool:
        """Wait for the next picture; False where none comes."""
        ...

    def retrieve(self) -> tuple[bool, Any]:
        """Decode the picture that was grabbed last."""
        ...

    def get(self, prop: int, /) -> float:
        """A property by its OpenCV number."""
        ...

    def set(self, prop: int, value: float, /) -> bool:
        """Change a property."""
        ...

    def release(self) -> None:
        """Let go of the device."""
        ...


DeviceOpener = Callable[[], Device]


@dataclass(frozen=True, slots=True)
class Granted:
    """What a camera gives, which need not be what was asked."""

    width: int
    height: int
    fps: float
    format: str

    def __str__(self) -> str:
        rate = f"{self.fps:g} fps" if self.fps > 0 else "unknown rate"
        return f"{self.width}x{self.height} {self.format} at {rate}"


def quiet() -> None:
    """Keep OpenCV's own messages off the terminal: our errors say the same in a sentence."""
    # OpenCV 5 has moved it
    where = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # type: ignore[attr-defined]
    where.setLogLevel(0)


def decoded(device: Device) -> Image | None:
    """The picture that was grabbed last as (H, W, 3) BGR; None if it is damaged or no picture."""
    try:
        ok, image = device.retrieve()
    except cv2.error:
        return None
    if not ok or image is None or image.size == 0 or image.dtype != np.uint8:
        return None
    channels = image.shape[2] if image.ndim == 3 else 1
    if channels == 3:
        return cast(Image, image)
    return cast(Image, cv2.cvtColor(image, _TO_BGR[channels])) if channels in _TO_BGR else None


def camera_answers(index: int) -> bool:
    """Whether a camera with this number can be opened. Turns it on for a moment."""
    quiet()
    capture = cv2.VideoCapture(index, _camera_api(sys.platform))
    try:
        return bool(capture.isOpened())
    finally:
        capture.release()


def open_camera(camera: CameraInfo, settings: CaptureSettings) -> Device:
    """A webcam with the wanted size, rate and format, as far as it grants them.

    Raises CaptureError if it is not there, may not be used, or is in use.
    """
    quiet()
    if sys.platform.startswith("linux"):
        check_access(camera.index)
    capture = cv2.VideoCapture(camera.index, _camera_api(sys.platform))
    if not capture.isOpened():
        capture.release()
        raise CaptureError(
            f"{camera} cannot be opened: another program uses it or it is not connected; close "
            "that program, or plug the camera in again."
        )
    _configure(capture, settings)
    return capture


def open_file(path: Path) -> Device:
    """A video file. Raises CaptureError if it cannot be decoded."""
    quiet()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise CaptureError(
            f"{path} is damaged, cut off or in a format that cannot be decoded: play it in a "
            "video player to check, and convert it to MP4 (H.264)."
        )
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1.0)
    return capture


def open_url(url: str, shown: str, settings: CaptureSettings) -> Device:
    """A network stream; ``shown`` is its address without credentials.

    Raises CaptureError if nothing usable answers within the time limit.
    """
    quiet()
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _LOW_LATENCY)
    limit_ms = int(settings.timeout_s * 1e3)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit_ms]
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        capture.release()
        raise CaptureError(
            f"No video comes from {shown}: check the address, the network, and whether the "
            "stream needs a user name and password."
        )
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1.0)
    return capture


def is_finite(device: Device) -> bool:
    """Whether what was opened has an end, as files have, and live streams have not."""
    return device.get(cv2.CAP_PROP_FRAME_COUNT) > 0


def granted(device: Device) -> Granted:
    """What the device says that it delivers."""
    code = int(device.get(cv2.CAP_PROP_FOURCC))
    name = "".join(chr((code >> shift) & 0xFF) for shift in (0, 8, 16, 24)).strip("\0 ")
    return Granted(
        int(device.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(device.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        float(device.get(cv2.CAP_PROP_FPS)),
        name if name.isascii() and name.isprintable() and name else "unknown format",
    )


def _configure(device: Device, settings: CaptureSettings) -> None:
    # The format comes first: it decides which sizes and rates the driver offers.
    device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*_FORMATS[settings.format]))
    device.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    device.set(cv2.CAP_PROP_FPS, settings.fps)
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    got = granted(device)
    wanted = (settings.width, settings.height)
    level = logging.INFO if (got.width, got.height) == wanted else logging.WARNING
    log.log(level, "The camera gives %s (asked: %dx%d at %g fps).", got, *wanted, settings.fps)


def _camera_api(platform: str) -> int:
    if platform.startswith("linux"):
        return cv2.CAP_V4L2
    return {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(platform, cv2.CAP_ANY)
