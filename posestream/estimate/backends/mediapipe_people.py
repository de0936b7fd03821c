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
_MAJOR = np.array(
    [_MARK["nose"]]
    + [
        _MARK[f"{side}_{part}"]
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ]
)
_ALIKE = 0.1  # of the body's extent: joints of two finds nearer than this agree


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

    Refused: less sure than ``least`` even in its four surest major joints, smaller than a
    fortieth of the picture, or with fewer than four major joints inside it.
    """
    xy, sure = xy_px[:, _MAJOR], score[:, _MAJOR]
    inside = np.all((xy >= 0.0) & (xy < size_px), axis=-1)
    surest = np.sort(np.where(inside, sure, 0.0), axis=1)[:, -4:].mean(axis=1)
    large = np.ptp(xy, axis=1).max(axis=-1) > min(size_px) / 40.0
    return np.asarray((surest >= least) & large & (inside.sum(axis=1) >= 4))


def without_duplicates(xy_px: F64, score: F64, threshold: float = 0.5) -> list[int]:
    """Rows to keep, surest first: of finds whose joints lie on one another, the surest stays.

    Likeness is the mean over the major joints of a Gaussian of their distance, whose width is
    a tenth of the smaller body's extent.
    """
    keep: list[int] = []
    xy = xy_px[:, _MAJOR]
    extent = np.maximum(np.hypot(*np.moveaxis(np.ptp(xy, axis=1), -1, 0)), 1e-6)
    for row in np.argsort(-person_score(score), kind="stable"):
        if all(_likeness(xy, extent, int(row), other) < threshold for other in keep):
            keep.append(int(row))
    return keep


def _likeness(xy: F64, extent: F64, a: int, b: int) -> float:
    width = _ALIKE * min(extent[a], extent[b])
    squared = np.sum((xy[a] - xy[b]) ** 2, axis=-1)
    return float(np.exp(-0.5 * squared / width**2).mean())
