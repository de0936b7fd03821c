"""Hands and feet; the forearm takes half of the hand's twist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import (
    about,
    between,
    inv,
    mul,
    rotate,
    signed_angle,
    smoothstep,
    twist_angle,
    unit,
)  # fmt: skip
from posestream.retarget.limbs import LIMB_REST
from posestream.retarget.observe import Observation, foot_vectors, hand_vectors
from posestream.skeleton.humanoid import BONE, REST_OFFSET_M

_FORWARD: Final = np.array([0.0, 0.0, 1.0])
_LEFT: Final = np.array([1.0, 0.0, 0.0])
FOOT_REST: Final[F64] = unit(REST_OFFSET_M[BONE["LeftToes"]])[0]
"""From ankle to toe at rest."""

_AHEAD_REST: Final = np.stack([LIMB_REST[0], LIMB_REST[1], FOOT_REST, FOOT_REST])
_SIDE_REST: Final = np.stack([_FORWARD, _FORWARD, _LEFT, _LEFT])
_TWIST_RANGE_RAD: Final = np.radians(115.0)
_FOREARM_SHARE: Final = 0.5
_FADE: Final = (0.3, 0.65)  # scores between which knuckles and heels gain their say


@dataclass(slots=True)
class Ends:
    """World rotations wanted of forearms, hands and feet."""

    forearm: F64  # (N, 2, 4) with their share of the twist
    end: F64  # (N, 4, 4) left hand, right hand, left foot, right foot
    end_ok: Bool  # (N, 4)
    twist_rad: F64  # (N, 2) of the hands against the untwisted forearms: next memory


def solve_ends(seen: Observation, lower: F64, twist_before_rad: F64) -> Ends:
    """Hands by their knuckles, feet by toe and heel; both fade in with their scores.

    Args:
        seen: this frame's joints.
        lower: (N, 4, 4) world rotations of forearms and shanks before twisting.
        twist_before_rad: (N, 2) of the last frame, so that no twist jumps by a full turn.
    """
    ahead, known, side, ahead_weight, side_weight = _vectors(seen)
    straight = rotate(lower, _AHEAD_REST)
    ahead = unit(straight + np.where(known, ahead_weight, 0.0)[..., None] * (ahead - straight))[0]
    swung = mul(between(straight, ahead), lower)
    roll = signed_angle(rotate(swung, _SIDE_REST), side, ahead) * side_weight
    hand_roll, forearm, twist = _share_twist(
        lower[:, :2], swung[:, :2], roll[:, :2], twist_before_rad
    )
    roll = np.concatenate([hand_roll, roll[:, 2:]], axis=1)
    return Ends(forearm, mul(about(ahead, roll), swung), known & (ahead_weight > 0.0), twist)


def _vectors(seen: Observation) -> tuple[F64, Bool, F64, F64, F64]:
    """Ahead (N, 4, 3), known (N, 4), side (N, 4, 3), weights of ahead and of side (N, 4)."""
    hand, hand_ok, thumbwards, palm_ok, hand_score = hand_vectors(seen)
    foot, foot_ok, left, heel_score = foot_vectors(seen)
    trust = smoothstep(hand_score, *_FADE)
    return (
        np.concatenate([hand, foot], axis=1),
        np.concatenate([hand_ok, foot_ok], axis=1),
        np.concatenate([thumbwards, left], axis=1),
        np.concatenate([trust, np.ones_like(trust)], axis=1),
        np.concatenate([trust * palm_ok, smoothstep(heel_score, *_FADE)], axis=1),
    )


def _share_twist(forearm: F64, swung: F64, roll_rad: F64, before_rad: F64) -> tuple[F64, F64, F64]:
    """Roll (N, 2) of the hand, twisted forearms (N, 2, 4), and the twist (N, 2)."""
    rest = LIMB_REST[:2]
    own = twist_angle(mul(inv(forearm), swung), rest)  # of the swing alone: next to nothing
    twist = own + roll_rad
    twist = twist + 2.0 * np.pi * np.round((before_rad - twist) / (2.0 * np.pi))
    twist = np.clip(twist, -_TWIST_RANGE_RAD, _TWIST_RANGE_RAD)
    return twist - own, mul(forearm, about(rest, _FOREARM_SHARE * twist)), twist
