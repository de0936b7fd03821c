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
from posestream.geometry.fast import clamp, some
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

    order: I64  # (4, K) scalar, twist axis, first and second swing axis
    twist: F64  # (2, K) lowest and highest twist, rad
    swing: F64  # (2, 2, K) lowest and highest swing about either axis, rad
    hinge: Bool  # (K,)


class SwingTwist(NamedTuple):
    """Rotations (N, K) as a twist about the bone, then a swing about the two axes across it."""

    twist_rad: F64  # (N, K)
    swing_rad: F64  # (2, N, K) rotation vector

    def of(self, bones: slice) -> SwingTwist:
        """Those of these bones."""
        return SwingTwist(self.twist_rad[:, bones], self.swing_rad[..., bones])


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
    of = ranges[np.arange(len(bones)), [twist, first, second]].transpose(2, 0, 1)  # (2, 3, K)
    order = np.stack([np.full_like(twist, 3), twist, first, second])
    hinge = np.array([limit.hinge for limit in limits])
    return _Table(order, of[:, 0], of[:, 1:].copy(), hinge)


class Limiter:
    """Clamps the local normalised rotations of a fixed set of bones."""

    def __init__(self, bones: I64) -> None:
        """``bones`` (K,): indices of the rows that will be passed on."""
        self._t = _table(bones)
        self._hinges = some(self._t.hinge)
        low, high = self._t.twist
        self._per_range = 2.0 / (high - low)
        self._middle = (low + high) / (high - low)
        self._swing = self._t.swing[:, :, None]  # (2, 2, 1, K)
        self._per_swing = 1.0 / self._swing
        self._place = np.arange(len(bones)) * 4 + self._t.order  # in a person's 4 K
        self._back = np.argsort(self._place.ravel())

    def split(self, q: F64) -> SwingTwist:
        """Rotations (N, K, 4) taken apart."""
        parts = q.reshape(len(q), 4 * q.shape[1]).take(self._place, 1)  # (N, 4, K)
        scalar, along, a, b = parts.swapaxes(0, 1).copy()  # in one piece each: numpy is faster
        w = scalar + _NEXT_TO_NOTHING  # after half a turn of swing there is no twist
        cosine, sine = np.hypot(w, along), np.hypot(a, b)  # of half the swing
        swing = np.empty((2, *w.shape))
        swing[0] = a * w - b * along
        swing[1] = b * w + a * along
        per_sine = 2.0 * np.arctan2(sine, cosine) / np.maximum(cosine * sine, _NEXT_TO_NOTHING)
        swing *= per_sine
        return SwingTwist(2.0 * np.arctan(along / w), swing)

    def clamp(self, q: F64, parts: SwingTwist | None = None) -> F64:
        """The nearest rotations (N, K, 4) within the limits; ``parts`` are those of q if known."""
        twist_rad, swing = parts or self.split(q)
        half = 0.5 * clamp(twist_rad, *self._t.twist)
        swing = self._clamp_swing(swing)
        angle = np.maximum(np.hypot(swing[0], swing[1]), _NEXT_TO_NOTHING)
        swing *= np.sin(0.5 * angle) / angle
        a, b, w = swing[0], swing[1], np.cos(0.5 * angle)
        sine, cosine = np.sin(half), np.cos(half)
        pairs = [w * cosine, w * sine, a * cosine + b * sine, b * cosine - a * sine]
        flat = np.concatenate(pairs, axis=1)  # as ``split`` takes them
        nearest = flat.take(self._back, 1).reshape(q.shape)
        # the same sign as before, or people within their limits would change with their company
        return np.asarray(nearest * np.copysign(1.0, q[..., 3:]))

    def over(self, parts: SwingTwist, tolerance: float) -> Bool:
        """(N, K) which rotations lie further outside than this share of their range."""
        ratio, ball = self._swing_ratio(parts.swing_rad)
        swing = np.where(self._t.hinge, np.maximum(ratio[0], ratio[1]), ball)
        twist = np.abs(parts.twist_rad * self._per_range - self._middle)
        return np.asarray(np.maximum(swing, twist) > 1.0 + tolerance)

    def excess_rad(self, q: F64) -> F64:
        """How far rotations (N, K, 4) lie outside their limits, radians (N, K)."""
        twist_rad, swing = self.split(q)
        low, high = self._t.twist
        apart = swing - self._clamp_swing(swing)
        over = np.maximum(low - twist_rad, twist_rad - high)
        return np.asarray(np.maximum(over, np.hypot(apart[0], apart[1])))

    def _swing_ratio(self, swing: F64) -> tuple[F64, F64]:
        """Swing (2, N, K) in shares of the limit on its side, and the length of that (N, K)."""
        ratio = np.maximum(swing * self._per_swing[0], swing * self._per_swing[1])
        return ratio, np.hypot(ratio[0], ratio[1])

    def _clamp_swing(self, swing: F64) -> F64:
        reach = np.maximum(self._swing_ratio(swing)[1], 1.0)
        if not self._hinges:
            return np.asarray(swing / reach)
        return np.where(self._t.hinge, clamp(swing, *self._swing), swing / reach)


_EVERY_BONE: Final = Limiter(np.arange(NUM_BONES))


def excess_rad(quat_local_xyzw: F64) -> F64:
    """How far whole poses (..., B, 4) lie outside their limits, radians (..., B)."""
    poses = rot.normalize(quat_local_xyzw).reshape(-1, NUM_BONES, 4)
    return _EVERY_BONE.excess_rad(poses).reshape(quat_local_xyzw.shape[:-1])
