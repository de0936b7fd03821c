"""The body's segments as directions between joints, and what moves with each of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import every, pick, unit
from posestream.skeleton.joints import BODY, JOINT, NUM_JOINTS, swap_sides

_ARM: Final = ("elbow", "wrist", "thumb", "index", "pinky")
_LEG: Final = ("knee", "ankle", "heel", "toe")
_FACE: Final = (
    "head", "head_top", "nose", "left_eye", "right_eye", "left_ear", "right_ear",
)  # fmt: skip
_SIDES: Final = ("left", "right")
_MAX_COORDINATE_M: Final = 1e4  # joints beyond this are damaged, not far away
_MIN_LENGTH_M: Final = 0.02

SEGMENTS: Final[tuple[tuple[str, str], ...]] = (
    ("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"),
    ("left_wrist", "left_index"), ("right_wrist", "right_index"),
    ("left_hip", "left_knee"), ("right_hip", "right_knee"),
    ("left_knee", "left_ankle"), ("right_knee", "right_ankle"),
    ("left_ankle", "left_toe"), ("right_ankle", "right_toe"),
    ("pelvis", "neck"), ("neck", "head"),
    ("right_hip", "left_hip"), ("right_shoulder", "left_shoulder"),
)  # fmt: skip
"""Both arms (upper arm, forearm, hand), both legs (thigh, shank, foot), then trunk, head and the
axes of hips and shoulders."""

NUM_SEGMENTS: Final = len(SEGMENTS)
NUM_PAIRS: Final = 2
PAIR_SIZE: Final = 6
LIMBS: Final = slice(0, NUM_PAIRS * PAIR_SIZE)
"""The segments of arms and legs."""

OTHER_SIDE: Final[I64] = np.array([*(i ^ 1 for i in range(12)), 12, 13, 14, 15])
"""(S,) the same segment of the other side."""

_ENDS: Final[I64] = np.array([[JOINT[a] for a, _ in SEGMENTS], [JOINT[b] for _, b in SEGMENTS]])


def _moved_with() -> F64:
    """(S, J): how far each joint goes along when a segment's far end moves by one."""
    moved = {segment: dict.fromkeys((segment[1],), 1.0) for segment in SEGMENTS}
    limbs = {s: {"arm": [f"{s}_{n}" for n in _ARM], "leg": [f"{s}_{n}" for n in _LEG]}
             for s in _SIDES}  # fmt: skip
    upper = dict.fromkeys(("neck", *_FACE), 1.0) | {"spine": 0.5}
    for side, sign in (("left", 0.5), ("right", -0.5)):
        arm, leg = limbs[side]["arm"], limbs[side]["leg"]
        moved[f"{side}_shoulder", f"{side}_elbow"] = dict.fromkeys(arm, 1.0)
        moved[f"{side}_elbow", f"{side}_wrist"] = dict.fromkeys(arm[1:], 1.0)
        moved[f"{side}_wrist", f"{side}_index"] = dict.fromkeys(arm[2:], 1.0)
        moved[f"{side}_hip", f"{side}_knee"] = dict.fromkeys(leg, 1.0)
        moved[f"{side}_knee", f"{side}_ankle"] = dict.fromkeys(leg[1:], 1.0)
        moved[f"{side}_ankle", f"{side}_toe"] = dict.fromkeys(leg[2:], 1.0)
        upper |= dict.fromkeys((f"{side}_shoulder", *arm), 1.0)
        moved["right_hip", "left_hip"] |= dict.fromkeys((f"{side}_hip", *leg), sign)
        moved["right_shoulder", "left_shoulder"] |= dict.fromkeys((f"{side}_shoulder", *arm), sign)
    moved["pelvis", "neck"] = upper
    moved["neck", "head"] = dict.fromkeys(_FACE, 1.0)
    table = np.zeros((NUM_SEGMENTS, NUM_JOINTS))
    for row, segment in enumerate(SEGMENTS):
        for name, share in moved[segment].items():
            table[row, JOINT[name]] = share
    return table


_MOVED: Final = _moved_with()


def _limb_joints() -> tuple[I64, I64, I64]:
    """(J,) the joint on the other limb, the joint where the limb begins, the limb's pair."""
    partner, root = np.arange(NUM_JOINTS), np.arange(NUM_JOINTS)
    pair = np.full(NUM_JOINTS, -1)
    for number, (base, names) in enumerate((("shoulder", _ARM), ("hip", _LEG))):
        for name in (f"{side}_{n}" for side in _SIDES for n in names):
            partner[JOINT[name]] = JOINT[swap_sides(name)]
            root[JOINT[name]] = JOINT[f"{name.split('_')[0]}_{base}"]
            pair[JOINT[name]] = number
    return partner, root, pair


_PARTNER, _ROOT, _JOINT_PAIR = _limb_joints()
assert len(BODY) == NUM_JOINTS


def directions(xyz_m: F64, score: F64, min_score: float) -> tuple[F64, F64, Bool]:
    """Unit vectors (N, S, 3), lengths (N, S) and which are known, of joints (N, J, 3)."""
    if not every(np.abs(xyz_m) < _MAX_COORDINATE_M):
        sane = _is_sane(xyz_m)
        score, xyz_m = np.where(sane, score, 0.0), pick(sane, xyz_m, np.zeros(3))
    along, length = unit(xyz_m.take(_ENDS[1], 1) - xyz_m.take(_ENDS[0], 1))
    sure = np.minimum(score.take(_ENDS[0], 1), score.take(_ENDS[1], 1)) >= min_score
    return along, length, sure & (length > _MIN_LENGTH_M)


def without_damage(xyz_m: F64) -> F64:
    """Joints (N, J, 3), those with impossible numbers as NaN."""
    return pick(_is_sane(xyz_m), xyz_m, np.full(3, np.nan))


def _is_sane(xyz_m: F64) -> Bool:
    return np.asarray(np.abs(xyz_m).max(axis=-1) < _MAX_COORDINATE_M)  # False for NaN


def swapped(xyz_m: F64, score: F64, pairs: Bool) -> tuple[F64, F64]:
    """Joints and scores with left and right exchanged in arms and legs where ``pairs`` (N, 2).

    Each limb stays attached to its own shoulder or hip.
    """
    exchange = np.where(_JOINT_PAIR >= 0, pairs[:, _JOINT_PAIR], False)
    other = xyz_m[:, _PARTNER] - xyz_m[:, _ROOT[_PARTNER]] + xyz_m[:, _ROOT]
    return (
        np.where(exchange[..., None], other, xyz_m),
        np.where(exchange, score[:, _PARTNER], score),
    )


def turned(xyz_m: F64, change: F64) -> F64:
    """Joints (N, J, 3) after each segment's far end moved by ``change`` (N, S, 3), metres.

    All other segments keep their directions and lengths.
    """
    return np.asarray(xyz_m + _MOVED.T @ change)
