"""Hands and feet; the forearm takes half of the hand's twist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import (
    clamp,
    cross,
    mul,
    seen_from,
    smoothstep,
    unit,
)  # fmt: skip
from posestream.geometry.fixed import Swing, Twist, block_diagonal
from posestream.geometry.rotation import arctan2
from posestream.retarget.limbs import LIMB_REST
from posestream.retarget.observe import Observation, end_vectors
from posestream.skeleton.humanoid import BONE, REST_OFFSET_M

_FORWARD: Final = np.array([0.0, 0.0, 1.0])
_LEFT: Final = np.array([1.0, 0.0, 0.0])
FOOT_REST: Final[F64] = unit(REST_OFFSET_M[BONE["LeftToes"]])[0]
"""From ankle to toe at rest."""

_AHEAD_REST: Final = np.stack([LIMB_REST[0], LIMB_REST[1], FOOT_REST, FOOT_REST])
_SIDE_REST: Final = np.stack([_FORWARD, _FORWARD, _LEFT, _LEFT])
# How far the side seen is rolled follows by two products: against ahead × side, against side.
_ROLL_AXES: Final = block_diagonal(
    np.stack([cross(_AHEAD_REST, _SIDE_REST), _SIDE_REST], axis=2)
)  # (4 · 3, 4 · 2)
_TWIST: Final = Twist(np.concatenate([LIMB_REST[:2], _AHEAD_REST]))
"""Of forearms, hands and feet."""
_FROM_REST: Final = Swing(_AHEAD_REST)
_TWIST_RANGE_RAD: Final = np.radians(115.0)
_FOREARM_SHARE: Final = 0.5
_TWIST_S: Final = 0.08
_TURN_RAD: Final = 2.0 * np.pi
_SURE: Final = np.array([0.0, 0.0, 1.0, 1.0])  # feet follow their toes whatever the score
_FADE: Final = (0.3, 0.65)  # scores between which knuckles and heels gain their say


@dataclass(slots=True)
class Ends:
    """World rotations wanted of forearms, hands and feet."""

    forearm: F64  # (N, 2, 4) with their share of the twist
    end: F64  # (N, 4, 4) left hand, right hand, left foot, right foot
    end_ok: Bool  # (N, 4)
    twist_rad: F64  # (N, 2) of the hands against the untwisted forearms: next memory


def solve_ends(
    seen: Observation, lower: F64, twist_before_rad: F64, dt_s: F64, fresh: Bool
) -> Ends:
    """Hands by their knuckles, feet by toe and heel; both fade in with their scores.

    Args:
        seen: this frame's joints.
        lower: (N, 4, 4) world rotations of forearms and shanks before twisting.
        twist_before_rad: (N, 2) of the last frame: knuckles are close together, so that their
            noise would twist forearms wildly if they were believed at once.
        dt_s: (N,) seconds since the last frame.
        fresh: (N,) people without memory.
    """
    vectors = end_vectors(seen)
    shanks = lower.reshape(-1, 4)  # those of all people one after another: rows are faster
    trust = smoothstep(vectors.score, *_FADE)
    weight = np.maximum(trust, _SURE) * vectors.ahead_ok
    inside = seen_from(shanks, vectors.ahead.reshape(-1, 3)).reshape(-1, 4, 3)
    ahead = unit((_AHEAD_REST + weight[..., None] * (inside - _AHEAD_REST)).reshape(-1, 3))[0]
    swung = mul(shanks, _FROM_REST.to(ahead))
    side = seen_from(swung, vectors.side.reshape(-1, 3)).reshape(-1, 12).dot(_ROLL_AXES)
    side = side.reshape(-1, 4, 2)
    roll = arctan2(side[..., 0], side[..., 1]) * (trust * vectors.side_ok)
    pull = np.where(fresh, 1.0, -np.expm1(-dt_s / _TWIST_S))[:, None]
    # the shortest swing to where a hand points does not twist: the roll is all of the twist
    twist = roll[:, :2] = _calmed(roll[:, :2], twist_before_rad, pull)
    bones = np.concatenate([lower[:, :2], swung.reshape(-1, 4, 4)], axis=1)
    turned = _TWIST.of(bones, np.concatenate([_FOREARM_SHARE * twist, roll], axis=1))
    return Ends(turned[:, :2], turned[:, 2:], weight > 0.0, twist)


def _calmed(roll_rad: F64, before_rad: F64, pull: F64) -> F64:
    """The twist of the hands (N, 2), pulled from the last frame's to their roll."""
    change = roll_rad - before_rad
    change -= _TURN_RAD * np.rint(change / _TURN_RAD)
    return clamp(before_rad + pull * change, -_TWIST_RANGE_RAD, _TWIST_RANGE_RAD)
