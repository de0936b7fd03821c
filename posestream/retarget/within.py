"""Poses that left the limits of joints, as when each bone was smoothed by itself, brought back.

Mostly it is a hinge that bends sideways: the upper bone's turn about itself comes later than
what hangs from it. There the upper bone is turned until the hinge bends as it can, and the lower
one stays where it points; what is left is clamped.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import clamp, mul, some
from posestream.geometry.fixed import Twist
from posestream.retarget.bones import LEVELS, LOWER, PARENTS, SOLVED, UPPER, on_parents
from posestream.retarget.limits import LIMITS, Limiter, SwingTwist
from posestream.skeleton.humanoid import BONE

_TOLERANCE: Final = 1e-6  # of a bone's range
_LEFT_OVER: Final = 5e-3
_ALL: Final = Limiter(SOLVED)
_LEGS: Final = slice(BONE["LeftUpperLeg"], BONE["RightFoot"] + 1)
_OF_LEGS: Final = Limiter(np.arange(_LEGS.start, _LEGS.stop))
# Left arm, right arm, left leg, right leg: the axis along the bone, and where from the first of
# the two axes across it that lies about which the hinge bends.
_ALONG: Final = np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0]])
_HINGE_RAD: Final = np.radians([180.0, 0.0, 90.0, 90.0])
_TURN_RAD: Final = 2.0 * np.pi
_TWIST: Final = Twist(_ALONG)
_SIDEWAYS_RAD: Final = np.radians(LIMITS["LowerLeg"].z[1])
# A straight limb's plane says nothing: it is not turned below the first, wholly above the second.
_BENT_RAD: Final = np.radians([8.0, 25.0])
_AT_ONCE_RAD: Final = 0.5  # a nearly straight limb that is predicted to overbend would turn over


def within_limits(world_xyzw: F64) -> tuple[F64, F64]:
    """World rotations (N, S, 4) of the solved bones within their limits, and the local ones.

    Bones that are within limits keep their world rotation while their parents let them; the
    very argument comes back if all are. What bones lie outside because their parents moved
    stays where it is less than a degree.
    """
    world, local = world_xyzw, on_parents(world_xyzw)
    parts = _ALL.split(local)
    over = _ALL.over(parts, _TOLERANCE)
    if not some(over):
        return world, local
    aside = _sideways(parts.swing_rad[..., LOWER])
    if aside.any():
        world, local = _hinged(world, aside)
        parts = _ALL.split(local)
        over = _ALL.over(parts, _TOLERANCE)
    for _ in LEVELS:  # each settles one level more, as a rule the first nearly all
        if not some(over):
            break
        world, local = _clamped(world, local, parts, over)
        parts = _ALL.split(local)
        over = _ALL.over(parts, _LEFT_OVER)
    return world, local


def legs_within_limits(quat_local_xyzw: F64) -> F64:
    """Local rotations (N, B, 4), those of legs and feet clamped; the argument if none need be."""
    legs = quat_local_xyzw[:, _LEGS]
    parts = _OF_LEGS.split(legs)
    over = _OF_LEGS.over(parts, _TOLERANCE)
    if not some(over):
        return quat_local_xyzw
    quat = quat_local_xyzw.copy()
    quat[:, _LEGS] = np.where(over[..., None], _OF_LEGS.clamp(legs, parts), legs)
    return quat


def _hinged(world: F64, angle_rad: F64) -> tuple[F64, F64]:
    """World and local rotations, upper bones turned about themselves by (N, 4)."""
    world = world.copy()
    world[:, UPPER] = _TWIST.of(world[:, UPPER], angle_rad)
    return world, on_parents(world)


def _sideways(swing_rad: F64) -> F64:
    """(N, 4) how far to turn bones whose hinges with this swing (2, N, 4) bend sideways."""
    bent = np.hypot(swing_rad[0], swing_rad[1])
    aside = np.arctan2(swing_rad[1], swing_rad[0]) - _HINGE_RAD
    aside -= _TURN_RAD * np.rint(aside / _TURN_RAD)
    most = np.arcsin(_SIDEWAYS_RAD / np.maximum(bent, _SIDEWAYS_RAD))
    straight = clamp((_BENT_RAD[1] - bent) / (_BENT_RAD[1] - _BENT_RAD[0]), 0.0, 1.0)
    most += (np.pi - most) * straight
    return clamp(aside - clamp(aside, -most, most), -_AT_ONCE_RAD, _AT_ONCE_RAD)


def _clamped(world: F64, local: F64, parts: SwingTwist, over: Bool) -> tuple[F64, F64]:
    """World and local rotations, the bones ``over`` (N, S) clamped, all others as they were."""
    nearest = mul(world.take(PARENTS, 1), _ALL.clamp(local, parts))
    world = np.where(over[..., None], nearest, world)
    return world, on_parents(world)
