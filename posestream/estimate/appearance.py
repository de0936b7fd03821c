"""The colours of people's clothes: what still tells two of them apart when their paths cross.

Sampled at points of the trunk and the thighs that their joints span; a median over the
points forgives folds, straps and a hand in front.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Bool, Image
from posestream.geometry.fast import every
from posestream.skeleton.joints import JOINT
from posestream.types import People2D

SIZE: Final = 6
"""Trunk, then thighs: share of red, share of green, brightness, each about 0 to 1. The same
person in two frames differs by about 0.02 on average, other clothes by 0.08 and more."""

_MIN_SCORE: Final = 0.3
_LEAST: Final = 0.5  # share of the points that must lie in the picture
_BRIGHTNESS_WEIGHT: Final = 0.5  # brightness changes with the light, shares of colour hardly

_JOINTS: Final = np.array(
    [JOINT[f"{side}_{part}"] for part in ("shoulder", "hip", "knee") for side in ("left", "right")]
)
_TRUNK: Final = (0, 1, 2, 3)  # of these joints
_THIGHS: Final = ((2, 4), (3, 5))


def _trunk_weights() -> F64:
    """(15, 6): points inside the trunk as means of its corners."""
    across, down = np.meshgrid([0.3, 0.5, 0.7], [0.2, 0.35, 0.5, 0.65, 0.8])
    a, d = across.ravel(), down.ravel()
    weights = np.zeros((a.size, _JOINTS.size))
    weights[:, _TRUNK] = np.stack([(1 - a) * (1 - d), a * (1 - d), (1 - a) * d, a * d], axis=-1)
    return weights


def _thigh_weights(hip: int, knee: int) -> F64:
    """(4, 6): points along a thigh."""
    along = np.array([0.25, 0.4, 0.55, 0.7])
    weights = np.zeros((along.size, _JOINTS.size))
    weights[:, hip], weights[:, knee] = 1 - along, along
    return weights


_WEIGHTS: Final = np.concatenate([_trunk_weights(), *(_thigh_weights(*ends) for ends in _THIGHS)])
"""(P, 6): all points from the joints."""
_NEEDS: Final = (_WEIGHTS > 0.0).astype(np.float64)
_GROUPS: Final = ((slice(0, 15), slice(0, 3)), (slice(15, 23), slice(3, 6)))
"""Of trunk and thighs: their points, and their columns in the answer."""
_DARK: Final = 10.0
_ONES: Final = np.ones(3)


def describe(image: Image, people: People2D) -> F64:
    """(N, SIZE) colours of everybody; NaN where trunk or thighs are unknown or outside.

    ``image`` (H, W, 3) BGR is the picture that ``people`` were found in.
    """
    samples, inside = _sample(image, *_points(people))
    all_inside = every(inside)
    out = np.empty((len(people), SIZE))
    for group, columns in _GROUPS:
        out[:, columns] = _median(samples[..., group], None if all_inside else inside[:, group])
    return out


def _points(people: People2D) -> tuple[F64, Bool]:
    """Points (N, P, 2) on trunk and thighs, and which are known (N, P)."""
    xy_px = people.xy_px.take(_JOINTS, 1)
    sure = people.score.take(_JOINTS, 1) >= _MIN_SCORE
    if every(sure) and every(np.isfinite(xy_px)):  # as a rule all are
        return np.matmul(_WEIGHTS, xy_px), np.ones((len(sure), len(_WEIGHTS)), dtype=np.bool_)
    unknown = ~(sure & np.isfinite(xy_px).all(axis=-1))
    xy_px[unknown] = 0.0
    return np.matmul(_WEIGHTS, xy_px), unknown @ _NEEDS.T == 0.0


def _sample(image: Image, xy_px: F64, known: Bool) -> tuple[F64, Bool]:
    """What stands for colour (N, 3, P) at points (N, P, 2), and which lie inside (N, P)."""
    height, width = image.shape[:2]
    wanted = np.rint(xy_px.transpose(2, 0, 1))
    column = np.maximum(np.minimum(wanted[0], width - 1.0), 0.0)
    row = np.maximum(np.minimum(wanted[1], height - 1.0), 0.0)
    place = (row * width + column).astype(np.int64)
    bgr = image.reshape(-1, 3).take(place, 0) + _DARK  # dark cloth has no certain colour: grey
    total = bgr @ _ONES
    samples = np.empty((len(bgr), 3, bgr.shape[1]))
    samples[:, 0] = bgr[..., 2] / total
    samples[:, 1] = bgr[..., 1] / total
    samples[:, 2] = total * (_BRIGHTNESS_WEIGHT / 795.0)
    return samples, known & (column == wanted[0]) & (row == wanted[1])


def _median(samples: F64, inside: Bool | None) -> F64:
    """(N, 3) medians of samples (N, 3, P) inside (N, P), or of all; NaN where too few are."""
    size = samples.shape[2]
    if inside is None:
        return np.asarray(np.sort(samples)[..., (size - 1) // 2])
    count = np.count_nonzero(inside, axis=1)
    ranked = np.sort(np.where(inside[:, None], samples, np.inf))  # those outside at the end
    median = ranked[np.arange(len(ranked)), :, np.maximum(count - 1, 0) // 2]
    return np.where((count >= _LEAST * size)[:, None], median, np.nan)
