"""Two-bone legs in closed form: a new place for the ankle, the knee bends as it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.geometry.fast import between, clamp, difference, length, matrix, mul, some, unit
from posestream.skeleton.humanoid import BONE

_LEGS: Final = slice(BONE["LeftUpperLeg"], BONE["RightFoot"] + 1)
"""Thighs, shanks, feet; of each the left and the right one."""
_LED_TO: Final = np.array(
    [
        [BONE[side + part] for side in ("Left", "Right")]
        for part in ("UpperLeg", "LowerLeg", "Foot", "Toes")
    ]
)
SHANKS: Final = slice(BONE["LeftLowerLeg"], BONE["RightLowerLeg"] + 1)
"""Left and right: the bones that are measured where knee and ankle are seen."""

_BALL_SHARE: Final = 0.25  # of the ankle's height, as in our own skeleton
_MOST_STRETCHED: Final = 0.9995
# A bending knee turns the thigh forward and the shank back about the thigh's own x axis: half
# of what thigh, shank and knee turn, from what the corners at hip and ankle open.
_HALF_TURNS: Final = np.array([[-0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])
# A leg near its full length bends by twenty degrees for a centimetre: no knee bends or stretches
# faster to reach a place than this, on top of what it does by itself.
_BENDS_RAD_S, _STRETCHES_RAD_S = 5.0, 3.0


class Body(NamedTuple):
    """Lengths of N people; heights are of who stands upright on flat feet."""

    bone_m: F64  # (N, 4, 2, 3) T-pose vectors to hip joint, knee, ankle and ball; left, right
    hips_m: F64  # (N,)
    ankle_m: F64  # (N,)
    ball_m: F64  # (N,) of the joint in the ball of the foot
    foot_m: F64  # (N, 2) from ankle to ball
    span_m: F64  # (N, 2, 2) from hip to ankle, of the most bent and of the stretched leg
    twice_m: F64  # (N, 2, 2) two thighs and two shanks
    excess_m2: F64  # (N, 2, 2) by which the square of either exceeds that of the other


def body_of(offset_m: F64, hip_height_m: F64) -> Body:
    """From all bones' T-pose vectors (N, B, 3) and the hips' heights (N,)."""
    bone = offset_m.take(_LED_TO, 1)
    _, thigh, shank, foot = length(bone).swapaxes(0, 1)
    ankle = hip_height_m + bone[:, 0, 0, 1] - thigh[:, 0] - shank[:, 0]
    span = np.stack([np.abs(thigh - shank) + 1e-3, (thigh + shank) * _MOST_STRETCHED], axis=-1)
    excess = thigh * thigh - shank * shank
    return Body(
        bone, hip_height_m, ankle, ankle * _BALL_SHARE, foot, span,
        2.0 * np.stack([thigh, shank], axis=-1), np.stack([excess, -excess], axis=-1),
    )  # fmt: skip


class Legs(NamedTuple):
    """Both legs of N people."""

    local: F64  # (N, 3, 2, 4) rotations of thigh, shank and foot in their parents
    thigh: F64  # (N, 2, 3, 3) rotation matrices, world
    sole_m: F64  # (N, 2, 3) from ankle to ball of the foot, world
    place_m: F64  # (N, 4, 2, 3) hip, knee, ankle, ball of the foot, world


def legs_of(root_world_m: F64, quat_local_xyzw: F64, body: Body) -> Legs:
    """Where the legs of these poses are: roots (N, 3), local rotations (N, B, 4)."""
    local = quat_local_xyzw[:, _LEGS].reshape(-1, 3, 2, 4)
    turn = np.empty((len(local), 4, 2, 3, 3))  # of hips, thigh, shank and foot
    turn[:, 0] = matrix(quat_local_xyzw[:, :1])
    own = matrix(local)
    for bone in range(3):
        np.matmul(turn[:, bone], own[:, bone], out=turn[:, bone + 1])
    led = np.matmul(turn, body.bone_m[..., None])[..., 0]
    led[:, 0] += root_world_m[:, None]
    return Legs(local, turn[:, 1], led[:, 3], np.add.accumulate(led, axis=1))


def reach(
    legs: Legs,
    ankle_m: F64,
    sole_of: Callable[[F64], F64],
    body: Body,
    knee_rad: F64,
    dt_s: float,
) -> tuple[F64, F64]:
    """Legs that bring the ankles to ``ankle_m``, or as near as they can.

    Hips stay; knees bend and stretch about their own hinges, then the whole leg swings.

    Args:
        legs: as measured.
        ankle_m: (N, 2, 3) where to.
        sole_of: the ways (N, 2, 3) from ankles to balls, for ankles at given places (N, 2, 3);
            they turn the feet.
        body: lengths of the legs.
        knee_rad: (N, 2) by which knees were bent more than measured ``dt_s`` seconds ago.
        dt_s: an infinite time lets them bend as they must.

    Returns:
        Local rotations (N, 3, 2, 4) of thigh, shank and foot, and the new ``knee_rad``.
    """
    hip = legs.place_m[:, 0]
    ways = np.empty((2, 2, *ankle_m.shape))  # before and after; of leg and sole
    np.subtract(legs.place_m[:, 2], hip, out=ways[0, 0])
    np.subtract(ankle_m, hip, out=ways[1, 0])
    opens, knee_rad, late = _opens(length(ways[:, 0]), body, knee_rad, dt_s)
    if late is not None:
        ankle_m = hip + late[..., None] * ways[1, 0]
    ways[0, 1], ways[1, 1] = legs.sole_m, sole_of(ankle_m)
    # all else in the axes that thighs had: there, their own hinge is x
    along, _ = unit(np.matmul(ways[..., None, :], legs.thigh)[..., 0, :])
    swing, twist = between(along[0], along[1])
    bend = _bends(opens)
    bend[:, :, :2] = mul(swing[:, :, None], bend[:, :, :2])
    return _bent(legs.local, bend, twist), knee_rad


def _bent(local: F64, bend: F64, foot_turn: F64) -> F64:
    """``reach``'s answer from (N, 2, 3, 4) what turns thigh, shank, and the shank in the thigh.

    All but the last, and ``foot_turn`` (N, 2, 4), are in the axes that thighs had.
    """
    thigh, shank, foot = local.swapaxes(0, 1)
    shanks = mul(bend[:, :, 1:], shank[:, :, None])  # in the axes that thighs had; in thighs
    out = np.empty_like(local)
    out[:, 0] = mul(thigh, bend[:, :, 0])
    out[:, 1] = shanks[:, :, 1]
    out[:, 2] = difference(shanks[:, :, 0], mul(foot_turn, mul(shank, foot)))
    return out


def _opens(span_m: F64, body: Body, knee_rad: F64, dt_s: float) -> tuple[F64, F64, F64 | None]:
    """By how much the corners at hip and ankle open (N, 2, 2), and both: what knees bend (N, 2).

    ``span_m`` (2, N, 2) leads from hip to ankle before and after. Last, if some knee is late,
    the share (N, 2) of the way after that legs go.
    """
    shortest, stretched = body.span_m[..., 0], body.span_m[..., 1]
    span = clamp(span_m, shortest, np.maximum(stretched, span_m[0]))[..., None]
    cosines = (span * span + body.excess_m2) / (body.twice_m * span)
    corners = np.arccos(clamp(cosines, -1.0, 1.0))
    opens = corners[1] - corners[0]
    bends = corners[..., 0] + corners[..., 1]
    wanted = bends[1] - bends[0]
    bend = clamp(wanted, knee_rad - _STRETCHES_RAD_S * dt_s, knee_rad + _BENDS_RAD_S * dt_s)
    if not some(bend != wanted):
        return opens, bend, None
    bend = np.maximum(bend, -bends[0])
    # thigh and shank are about as long, so either corner opens by the half
    opens += (0.5 * (bend - wanted))[..., None]
    return opens, bend, _span_m(bends[0] + bend, body) / np.maximum(span_m[1], 1e-9)


def _span_m(bend_rad: F64, body: Body) -> F64:
    """(N, 2) from hip to ankle of legs whose knees are bent so far."""
    two = body.twice_m
    squares = (two * two).sum(axis=-1) + 2.0 * two[..., 0] * two[..., 1] * np.cos(bend_rad)
    return np.asarray(0.5 * np.sqrt(squares))


def _bends(opens_rad: F64) -> F64:
    """(N, 2, 3, 4) rotations of thighs, shanks and knees about their hinges."""
    half = opens_rad.dot(_HALF_TURNS)
    turns = np.zeros((*half.shape, 4))
    np.sin(half, out=turns[..., 0])
    np.cos(half, out=turns[..., 3])
    return turns


def with_legs(quat_local_xyzw: F64, leg_xyzw: F64) -> F64:
    """All local rotations (N, B, 4) with those of the legs replaced."""
    local = quat_local_xyzw.copy()
    local[:, _LEGS] = leg_xyzw.reshape(-1, 6, 4)
    return local
