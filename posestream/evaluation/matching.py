"""Who is whom: one-to-one assignment of predicted people to true ones."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.evaluation.hand_counts import iou
from posestream.track.assign import assign as cheapest


def assign(cost: F64, limit: float) -> I64:
    """(G,) for each of G truths the prediction (of P columns) it is paired with, -1 for none.

    One to one, least total cost, where leaving a pair apart costs ``limit``: so that nobody is
    torn from a perfect match for the sake of a third. Costs above it and NaN never pair.
    """
    pairs = np.full(cost.shape[0], -1, dtype=np.int64)
    rows, columns = cheapest(cost, float(np.nextafter(limit, np.inf)))
    pairs[rows] = columns
    return pairs


def mean_distance(truth: F64, predicted: F64, least: int) -> F64:
    """(G, P) mean distance of joints (G, J, k) and (P, J, k) over those known in both.

    NaN where fewer than ``least`` joints are.
    """
    distance = np.linalg.norm(truth[:, None] - predicted[None], axis=-1)
    known = np.isfinite(distance)
    count = known.sum(axis=-1)
    mean = np.where(known, distance, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count >= least, mean, np.nan)


def extent(points: F64, axis: int = 1) -> F64:
    """(N,) of the known points (N, J, k) along one axis: by default the height; 0 if unknown."""
    values = points[..., axis]
    known = np.isfinite(values)
    high = np.where(known, values, -np.inf).max(axis=-1)
    low = np.where(known, values, np.inf).min(axis=-1)
    return np.where(known.any(axis=-1), high - low, 0.0)


def longer_side(points: F64) -> F64:
    """(N,) width or height of the known points (N, J, 2), whichever is greater."""
    return np.maximum(extent(points, 0), extent(points, 1))


def apart_from_all(boxes_px: F64, others_px: F64, overlap: float) -> Bool:
    """(N,) which boxes (N, 4) overlap none of the others (M, 4) by that IoU."""
    if len(others_px) == 0:
        return np.ones(len(boxes_px), dtype=np.bool_)
    return np.asarray(iou(boxes_px, others_px).max(axis=1) < overlap)
