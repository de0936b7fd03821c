"""Other people's joint sets to ``BODY``, and the joints that nobody labels, by formula.

pelvis: mid-point of the hips. neck: mid-point of the shoulders; the "neck" of LSP and the
"upper neck" of MPII lie higher, at the chin, and only help to place the head. head: mid-point
of the ears, else half way from that upper neck to the head's top. spine: ``SPINE_SHARE`` of the
way from pelvis to neck, as on the skeleton of Human3.6M and MuPoTS-3D. Left and right are the
person's own in every set used here.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.skeleton.joints import COCO, JOINT, NUM_JOINTS, swap_sides

SPINE_SHARE: Final = 0.46
_UPPER_NECK: Final = "upper_neck"  # no BODY joint

LSP14: Final = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
    _UPPER_NECK, "head_top",
)  # fmt: skip
MPII16: Final = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
    "", "", _UPPER_NECK, "head_top",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip
COCO17: Final = COCO

_MIDDLES: Final = (
    ("pelvis", "left_hip", "right_hip"),
    ("neck", "left_shoulder", "right_shoulder"),
    ("head", "left_ear", "right_ear"),
)
LIMB_JOINTS: Final = np.array(
    [
        JOINT[f"{side}_{part}"]
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ]
)
"""The twelve that every set labels."""
MIRRORED: Final = np.array([JOINT[swap_sides(name)] for name in JOINT])
"""(BODY,) the joint on the other side of each."""


def to_body(xyv: F64, names: tuple[str, ...]) -> tuple[F64, Bool]:
    """Labels (N, J, 3) x, y, v in the order ``names`` to places (N, BODY, 2) and seen (N, BODY).

    v is 0 for an unlabelled joint (its place becomes NaN), 1 for one that was labelled though
    hidden where the set tells, and more for a visible one. Raises ValueError if J differs.
    """
    if xyv.ndim != 3 or xyv.shape[1:] != (len(names), 3):
        raise ValueError(f"labels have shape {xyv.shape}, wanted (N, {len(names)}, 3)")
    xy = np.full((len(xyv), NUM_JOINTS, 2), np.nan)
    seen = np.zeros((len(xyv), NUM_JOINTS), dtype=np.bool_)
    places = np.where(xyv[..., 2:] > 0.0, xyv[..., :2], np.nan)
    for column, name in enumerate(names):
        if name in JOINT:
            xy[:, JOINT[name]] = places[:, column]
            seen[:, JOINT[name]] = xyv[:, column, 2] > 1.0
    if _UPPER_NECK in names:
        upper = names.index(_UPPER_NECK)
        xy[:, JOINT["head"]] = 0.5 * (places[:, upper] + xy[:, JOINT["head_top"]])
        seen[:, JOINT["head"]] = seen[:, JOINT["head_top"]]
    return derive(xy), derive_seen(seen)


def derive(points: F64) -> F64:
    """Fill pelvis, neck, head and spine (N, BODY, 2 or 3) where they are unknown."""
    out = points.copy()
    for middle, a, b in _MIDDLES:
        _fill(out, middle, 0.5 * (out[:, JOINT[a]] + out[:, JOINT[b]]))
    pelvis, neck = out[:, JOINT["pelvis"]], out[:, JOINT["neck"]]
    _fill(out, "spine", pelvis + SPINE_SHARE * (neck - pelvis))
    return out


def derive_seen(seen: Bool) -> Bool:
    """A mid-point is seen if one of its ends is."""
    out = seen.copy()
    for middle, a, b in _MIDDLES:
        out[:, JOINT[middle]] |= out[:, JOINT[a]] | out[:, JOINT[b]]
    out[:, JOINT["spine"]] |= out[:, JOINT["pelvis"]] & out[:, JOINT["neck"]]
    return out


def _fill(points: F64, name: str, values: F64) -> None:
    row = points[:, JOINT[name]]
    points[:, JOINT[name]] = np.where(np.isnan(row), values, row)
