"""Hips, chest and face: each turned by an axis from right to left and one across it, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import (
    cross,
    dot,
    every,
    pick,
    seen_from,
    smoothstep,
    unit,
)  # fmt: skip
from posestream.geometry.fixed import Swing, Twist
from posestream.geometry.rotation import arctan2
from posestream.retarget.observe import Observation
from posestream.retarget.rest import REST_TORSO_M
from posestream.skeleton.joints import JOINT

_X: Final = np.array([1.0, 0.0, 0.0])
_UP: Final = np.array([0.0, 1.0, 0.0])
_BEND_SHARE: Final = 0.35
_EARS, _EYES = 2, 3
_LEAST_SQUARED: Final = np.array([0.03, 0.03, 1e-4])  # of the axes' vector product; face: metres

# Rest vectors of an upright head (Frankfurt plane level), metres.
_EAR_TO_EYE_M: Final = np.array([0.0, 0.013, 0.095])
_EAR_TO_NOSE_M: Final = np.array([0.0, -0.028, 0.115])
_EYE_TO_NOSE_M: Final = _EAR_TO_NOSE_M - _EAR_TO_EYE_M
_EAR_TO_FACE_M: Final = _EAR_TO_NOSE_M + _EAR_TO_EYE_M

_TO_AXIS, _ROLL = Swing(_X[None]), Twist(_X[None])
_ACROSS_AXIS: Final = np.array([0.0, 1.0, 1.0])
# A vector seen from axes swung from x, against these of its like at rest, tells how far to roll.
_ROLL_AXES: Final = np.concatenate([cross(_X, np.eye(3)).T, np.eye(3)]).T.copy()


@dataclass(slots=True)
class Facing:
    """World rotations wherever two axes tell them."""

    hips: F64  # (N, 4)
    chest: F64  # (N, 4)
    face: F64  # (N, 4)
    hips_ok: Bool  # (N,)
    chest_ok: Bool  # (N,)
    face_ok: Bool  # (N,)
    line: F64  # (N, 3) unit, from the hip joints to the shoulder joints
    line_ok: Bool  # (N,)


def solve_facing(seen: Observation) -> Facing:
    """Hip, shoulder and face axes are met exactly; hips and shoulders stand in for each other."""
    low, high, line, line_ok = _uprights(seen)
    ahead, rest_ahead, ahead_ok = _face_axes(seen)
    across, known = _across(seen)
    known[:, 2] &= ahead_ok
    other, rest = np.empty_like(across), np.empty_like(across)
    other[:, 0], other[:, 1], other[:, 2] = low, high, ahead
    rest[:, :2], rest[:, 2] = REST_TORSO_M, rest_ahead
    turn, squared = _aim(across, rest, other)
    turn, ok = turn.transpose(1, 0, 2), (known & (squared > _LEAST_SQUARED)).T
    return Facing(turn[0], turn[1], turn[2], ok[0], ok[1], ok[2], line, line_ok)


def _aim(across: F64, rest: F64, other: F64) -> tuple[F64, F64]:
    """Rotations (N, 3, 4) from x to ``across`` that turn ``rest`` to the side of ``other``.

    Also the squares of what of ``other`` lies off ``across``.
    """
    swing = _TO_AXIS.to(across.reshape(-1, 3))
    seen = seen_from(swing, other.reshape(-1, 3))
    axes: F64 = rest.reshape(-1, 3).dot(_ROLL_AXES)
    roll = np.matmul(axes.reshape(-1, 2, 3), seen[..., None])
    turn = _ROLL.of(swing, arctan2(roll[:, 0, 0], roll[:, 1, 0]))
    off = (seen * seen).dot(_ACROSS_AXIS)
    return turn.reshape(-1, 3, 4), off.reshape(-1, 3)


def _across(seen: Observation) -> tuple[F64, Bool]:
    """Right to left (N, 3, 3) of hips, chest and face, and which are known (N, 3)."""
    ok, across = seen.across_ok[:, :3].copy(), seen.across[:, :3]
    if every(ok):
        return across, ok
    eyes, torso_ok = seen.across_ok[:, _EYES], ok[:, :2]
    across = across.copy()
    across[:, :2] = pick(torso_ok, across[:, :2], across[:, 1::-1])
    across[:, 2] = pick(ok[:, 2], across[:, 2], seen.across[:, _EYES])
    ok[:, :2] = torso_ok.any(axis=1)[:, None]
    ok[:, 2] |= eyes
    return across, ok


def _face_axes(seen: Observation) -> tuple[F64, F64, Bool]:
    """Vectors ahead and their like at rest from ears, eyes and nose: two of the three suffice."""
    nose, nose_ok = seen.point[:, JOINT["nose"]], seen.ok[:, JOINT["nose"]]
    ears, eyes = seen.across_ok[:, _EARS], seen.across_ok[:, _EYES]
    with_eyes, with_nose = ears & eyes, (ears | eyes) & nose_ok
    if every(with_eyes & nose_ok):  # as a rule
        base = seen.middle[:, _EARS]
        return nose + seen.middle[:, _EYES] - (base + base), _EAR_TO_FACE_M, with_eyes
    base = pick(ears, seen.middle[:, _EARS], seen.middle[:, _EYES])
    ahead = with_nose[:, None] * (nose - base)
    rest = with_nose[:, None] * pick(ears, _EAR_TO_NOSE_M, _EYE_TO_NOSE_M)
    ahead += with_eyes[:, None] * (seen.middle[:, _EYES] - base)
    rest += with_eyes[:, None] * _EAR_TO_EYE_M
    return ahead, rest, with_eyes | with_nose


def _uprights(seen: Observation) -> tuple[F64, F64, F64, Bool]:
    """Direction of the lower torso, the upper torso and the whole; validity of the whole."""
    middle, knows_middle = seen.point[:, JOINT["spine"]], seen.ok[:, JOINT["spine"]]
    ends = np.empty((len(middle), 3, 3))
    ends[:, 0], ends[:, 1] = seen.neck - seen.pelvis, middle - seen.pelvis
    ends[:, 2] = ends[:, 0] - ends[:, 1]
    parts, length = unit(ends)
    line_ok = seen.pelvis_ok & seen.neck_ok & (length[:, 0] > 0.1)
    line = pick(line_ok, parts[:, 0], _UP)
    bent = line_ok & knows_middle & (np.minimum(length[:, 1], length[:, 2]) > 0.05)
    if every(bent):
        return parts[:, 1], parts[:, 2], line, line_ok
    pelvis, chest = _guessed_bend(line)
    return pick(bent, parts[:, 1], pelvis), pick(bent, parts[:, 2], chest), line, line_ok


def _guessed_bend(line: F64) -> tuple[F64, F64]:
    """Pelvis and chest where no joint between them is seen: who leans bends the back as well.

    The pelvis tilts less than the line from hips to neck, the chest as much more; the
    further the body is from upright, the less is assumed.
    """
    share = _BEND_SHARE * smoothstep(line[:, 1], 0.0, 0.7)
    pelvis = unit(line + share[:, None] * (_UP - line))[0]
    chest = 2.0 * dot(line, pelvis)[:, None] * line - pelvis
    return pelvis, chest
