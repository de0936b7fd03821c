"""Where the floor is and how the camera is tilted, learnt from the people who stand on it.

Every standing person says twice where up is: along its body, and, once feet have been seen in
several places, by the plane they lie in. Both go into one small least squares for the up
direction and the camera's height, robust against jumps and lifted feet.

Pitch is the optical axis's angle above the horizon: negative for a camera that looks down.
Roll is positive for a camera turned clockwise as seen from behind it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import numpy as np

from posestream.arrays import F64
from posestream.geometry.fast import cross, dot
from posestream.locate.standing import lowest_soles, standing_samples
from posestream.types import PeopleCam, level_camera_pose

_Height = Annotated[float, msgspec.Meta(ge=-10.0, le=20.0)]
_Pitch = Annotated[float, msgspec.Meta(ge=-89.0, le=89.0)]
_Roll = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
_Auto = Literal["auto"]

_LEVEL_UP: F64 = np.array([0.0, -1.0, 0.0])
_CAPACITY = 400  # samples in the sliding reservoir
_FEWEST = 12  # samples before anything is believed
_INTERVAL_S, _LATE_INTERVAL_S = 0.066, 0.2  # between two samples of everybody
_FIT_S = 0.19  # between two fits of all samples
_BODY_STD = 0.08  # rad: how far a standing body leans from the vertical
_FOOT_STD = 0.06  # m: how far a foot is taken off the floor
_ROUNDS = 4
_MAX_LEAN = np.cos(np.radians(40.0))  # bodies farther from up than this lie or fall
_EARLY_TAU_S, _LATE_TAU_S, _EARLY_S = 0.4, 4.0, 4.0
_CALIBRATED_TAU_S = 30.0
_ANNOUNCE_S = 1.0  # at least, between two announcements
_NOTICEABLE_M, _NOTICEABLE_RAD = 0.03, np.radians(1.0)


class FloorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The camera's place above the floor. A number fixes a value, "auto" learns it."""

    camera_height_m: Annotated[
        _Height | _Auto, msgspec.Meta(description="Camera above the floor, metres.")
    ] = "auto"
    camera_pitch_deg: Annotated[
        _Pitch | _Auto, msgspec.Meta(description="Negative where the camera looks down.")
    ] = "auto"
    camera_roll_deg: Annotated[
        _Roll | _Auto, msgspec.Meta(description="Positive where its right side hangs lower.")
    ] = "auto"
    initial_height_m: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=20.0, description="Believed until somebody was seen standing."),
    ] = 1.2
    initial_pitch_deg: Annotated[
        _Pitch | None, msgspec.Meta(description="Calibrated pitch to start from; off: level.")
    ] = None
    initial_roll_deg: Annotated[
        _Roll | None, msgspec.Meta(description="Calibrated roll to start from; off: level.")
    ] = None
    calibrated: Annotated[
        Literal["start", "fixed", "ignored"],
        msgspec.Meta(description="A stored calibration is corrected slowly, kept, or not used."),
    ] = "start"


class FloorEstimator:
    """Learns ``T_world_cam`` while people stand and walk; holds it while nobody does."""

    def __init__(self, settings: FloorSettings | None = None) -> None:
        self._settings = settings or FloorSettings()
        self._ups = np.zeros((_CAPACITY, 3))
        self._feet = np.zeros((_CAPACITY, 2, 3))
        self._count = 0  # samples ever taken
        self._sampled_s = -np.inf
        self._first_s: float | None = None
        self._goal: tuple[F64, float] | None = None  # up and height that the samples say
        self._started = _knows_start(self._settings)  # from a calibration, not from a guess
        self.up_cam: F64 = self._respect_angles(_first_up(self._settings))
        self.height_m = self._respect_height(self._settings.initial_height_m)
        self._fitted_s = -np.inf
        self._announced = (self.up_cam, self.height_m)
        self._announced_s = -np.inf
        self._pose = self.up_cam, self.height_m, camera_pose(self.up_cam, self.height_m)

    @property
    def T_world_cam(self) -> F64:
        """(4, 4): origin on the floor under the camera, Y up, the camera's yaw zero."""
        up, height_m, T = self._pose
        if up is not self.up_cam or height_m != self.height_m:
            T = camera_pose(self.up_cam, self.height_m)
            self._pose = self.up_cam, self.height_m, T
        return T

    @property
    def pitch_deg(self) -> float:
        """Of the optical axis above the horizon."""
        return float(np.degrees(pitch_roll(self.up_cam)[0]))

    @property
    def roll_deg(self) -> float:
        """Of the camera about its axis, clockwise seen from behind."""
        return float(np.degrees(pitch_roll(self.up_cam)[1]))

    @property
    def settled(self) -> bool:
        """Whether the floor was learnt from people or is fixed altogether."""
        return self._is_fixed() or self._count >= _FEWEST

    def update(self, people: PeopleCam, t_s: float) -> bool:
        """Learn from this frame; True where the camera's pose has moved noticeably.

        Noticeably: by 3 cm or 1 degree since True was last returned, at most once a second.
        """
        young = self._first_s is None or t_s - self._first_s < _EARLY_S
        pause_s = _INTERVAL_S if young else _LATE_INTERVAL_S
        if self._is_fixed() or not len(people) or t_s - self._sampled_s < pause_s:
            return False
        elapsed_s = min(t_s - self._sampled_s, 1.0)
        self._sampled_s = t_s
        ups, feet = standing_samples(people)
        believed = self.up_cam if self.settled or self._started else _LEVEL_UP
        upright = ups @ believed > _MAX_LEAN
        if upright.any():
            self._first_s = t_s if self._first_s is None else self._first_s
            self._remember(ups[upright], feet[upright])
        if self.settled:
            if self._goal is None or (upright.any() and t_s - self._fitted_s >= _FIT_S):
                self._learn(t_s)
            quick = _EARLY_TAU_S if young else _LATE_TAU_S
            self._approach(elapsed_s, _CALIBRATED_TAU_S if self._started else quick)
        elif not self._started:
            self._guess(lowest_soles(people, self.up_cam), elapsed_s)
        return self._announce(t_s)

    def _is_fixed(self) -> bool:
        s = self._settings
        return "auto" not in (s.camera_height_m, s.camera_pitch_deg, s.camera_roll_deg)

    def _remember(self, ups: F64, feet: F64) -> None:
        rows = (self._count + np.arange(len(ups))) % _CAPACITY
        self._ups[rows], self._feet[rows] = ups, feet
        self._count += len(ups)

    def _learn(self, t_s: float) -> None:
        """Fit all samples."""
        self._fitted_s = t_s
        known = min(self._count, _CAPACITY)
        ups, feet = self._ups[:known], self._feet[:known]
        up, height_m = fit_floor(ups, feet, self._fixed_height())
        fixed_up = self._respect_angles(up)
        if fixed_up is not up and not np.allclose(fixed_up, up):
            height_m = float(np.median(-_lower(feet, fixed_up) @ fixed_up))
        self._goal = fixed_up, height_m

    def _approach(self, elapsed_s: float, tau_s: float) -> None:
        assert self._goal is not None
        up, height_m = self._goal
        share = 1.0 - np.exp(-elapsed_s / tau_s)
        mixed = self.up_cam + share * (up - self.up_cam)
        self.up_cam = self._respect_angles(mixed / np.linalg.norm(mixed))
        self.height_m = self._respect_height(self.height_m + share * (height_m - self.height_m))

    def _guess(self, soles: F64, elapsed_s: float) -> None:
        """Nobody has stood yet: the floor is likelier under people's feet than anywhere else."""
        if soles.size:
            share = 1.0 - np.exp(-elapsed_s / _EARLY_TAU_S)
            height_m = float(np.median(-soles @ self.up_cam))
            self.height_m = self._respect_height(self.height_m + share * (height_m - self.height_m))

    def _announce(self, t_s: float) -> bool:
        up, height_m = self._announced
        if t_s - self._announced_s < _ANNOUNCE_S:
            return False
        turned = np.arccos(np.clip(up @ self.up_cam, -1.0, 1.0))
        if turned < _NOTICEABLE_RAD and abs(height_m - self.height_m) < _NOTICEABLE_M:
            return False
        self._announced, self._announced_s = (self.up_cam, self.height_m), t_s
        return True

    def _fixed_height(self) -> float | None:
        height = self._settings.camera_height_m
        return None if height == "auto" else height

    def _respect_height(self, height_m: float) -> float:
        fixed = self._fixed_height()
        return height_m if fixed is None else fixed

    def _respect_angles(self, up: F64) -> F64:
        fixed = (self._settings.camera_pitch_deg, self._settings.camera_roll_deg)
        if fixed == ("auto", "auto"):
            return up
        learnt = pitch_roll(up)
        pitch, roll = (
            value if wanted == "auto" else np.radians(wanted)
            for value, wanted in zip(learnt, fixed, strict=True)
        )
        return up_from_tilt(pitch, roll)


def camera_pose(up_cam: F64, height_m: float) -> F64:
    """T_world_cam (4, 4) of a camera at this height that sees up in this direction (3,)."""
    toward_viewer = np.array([0.0, 0.0, -1.0])
    z = toward_viewer - (toward_viewer @ up_cam) * up_cam
    z = z / np.linalg.norm(z)
    T = level_camera_pose(height_m)
    T[:3, :3] = [np.cross(up_cam, z), up_cam, z]
    return T


def up_from_tilt(pitch_rad: float, roll_rad: float) -> F64:
    """(3,) the world's up in camera axes."""
    c = np.cos(pitch_rad)
    return np.array([-np.sin(roll_rad) * c, -np.cos(roll_rad) * c, np.sin(pitch_rad)])


def _knows_start(settings: FloorSettings) -> bool:
    return settings.initial_pitch_deg is not None or settings.initial_roll_deg is not None


def _first_up(settings: FloorSettings) -> F64:
    if not _knows_start(settings):
        return _LEVEL_UP
    pitch_deg, roll_deg = settings.initial_pitch_deg or 0.0, settings.initial_roll_deg or 0.0
    return up_from_tilt(np.radians(pitch_deg), np.radians(roll_deg))


def pitch_roll(up_cam: F64) -> tuple[float, float]:
    """Pitch and roll, radians, of a camera that sees the world's up (3,) so."""
    pitch = np.arcsin(np.clip(up_cam[2], -1.0, 1.0))
    return float(pitch), float(np.arctan2(-up_cam[0], -up_cam[1]))


def fit_floor(ups: F64, both: F64, height_m: float | None = None) -> tuple[F64, float]:
    """Up (3,) and the camera's height from bodies' directions (M, 3) and both feet (M, 2, 3).

    Minimises |up - ups|² / body² + (up · feet + height)² / foot², Geman-McClure on both,
    linearised about the median direction. A given height is kept and helps to find up.
    """
    up = np.median(ups, axis=0)
    up = up / np.linalg.norm(up)
    # a standing body's own lean is shared by all its samples: they count as a few dozen
    body_weight = min(len(ups), 30) / len(ups) / _BODY_STD**2
    height = float(np.median(-_lower(both, up) @ up)) if height_m is None else height_m
    for _ in range(_ROUNDS):
        feet = _lower(both, up)
        sides = _tangents(up)
        lean = ups - up
        w_body = body_weight * _soft(dot(lean, lean) / _BODY_STD**2)
        off = feet @ up + height
        w_foot = _foot_weight(len(feet)) * _soft((off / _FOOT_STD) ** 2)
        A = np.ones((len(feet), 3))
        A[:, :2] = feet @ sides.T
        normal = A.T @ (w_foot[:, None] * A)
        normal[(0, 1), (0, 1)] += w_body.sum()
        right = -(w_foot * off) @ A
        right[:2] += w_body @ (ups @ sides.T)
        if height_m is not None:
            normal[2], normal[:, 2], normal[2, 2], right[2] = 0.0, 0.0, 1.0, 0.0
        step = np.linalg.solve(normal, right)
        up = up + step[:2] @ sides
        up, height = up / np.sqrt(up @ up), height + float(step[2])
    return up, height


def _lower(both: F64, up: F64) -> F64:
    """(M, 3) of the two feet (M, 2, 3) the one that the body stands on."""
    return np.asarray(both[np.arange(len(both)), np.argmin(both @ up, axis=1)])


def _foot_weight(count: int) -> float:
    return min(count, 100) / count / _FOOT_STD**2


def _soft(squared: F64) -> F64:
    """Geman-McClure weights for squares of deviations in standard deviations."""
    return np.asarray(1.0 / (1.0 + squared) ** 2) + 1e-9


def _tangents(up: F64) -> F64:
    """(2, 3) unit, across ``up`` (3,) and each other."""
    x, y, z = up.tolist()
    a = np.array([y, -x, 0.0] if abs(z) < 0.9 else [0.0, z, -y])
    a /= np.sqrt(a @ a)
    return np.stack([a, cross(up, a)])
