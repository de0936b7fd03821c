"""Scripted people rendered as capsule figures, delivered with the exact truth about them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from posestream.arrays import F64, Bool
from posestream.capture.base import CaptureSettings, SourceCounts, camera_for
from posestream.capture.figures import FigurePainter
from posestream.capture.pace import Pacer
from posestream.errors import CaptureError
from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.skeleton.joints import ROOT
from posestream.skeleton.scripted import ScriptedPeople
from posestream.timing import monotonic_ns
from posestream.types import Camera, Estimate, Frame, People2D, PeopleRoot

CAMERA_HEIGHT_M: Final = 1.5
CAMERA_TILT_RAD: Final = float(np.radians(6.0))  # downwards


class SyntheticOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may follow ``synthetic:``, as in ``synthetic:people=2,fps=60``."""

    people: Annotated[int, Meta(ge=0, le=64)] = 4
    fps: Annotated[float, Meta(gt=0.0, le=1000.0)] = 30.0
    seconds: Annotated[float, Meta(gt=0.0)] | None = None
    width: Annotated[int, Meta(ge=16, le=7680)] = 640
    height: Annotated[int, Meta(ge=16, le=7680)] = 360
    seed: Annotated[int, Meta(ge=0)] = 0


class SyntheticSource:
    """Scripted people before a camera 1.5 m high that looks slightly down. Deterministic.

    ``Frame.truth`` holds everybody of whom a joint is in the picture. Joints outside of it
    are NaN with score 0 in 2D and exact in 3D. Ends after ``seconds``, if given, unless the
    settings say loop.
    """

    def __init__(
        self,
        options: SyntheticOptions,
        settings: CaptureSettings,
        clock_ns: Callable[[], int] = monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = "synthetic"
        self.fps: float | None = options.fps
        self.live = settings.pace == "realtime"
        self.counts = SourceCounts()
        self.people = ScriptedPeople(options.people, options.seed)
        level = camera_for((options.width, options.height), settings)
        self.camera: Camera = replace(level, T_world_cam=_camera_pose())
        endless = options.seconds is None or settings.loop
        self._end = None if endless else round((options.seconds or 0.0) * options.fps)
        self._interval_s = 1.0 / options.fps
        self._painter = FigurePainter(self.camera)
        self._pacer = Pacer(settings.pace, clock_ns, sleep)
        self._index = -1

    def read(self) -> Frame | None:
        """The next frame that is not late; None at the end."""
        self._index += 1
        while self._pacer.is_late(self._index * self._interval_s, self._interval_s):
            self.counts.late += 1
            self._index += 1
        if self._end is not None and self._index >= self._end:
            return None
        t_s = self._index * self._interval_s
        xyz_cam_m = self._joints_cam(t_s)
        image = self._painter.paint(xyz_cam_m, self.people.scale)
        truth = truth_of(xyz_cam_m, self.camera)
        return Frame(self._index, self._pacer.wait(t_s), image, self.camera, truth)

    def close(self) -> None:
        """Nothing to release."""

    def _joints_cam(self, t_s: float) -> F64:
        T_cam_world = rigid.inverse(self.camera.T_world_cam)
        return rigid.apply(T_cam_world, self.people.joints_world_m(t_s))


def truth_of(xyz_cam_m: F64, camera: Camera) -> Estimate:
    """The exact estimate of people with joints (N, J, 3) in camera coordinates."""
    xy_px = project(xyz_cam_m, camera.K_px, camera.distortion)
    inside = _in_picture(xy_px, camera.size_px)
    seen = inside.any(axis=1)
    xyz, xy, inside = xyz_cam_m[seen], xy_px[seen], inside[seen]
    score = inside.astype(np.float64)
    root_cam_m = xyz[:, ROOT].copy()
    return Estimate(
        people2d=People2D(np.where(inside[..., None], xy, np.nan), score, score.mean(axis=1)),
        root3d=PeopleRoot(xyz - root_cam_m[:, None]),
        root_cam_m=root_cam_m,
    )


def parse_options(text: str) -> SyntheticOptions:
    """Options from ``people=4,fps=30,seconds=10,size=640x360,seed=0``, all of them optional.

    Raises CaptureError for what is not among them or out of range.
    """
    values: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        key, _, value = part.partition("=")
        values |= _size(value) if key == "size" else {key: value}
    try:
        return msgspec.convert(values, SyntheticOptions, strict=False)
    except msgspec.ValidationError as error:
        raise CaptureError(
            f"synthetic:{_shown(text)} is not understood ({_shown(_plain(str(error)))}): write it "
            "like synthetic:people=4,fps=30,seconds=10,size=640x360,seed=0."
        ) from None


def _shown(text: str) -> str:
    """What the user wrote, on one line and without control characters."""
    return text if text.isprintable() else repr(text)[1:-1]


def _plain(message: str) -> str:
    """msgspec's message in our words."""
    what, _, where = message.partition(" - at `$.")
    what = re.sub(r"Object contains unknown field `(.*)`", r"there is no option \1", what)
    return f"{where.rstrip('`')}: {what}" if where else what


def _size(text: str) -> dict[str, str]:
    width, _, height = text.lower().partition("x")
    return {"width": width, "height": height}


def _in_picture(xy_px: F64, size_px: tuple[int, int]) -> Bool:
    """(N, J): pixel centres lie at whole numbers; NaN, behind the camera, is outside."""
    limit = np.array(size_px) - 0.5
    return np.asarray(((xy_px >= -0.5) & (xy_px < limit)).all(axis=-1))


def _camera_pose() -> F64:
    cos, sin = np.cos(CAMERA_TILT_RAD), np.sin(CAMERA_TILT_RAD)
    R_level_cam = np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])
    return rigid.make(np.diag([1.0, -1.0, -1.0]) @ R_level_cam, np.array([0, CAMERA_HEIGHT_M, 0.0]))
