"""Peaks that melted into one hump, told apart. numpy only.

Targets are the higher of unit-peak Gaussians. On maps as clean as that, any corner of three
cells that belongs to one Gaussian says where its peak is, and how high: 1. Corners astride two
Gaussians say something else. On noisy maps all do, and nothing happens.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.estimate.peaks import Peaks
from posestream.geometry.cells import SIGMA_CELLS

_Real = TypeVar("_Real", np.float32, np.float64)

_REACH: Final = 3  # cells round a maximum that are examined
_LOOK: Final = 2  # cells round a maximum that show whether more than one peak made it
_FLOOR: Final = 0.005  # heat below this says nothing
_NOTHING: Final = 1e6  # for its logarithm: no Gaussian fits
_CLEAN: Final = 0.01  # heat that a clean map's peaks leave unexplained is less
_EXACT: Final = 0.001  # heat, and cells: how well a corner's Gaussian must fit
_SAME: Final = 0.03  # cells: readings of one peak differ by no more
_ROUNDING: Final = 50  # corners count as one whose places agree to a part of a cell
_WIDE: Final = 4 * _REACH * _ROUNDING
_REPLACED: Final = 0.75  # cells: a false maximum is at most this far from a true peak


def part(heatmaps: NDArray[np.float32], peaks: Peaks) -> Peaks:
    """Peaks of heatmaps (J or more, h, w), those added that hide in others' humps."""
    middle = np.floor(peaks.xy + 0.5).astype(np.int64)
    if not _clean(heatmaps, peaks, middle):
        return peaks
    hump = _unexplained(heatmaps, peaks, middle)
    if not hump.size:
        return peaks
    joint, middle = peaks.joint[hump], middle[hump]
    heat = _windows(heatmaps, joint, middle, _REACH).astype(np.float64)
    window, xy = _corners(heat)
    model, heat = _gaussian(xy, _REACH), heat[window]
    true = ((model - heat < _EXACT) | (heat == 0.0)).all(axis=(1, 2))
    if not true.any():
        return peaks
    window, xy, model, heat = window[true], xy[true], model[true], heat[true]
    cells = (heat - model < _EXACT) & (heat > _FLOOR)
    h, w = heatmaps.shape[1:]
    place = ((joint * h + middle[:, 1]) * w + middle[:, 0])[window, None, None] + _offsets(
        w, _REACH
    )
    joint, xy = joint[window], xy + middle[window]
    new = _needed(joint, xy, place, cells)
    return _merged(peaks, hump, joint[new], xy[new])


def _unexplained(heatmaps: NDArray[np.float32], peaks: Peaks, middle: I64) -> I64:
    """Peaks round which there is heat that none of their joint's peaks explains."""
    heat = _windows(heatmaps, peaks.joint, middle, _LOOK)
    shaped = _explains(_gaussian((peaks.xy - middle).astype(np.float32), _LOOK), heat)
    hump = np.flatnonzero(~shaped)
    if not hump.size:
        return hump
    which, other = np.nonzero(peaks.joint[hump, None] == peaks.joint)
    every = _gaussian((peaks.xy[other] - middle[hump[which]]).astype(np.float32), _LOOK)
    first = np.searchsorted(which, np.arange(hump.size))
    return hump[~_explains(np.maximum.reduceat(every, first), heat[hump])]


def _explains(model: NDArray[_Real], heat: NDArray[np.float32]) -> Bool:
    """(P,) whether windows (P, n, n) show what the model says, wherever they show something."""
    model -= heat
    off = (np.abs(model, out=model) > _CLEAN) & (heat > _FLOOR)
    return np.asarray(~off.reshape(len(off), -1).any(axis=1))


def _clean(heatmaps: NDArray[np.float32], peaks: Peaks, cell: I64) -> bool:
    """Whether most peaks are as high as the targets'."""
    heat = heatmaps[peaks.joint, cell[:, 1], cell[:, 0]]
    x, y = (peaks.xy - cell).T
    height = heat * np.exp((x * x + y * y) / (2.0 * SIGMA_CELLS**2))
    return bool(np.count_nonzero(np.abs(height - 1.0) < _CLEAN) * 2 > peaks.joint.size)


def _windows(
    heatmaps: NDArray[np.float32], joint: I64, cell: I64, reach: int
) -> NDArray[np.float32]:
    """(P, n, n) heat up to ``reach`` cells from each peak, 0 beyond the map."""
    h, w = heatmaps.shape[1:]
    span = np.arange(-reach, reach + 1)
    rows, columns = (
        (cell[:, k, None] + span).view(np.uint64) < size for k, size in ((1, h), (0, w))
    )  # below 0 is beyond, too
    place = ((joint * h + cell[:, 1]) * w + cell[:, 0])[:, None, None] + _offsets(w, reach)
    heat = heatmaps.reshape(-1).take(place, mode="clip")
    heat *= rows[:, :, None] & columns[:, None]
    return np.asarray(heat)


def _gaussian(xy: NDArray[_Real], reach: int) -> NDArray[_Real]:
    """(V, n, n) the heat of peaks at xy (V, 2) from the windows' middles."""
    side = np.arange(-reach, reach + 1, dtype=xy.dtype) - xy[..., None]
    side *= side
    side *= -0.5 / SIGMA_CELLS**2
    np.exp(side, out=side)
    return np.asarray(np.einsum("vi,vj->vij", side[:, 1], side[:, 0]))


def _corners(heat: F64) -> tuple[I64, F64]:
    """Window and place (V, 2) of the peaks that corners of three cells in windows speak of."""
    cells = heat.reshape(len(heat), -1).T
    log = np.where(cells > _FLOOR, SIGMA_CELLS**2 * np.log(np.maximum(cells, _FLOOR)), _NOTHING)
    at, beside, below, sign, middle, corner = _layout()
    here = log.take(at, 0)  # (K, H)
    x = (here - log.take(beside, 0)) * sign[0] + middle[0]
    y = (here - log.take(below, 0)) * sign[1] + middle[1]
    away = (corner[0] - x) ** 2 + (corner[1] - y) ** 2
    good, window = np.nonzero(np.abs(here + 0.5 * away) < _EXACT)
    place = np.column_stack([x[good, window], y[good, window]])
    near = np.rint(place * _ROUNDING).astype(np.int64) + _WIDE // 2
    _, first = np.unique((window * _WIDE + near[:, 0]) * _WIDE + near[:, 1], return_index=True)
    return window[first], place[first]


class _Layout(NamedTuple):
    """The K corners of three cells that a window has, as numbers in the flattened window."""

    at: I64  # (K,) the corner
    beside: I64  # (K,) its neighbour in x
    below: I64  # (K,) its neighbour in y
    sign: F64  # (2, K, 1) in x and y: -1 where the neighbour comes after the corner
    middle: F64  # (2, K, 1) between corner and neighbour, from the window's middle
    corner: F64  # (2, K, 1) the corner, from the window's middle


@cache
def _layout() -> _Layout:
    n = 2 * _REACH
    low, right, y, x = (k.reshape(-1) for k in np.indices((2, 2, n, n)))
    at, beside, below = (
        (y + down) * (n + 1) + x + across
        for down, across in ((low, right), (low, 1 - right), (1 - low, right))
    )
    upper = np.stack([x, y])[..., None] - _REACH
    after = np.stack([right, low])[..., None]
    return _Layout(at, beside, below, 2.0 * after - 1.0, upper + 0.5, upper + 1.0 * after)


def _offsets(width: int, reach: int) -> I64:
    """(n, n) how far in flattened maps a window's cells are from its middle."""
    span = np.arange(-reach, reach + 1)
    return np.asarray(span[:, None] * width + span)


def _needed(joint: I64, xy: F64, place: I64, cells: Bool) -> I64:
    """Those of the places (V, 2) that explain a cell which no better one explains."""
    best = np.argsort(-cells.sum(axis=(1, 2)), kind="stable")
    joint, xy = joint[best], xy[best]
    again = _near(joint, xy, joint, xy, _SAME).argmax(axis=1) < np.arange(best.size)
    best = best[~again]
    mine = place[best][cells[best]].tolist()
    last = np.cumsum(cells[best].sum(axis=(1, 2))).tolist()
    explained: set[int] = set()
    chosen: list[int] = []
    for i, a, b in zip(best.tolist(), [0, *last], last, strict=False):
        if not explained.issuperset(mine[a:b]):
            explained.update(mine[a:b])
            chosen.append(i)
    return np.array(chosen, dtype=np.int64)


def _merged(peaks: Peaks, hump: I64, joint: I64, xy: F64) -> Peaks:
    """Peaks sorted by joint; those of humps give way to the new ones near them."""
    keep = np.ones(peaks.joint.size, dtype=np.bool_)
    keep[hump] = ~_near(peaks.joint[hump], peaks.xy[hump], joint, xy, _REPLACED).any(axis=1)
    whole = peaks.joint[keep], peaks.xy[keep]  # that a hump's window shows, too
    fresh = ~_near(*whole, joint, xy, _SAME).any(axis=0)
    joint, xy = np.append(whole[0], joint[fresh]), np.append(whole[1], xy[fresh], axis=0)
    score = np.append(peaks.score[keep], np.ones(np.count_nonzero(fresh)))
    order = np.lexsort((-score, joint))
    return Peaks(joint[order], xy[order], score[order])


def _near(a: I64, a_xy: F64, b: I64, b_xy: F64, distance: float) -> Bool:
    """(A, B) whether places are of one joint and near each other."""
    near = a[:, None] == b
    for k in (0, 1):
        near &= np.abs(a_xy[:, k, None] - b_xy[:, k]) < distance
    return np.asarray(near)
