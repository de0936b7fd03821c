"""Who stands, where its body points and where its feet are. No camera tilt is assumed."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.rotation import dot, normalize
from posestream.skeleton.joints import JOINT
from posestream.types import PeopleCam

_LEAST_SCORE = 0.5
_LEAST_DEPTH_SCORE = 0.2
_STRAIGHT = np.cos(np.radians(35.0))  # of knees and hips in somebody who stands
_UPRIGHT = np.cos(np.radians(35.0))  # of the trunk of somebody who stands or sits
_ANKLE_M, _SOLE_M = 0.085, 0.02  # above the floor: ankle joint; heel and ball of the foot
_NEEDED = np.array(
    [JOINT["pelvis"], JOINT["neck"]]
    + [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("hip", "knee", "ankle")]
)
_SIDES = ("left", "right")


def standing_samples(people: PeopleCam) -> tuple[F64, F64]:
    """(M, 3) directions of the bodies and (M, 2, 3) points of the floor under both feet.

    One row for each person who stands or walks upright with both legs in view.
    """
    rows = np.flatnonzero(stands(people))
    xyz, score = people.xyz_cam_m[rows], people.score[rows]
    ankles = 0.5 * (xyz[:, JOINT["left_ankle"]] + xyz[:, JOINT["right_ankle"]])
    ups = normalize(xyz[:, JOINT["neck"]] - ankles)
    return ups, np.stack([_sole(xyz, score, side, ups) for side in _SIDES], axis=1)


def lowest_soles(people: PeopleCam, up_cam: F64) -> F64:
    """(M, 3) the floor point under the lower foot of each person with an upright trunk.

    They may sit, so this says less of the floor than ``standing_samples``.
    """
    rows = np.flatnonzero(_is_sure(people))
    xyz, score = people.xyz_cam_m[rows], people.score[rows]
    trunk = normalize(xyz[:, JOINT["neck"]] - xyz[:, JOINT["pelvis"]])
    upright = trunk @ up_cam > _UPRIGHT
    xyz, score, trunk = xyz[upright], score[upright], trunk[upright]
    ups = np.broadcast_to(up_cam, trunk.shape)
    soles = np.stack([_sole(xyz, score, side, ups) for side in _SIDES], axis=1)
    lower = np.argmin(soles @ up_cam, axis=1)
    return np.asarray(soles[np.arange(len(soles)), lower])


def _is_sure(people: PeopleCam) -> Bool:
    """(N,) whose trunk, thighs and shins and whose distance are surely seen."""
    sure = np.all(people.score[:, _NEEDED] >= _LEAST_SCORE, axis=1)
    sure &= (people.depth_score >= _LEAST_DEPTH_SCORE) & np.isfinite(people.root_cam_m[:, 2])
    return np.asarray(sure)


def stands(people: PeopleCam) -> Bool:
    """(N,) whether trunk, thighs and shins are surely seen and form nearly one line.

    In a stride one leg may bend; the straighter one decides.
    """
    xyz = np.nan_to_num(people.xyz_cam_m)
    trunk = normalize(xyz[:, JOINT["pelvis"]] - xyz[:, JOINT["neck"]])
    straight = [_leg_is_straight(xyz, trunk, side) for side in _SIDES]
    return np.asarray(_is_sure(people) & (straight[0] | straight[1]) & _legs_reach_down(xyz, trunk))


def _leg_is_straight(xyz: F64, trunk: F64, side: str) -> Bool:
    hip, knee, ankle = (xyz[:, JOINT[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
    thigh, shin = normalize(knee - hip), normalize(ankle - knee)
    return np.asarray((dot(trunk, thigh) > _STRAIGHT) & (dot(thigh, shin) > _STRAIGHT))


def _legs_reach_down(xyz: F64, trunk: F64) -> Bool:
    """Neither thigh is drawn up far: a seated person with one leg stretched is not standing."""
    drawn = [
        dot(normalize(xyz[:, JOINT[f"{s}_knee"]] - xyz[:, JOINT[f"{s}_hip"]]), trunk)
        for s in _SIDES
    ]
    return np.asarray(np.minimum(*drawn) > np.cos(np.radians(60.0)))


def _sole(xyz: F64, score: F64, side: str, ups: F64) -> F64:
    """(M, 3) mean of the floor points below ankle, heel and toe, as far as they are sure."""
    names = [f"{side}_{part}" for part in ("ankle", "heel", "toe")]
    joints = [JOINT[name] for name in names]
    above = np.array([_ANKLE_M, _SOLE_M, _SOLE_M])
    points = xyz[:, joints] - above[:, None] * ups[:, None]
    weight = (score[:, joints] >= _LEAST_SCORE) & np.all(np.isfinite(points), axis=-1)
    total = np.maximum(weight.sum(axis=1), 1)[:, None]
    mean: F64 = np.where(weight[..., None], points, 0.0).sum(axis=1) / total
    return mean
