"""Anatomical joint limits by swing and twist, as data, and the clamp that enforces them.

Angles are in degrees about the axes of the normalised rest pose (x left, y up, z forward)
for the middle and the left half of the body. They start from the clinical ranges of motion
(AAOS, CDC) and are widened by 10 to 30 %, because athletes and dancers exceed them and a
limit that is felt is worse than one that is a little wide. Ball joints are limited by an
ellipse with its own radius in each quadrant, hinges by a box.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, I64
from posestream.geometry import rotation as rot
from posestream.geometry.fast import about, clamp, dot, from_rotvec, length, mul, rotvec
from posestream.skeleton.humanoid import BONES, NUM_BONES


class Limit(NamedTuple):
    """Ranges (low, high) in degrees about x, y, z; ``twist`` names the bone's own axis."""

    twist: str
    x: tuple[float, float]
    y: tuple[float, float]
    z: tuple[float, float]
    hinge: bool = False


_NEXT_TO_NOTHING: Final = 1e-30
_FREE: Final = (-180.0, 180.0)

LIMITS: Final[dict[str, Limit]] = {
    # forward bend is +x, turning left +y, leaning right +z
    "Spine": Limit("y", (-25, 45), (-25, 25), (-25, 25)),
    "Chest": Limit("y", (-20, 35), (-20, 20), (-20, 20)),
    "UpperChest": Limit("y", (-20, 35), (-20, 20), (-20, 20)),
    "Neck": Limit("y", (-40, 45), (-45, 45), (-35, 35)),
    "Head": Limit("y", (-40, 40), (-50, 50), (-30, 30)),
    "Jaw": Limit("z", (-5, 40), (-15, 15), (-10, 10)),
    "Eye": Limit("z", (-35, 35), (-45, 45), (-5, 5)),
    # left arm: raise +z, forward -y
    "Shoulder": Limit("x", (-15, 15), (-30, 25), (-15, 45)),
    "UpperArm": Limit("x", (-105, 105), (-140, 90), (-125, 110)),
    "LowerArm": Limit("x", (-70, 70), (-158, 5), (-10, 10), hinge=True),
    "Hand": Limit("x", (-60, 60), (-35, 45), (-85, 80)),
    # left leg: flexion -x, abduction +z; knee flexion +x; toes up -x
    "UpperLeg": Limit("y", (-145, 55), (-65, 65), (-50, 80)),
    "LowerLeg": Limit("y", (-5, 160), (-30, 30), (-10, 10), hinge=True),
    "Foot": Limit("y", (-45, 65), (-40, 40), (-40, 40)),
    "Toes": Limit("y", (-60, 45), (-10, 10), (-10, 10)),
    "Thumb": Limit("x", (-60, 60), (-80, 60), (-70, 70)),
    "Finger": Limit("x", (-20, 20), (-30, 30), (-110, 30)),
}
"""By the bone's name without its side."""


class _Table(NamedTuple):
    axis: F64  # (B, 3) twist axis
    low: F64  # (B, 3) rad about x, y, z
    high: F64  # (B, 3)
    twist_low: F64  # (B,)
    twist_high: F64  # (B,)
    hinge: F64  # (B, 1)


def _limit_of(bone: str) -> Limit:
    part = bone.removeprefix("Left").removeprefix("Right")
    if part in LIMITS:
        return LIMITS[part]
    if part.startswith("Thumb"):
        return LIMITS["Thumb"]
    if bone == "Hips":
        return Limit("y", _FREE, _FREE, _FREE, hinge=True)
    return LIMITS["Finger"]


def _ranges(bone: str) -> list[tuple[float, float]]:
    limit = _limit_of(bone)
    if not bone.startswith("Right"):
        return [limit.x, limit.y, limit.z]
    return [limit.x, (-limit.y[1], -limit.y[0]), (-limit.z[1], -limit.z[0])]


def _table() -> _Table:
    ranges = np.radians(np.array([_ranges(bone) for bone in BONES], dtype=np.float64))
    twist = np.array(["xyz".index(_limit_of(bone).twist) for bone in BONES])
    rows = np.arange(NUM_BONES)
    hinge = np.array([[_limit_of(bone).hinge] for bone in BONES])
    low, high = ranges[..., 0].copy(), ranges[..., 1].copy()
    twist_low, twist_high = low[rows, twist], high[rows, twist]
    low[rows, twist], high[rows, twist] = -1e-9, 1e-9
    return _Table(np.eye(3)[twist], low, high, twist_low, twist_high, hinge)


_ALL: Final = _table()


class Limiter:
    """Clamps the local normalised rotations of a fixed set of bones."""

    def __init__(self, bones: I64) -> None:
        """``bones`` (K,): indices of the rows that will be passed to ``clamp``."""
        self._t = _Table(*(column[bones] for column in _ALL))

    def clamp(self, q: F64) -> F64:
        """The nearest rotations (N, K, 4) within the limits, by swing and twist."""
        twist_rad, swing = self._split(q)
        twist_rad = clamp(twist_rad, self._t.twist_low, self._t.twist_high)
        nearest = mul(from_rotvec(self._clamp_swing(swing)), about(self._t.axis, twist_rad))
        # the same sign as before, or people within their limits would change with their company
        return np.asarray(nearest * np.copysign(1.0, q[..., 3:]))

    def excess_rad(self, q: F64) -> F64:
        """How far rotations (N, K, 4) lie outside their limits, radians (N, K)."""
        twist_rad, swing = self._split(q)
        over = np.maximum(self._t.twist_low - twist_rad, twist_rad - self._t.twist_high)
        return np.maximum(over, length(swing - self._clamp_swing(swing)))

    def _split(self, q: F64) -> tuple[F64, F64]:
        """Twist angle (N, K) and the rotation vector of the swing (N, K, 3)."""
        along, w = dot(q[..., :3], self._t.axis), q[..., 3]
        along = along * np.copysign(1.0, w)
        w = np.abs(w) + _NEXT_TO_NOTHING  # after half a turn of swing there is no twist
        untwist = np.empty_like(q)
        untwist[..., :3] = -along[..., None] * self._t.axis
        untwist[..., 3] = w
        untwist /= np.hypot(along, w)[..., None]
        return 2.0 * np.arctan2(along, w), rotvec(mul(q, untwist))

    def _clamp_swing(self, swing: F64) -> F64:
        boxed = clamp(swing, self._t.low, self._t.high)
        ratio = swing / np.where(swing < 0.0, self._t.low, self._t.high)
        reach = np.maximum(length(ratio), 1.0)[..., None]
        return np.where(self._t.hinge, boxed, swing / reach)


ALL_BONES: Final = np.arange(NUM_BONES)


def excess_rad(quat_local_xyzw: F64) -> F64:
    """How far a whole pose (N, B, 4) lies outside its limits, radians (N, B)."""
    return Limiter(ALL_BONES).excess_rad(rot.normalize(quat_local_xyzw))
