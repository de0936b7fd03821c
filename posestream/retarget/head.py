"""Neck and head: from the face's points where they are seen, else from the head's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import (
    about,
    aim,
    between,
    cross,
    inv,
    length,
    mul,
    pick,
    rotate,
    slerp,
    twist_angle,
    unit,
)  # fmt: skip
from posestream.retarget.observe import MIN_BONE_M, Observation
from posestream.skeleton.joints import JOINT

_X: Final = np.array([1.0, 0.0, 0.0])
_Y: Final = np.array([0.0, 1.0, 0.0])
_EARS, _EYES = 2, 3

# Rest vectors of an upright head (Frankfurt plane level), metres.
_EAR_TO_EYE_M: Final = np.array([0.0, 0.013, 0.095])
_EAR_TO_NOSE_M: Final = np.array([0.0, -0.028, 0.115])
_EYE_TO_NOSE_M: Final = _EAR_TO_NOSE_M - _EAR_TO_EYE_M
NECK_REST: Final[F64] = unit(np.array([0.0, 0.20, 0.02]))[0]
"""At rest, from the mid-point of the shoulder joints to the centre of the head."""

_NECK_TWIST_SHARE: Final = 0.5


@dataclass(slots=True)
class HeadPose:
    """World rotations wanted of neck and head."""

    neck: F64  # (N, 4)
    head: F64  # (N, 4)
    neck_ok: Bool  # (N,)
    head_ok: Bool  # (N,)


def solve_head(seen: Observation, chest: F64) -> HeadPose:
    """Neck and head of each person; ``chest`` (N, 4) is the UpperChest in the world.

    A head whose face is not seen looks ahead along the neck.
    """
    line, line_ok = _neck_line(seen)
    ahead = rotate(chest, NECK_REST)
    swung = mul(between(ahead, pick(line_ok, line, ahead)), chest)
    face, face_ok = _face(seen)
    head = face if face_ok.all() else pick(face_ok, face, _upright(seen, swung))
    turn = twist_angle(mul(inv(swung), head), _Y) * _NECK_TWIST_SHARE
    neck = mul(swung, about(_Y, turn))
    if not line_ok.all():
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
    if not seen.crown_ok.any():
        return swung
    up = rotate(swung, _Y)
    return mul(between(up, pick(seen.crown_ok, seen.crown, up)), swung)


def _face(seen: Observation) -> tuple[F64, Bool]:
    """Rotation of the head from ears, eyes and nose: two of the three suffice."""
    nose, nose_ok = seen.point[:, JOINT["nose"]], seen.ok[:, JOINT["nose"]]
    ears, eyes = seen.across_ok[:, _EARS], seen.across_ok[:, _EYES]
    base = pick(ears, seen.middle[:, _EARS], seen.middle[:, _EYES])
    with_eyes, with_nose = ears & eyes, (ears | eyes) & nose_ok
    nose_rest = pick(ears, _EAR_TO_NOSE_M, _EYE_TO_NOSE_M)
    ahead = with_nose[:, None] * (nose - base)
    rest = with_nose[:, None] * nose_rest
    ahead += with_eyes[:, None] * (seen.middle[:, _EYES] - base)
    rest += with_eyes[:, None] * _EAR_TO_EYE_M
    across = pick(ears, seen.across[:, _EARS], seen.across[:, _EYES])
    flat = cross(across, ahead)
    known = (with_eyes | with_nose) & (length(flat) > 0.01)
    if not known.all():
        across = pick(known, across, _X)
    return aim(_X, rest, across, ahead), known
