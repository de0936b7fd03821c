"""What the joints of one frame say: directions, lengths and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, Bool
from posestream.geometry.fast import cross, every, pick, unit
from posestream.skeleton.joints import JOINT

MAX_COORDINATE_M: Final = 1e4
"""Joints beyond this are damaged, not far away."""

_ORIGIN: Final = np.zeros(3)

_LIMB_NAMES: Final = (
    ("left_shoulder", "left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow", "right_wrist"),
    ("left_hip", "left_knee", "left_ankle"),
    ("right_hip", "right_knee", "right_ankle"),
)


def _index(*names: str) -> list[int]:
    return [JOINT[name] for name in names]


_PAIRS: Final = ("hip", "shoulder", "ear", "eye")
NUM_PAIRS: Final = len(_PAIRS)

# From and to of everything whose direction is wanted: pairs, limbs, crown.
_RIGHTS: Final = _index(*(f"right_{name}" for name in _PAIRS))
_LEFTS: Final = _index(*(f"left_{name}" for name in _PAIRS))
_LIMBS: Final = slice(NUM_PAIRS, NUM_PAIRS + 8)
_CROWN: Final = NUM_PAIRS + 8
_FROM: Final = np.array(
    _RIGHTS + _index(*(limb[i] for limb in _LIMB_NAMES for i in (0, 1)), "head")
)
_TO: Final = np.array(
    _LEFTS + _index(*(limb[i] for limb in _LIMB_NAMES for i in (1, 2)), "head_top")
)

_ENDS: Final = np.array(
    _index(
        *("left_wrist", "right_wrist", "left_ankle", "right_ankle"),
        *("left_pinky", "right_pinky", "left_heel", "right_heel"),
        *("left_index", "right_index", "left_toe", "right_toe"),
    )
)
_LEAST_SIDE: Final = np.array([0.01, 0.01, 2e-3, 2e-3])  # metres, square metres
_TRUNK: Final = np.array(_index("pelvis", "neck"))
MIN_BONE_M: Final = 0.02


@dataclass(slots=True)
class Observation:
    """Points with zeros where nothing is known; ``*_ok`` says which are."""

    point: F64  # (N, J, 3)
    ok: Bool  # (N, J)
    score: F64  # (N, J), 0 where not ok
    across: F64  # (N, 4, 3) unit, right to left: hips, shoulders, ears, eyes
    across_ok: Bool  # (N, 4)
    middle: F64  # (N, 4, 3) mid-points of the same pairs
    width_m: F64  # (N, 4)
    pelvis: F64  # (N, 3)
    pelvis_ok: Bool  # (N,)
    neck: F64  # (N, 3)
    neck_ok: Bool  # (N,)
    limb: F64  # (N, 4, 2, 3) unit: left arm, right arm, left leg, right leg; upper, lower
    limb_ok: Bool  # (N, 4, 2)
    limb_m: F64  # (N, 4, 2) lengths
    crown: F64  # (N, 3) unit, from the centre of the head upwards
    crown_ok: Bool  # (N,)


def observe(xyz_world_m: F64, score: F64, min_score: float) -> Observation:
    """Directions and their validity from joints (N, J, 3) and scores (N, J)."""
    sane = np.abs(xyz_world_m) < MAX_COORDINATE_M  # False for NaN
    ok = score >= min_score
    if not every(sane):
        ok &= sane.all(axis=-1)
    point = xyz_world_m if every(ok) else pick(ok, xyz_world_m, _ORIGIN)
    trusted = np.where(ok, np.minimum(score, 1.0), 0.0)
    start, end = point.take(_FROM, 1), point.take(_TO, 1)
    direction, length = unit(end - start)
    both = ok.take(_FROM, 1) & ok.take(_TO, 1)
    known = both & (length > MIN_BONE_M)
    middle = 0.5 * (start[:, :NUM_PAIRS] + end[:, :NUM_PAIRS])
    trunk = pick(both[:, :2], middle[:, :2], point.take(_TRUNK, 1))
    trunk_ok = both[:, :2] | ok.take(_TRUNK, 1)
    n = len(point)
    return Observation(
        point, ok, trusted,
        direction[:, :NUM_PAIRS], known[:, :NUM_PAIRS], middle, length[:, :NUM_PAIRS],
        trunk[:, 0], trunk_ok[:, 0], trunk[:, 1], trunk_ok[:, 1],
        direction[:, _LIMBS].reshape(n, 4, 2, 3), known[:, _LIMBS].reshape(n, 4, 2),
        length[:, _LIMBS].reshape(n, 4, 2), direction[:, _CROWN], known[:, _CROWN],
    )  # fmt: skip


@dataclass(slots=True)
class EndVectors:
    """Left hand, right hand, left foot, right foot."""

    ahead: F64  # (N, 4, 3) unit: wrist to knuckles, ankle to toe
    ahead_ok: Bool  # (N, 4)
    side: F64  # (N, 4, 3) unit: little finger to index finger, the foot's left
    side_ok: Bool  # (N, 4)
    score: F64  # (N, 4) of the knuckles, of toe and heel


def end_vectors(seen: Observation) -> EndVectors:
    """Where hands and feet point and how they are turned; one knuckle points a hand, too."""
    point = seen.point.take(_ENDS, 1)
    root_ok, hind_ok, fore_ok = _three(seen.ok.take(_ENDS, 1))
    tip_ok, both_ok = fore_ok, hind_ok & fore_ok
    lines: F64 = np.matmul(_END_LINES, point)
    if not every(both_ok[:, :2]):  # hidden ones are zero: the other is all of the tip
        lines[:, :2] = point[:, 4:6] + point[:, 8:10]
        lines[:, :2] *= 1.0 - 0.5 * both_ok[:, :2, None]
        lines[:, :2] -= point[:, :2]
        tip_ok = fore_ok.copy()
        tip_ok[:, :2] |= hind_ok[:, :2]
    lines[:, 6:8] = cross(lines[:, 6:8], lines[:, 8:])
    vectors, size = unit(lines[:, :8])
    ahead_ok = root_ok & tip_ok & (size[:, :4] > MIN_BONE_M)
    side_ok = ahead_ok & both_ok & (size[:, 4:] > _LEAST_SIDE)
    score = _end_score(_three(seen.score.take(_ENDS, 1)), hind_ok, fore_ok, both_ok)
    return EndVectors(vectors[:, :4], ahead_ok, vectors[:, 4:], side_ok, score)


def _end_lines() -> F64:
    """(10, 12) from the points of hands and feet to where they point, their sides, and soles.

    Hands point half-way between little and index finger; a foot's side is across two lines.
    """
    root, hind, fore = np.eye(12).reshape(3, 4, 12)
    hands, feet = slice(0, 2), slice(2, 4)
    ahead = fore - root
    ahead[hands] = 0.5 * (hind + fore)[hands] - root[hands]
    side = fore - hind
    return np.concatenate([ahead, side[hands], (root - hind)[feet], side[feet]])


_END_LINES: Final = _end_lines()


def _three(ends: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Of wrists and ankles, of little fingers and heels, of index fingers and toes: (N, 4, ...)."""
    return ends[:, :4], ends[:, 4:8], ends[:, 8:]


def _end_score(score: tuple[F64, F64, F64], hind_ok: Bool, fore_ok: Bool, both_ok: Bool) -> F64:
    """(N, 4): a hand's as its worst visible joint, a foot's as the worse of toe and heel."""
    root, hind, fore = score
    worst = np.minimum(hind, fore)
    if not every(both_ok[:, :2]):
        visible = np.minimum(np.where(hind_ok, hind, 1.0), np.where(fore_ok, fore, 1.0))
        worst[:, :2] = visible[:, :2]
    worst[:, :2] = np.minimum(worst[:, :2], root[:, :2])
    return worst
