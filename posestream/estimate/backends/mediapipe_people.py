"""From BlazePose's 33 landmarks to our joints, and which of the finds are people at all."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64, Bool
from posestream.skeleton.joints import BLAZEPOSE33, JOINT, NUM_JOINTS

_MARK = {name: i for i, name in enumerate(BLAZEPOSE33)}
_SHARED = tuple(name for name in BLAZEPOSE33 if name in JOINT)
_FROM = np.array([_MARK[name] for name in _SHARED])
_TO = np.array([JOINT[name] for name in _SHARED])
_MIDDLES = (
    ("pelvis", ("left_hip", "right_hip")),
    ("neck", ("left_shoulder", "right_shoulder")),
    ("head", ("left_ear", "right_ear")),
    ("spine", ("left_hip", "right_hip", "left_shoulder", "right_shoulder")),
)
_LIMB_PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_MAJOR_NAMES = ("nose", *(f"{side}_{p}" for p in _LIMB_PARTS for side in ("left", "right")))
_MAJOR = np.array([_MARK[name] for name in _MAJOR_NAMES])
# with lines across the legs: duplicates like to stand between them
# with lines across the legs: duplicates like to stand between them
_BONES = np.array(
    [
        [_MAJOR_NAMES.index(f"{side}_{part}") for part in pair]
        for side in ("left", "right")
        for pair in (("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"),
                     ("hip", "knee"), ("knee", "ankle"))
    ]
    + [[1, 2], [7, 8], [9, 10], [11, 12], [8, 9], [7, 10], [10, 11], [9, 12]]
)  # fmt: skip
_NEAR = 0.07  # of the surer body's extent: a joint this near to its bones lies on it
_SHARE_ON = 0.75  # of a find's joints on a surer body: it is the same person


def body_joints(marks: F64) -> F64:
    """(N, 33, k) values of the landmarks to (N, J, k) of our joints; unknown ones NaN."""
    out = np.full((marks.shape[0], NUM_JOINTS, marks.shape[2]), np.nan)
    out[:, _TO] = marks[:, _FROM]
    for name, parts in _MIDDLES:
        out[:, JOINT[name]] = marks[:, [_MARK[part] for part in parts]].mean(axis=1)
    return out


def body_scores(marks: F64) -> F64:
    """(N, 33) scores to (N, J); a mid-point is as sure as the least sure of its parts."""
    out = np.zeros((marks.shape[0], NUM_JOINTS))
    out[:, _TO] = marks[:, _FROM]
    for name, parts in _MIDDLES:
        out[:, JOINT[name]] = marks[:, [_MARK[part] for part in parts]].min(axis=1)
    return out


def trunk(xy: F64) -> F64:
    """(33, 2) to (2, 2): mid-hips and mid-shoulders."""
    hips = xy[[_MARK["left_hip"], _MARK["right_hip"]]].mean(axis=0)
    shoulders = xy[[_MARK["left_shoulder"], _MARK["right_shoulder"]]].mean(axis=0)
    return np.stack([hips, shoulders])


def person_score(score: F64) -> F64:
    """(N, 33) to (N,): mean over the thirteen major joints."""
    return np.asarray(score[:, _MAJOR].mean(axis=1))


def plausible(xy_px: F64, score: F64, size_px: tuple[int, int], least: float) -> Bool:
    """(N,) whether each find can be a person in this picture.

    Wanted: at least three major joints (a head and two shoulders) inside the picture, on
    average at least ``least`` sure, and more than a fortieth of its shorter side in extent.
    """
    xy, sure = xy_px[:, _MAJOR], score[:, _MAJOR]
    inside = np.all((xy >= 0.0) & (xy < size_px), axis=-1)
    count = inside.sum(axis=1)
    mean = np.where(inside, sure, 0.0).sum(axis=1) / np.maximum(count, 1)
    large = np.ptp(xy, axis=1).max(axis=-1) > min(size_px) / 40.0
    return np.asarray((count >= 3) & (mean >= least) & large)


def without_duplicates(xy_px: F64, score: F64) -> list[int]:
    """Rows to keep, surest first: a find whose joints lie on a surer body is that body again.

    Distances are taken to the surer body's bones, not joints, since the usual duplicate is a
    small pose, often head down, on the legs of a person whom one crop shows in part.
    """
    keep: list[int] = []
    xy = xy_px[:, _MAJOR]
    rank = person_score(score) * np.sqrt(_extent(xy))
    for row in np.argsort(-rank, kind="stable"):
        if not any(_lies_on(xy[row], xy[other]) for other in keep):
            keep.append(int(row))
    return keep


def _extent(xy: F64) -> F64:
    return np.asarray(np.hypot(*np.moveaxis(np.ptp(xy, axis=-2), -1, 0)))


def _lies_on(xy: F64, body: F64) -> bool:
    near = _distance_to_bones(xy, body) < _NEAR * _extent(body)
    return bool(near.mean() >= _SHARE_ON)


def _distance_to_bones(xy: F64, body: F64) -> F64:
    """(M,) distance of each of the points (M, 2) to the nearest bone of the body (13, 2)."""
    start, along = body[_BONES[:, 0]], body[_BONES[:, 1]] - body[_BONES[:, 0]]
    to_point = xy[:, None] - start
    share = (to_point * along).sum(axis=-1) / np.maximum((along**2).sum(axis=-1), 1e-9)
    nearest = np.clip(share, 0.0, 1.0)[..., None] * along
    return np.asarray(np.linalg.norm(to_point - nearest, axis=-1).min(axis=1))
