"""Two-bone legs in closed form: a new place for the ankle, the knee bends as it did."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.geometry.fast import (
    about,
    between,
    clamp,
    inv,
    length,
    matrix,
    mul,
    rotate,
    unit,
)  # fmt: skip
from posestream.skeleton.humanoid import BONE


def _both(part: str) -> list[int]:
    return [BONE[side + part] for side in ("Left", "Right")]


_TURNED: Final = np.array([_both(part) for part in ("UpperLeg", "LowerLeg", "Foot")])
_LED_TO: Final = np.array([_both(part) for part in ("UpperLeg", "LowerLeg", "Foot", "Toes")])
SHANKS: Final = _TURNED[1]
"""(2,) left and right: the bones that are measured where knee and ankle are seen."""

_HINGE: Final = np.array([1.0, 0.0, 0.0])
_BALL_SHARE: Final = 0.25  # of the ankle's height, as in our own skeleton
_MOST_STRETCHED: Final = 0.9995
_WAY: Final = np.array([-1.0, 1.0])[:, None, None]  # a bending knee: thigh forward, shank back


class Body(NamedTuple):
    """Lengths of N people; heights are of who stands upright on flat feet."""

    bone_m: F64  # (N, 4, 2, 3) T-pose vectors to hip joint, knee, ankle and ball; left, right
    thigh_m: F64  # (N, 2)
    shank_m: F64  # (N, 2)
    hips_m: F64  # (N,)
    ankle_m: F64  # (N,)
    ball_m: F64  # (N,) of the joint in the ball of the foot


def body_of(offset_m: F64, hip_height_m: F64) -> Body:
    """From all bones' T-pose vectors (N, B, 3) and the hips' heights (N,)."""
    bone = offset_m.take(_LED_TO, 1)
    thigh, shank = length(bone[:, 1]), length(bone[:, 2])
    ankle = hip_height_m + bone[:, 0, 0, 1] - thigh[:, 0] - shank[:, 0]
    return Body(bone, thigh, shank, hip_height_m, ankle, ankle * _BALL_SHARE)


class Legs(NamedTuple):
    """Both legs of N people, world axes."""

    turn: F64  # (N, 4, 2, 4) of hips, thigh, shank and foot
    place_m: F64  # (N, 4, 2, 3) hip, knee, ankle, ball of the foot


def legs_of(root_world_m: F64, quat_local_xyzw: F64, body: Body) -> Legs:
    """Where the legs of these poses are: roots (N, 3), local rotations (N, B, 4)."""
    local = quat_local_xyzw.take(_TURNED, 1)
    turn = np.empty((len(local), 4, 2, 4))
    turn[:, 0] = quat_local_xyzw[:, :1]
    for bone in range(3):
        turn[:, bone + 1] = mul(turn[:, bone], local[:, bone])
    led = np.matmul(matrix(turn), body.bone_m[..., None])[..., 0]
    led[:, 0] += root_world_m[:, None]
    return Legs(turn, np.add.accumulate(led, axis=1))


def reach(legs: Legs, ankle_m: F64, sole_m: F64, body: Body) -> F64:
    """Local rotations (N, 3, 2, 4) of thigh, shank and foot that bring the ankles to ``ankle_m``.

    Hips stay; knees bend and stretch about their own hinges, then the whole leg swings. Ankles
    (N, 2, 3) out of reach are reached for. ``sole_m`` (N, 2, 3) leads from ankle to ball and
    turns the foot.
    """
    hip, _, ankle, ball = legs.place_m.swapaxes(0, 1)
    ways = np.empty((2, 2, *ankle_m.shape))  # of leg and sole; before and after
    ways[0, 0], ways[1, 0], ways[0, 1], ways[1, 1] = (
        ankle - hip,
        ankle_m - hip,
        ball - ankle,
        sole_m,
    )
    along, size = unit(ways)
    angles = _corners(size[:, 0], body)
    swing = between(along[0], along[1])  # of the leg, of the sole
    hinge = rotate(legs.turn[:, 1], _HINGE)
    bend = about(hinge, (angles[1] - angles[0]) * _WAY)
    turn = np.empty((3, *ankle_m.shape[:2], 4))
    turn[:2] = mul(swing[0], mul(bend, legs.turn[:, 1:3].swapaxes(0, 1)))
    turn[2] = mul(swing[1], legs.turn[:, 3])
    above = np.concatenate([legs.turn[None, :, 0], turn[:2]])
    return mul(inv(above), turn).swapaxes(0, 1)


def _corners(span_m: F64, body: Body) -> F64:
    """(2, 2, N, 2) before and after: at hip and ankle, of the triangle that a leg forms."""
    thigh, shank = body.thigh_m, body.shank_m
    longest = np.maximum((thigh + shank) * _MOST_STRETCHED, span_m[0])
    span = clamp(span_m, np.abs(thigh - shank) + 1e-3, longest)
    difference, square = thigh * thigh - shank * shank, span * span
    cosines = np.empty((2, 2, *thigh.shape))
    cosines[:, 0] = (square + difference) / (2.0 * thigh * span)
    cosines[:, 1] = (square - difference) / (2.0 * shank * span)
    return np.asarray(np.arccos(clamp(cosines, -1.0, 1.0)))


def with_legs(quat_local_xyzw: F64, leg_xyzw: F64) -> F64:
    """All local rotations (N, B, 4) with those of the legs replaced."""
    local = quat_local_xyzw.copy()
    local[:, _TURNED] = leg_xyzw
    return local
