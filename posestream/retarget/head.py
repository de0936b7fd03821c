"""Neck and head: from the face's points where they are seen, else from the head's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import (
    between,
    difference,
    every,
    mul,
    pick,
    rotate,
    slerp,
    some,
    twist_angle,
    unit,
)  # fmt: skip
from posestream.geometry.fixed import Twist
from posestream.retarget.facing import Facing
from posestream.retarget.observe import MIN_BONE_M, Observation
from posestream.skeleton.joints import JOINT

_Y: Final = np.array([0.0, 1.0, 0.0])
_EARS: Final = 2

NECK_REST: Final[F64] = unit(np.array([0.0, 0.20, 0.02]))[0]
"""At rest, from the mid-point of the shoulder joints to the centre of the head."""

_NECK_TWIST_SHARE: Final = 0.5
_TURN: Final = Twist(_Y[None])


@dataclass(slots=True)
class HeadPose:
    """World rotations wanted of neck and head."""

    neck: F64  # (N, 4)
    head: F64  # (N, 4)
    neck_ok: Bool  # (N,)
    head_ok: Bool  # (N,)


def solve_head(seen: Observation, facing: Facing, chest: F64) -> HeadPose:
    """Neck and head of each person; ``chest`` (N, 4) is the UpperChest in the world.

    A head whose face is not seen looks ahead along the neck.
    """
    line, line_ok = _neck_line(seen)
    ahead = rotate(chest, NECK_REST)
    swung = mul(between(ahead, pick(line_ok, line, ahead)), chest)
    face, face_ok = facing.face, facing.face_ok
    head = face if every(face_ok) else pick(face_ok, face, _upright(seen, swung))
    turn = twist_angle(difference(swung, head), _Y) * _NECK_TWIST_SHARE
    neck = _TURN.of(swung, turn)
    if not every(line_ok):
        neck = pick(line_ok, neck, slerp(chest, head, 0.4))
    return HeadPose(neck, head, line_ok | face_ok, face_ok | seen.crown_ok)


def _neck_line(seen: Observation) -> tuple[F64, Bool]:
    centre = JOINT["head"]
    ears = seen.across_ok[:, _EARS]
    head = pick(ears, seen.middle[:, _EARS], seen.point[:, centre])
    line, long = unit(head - seen.neck)
    return line, seen.neck_ok & (ears | seen.ok[:, centre]) & (long > MIN_BONE_M)


def _upright(seen: Observation, swung: F64) -> F64:
    """Rotations of heads without a face: ``swung``, brought in line with the crown if seen."""
    if not some(seen.crown_ok):
        return swung
    up = rotate(swung, _Y)
    return mul(between(up, pick(seen.crown_ok, seen.crown, up)), swung)
