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

from posestream.arrays import F64, I64, Bool
from posestream.geometry import rotation as rot
from posestream.geometry.fast import clamp
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
    """Columns run over the bones; "swing" are the two axes across the twist's, in cyclic order."""

    order: I64  # (K, 4) twist axis, first and second swing axis, scalar
    twist: F64  # (2, K) lowest and highest twist, rad
    swing: F64  # (2, 2, K) lowest and highest swing about either axis, rad
    hinge: Bool  # (K,)


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


def _table(bones: I64) -> _Table:
    limits = [_limit_of(BONES[bone]) for bone in bones]
    twist = np.array(["xyz".index(limit.twist) for limit in limits])
    first, second = (twist + 1) % 3, (twist + 2) % 3
    ranges = np.radians(np.array([_ranges(BONES[bone]) for bone in bones], dtype=np.float64))
    of = ranges[np.arange(len(bones)), [twist, first, second]].transpose(0, 2, 1)  # (3, 2, K)
    order = np.stack([twist, first, second, np.full_like(twist, 3)], axis=1)
    hinge = np.array([limit.hinge for limit in limits])
    return _Table(order, of[0], of[1:].transpose(1, 0, 2), hinge)


class Limiter:
    """Clamps the local normalised rotations of a fixed set of bones."""

    def __init__(self, bones: I64) -> None:
        """``bones`` (K,): indices of the rows that will be passed to ``clamp``."""
        self._t = _table(bones)
        low, high = self._t.twist
        self._twist = 0.5 * (low + high), 0.5 * (high - low)
        self._place = np.arange(len(bones))[:, None] * 4 + self._t.order  # in a person's 4 K
        self._back = np.argsort(self._place.ravel())

    def clamp(self, q: F64) -> F64:
        """The nearest rotations (N, K, 4) within the limits, by swing and twist."""
        twist_rad, swing = self._split(q)
        half = 0.5 * clamp(twist_rad, *self._t.twist)
        swing = self._clamp_swing(swing)
        angle = np.maximum(np.hypot(swing[0], swing[1]), _NEXT_TO_NOTHING)
        (a, b), w = np.sin(0.5 * angle) / angle * swing, np.cos(0.5 * angle)
        sine, cosine = np.sin(half), np.cos(half)
        parts = [w * sine, a * cosine + b * sine, b * cosine - a * sine, w * cosine]
        flat = np.stack(parts, axis=-1).reshape(len(q), 4 * q.shape[1])
        nearest = flat[:, self._back].reshape(q.shape)
        # the same sign as before, or people within their limits would change with their company
        return np.asarray(nearest * np.copysign(1.0, q[..., 3:]))

    def over(self, q: F64, tolerance: float) -> Bool:
        """(N, K) which rotations (N, K, 4) lie further outside than this share of their range."""
        twist_rad, swing = self._split(q)
        middle, half = self._twist
        low, high = self._t.swing[:, :, None]
        ratio = swing / np.where(swing < 0.0, low, high)
        box, ball = np.maximum(ratio[0], ratio[1]), np.hypot(ratio[0], ratio[1])
        most = np.maximum(np.where(self._t.hinge, box, ball), np.abs(twist_rad - middle) / half)
        return np.asarray(most > 1.0 + tolerance)

    def excess_rad(self, q: F64) -> F64:
        """How far rotations (N, K, 4) lie outside their limits, radians (N, K)."""
        twist_rad, swing = self._split(q)
        low, high = self._t.twist
        apart = swing - self._clamp_swing(swing)
        over = np.maximum(low - twist_rad, twist_rad - high)
        return np.asarray(np.maximum(over, np.hypot(apart[0], apart[1])))

    def _split(self, q: F64) -> tuple[F64, F64]:
        """Twist angle (N, K) and the rotation vector of the swing about its two axes (2, N, K)."""
        parts = q.reshape(len(q), 4 * q.shape[1]).take(self._place, 1).transpose(2, 0, 1)
        parts = parts * np.copysign(1.0, parts[3])
        along, w = parts[0], parts[3] + _NEXT_TO_NOTHING  # after half a turn of swing: no twist
        cosine = np.hypot(along, w)  # of half the swing
        sines = np.empty((2, *along.shape))
        sines[0] = parts[1] * w - parts[2] * along
        sines[1] = parts[2] * w + parts[1] * along
        sine = np.maximum(np.hypot(sines[0], sines[1]), _NEXT_TO_NOTHING)
        swing = sines * (2.0 * np.arctan2(sine, cosine * cosine) / sine)
        return 2.0 * np.arctan2(along, w), swing

    def _clamp_swing(self, swing: F64) -> F64:
        low, high = self._t.swing[:, :, None]
        ratio = swing / np.where(swing < 0.0, low, high)
        reach = np.maximum(np.hypot(ratio[0], ratio[1]), 1.0)
        return np.where(self._t.hinge, clamp(swing, low, high), swing / reach)


_EVERY_BONE: Final = Limiter(np.arange(NUM_BONES))


def excess_rad(quat_local_xyzw: F64) -> F64:
    """How far whole poses (..., B, 4) lie outside their limits, radians (..., B)."""
    poses = rot.normalize(quat_local_xyzw).reshape(-1, NUM_BONES, 4)
    return _EVERY_BONE.excess_rad(poses).reshape(quat_local_xyzw.shape[:-1])
