"""What hands and face tell of the body: knuckles and face points, exact where they were guessed.

The body's own stages then turn hands, forearms, neck and head as they always do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry.fast import rotate
from posestream.perform.solving import Performance
from posestream.skeleton.humanoid import BONE, REST_OFFSET_M
from posestream.skeleton.joints import JOINT
from posestream.types import Estimate, PeopleRoot

_SIDES: Final = ("left", "right")
_KNUCKLES: Final = (
    ("thumb", "ThumbIntermediate"), ("index", "IndexProximal"), ("pinky", "LittleProximal"),
)  # fmt: skip
_SEEN: Final = 0.9
# An upright head (Frankfurt plane level) from the mid-point of its ears, metres.
_FACE_M: Final[dict[str, tuple[float, float, float]]] = {
    "left_ear": (0.075, 0.0, 0.0), "right_ear": (-0.075, 0.0, 0.0),
    "left_eye": (0.032, 0.013, 0.095), "right_eye": (-0.032, 0.013, 0.095),
    "nose": (0.0, -0.028, 0.115),
}  # fmt: skip
_FACE: Final = np.array([JOINT[name] for name in _FACE_M])
_FACE_REST: Final = np.array(list(_FACE_M.values()))
_EARS: Final = np.array([JOINT["left_ear"], JOINT["right_ear"]])


def wrists_px(estimate: Estimate, least: float = 0.3) -> F64:
    """(2, 2) pixels of the first person's wrists, NaN where not seen."""
    rows = [JOINT[f"{side}_wrist"] for side in _SIDES]
    people = estimate.people2d
    known = people.score[0, rows] >= least
    return np.where(known[:, None], people.xy_px[0, rows], np.nan)


def sharpened(estimate: Estimate, seen: Performance) -> Estimate:
    """The estimate of one person with knuckles and face points from their hands and face.

    Back ends without joints in 3D, or without these joints, keep what they have.
    """
    if estimate.root3d is None:
        return estimate
    people = estimate.people2d
    xyz, score = estimate.root3d.xyz_root_m.copy(), people.score.copy()
    for number, side in enumerate(_SIDES):
        if seen.hand_seen[number]:
            _hand(xyz[0], score[0], people.xy_px[0], side, seen.palm_cam_xyzw[number])
    if seen.face_seen:
        _face(xyz[0], score[0], people.xy_px[0], seen.head_cam_xyzw)
    return replace(estimate, root3d=PeopleRoot(xyz), people2d=replace(people, score=score))


def _hand(xyz_m: F64, score: F64, xy_px: F64, side: str, palm: F64) -> None:
    wrist = JOINT[f"{side}_wrist"]
    rows = [JOINT[f"{side}_{name}"] for name, _ in _KNUCKLES]
    if not np.isfinite(xy_px[[wrist, *rows]]).all() or not np.isfinite(xyz_m[wrist]).all():
        return
    for row, (_, bone) in zip(rows, _KNUCKLES, strict=True):
        offset = REST_OFFSET_M[BONE[f"{side.capitalize()}{bone}"]]
        xyz_m[row] = xyz_m[wrist] + rotate(palm, offset)
    score[[wrist, *rows]] = np.maximum(score[[wrist, *rows]], _SEEN)


def _face(xyz_m: F64, score: F64, xy_px: F64, head: F64) -> None:
    centre = xyz_m[_EARS].mean(axis=0)
    if not np.isfinite(xy_px[_FACE]).all() or not np.isfinite(centre).all():
        return
    xyz_m[_FACE] = centre + rotate(np.broadcast_to(head, (len(_FACE), 4)), _FACE_REST)
    score[_FACE] = np.maximum(score[_FACE], _SEEN)
