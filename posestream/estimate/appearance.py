"""The colours of people's clothes: what still tells two of them apart when their paths cross.

Sampled at points of the trunk and the thighs that their joints span; a median over the
points forgives folds, straps and a hand in front.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Image
from posestream.skeleton.joints import JOINT
from posestream.types import People2D

SIZE: Final = 6
"""Trunk, then thighs: share of red, share of green, brightness, each about 0 to 1. The same
person in two frames differs by about 0.02 on average, other clothes by 0.08 and more."""

_MIN_SCORE: Final = 0.3
_LEAST: Final = 0.5  # share of the points that must lie in the picture
_BRIGHTNESS_WEIGHT: Final = 0.5  # brightness changes with the light, shares of colour hardly

_SHOULDERS = ("left_shoulder", "right_shoulder")
_HIPS = ("left_hip", "right_hip")
_TRUNK: Final = np.array([JOINT[name] for name in (*_SHOULDERS, *_HIPS)])
_THIGHS: Final = np.array(
    [[JOINT[f"{side}_hip"], JOINT[f"{side}_knee"]] for side in ("left", "right")]
)


def _trunk_weights() -> F64:
    """(P, 4): points inside the trunk as means of its corners."""
    across, down = np.meshgrid([0.3, 0.5, 0.7], [0.2, 0.35, 0.5, 0.65, 0.8])
    a, d = across.ravel(), down.ravel()
    return np.stack([(1 - a) * (1 - d), a * (1 - d), (1 - a) * d, a * d], axis=-1)


_TRUNK_WEIGHTS: Final = _trunk_weights()
_ALONG: Final = np.array([0.25, 0.4, 0.55, 0.7])


def describe(image: Image, people: People2D) -> F64:
    """(N, SIZE) colours of everybody; NaN where trunk or thighs are unknown or outside.

    ``image`` (H, W, 3) BGR is the picture that ``people`` were found in.
    """
    known = people.score >= _MIN_SCORE
    trunk = np.einsum("pc,ncd->npd", _TRUNK_WEIGHTS, people.xy_px[:, _TRUNK])
    ends = people.xy_px[:, _THIGHS]  # (N, 2 sides, 2 ends, 2)
    thighs = ends[:, :, :1] + (ends[:, :, 1:] - ends[:, :, :1]) * _ALONG[:, None]
    thighs[~known[:, _THIGHS].all(axis=-1)] = np.nan
    trunk[~known[:, _TRUNK].all(axis=-1)] = np.nan
    both = (trunk, thighs.reshape(len(people), 2 * _ALONG.size, 2))
    return np.concatenate([_colour(image, points) for points in both], axis=-1)


def _colour(image: Image, xy_px: F64) -> F64:
    """(N, 3) median colour at points (N, P, 2)."""
    height, width = image.shape[:2]
    inside = np.isfinite(xy_px).all(axis=-1)
    pixel = np.where(inside[..., None], xy_px, -1.0).round().astype(np.int64)
    x, y = pixel[..., 0], pixel[..., 1]
    inside &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
    bgr = image[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.float64)
    total = bgr.sum(axis=-1) + 30.0  # dark cloth has no certain colour: pull it towards grey
    samples = np.stack(
        [
            (bgr[..., 2] + 10.0) / total,
            (bgr[..., 1] + 10.0) / total,
            _BRIGHTNESS_WEIGHT * total / 795.0,
        ],
        axis=-1,
    )
    count = inside.sum(axis=1)
    samples[~inside] = np.inf  # sorted to the end
    middle = np.maximum(count - 1, 0) // 2
    median = np.sort(samples, axis=1)[np.arange(len(samples)), middle]
    return np.where((count >= _LEAST * inside.shape[1])[:, None], median, np.nan)
