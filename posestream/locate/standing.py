"""Who stands, where its body points and where its feet are. No camera tilt is assumed."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import dot, unit
from posestream.skeleton.joints import JOINT
from posestream.types import PeopleCam

_LEAST_SCORE = 0.5
_LEAST_DEPTH_SCORE = 0.2
_STRAIGHT = np.cos(np.radians(35.0))  # of knees and hips in somebody who stands
_UPRIGHT = np.cos(np.radians(35.0))  # of the trunk of somebody who stands or sits
_DRAWN = np.cos(np.radians(60.0))  # of thighs against the trunk: nobody stands so
_ANKLE_M, _SOLE_M = 0.085, 0.02  # above the floor: ankle joint; heel and ball of the foot
_NEEDED = np.array(
    [JOINT["pelvis"], JOINT["neck"]]
    + [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("hip", "knee", "ankle")]
)
_PARTS = ("hip", "knee", "ankle", "heel", "toe")
_LEGS = np.array([[JOINT[f"{side}_{part}"] for part in _PARTS] for side in ("left", "right")])
_ANKLES, _FEET = _LEGS[:, 2], _LEGS[:, 2:].ravel()
_ABOVE_M = np.array([_ANKLE_M, _SOLE_M, _SOLE_M])[:, None]


def standing_samples(people: PeopleCam) -> tuple[F64, F64]:
    """(M, 3) directions of the bodies and (M, 2, 3) points of the floor under both feet.

    One row for each person who stands or walks upright with both legs in view.
    """
    rows = np.flatnonzero(stands(people))
    xyz, score = people.xyz_cam_m[rows], people.score[rows]
    ups = unit(xyz[:, JOINT["neck"]] - 0.5 * xyz.take(_ANKLES, 1).sum(axis=1))[0]
    return ups, _soles(xyz, score, ups)


def lowest_soles(people: PeopleCam, up_cam: F64) -> F64:
    """(M, 3) the floor point under the lower foot of each person with an upright trunk.

    They may sit, so this says less of the floor than ``standing_samples``.
    """
    rows = np.flatnonzero(_is_sure(people))
    xyz, score = people.xyz_cam_m[rows], people.score[rows]
    trunk = unit(xyz[:, JOINT["neck"]] - xyz[:, JOINT["pelvis"]])[0]
    upright = trunk @ up_cam > _UPRIGHT
    xyz, score, trunk = xyz[upright], score[upright], trunk[upright]
    soles = _soles(xyz, score, np.broadcast_to(up_cam, trunk.shape))
    lower = np.argmin(soles @ up_cam, axis=1)
    return np.asarray(soles[np.arange(len(soles)), lower])


def _is_sure(people: PeopleCam) -> Bool:
    """(N,) whose trunk, thighs and shins and whose distance are surely seen."""
    sure = (people.score.take(_NEEDED, 1) >= _LEAST_SCORE).all(axis=1)
    sure &= (people.depth_score >= _LEAST_DEPTH_SCORE) & np.isfinite(people.root_cam_m[:, 2])
    return np.asarray(sure)


def stands(people: PeopleCam) -> Bool:
    """(N,) whether trunk, thighs and shins are surely seen and form nearly one line.

    In a stride one leg may bend; the straighter one decides. Neither thigh is drawn up far: a
    seated person with one leg stretched is not standing.
    """
    xyz = np.where(np.isfinite(people.xyz_cam_m), people.xyz_cam_m, 0.0)
    trunk = unit(xyz[:, JOINT["pelvis"]] - xyz[:, JOINT["neck"]])[0]
    hips, knees, ankles = (xyz.take(_LEGS[:, part], 1) for part in range(3))  # (N, 2, 3)
    thighs, shins = unit(knees - hips)[0], unit(ankles - knees)[0]
    down = dot(trunk[:, None], thighs)
    straight = (down > _STRAIGHT) & (dot(thighs, shins) > _STRAIGHT)
    drawn = np.minimum(down[:, 0], down[:, 1]) <= _DRAWN
    return np.asarray(_is_sure(people) & (straight[:, 0] | straight[:, 1]) & ~drawn)


def _soles(xyz: F64, score: F64, ups: F64) -> F64:
    """(M, 2, 3) left and right mean of the floor points below ankle, heel and toe, if sure."""
    above = (_ABOVE_M * ups[:, None]).reshape(-1, 1, 3, 3)
    points = xyz.take(_FEET, 1).reshape(-1, 2, 3, 3) - above
    weight = score.take(_FEET, 1).reshape(-1, 2, 3) >= _LEAST_SCORE
    weight &= np.isfinite(points).all(axis=-1)
    total = np.maximum(weight.sum(axis=2), 1)[..., None]
    mean: F64 = np.where(weight[..., None], points, 0.0).sum(axis=2) / total
    return mean
