"""The assignment of sightings to people that costs least in all."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.geometry.fast import every

_NONE: Final = np.zeros(0, dtype=np.int64)


def assign(cost: F64, limit: float) -> tuple[I64, I64]:
    """Matched rows and columns of ``cost`` (N, M); pairs at or above ``limit`` stay apart."""
    possible = cost < limit
    rows, columns = np.nonzero(possible)
    if len(set(rows.tolist())) == rows.size == len(set(columns.tolist())):
        return rows, columns  # nobody has a choice
    import lap

    # a refused pair costs more than leaving both alone, yet stays finite for the solver
    bounded = np.where(cost < limit, cost, 4.0 * limit)
    _, columns, _ = lap.lapjv(bounded, extend_cost=True, cost_limit=limit)
    rows = np.flatnonzero(columns >= 0)
    matched = columns[rows].astype(np.int64)
    good = cost[rows, matched] < limit
    return rows[good], matched[good]


def settled(least: F64, span: float, limit: float) -> tuple[I64, I64] | None:
    """The answer of ``assign`` for all costs from ``least`` (N, M) to ``span`` above, if it is one.

    It is certain where everybody's best choice stays the best and is nobody else's.
    """
    if 0 in least.shape:
        return _NONE, _NONE
    ranked = np.sort(least, axis=1)
    nearest = ranked[:, 0]
    alone = nearest >= limit
    next_best = ranked[:, 1] if ranked.shape[1] > 1 else np.inf
    if not every(alone | (nearest + span < np.minimum(next_best, limit))):
        return None
    rows, columns = np.flatnonzero(~alone), least.argmin(axis=1)[~alone]
    return (rows, columns) if len(set(columns.tolist())) == columns.size else None
