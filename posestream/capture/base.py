"""What every source of pictures offers, and the settings they share."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import msgspec
import numpy as np
from msgspec import Meta

from posestream.arrays import F64
from posestream.errors import CaptureError
from posestream.geometry.camera import intrinsics_from_fov, scale_intrinsics
from posestream.types import Camera, Frame

log = logging.getLogger(__name__)

Pace = Literal["realtime", "fast"]
_ASPECT_TOLERANCE = 0.02

_Focal = Annotated[
    Annotated[float, Meta(gt=0.0, le=1e5)] | None,
    Meta(description="Calibrated focal length, pixels; else fov_deg."),
]
_Centre = Annotated[
    Annotated[float, Meta(ge=-1e5, le=1e5)] | None,
    Meta(description="Calibrated optical centre, pixels."),
]
_Coefficient = Annotated[float, Meta(ge=-1000.0, le=1000.0)]
_Size = Annotated[
    Annotated[int, Meta(ge=1, le=16384)] | None,
    Meta(description="Picture size at which fx … cy were measured."),
]


class CaptureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where pictures come from, how fast, and through which lens."""

    width: Annotated[
        int, Meta(ge=16, le=16384, description="Wanted width of a camera's picture, pixels.")
    ] = 1280
    height: Annotated[
        int, Meta(ge=16, le=16384, description="Wanted height of a camera's picture, pixels.")
    ] = 720
    fps: Annotated[
        float,
        Meta(gt=0.0, le=1000.0, description="Wanted rate of a camera; rate of an image folder."),
    ] = 30.0
    format: Annotated[
        Literal["auto", "MJPG", "YUYV"],
        Meta(description="Camera's pixel format; auto: MJPG, which leaves room for full rate."),
    ] = "auto"
    pace: Annotated[
        Pace,
        Meta(description="Files at their own pace as if live, or every frame as fast as it goes."),
    ] = "realtime"
    loop: Annotated[bool, Meta(description="Play files again and again.")] = False
    fov_deg: Annotated[
        float,
        Meta(ge=10.0, le=150.0, description="Angle of view along the picture's longer side."),
    ] = 63.0
    fx: _Focal = None
    fy: _Focal = None
    cx: _Centre = None
    cy: _Centre = None
    calibrated_width: _Size = None
    calibrated_height: _Size = None
    distortion: Annotated[
        tuple[_Coefficient, ...],
        Meta(max_length=5, description="Lens distortion k1 k2 p1 p2 k3 (OpenCV's model)."),
    ] = ()
    calibration: Annotated[
        str, Meta(description="Stored calibration's name; empty: this camera's own; none: none.")
    ] = ""
    reconnect_first_s: Annotated[
        float, Meta(gt=0.0, le=60.0, description="Wait before the first try to reconnect.")
    ] = 0.25
    reconnect_max_s: Annotated[
        float, Meta(gt=0.0, le=600.0, description="The wait doubles up to this.")
    ] = 5.0
    timeout_s: Annotated[
        float, Meta(ge=1.0, le=120.0, description="A stream that is silent so long is lost.")
    ] = 10.0


class Lens(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lens as measured at one picture size, pixels; distortion k1 k2 p1 p2 k3."""

    width: Annotated[int, Meta(ge=1, le=16384)]
    height: Annotated[int, Meta(ge=1, le=16384)]
    fx: Annotated[float, Meta(gt=0.0, le=1e5)]
    fy: Annotated[float, Meta(gt=0.0, le=1e5)]
    cx: Annotated[float, Meta(ge=-1e5, le=1e5)]
    cy: Annotated[float, Meta(ge=-1e5, le=1e5)]
    distortion: Annotated[tuple[_Coefficient, ...], Meta(max_length=5)] = ()
    error_px: Annotated[float, Meta(ge=0.0, le=1e3)] = 0.0  # how far the views are from it


class CalibratedCapture(CaptureSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings with the lenses that are stored of this camera, one for each picture size."""

    lenses: tuple[Lens, ...] = ()


class SourceLost(CaptureError):
    """A device or stream that worked has gone and may come back: worth reconnecting."""


@dataclass(slots=True)
class SourceCounts:
    """Pictures that a source did not deliver, and why."""

    late: int = 0  # their time had passed: skipped to keep pace
    stale: int = 0  # had been waiting in a driver's buffer
    broken: int = 0  # could not be decoded

    def add(self, other: SourceCounts) -> None:
        """Add another source's counts to these."""
        self.late += other.late
        self.stale += other.stale
        self.broken += other.broken


class Source(Protocol):
    """Somewhere pictures come from. Not thread-safe: one thread reads and closes it.

    ``live``: frames are timed by the clock, and a reader who is late must skip (see
    ``capture.live``); otherwise every frame is for the taking and its capture time counts
    from 0, so that two passes give equal frames.
    """

    name: str
    fps: float | None
    live: bool
    camera: Camera
    counts: SourceCounts

    def read(self) -> Frame | None:
        """The next frame; None at the end.

        Raises SourceLost if a device vanished, CaptureError if nothing more can come.
        """
        ...

    def close(self) -> None:
        """Release the device or file. May be called twice."""
        ...


def camera_for(size_px: tuple[int, int], settings: CaptureSettings) -> Camera:
    """The camera that took a picture of this size: calibrated, or guessed from ``fov_deg``.

    Where it stands is not known here: see ``locate.floor``.
    """
    lens = _lens_for(size_px, settings)
    if lens is not None:
        return Camera(
            K_px=_scaled(_intrinsics_of(lens), (lens.width, lens.height), size_px),
            size_px=size_px,
            distortion=np.array(lens.distortion or (0.0,) * 5, dtype=np.float64),
        )
    return Camera(
        K_px=_intrinsics(size_px, settings),
        size_px=size_px,
        distortion=np.array(settings.distortion or (0.0,) * 5, dtype=np.float64),
    )


def _lens_for(size_px: tuple[int, int], settings: CaptureSettings) -> Lens | None:
    """The stored lens of just this size, else the largest whose sides have this proportion."""
    if not isinstance(settings, CalibratedCapture) or min(size_px) <= 1:
        return None
    aspect = size_px[0] / size_px[1]
    fitting = [
        lens for lens in settings.lenses
        if abs(aspect * lens.height / lens.width - 1.0) <= _ASPECT_TOLERANCE
    ]  # fmt: skip
    if settings.lenses and not fitting:
        log.warning(
            "The picture is %dx%d but the camera was calibrated at %s only, other proportions: "
            "calibrate again at this size.",
            *size_px, ", ".join(f"{lens.width}x{lens.height}" for lens in settings.lenses),
        )  # fmt: skip
    exact = [lens for lens in fitting if (lens.width, lens.height) == size_px]
    return next(iter(exact), max(fitting, key=lambda lens: lens.width, default=None))


def _intrinsics_of(lens: Lens) -> F64:
    return np.array([[lens.fx, 0.0, lens.cx], [0.0, lens.fy, lens.cy], [0.0, 0.0, 1.0]])


def _scaled(K_px: F64, from_px: tuple[int, int], to_px: tuple[int, int]) -> F64:
    return scale_intrinsics(K_px, to_px[0] / from_px[0], to_px[1] / from_px[1])


def _intrinsics(size_px: tuple[int, int], settings: CaptureSettings) -> F64:
    width = settings.calibrated_width or size_px[0]
    height = settings.calibrated_height or size_px[1]
    K = intrinsics_from_fov((width, height), settings.fov_deg)
    if settings.fx is not None or settings.fy is not None:
        K[0, 0] = settings.fx or settings.fy
        K[1, 1] = settings.fy or settings.fx
    K[0, 2] = K[0, 2] if settings.cx is None else settings.cx
    K[1, 2] = K[1, 2] if settings.cy is None else settings.cy
    scale_x, scale_y = size_px[0] / width, size_px[1] / height
    if abs(scale_x / scale_y - 1.0) > _ASPECT_TOLERANCE:
        log.warning(
            "The picture is %dx%d but was calibrated at %dx%d: its sides differ in proportion, "
            "so distances will be wrong; calibrate again at this size.",
            *size_px, width, height,
        )  # fmt: skip
    return scale_intrinsics(K, scale_x, scale_y)
