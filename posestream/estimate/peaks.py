"""Peaks of heatmaps, with sub-cell positions. numpy only.

Coordinates are in cells with cell centres at integers (``geometry.cells``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.geometry.cells import SIGMA_CELLS

_FLOOR = 1e-3  # heat below this says nothing about a slope
_OUTSIDE = np.float32(-np.inf)
_BEND = 0.8  # lack of symmetry, in logarithms, that betrays another peak close by


class Peaks(NamedTuple):
    """Peaks of all joints, sorted by joint, strongest first within a joint."""

    joint: I64  # (P,)
    xy: F64  # (P, 2) cells
    score: F64  # (P,)


def find_peaks(
    heatmaps: NDArray[np.float32], min_score: float, max_per_joint: int, min_distance: float = 1.0
) -> Peaks:
    """Local maxima of heatmaps (J, h, w), at least ``min_distance`` cells apart per joint.

    A maximum exceeds its four neighbours; diagonal ones may belong to somebody else.
    """
    padded = np.full((heatmaps.shape[0], heatmaps.shape[1] + 4, heatmaps.shape[2] + 4), _OUTSIDE)
    padded[:, 2:-2, 2:-2] = heatmaps
    cell = _maxima(padded.reshape(-1), padded.shape[2], min_score)
    score = padded.reshape(-1)[cell].astype(np.float64)
    joint, y, x = np.unravel_index(cell, padded.shape)
    order = np.lexsort((-score, joint))
    joint, y, x, score = joint[order], y[order] - 2, x[order] - 2, score[order]
    xy = np.stack([x, y], axis=1) + _offsets(padded, cell[order])
    keep = _apart(joint, xy, min_distance) & (_rank(joint) < max_per_joint)
    return Peaks(joint[keep], xy[keep], np.minimum(score[keep], 1.0))


def _maxima(flat: NDArray[np.float32], width: int, min_score: float) -> I64:
    """Places in flattened maps that exceed their four neighbours."""
    cell = np.flatnonzero(flat > min_score)
    for step in (1, width):
        middle = flat.take(cell)
        cell = cell[(middle >= flat.take(cell - step)) & (middle > flat.take(cell + step))]
    return cell


def _rank(joint: I64) -> I64:
    """How many entries of the same joint precede each (sorted) entry."""
    return np.asarray(np.arange(joint.size) - np.searchsorted(joint, joint))


def _apart(joint: I64, xy: F64, distance: float) -> Bool:
    """Keep the stronger of two peaks of a joint (sorted) that are nearer than ``distance``."""
    keep = np.ones(joint.size, dtype=np.bool_)
    number = np.arange(joint.size)
    weaker = np.searchsorted(joint, joint, side="right") - number - 1
    strong = np.repeat(number, weaker)
    first = np.cumsum(weaker) - weaker
    weak = strong + 1 + np.arange(strong.size) - np.repeat(first, weaker)
    x, y = (xy.take(strong, 0) - xy.take(weak, 0)).T
    near = x * x + y * y < distance**2
    if near.any():
        pairs = zip(strong[near].tolist(), weak[near].tolist(), strict=True)
        for a, b in sorted(pairs, key=lambda pair: (pair[1] - pair[0], pair[0])):
            keep[b] &= not keep[a]
    return keep


def _offsets(padded: NDArray[np.float32], cell: I64) -> F64:
    """Sub-cell offset (P, 2) in x and y of the maxima at these flattened places."""
    steps = np.arange(-2, 3) * np.array([[1], [padded.shape[2]]])
    heat = padded.reshape(-1).take(cell[:, None, None] + steps).astype(np.float64)
    outside = np.isneginf(heat)
    return np.clip(_vertex(np.log(np.maximum(heat, _FLOOR)), outside), -0.499, 0.499)


def _vertex(v: F64, outside: Bool) -> F64:
    """Where the peak within log-heat v (..., 5) lies, relative to its middle.

    The parabola through the middle three is exact for a lone Gaussian of any width. Then the
    slope between the outer pair is twice that between the inner pair. Where another peak two
    or three cells away lifts one side, only the other side counts, with the known width.
    """
    inner, outer = v[..., 3] - v[..., 1], v[..., 4] - v[..., 0]
    curvature = 2.0 * v[..., 2] - v[..., 3] - v[..., 1]
    both = 0.5 * inner / np.maximum(curvature, 1e-6)
    bend = outer - 2.0 * inner
    from_left = SIGMA_CELLS**2 * (v[..., 2] - v[..., 1]) - 0.5
    from_right = 0.5 - SIGMA_CELLS**2 * (v[..., 2] - v[..., 3])
    one_sided = np.where(bend > 0.0, from_left, from_right)
    lifted = (curvature < 0.97 / SIGMA_CELLS**2) & (np.abs(bend) > _BEND)
    lifted &= ~(outside[..., 0] | outside[..., 4])
    ends = outside[..., 1] | outside[..., 3]
    at_end = np.where(outside[..., 1], from_right, from_left)
    return np.where(ends, at_end, np.where(lifted, one_sided, both))
