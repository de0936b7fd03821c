"""The assignment of sightings to people that costs least in all."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64, I64


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
