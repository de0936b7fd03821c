"""How alike two sightings are: in the picture, in pose and in build."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry.fast import dot, every, length, some
from posestream.skeleton.joints import JOINT
from posestream.types import People2D

_MIN_SCORE: Final = 0.1
_MIN_SHARED: Final = 3
_NAMED: Final = (
    "nose", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
    "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
MAJOR: Final = np.array([JOINT[name] for name in _NAMED])
"""Joints that are compared: well measured by every back end, and spread over the body."""
_SEGMENTS: Final = np.array(
    [
        [JOINT[a], JOINT[b]]
        for a, b in (
            ("pelvis", "neck"), ("left_shoulder", "right_shoulder"),
            ("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"),
            ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"),
            ("left_hip", "left_knee"), ("right_hip", "right_knee"),
            ("left_knee", "left_ankle"), ("right_knee", "right_ankle"),
        )
    ]
)  # fmt: skip
NUM_SEGMENTS: Final = len(_SEGMENTS)
LOOK_SIZE: Final = 6
_SHARES: Final = {size: np.full(size, 1.0 / size) for size in (MAJOR.size, NUM_SEGMENTS, LOOK_SIZE)}


def compared(xy_px: F64, score: F64) -> F64:
    """(N, 13, 2) pixels of the joints that are compared; unsure ones NaN."""
    sure, px = score.take(MAJOR, 1) >= _MIN_SCORE, xy_px.take(MAJOR, 1)
    return px if every(sure) else np.where(sure[..., None], px, np.nan)


def box_px(xy_px: F64) -> tuple[F64, F64]:
    """Least and greatest pixels (N, 2) of the known joints; NaN where there are none."""
    return np.fmin.reduce(xy_px, axis=1), np.fmax.reduce(xy_px, axis=1)


def size_px(low_px: F64, high_px: F64) -> F64:
    """(N,) diagonal of each box; at least 1."""
    across = high_px - low_px
    return np.asarray(np.fmax(np.hypot(across[:, 0], across[:, 1]), 1.0))


def picture_likeness(a_px: F64, b_px: F64, size: F64, width: float) -> F64:
    """(N, M) in [0, 1]: mean over shared joints of exp(-d² / 2 (width size)²); NaN if unknown.

    a_px (N, K, 2), b_px (M, K, 2), ``size`` (M,) pixels.
    """
    apart = a_px[:, None] - b_px
    scale = -0.5 / (width * size[:, None]) ** 2
    return _mean_known(np.exp(dot(apart, apart) * scale))


def pose_distance(a_m: F64, b_m: F64) -> F64:
    """(N, M) mean distance in metres of joints relative to the root; NaN if unknown."""
    return _mean_known(length(a_m[:, None] - b_m))


def build_distance(a: F64, b: F64) -> F64:
    """(N, M) mean difference of the logarithms of segment lengths; NaN if unknown."""
    return _mean_known(np.abs(a[:, None] - b))


def looks(people: People2D) -> Callable[[], F64]:
    """Finds (N, LOOK_SIZE) what people's clothes look like; NaN where nobody can look."""
    return people.look or partial(np.full, (len(people), LOOK_SIZE), np.nan)


def look_distance(a: F64, b: F64) -> F64:
    """(N, M) mean difference of what clothes look like; NaN if unknown."""
    return _mean_known(np.abs(a[:, None] - b))


def build(xyz_m: F64) -> F64:
    """(N, S) logarithms of the segments' lengths; NaN where a joint is unknown."""
    bones = xyz_m.take(_SEGMENTS[:, 1], 1) - xyz_m.take(_SEGMENTS[:, 0], 1)
    return np.asarray(np.log(np.maximum(length(bones), 1e-3)))


def _mean_known(values: F64) -> F64:
    """Mean over the last axis without NaN; NaN where fewer than three are known."""
    mean: F64 = values.dot(_SHARES[values.shape[-1]])
    if not some(np.isnan(mean)):  # as a rule everything is known
        return mean
    known = ~np.isnan(values)
    count = np.count_nonzero(known, axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.asarray(np.where(count >= _MIN_SHARED, total, np.nan) / np.maximum(count, 1))
