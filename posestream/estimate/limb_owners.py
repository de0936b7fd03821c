"""Joints that went to the wrong person in a tangle, given back by their 3D. numpy only.

At neck and pelvis the location maps hold a whole person; at a limb's own joints they hold that
limb. A joint whose limb, read there, disagrees with its person's trunk is a stranger's; it goes
to whose trunk it agrees with. Whoever's joints agree with the own trunk keeps them.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.estimate.peaks import Peaks
from posestream.skeleton.network import NetworkSkeleton

_FOREIGN_M: Final = 0.15  # a limb this far from what the trunk says is somebody else's
_SAME_M: Final = 0.08  # one this near is the trunk's own
_STORED_CELLS: Final = 1.5  # how far from a joint its limb is stored, at most
_FEW: Final = 4  # so many parts or fewer are hardly ever mixed up


class _Read(NamedTuple):
    """Where the 3D is read."""

    maps: NDArray[np.float32]  # (J, 3, h w)
    cell: I64  # (P,) of each peak
    trunk: I64  # (N, 2) peaks of neck and pelvis, -1 where missing


def give_back(
    rows: I64,
    shared: Bool,
    peaks: Peaks,
    locations: NDArray[np.float32],
    skeleton: NetworkSkeleton,
) -> tuple[I64, Bool]:
    """Parts of people (N, J) as peak numbers, -1 where missing, and what is shared, joints
    exchanged. Only in crowds, that is of more than four parts."""
    if len(rows) <= _FEW:
        return rows, shared
    w = locations.shape[2]
    cell = (peaks.xy + 0.5).astype(np.intp) @ np.array([1, w])
    maps = locations.reshape(skeleton.num_joints, 3, -1)
    read = _Read(maps, cell, _trunks(rows, maps, cell, skeleton))
    strange = _strange(rows, read, skeleton)
    if not strange.any():
        return rows, shared
    return _exchanged(rows, shared, np.argwhere(strange), peaks, read, skeleton)


def _trunks(rows: I64, maps: NDArray[np.float32], cell: I64, skeleton: NetworkSkeleton) -> I64:
    """(N, 2) peaks of neck and pelvis that speak for each person, -1 where none does.

    Where two people's necks fell into one peak, it speaks for the nearer one; the other is known
    by the pelvis, with which that neck disagrees. Likewise with necks and pelvises exchanged.
    """
    trunk = rows[:, [skeleton.neck, skeleton.pelvis]]
    twice = (trunk[:, None] == trunk).sum(axis=1) > 1
    if not twice.any():
        return trunk
    neck, pelvis = maps[:, :, cell[trunk]].transpose(3, 2, 0, 1)  # (N, J, 3)
    apart = np.linalg.norm(neck - pelvis, axis=-1).mean(axis=-1)
    torn = (apart > _FOREIGN_M) & (trunk >= 0).all(axis=1) & (twice.sum(axis=1) == 1)
    return np.where(torn[:, None] & twice, -1, trunk)


def _strange(rows: I64, read: _Read, skeleton: NetworkSkeleton) -> Bool:
    """(N, J) limb joints that are not where their person's trunk says."""
    joint = np.arange(skeleton.num_joints)
    here = read.maps[joint, :, read.cell[rows]]  # (N, J, 3)
    said = read.maps[:, :, read.cell[read.trunk]].transpose(2, 3, 0, 1)  # (N, 2, J, 3)
    delta = here[:, None] - said
    squared = np.einsum("nkjx,nkjx->nkj", delta, delta)
    squared[read.trunk < 0] = np.inf
    return np.asarray(
        (squared.min(axis=1) > _FOREIGN_M**2) & (rows >= 0) & (skeleton.group_of >= 0)
    )


def _exchanged(
    rows: I64, shared: Bool, strange: I64, peaks: Peaks, read: _Read, skeleton: NetworkSkeleton
) -> tuple[I64, Bool]:
    """Strange joints (S, 2) = person, joint go to those whom they suit, the best pairs first."""
    person, joint = strange.T
    apart = _apart_m(rows[person, joint], joint, read, skeleton)
    own = apart[np.arange(len(person)), person]
    apart[_explained(rows, person, joint, peaks, skeleton)] = np.inf
    free = np.zeros(rows.shape, dtype=np.bool_)
    free[person, joint] = True
    free |= rows < 0
    limit = np.where(own > _FOREIGN_M, np.minimum(_SAME_M, 0.5 * own), 0.0)
    pairs = np.argwhere((apart < limit[:, None]) & free[:, joint].T)
    rows, shared = rows.copy(), shared.copy()
    where = person.copy()  # who holds each strange joint now
    done = np.zeros(len(person), dtype=np.bool_)
    for i, to in pairs[np.argsort(apart[tuple(pairs.T)], kind="stable")].tolist():
        j, holder = joint[i], where[i]
        if done[i] or not free[to, j]:
            continue
        for values in (rows, shared):
            values[holder, j], values[to, j] = values[to, j], values[holder, j]
        where[(where == to) & (joint == j)], where[i] = holder, to
        done[i], free[to, j] = True, False
    return rows, shared


def _apart_m(peak: I64, joint: I64, read: _Read, skeleton: NetworkSkeleton) -> F64:
    """(S, M) mean distance between limbs read at peaks (S,) of these joints and at M's trunk.

    The nearer of neck and pelvis counts; inf where M has neither.
    """
    limb = _limbs(skeleton)[joint]  # (S, Q)
    mine = read.maps[limb, :, read.cell[peak][:, None]]  # (S, Q, 3)
    said = read.maps[:, :, read.cell[read.trunk]].transpose(0, 2, 3, 1)  # (J, M, 2, 3)
    delta = said[limb] - mine[:, :, None, None]
    distance = np.sqrt(np.einsum("sqmkx,sqmkx->sqmk", delta, delta)).mean(axis=1)
    return np.asarray(np.where(read.trunk >= 0, distance, np.inf).min(axis=-1), dtype=np.float64)


def _explained(rows: I64, person: I64, joint: I64, peaks: Peaks, skeleton: NetworkSkeleton) -> Bool:
    """(S, M) whether the joint lies where other joints of M's store the same limb."""
    xy = np.append(peaks.xy, [[np.nan, np.nan]], axis=0)
    places = np.column_stack(
        [_limbs(skeleton), np.tile([skeleton.neck, skeleton.pelvis], (skeleton.num_joints, 1))]
    )[joint]  # (S, Q + 2)
    delta = xy[rows[:, places]] - xy[rows[person, joint]][:, None]  # (M, S, Q + 2, 2)
    with np.errstate(invalid="ignore"):
        near = (delta * delta).sum(axis=-1) < _STORED_CELLS**2
    near &= places != joint[:, None]
    return np.asarray(near.any(axis=-1).T)


@cache
def _limbs(skeleton: NetworkSkeleton) -> I64:
    """(J, Q) all joints of each joint's limb, the first repeated where there are fewer."""
    groups = [skeleton.groups[g] if g >= 0 else (j,) for j, g in enumerate(skeleton.group_of)]
    width = max(len(group) for group in groups)
    return np.array([(*group, *([group[0]] * (width - len(group)))) for group in groups])
