"""Peaks that melted into one hump, told apart. numpy only.

Targets are the higher of unit-peak Gaussians. On maps as clean as that, any corner of three
cells that belongs to one Gaussian says where its peak is, and how high: 1. Corners astride two
Gaussians say something else. On noisy maps all do, and nothing happens.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.estimate.peaks import Peaks
from posestream.geometry.cells import SIGMA_CELLS

_REACH: Final = 3  # cells round a maximum that are examined
_LOOK: Final = 2  # cells round a maximum that show whether more than one peak made it
_FLOOR: Final = 0.005  # heat below this says nothing
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
    near = _windows(heatmaps, peaks.joint, middle, _LOOK)
    rest = np.abs(near - _gaussian(peaks.xy - middle, _LOOK)) * (near > _FLOOR)
    hump = np.flatnonzero(rest.reshape(len(rest), -1).max(axis=1) > _CLEAN)  # of several peaks
    if not hump.size:
        return peaks
    joint, middle = peaks.joint[hump], middle[hump]
    heat = _windows(heatmaps, joint, middle, _REACH)
    window, xy = _corners(heat)
    model, heat = _gaussian(xy, _REACH), heat[window]
    true = ((model - heat < _EXACT) | (heat == 0.0)).all(axis=(1, 2))
    window, xy, model, heat = window[true], xy[true], model[true], heat[true]
    cells = (heat - model < _EXACT) & (heat > _FLOOR)
    h, w = heatmaps.shape[1:]
    place = ((joint * h + middle[:, 1]) * w + middle[:, 0])[window, None, None] + _offsets(w)
    joint, xy = joint[window], xy + middle[window]
    new = _needed(joint, xy, place, cells)
    return _merged(peaks, hump, joint[new], xy[new])


def _clean(heatmaps: NDArray[np.float32], peaks: Peaks, cell: I64) -> bool:
    """Whether most peaks are as high as the targets'."""
    heat = heatmaps[peaks.joint, cell[:, 1], cell[:, 0]]
    away = ((peaks.xy - cell) ** 2).sum(axis=1)
    height = heat * np.exp(away / (2.0 * SIGMA_CELLS**2))
    return bool(np.count_nonzero(np.abs(height - 1.0) < _CLEAN) * 2 > peaks.joint.size)


def _windows(heatmaps: NDArray[np.float32], joint: I64, cell: I64, reach: int) -> F64:
    """(P, n, n) heat up to ``reach`` cells from each peak, 0 beyond the map."""
    h, w = heatmaps.shape[1:]
    span = np.arange(-reach, reach + 1)
    rows, columns = (cell[:, axis, None] + span for axis in (1, 0))
    inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None]
    place = (joint[:, None] * h + rows)[:, :, None] * w + columns[:, None]
    return np.asarray(heatmaps.reshape(-1).take(place, mode="clip") * inside, dtype=np.float64)


def _gaussian(xy: F64, reach: int) -> F64:
    """(V, n, n) the heat of peaks at xy (V, 2) from the windows' middles."""
    away = np.arange(-reach, reach + 1) - xy[..., None]
    side = np.exp(away * away * (-0.5 / SIGMA_CELLS**2))
    return np.asarray(side[:, 1, :, None] * side[:, 0, None])


def _corners(heat: F64) -> tuple[I64, F64]:
    """Window and place (V, 2) of the peaks that corners of three cells in windows speak of."""
    log = SIGMA_CELLS**2 * np.log(np.maximum(heat, _FLOOR))
    cell = np.arange(-_REACH, _REACH)
    across = log[:, :, 1:] - log[:, :, :-1] + cell + 0.5
    down = log[:, 1:] - log[:, :-1] + cell[:, None] + 0.5
    seen = heat > _FLOOR
    beside, below = seen[:, :, 1:] & seen[:, :, :-1], seen[:, 1:] & seen[:, :-1]
    windows, places = [], []
    for low in (0, 1):
        for right in (0, 1):
            rows, columns = (slice(k, k + 2 * _REACH) for k in (low, right))
            x, y = across[:, rows], down[:, :, columns]
            away = (cell + right - x) ** 2 + (cell[:, None] + low - y) ** 2
            good = np.abs(log[:, rows, columns] + 0.5 * away) < _EXACT
            at = np.nonzero(good & beside[:, rows] & below[:, :, columns])
            windows.append(at[0])
            places.append(np.column_stack([x[at], y[at]]))
    window, place = np.concatenate(windows), np.concatenate(places)
    near = np.rint(place * _ROUNDING).astype(np.int64) + _WIDE // 2
    _, first = np.unique((window * _WIDE + near[:, 0]) * _WIDE + near[:, 1], return_index=True)
    return window[first], place[first]


def _offsets(width: int) -> I64:
    """(7, 7) how far in flattened maps a window's cells are from its middle."""
    span = np.arange(-_REACH, _REACH + 1)
    return np.asarray(span[:, None] * width + span)


def _needed(joint: I64, xy: F64, place: I64, cells: Bool) -> I64:
    """Those of the places (V, 2) that explain a cell which no better one explains."""
    best = np.argsort(-cells.sum(axis=(1, 2)), kind="stable")
    again = np.triu(_near(joint[best], xy[best], joint[best], xy[best], _SAME), 1).any(axis=0)
    explained = np.zeros(int(place.max(initial=-1)) + 1, dtype=np.bool_)
    chosen: list[int] = []
    for i in best[~again].tolist():
        mine = place[i][cells[i]]
        if not explained[mine].all():
            explained[mine] = True
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
