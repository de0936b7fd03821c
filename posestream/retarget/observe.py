"""What the joints of one frame say: directions, lengths and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import cross, pick, unit
from posestream.skeleton.joints import JOINT

MAX_COORDINATE_M: Final = 1e4
"""Joints beyond this are damaged, not far away."""

_LIMB_NAMES: Final = (
    ("left_shoulder", "left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow", "right_wrist"),
    ("left_hip", "left_knee", "left_ankle"),
    ("right_hip", "right_knee", "right_ankle"),
)


def _index(*names: str) -> list[int]:
    return [JOINT[name] for name in names]


_LIMBS: Final = np.array([_index(*names) for names in _LIMB_NAMES])  # (4, 3)
_TOE: Final = np.array(_index("left_toe", "right_toe"))
_HEEL: Final = np.array(_index("left_heel", "right_heel"))
_KNUCKLES: Final = np.array(
    [_index("left_index", "left_pinky"), _index("right_index", "right_pinky")]
)  # (2, 2)
_PAIRS: Final = np.array(
    [
        _index("left_hip", "right_hip"),
        _index("left_shoulder", "right_shoulder"),
        _index("left_ear", "right_ear"),
        _index("left_eye", "right_eye"),
    ]
)
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


def observe(xyz_world_m: F64, score: F64, min_score: float) -> Observation:
    """Directions and their validity from joints (N, J, 3) and scores (N, J)."""
    finite = np.abs(xyz_world_m).max(axis=-1) < MAX_COORDINATE_M  # False for NaN
    ok = finite & (score >= min_score)
    point = pick(ok, xyz_world_m, np.zeros(3))
    trusted = np.where(ok, np.minimum(score, 1.0), 0.0)
    ends = point[:, _PAIRS]  # (N, 4, 2, 3)
    across, width = unit(ends[:, :, 0] - ends[:, :, 1])
    pair_ok = ok[:, _PAIRS].all(axis=-1)
    middle = 0.5 * (ends[:, :, 0] + ends[:, :, 1])
    pelvis, neck = JOINT["pelvis"], JOINT["neck"]
    joints, limb_ok = point[:, _LIMBS], ok[:, _LIMBS]
    limb, length = unit(joints[:, :, 1:] - joints[:, :, :-1])
    return Observation(
        point, ok, trusted,
        across, pair_ok & (width > MIN_BONE_M), middle, width,
        pick(pair_ok[:, 0], middle[:, 0], point[:, pelvis]), pair_ok[:, 0] | ok[:, pelvis],
        pick(pair_ok[:, 1], middle[:, 1], point[:, neck]), pair_ok[:, 1] | ok[:, neck],
        limb, limb_ok[:, :, 1:] & limb_ok[:, :, :-1] & (length > MIN_BONE_M), length,
    )  # fmt: skip


def foot_vectors(seen: Observation) -> tuple[F64, Bool, F64, F64]:
    """Ankle→toe unit (N, 2, 3), its validity, the foot's left (N, 2, 3) and its weight (N, 2)."""
    ankle, toe, heel = seen.point[:, _LIMBS[2:, 2]], seen.point[:, _TOE], seen.point[:, _HEEL]
    forward, length = unit(toe - ankle)
    known = seen.ok[:, _LIMBS[2:, 2]] & seen.ok[:, _TOE] & (length > MIN_BONE_M)
    left, area = unit(cross(ankle - heel, toe - heel))
    trust = np.minimum(seen.score[:, _HEEL], seen.score[:, _TOE])
    weight = np.where(known & seen.ok[:, _HEEL] & (area > 2e-3), trust, 0.0)
    return forward, known, left, weight


def hand_vectors(seen: Observation) -> tuple[F64, Bool, F64, Bool, F64]:
    """Wrist→knuckles unit (N, 2, 3), its validity, little→index unit, its validity, score."""
    wrist, knuckles = seen.point[:, _LIMBS[:2, 2]], seen.point[:, _KNUCKLES]
    ok = seen.ok[:, _KNUCKLES]  # (N, 2, 2)
    count = np.maximum(ok.sum(axis=-1), 1)[..., None]
    middle = knuckles.sum(axis=2) / count  # hidden ones are zero
    forward, length = unit(middle - wrist)
    known = seen.ok[:, _LIMBS[:2, 2]] & ok.any(axis=-1) & (length > MIN_BONE_M)
    across, width = unit(knuckles[:, :, 0] - knuckles[:, :, 1])
    both = known & ok.all(axis=-1) & (width > 0.01)
    score = np.where(ok, seen.score[:, _KNUCKLES], 1.0).min(axis=-1)
    return forward, known, across, both, np.minimum(score, seen.score[:, _LIMBS[:2, 2]])
