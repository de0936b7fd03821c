"""Which poses hands are taken in, and how they are held before the camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.marks import Side

_LESSONS: Final = 300
_LOOKS: Final = 4
"""How often each gesture is taken where the model is examined."""
_FULL_DEG: Final = np.array([75.0, 100.0, 65.0])
_THUMB_DEG: Final = np.array([25.0, 40.0, 60.0])
_CURL: Final = np.array([0.0, 0.0, -1.0])
_UP: Final = np.array([0.0, 1.0, 0.0])
_THUMB_ALONG: Final = rot.normalize(np.array([0.83, 0.0, 0.55]))
_THUMB_CURL: Final = rot.normalize(np.cross(_THUMB_ALONG, np.array([0.39, -0.707, -0.587])))
_TILT_RAD: Final = 0.8
_EXAM_RAD: Final = 0.45

# thumb to little finger: how far each is curled
GESTURES: Final[Mapping[str, tuple[float, float, float, float, float]]] = {
    "open": (0.0, 0.0, 0.0, 0.0, 0.0),
    "fist": (0.9, 1.0, 1.0, 1.0, 1.0),
    "point": (0.8, 0.0, 1.0, 1.0, 1.0),
    "thumbs_up": (0.0, 1.0, 1.0, 1.0, 1.0),
    "pinch": (0.55, 0.52, 0.1, 0.1, 0.1),
}
_ACROSS: Final[Mapping[str, tuple[float, float]]] = {
    "fist": (0.8, 0.5), "point": (0.8, 0.5), "pinch": (0.1, 0.9),
}  # fmt: skip
"""How far the thumb reaches across the palm and rolls towards the fingers."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A hand in a pose before the camera."""

    side: Side
    finger_xyzw: tuple[tuple[float, ...], ...]  # (15, 4) local
    turn_xyzw: tuple[float, ...]  # (4,) of the T-pose's hand, its fingers along ±x, palm down
    away_m: float
    gesture: str | None = None


def shots(owner: int, examined: bool) -> list[Shot]:
    """All shots of somebody's hands."""
    rng = np.random.default_rng(500 + owner)
    return list(_exam(rng) if examined else _lessons(rng))


def _exam(rng: np.random.Generator) -> Iterator[Shot]:
    for name, curls in GESTURES.items():
        for number in range(_LOOKS):
            side: Side = "left" if number % 2 == 0 else "right"
            joints = np.repeat(np.array(curls)[:, None], 3, axis=1)
            fingers = _fingers(joints, np.zeros(4), _ACROSS.get(name, (0.0, 0.0)))
            held = _held(rng, side, back=number == _LOOKS - 1, tilt_rad=_EXAM_RAD)
            yield _shot(rng, side, fingers, held, name)
    for number in range(2 * _LOOKS):
        side = "left" if number % 2 == 0 else "right"
        yield _shot(rng, side, _any_fingers(rng), _held(rng, side, number % 4 == 3, _TILT_RAD))


def _lessons(rng: np.random.Generator) -> Iterator[Shot]:
    for number in range(_LESSONS):
        side: Side = "left" if number % 2 == 0 else "right"
        yield _shot(rng, side, _any_fingers(rng), _held(rng, side, number % 4 == 3, _TILT_RAD))


def _shot(
    rng: np.random.Generator, side: Side, left_xyzw: F64, held: F64, gesture: str | None = None
) -> Shot:
    own = left_xyzw if side == "left" else frames.mirror_quat(left_xyzw)
    fingers = tuple(tuple(q) for q in own.tolist())
    return Shot(side, fingers, tuple(held.tolist()), float(rng.uniform(0.4, 0.75)), gesture)


def _any_fingers(rng: np.random.Generator) -> F64:
    """(15, 4) of a left hand: all alike, each its own way, or some curled and some not."""
    kind = rng.integers(4)
    if kind == 0:
        curl = np.full(5, rng.uniform())
    elif kind == 1:
        curl = rng.uniform(size=5)
    else:
        curl = (rng.random(5) < 0.5).astype(float)
    apart = rng.normal(0.0, (0.08, 0.15, 0.1), (5, 3))
    apart[:, 2] += apart[:, 1]  # the tendon moves both
    joints = np.clip(curl[:, None] + apart, -0.15, 1.05)
    across, roll = (float(v) for v in rng.uniform(-0.3, 1.0, 2))
    return _fingers(joints, rng.uniform(-12.0, 12.0, 4), (across, roll))


def _fingers(curl: F64, spread_deg: F64, thumb: tuple[float, float]) -> F64:
    """(15, 4) from curls (5, 3) in [0, 1], spreads (4,), and the thumb's reach across the palm."""
    out = np.empty((15, 4))
    across, roll = thumb
    out[:3] = rot.from_axis_angle(_THUMB_CURL, np.radians(_THUMB_DEG * curl[0]))
    saddle = rot.multiply(
        rot.from_axis_angle(_UP, np.radians(-25.0 * across)),
        rot.from_axis_angle(_THUMB_ALONG, np.radians(40.0 * roll)),
    )
    out[0] = rot.multiply(saddle, out[0])
    for finger in range(1, 5):
        bent = rot.from_axis_angle(_CURL, np.radians(_FULL_DEG * curl[finger]))
        aside = rot.from_axis_angle(_UP, np.radians(spread_deg[finger - 1] * (1 - curl[finger, 0])))
        bent[0] = rot.multiply(aside, bent[0])
        out[3 * finger : 3 * finger + 3] = bent
    return out


def _held(rng: np.random.Generator, side: Side, back: bool, tilt_rad: float) -> F64:
    """(4,) fingers about upwards, palm or back to the camera, tilted."""
    sign = 1.0 if side == "left" else -1.0
    tilt = rng.uniform(-tilt_rad, tilt_rad, 2)
    roll = rng.uniform(-0.7, 0.7) + sign * 0.5 * np.pi
    face = rot.from_rotvec(np.array([(0.5 if back else -0.5) * np.pi, 0.0, 0.0]))
    upright = rot.multiply(rot.from_rotvec(np.array([0.0, 0.0, roll])), face)
    return rot.multiply(rot.from_rotvec(np.array([tilt[0], tilt[1], 0.0])), upright)
