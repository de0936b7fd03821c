"""Hands and feet; the forearm takes half of the hand's twist."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.retarget.fast import (
    about,
    aim,
    between,
    inv,
    mul,
    pick,
    rotate,
    slerp,
    smoothstep,
    twist_angle,
    unit,
)  # fmt: skip
from posestream.retarget.limbs import LIMB_REST
from posestream.retarget.observe import Observation, foot_vectors, hand_vectors
from posestream.skeleton.humanoid import BONE, REST_OFFSET_M

_ARM_REST: Final = LIMB_REST[:2]
_FORWARD: Final = np.array([0.0, 0.0, 1.0])
_LEFT: Final = np.array([1.0, 0.0, 0.0])
_IDENTITY: Final = np.array([0.0, 0.0, 0.0, 1.0])
FOOT_REST: Final[F64] = unit(REST_OFFSET_M[BONE["LeftToes"]])[0]
"""From ankle to toe at rest."""

_TWIST_RANGE_RAD: Final = np.radians(115.0)
_FOREARM_SHARE: Final = 0.5
_FADE: Final = (0.3, 0.65)  # scores between which knuckles gain their say


def solve_hands(seen: Observation, forearm: F64, twist_before: F64) -> tuple[F64, F64, Bool, F64]:
    """Forearms with their twist (N, 2, 4), hands (N, 2, 4), hands' validity, twist (N, 2) rad.

    Args:
        seen: this frame's joints.
        forearm: (N, 2, 4) world rotations before twisting.
        twist_before: (N, 2) of the last frame, so that the twist does not jump by a full turn.
    """
    ahead, known, across, both, score = hand_vectors(seen)
    ahead = pick(known, ahead, rotate(forearm, _ARM_REST))
    swung = mul(between(rotate(forearm, _ARM_REST), ahead), forearm)
    flat = aim(_ARM_REST, _FORWARD, ahead, pick(both, across, _FORWARD))
    relative = mul(inv(forearm), pick(both, flat, swung))
    weight = np.where(known, smoothstep(score, *_FADE), 0.0)
    relative = slerp(np.broadcast_to(_IDENTITY, relative.shape), relative, weight)
    twist = _unwrapped(twist_angle(relative, _ARM_REST), twist_before)
    turned = mul(forearm, about(_ARM_REST, _FOREARM_SHARE * twist))
    return turned, mul(forearm, relative), known & (weight > 0.0), twist


def _unwrapped(twist_rad: F64, before_rad: F64) -> F64:
    """The equivalent angle nearest to the last one, within what an arm can do."""
    turns = np.round((before_rad - twist_rad) / (2.0 * np.pi))
    return np.asarray(np.clip(twist_rad + 2.0 * np.pi * turns, -_TWIST_RANGE_RAD, _TWIST_RANGE_RAD))


def solve_feet(seen: Observation, shank: F64) -> tuple[F64, Bool]:
    """Feet (N, 2, 4) in the world and their validity; the heel adds the roll where it is seen."""
    ahead, known, left, weight = foot_vectors(seen)
    ahead = pick(known, ahead, rotate(shank, np.broadcast_to(FOOT_REST, ahead.shape)))
    swung = mul(between(rotate(shank, np.broadcast_to(FOOT_REST, ahead.shape)), ahead), shank)
    side = pick(weight > 0.0, left, rotate(swung, np.broadcast_to(_LEFT, ahead.shape)))
    rolled = aim(FOOT_REST, _LEFT, ahead, side)
    return slerp(swung, rolled, np.where(weight > 0.0, smoothstep(weight, *_FADE), 0.0)), known
