"""People in a tangle exchange what looks more like the other's: joints, limbs, halves. numpy only.

Peaks that no limb joined take part, too, on a bench: a person's whose arm is cut by the
picture's edge, for example.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.estimate.kinship import Evidence, field_table, kinship
from posestream.estimate.limb_links import Links
from posestream.skeleton.network import NetworkSkeleton

_ROUNDS: Final = 4
_EXCHANGES: Final = 40  # at most, a round
_GAIN: Final = 0.05  # an exchange must be worth this much on perfect maps
_POOR_GAIN: Final = 0.6  # and this much on poor ones
_LONELY: Final = 1.0  # so little may speak for a peak that would else be nobody's
_RIVAL: Final = -0.5  # by how much a rival's limb may be worse than the best
_MEET: Final = 0.2  # people of whom no two joints are so much alike do not exchange any


class _Side(NamedTuple):
    """Slots of people: ``slot[n, j]`` is where person n's joint j was at first."""

    slot: I64  # (N, J)
    person: Bool  # (N,) or a bench


class _Cuts(NamedTuple):
    """Sets of joints that may be exchanged, and pairs of joints that these part."""

    sets: Bool  # (F, J)
    taken: I64  # (E,) a joint
    left: I64  # (E,) another one of which the maps can say that both are one person's
    parted: F64  # (E, F) 1 where a set has the first but not the second


def unclear(rows: I64, shared: Bool, links: Links, peaks: int, min_joints: int) -> bool:
    """Whether peaks are nobody's, or a limb joins people's joints nearly as well as any does."""
    owner = np.full(peaks + 1, -1)
    person, joint = np.nonzero(rows >= 0)
    somebody = ((rows >= 0) & ~shared).sum(axis=1) >= min_joints
    owner[rows[person, joint]] = np.where(somebody[person], person, -1)
    rival = (owner[links.start] != owner[links.end]) & (links.margin > _RIVAL)
    return bool(rival.any() or (owner[:-1] < 0).any())


def untangle(
    rows: I64, shared: Bool, evidence: Evidence, trusted: float, min_joints: int
) -> tuple[I64, Bool]:
    """People (N, J) as peak numbers, -1 where missing, and what is shared; joints exchanged.

    Whoever has fewer than ``min_joints`` is nobody. ``trusted``: see ``kinship.trust``.
    """
    somebody = ((rows >= 0) & ~shared).sum(axis=1) >= min_joints
    rows, shared = rows[somebody], shared[somebody]
    people = len(rows)
    benches = _benches(rows, evidence.peaks.joint)
    rows = np.concatenate([rows, benches])
    shared = np.concatenate([shared, np.zeros(benches.shape, dtype=np.bool_)])
    person = np.arange(len(rows)) < people
    fields = field_table(evidence, trusted)
    table = kinship(rows, evidence, trusted, fields)
    for _ in range(_ROUNDS):
        slot = _exchange(table, _gain(trusted), person, evidence.skeleton)
        if (slot == np.arange(slot.size).reshape(slot.shape)).all():
            break
        rows, shared = rows.reshape(-1)[slot], shared.reshape(-1)[slot]
        table = kinship(rows, evidence, trusted, fields)
    person &= ((rows >= 0) & ~shared).sum(axis=1) >= min_joints
    rows = _taken_in(rows, person, table, trusted)
    return rows[person], shared[person]


def _taken_in(rows: I64, person: Bool, table: F64, trusted: float) -> I64:
    """On clean maps every peak is somebody's: from benches to whom each suits best."""
    if person.all() or not (rows[~person] >= 0).any():
        return rows
    rows = rows.copy()
    least = _POOR_GAIN * (1.0 - trusted) - _LONELY * trusted
    slot = np.arange(rows.size).reshape(rows.shape)
    while True:
        bench, joint = np.nonzero((rows >= 0) & ~person[:, None])
        like = table[slot[bench, joint][:, None, None], slot[person]].sum(axis=-1)  # (K, N)
        like[(rows[person][:, joint] >= 0).T] = -np.inf
        if not like.size or like.max() < least:
            return rows
        k, to = np.unravel_index(int(like.argmax()), like.shape)
        mine, theirs = (int(np.flatnonzero(person)[to]), joint[k]), (bench[k], joint[k])
        rows[mine], rows[theirs] = rows[theirs], -1
        slot[mine] = slot[theirs]


def _gain(trusted: float) -> float:
    return _GAIN * trusted + _POOR_GAIN * (1.0 - trusted)


def _benches(rows: I64, joint: I64) -> I64:
    """(B, J) peaks that nobody has, each once."""
    used = np.zeros(joint.size + 1, dtype=np.bool_)
    used[rows] = True
    left = np.flatnonzero(~used[:-1])
    nth = np.arange(left.size) - np.searchsorted(joint[left], joint[left])
    out = np.full((int(nth.max(initial=-1)) + 1, rows.shape[1]), -1, dtype=np.int64)
    out[nth, joint[left]] = left
    return out


def _exchange(table: F64, gain: float, person: Bool, skeleton: NetworkSkeleton) -> I64:
    """(N, J) where each slot's joint was before, after all exchanges that pay."""
    cuts = _cuts(skeleton)
    j = skeleton.num_joints
    side = _Side(np.arange(len(person) * j).reshape(-1, j), person)
    one, two = _pairs(table, side)
    if not one.size:
        return side.slot
    worth = _worth(table, side, one, two, cuts)
    for _ in range(_EXCHANGES):
        best = int(worth.argmax())
        pair, which = divmod(best, len(cuts.sets))
        if worth[pair, which] < gain:
            break
        a, b, chosen = one[pair], two[pair], cuts.sets[which]
        side.slot[a, chosen], side.slot[b, chosen] = side.slot[b, chosen], side.slot[a, chosen]
        again = np.flatnonzero((one == a) | (one == b) | (two == a) | (two == b))
        worth[again] = _worth(table, side, one[again], two[again], cuts)
    return side.slot


def _pairs(table: F64, side: _Side) -> tuple[I64, I64]:
    """Pairs of people, or a person and a bench, who have joints that are alike."""
    n, j = side.slot.shape
    like = table.reshape(n, j, n * j).max(axis=1).reshape(n, n, j).max(axis=2) > _MEET
    like &= side.person[:, None]
    one, two = np.nonzero(like)
    first = one < two
    return one[first], two[first]


def _worth(table: F64, side: _Side, one: I64, two: I64, cuts: _Cuts) -> F64:
    """(pairs, sets) what two gain if they exchange these joints. ``one`` is no bench."""
    a, b = side.slot[one], side.slot[two]
    a_out, a_in, b_out, b_in = (s.take(k, 1) for s in (a, b) for k in (cuts.taken, cuts.left))
    flat, size = table.reshape(-1), len(table)
    a_out *= size
    change = flat.take(b_out + size * a_in) - flat.take(a_out + a_in)
    theirs = flat.take(a_out + b_in) - flat.take(b_out * size + b_in)
    theirs *= side.person[two][:, None]
    change += theirs
    return np.asarray(change @ cuts.parted)


@cache
def _cuts(skeleton: NetworkSkeleton) -> _Cuts:
    sets = _sets(skeleton) > 0.0
    linked = np.zeros((skeleton.num_joints,) * 2, dtype=np.bool_)
    linked[tuple(skeleton.limb_array.T)] = True
    for group in skeleton.groups:
        limb = [*group, skeleton.neck, skeleton.pelvis]
        linked[np.ix_(limb, limb)] = True
    taken, left = np.nonzero((linked | linked.T) & ~np.eye(skeleton.num_joints, dtype=np.bool_))
    parted = (sets[:, taken] & ~sets[:, left]).T.astype(np.float64)
    return _Cuts(sets, taken, left, np.ascontiguousarray(parted))


def _sets(skeleton: NetworkSkeleton) -> F64:
    """(F, J) sets of joints as ones: every joint, and all that one or two cuts take off."""
    tree = skeleton.limbs[: skeleton.num_tree]
    beyond = [_beyond(tree, cut) for cut in range(len(tree))]
    every = frozenset(range(skeleton.num_joints))
    sets = {frozenset([j]) for j in every}
    for a in beyond:
        for b in beyond:
            sets |= {a, a - b, a | b}
    smaller = {min(s, every - s, key=lambda s: (len(s), sorted(s))) for s in sets} - {frozenset()}
    out = np.zeros((len(smaller), skeleton.num_joints))
    for row, members in zip(out, sorted(smaller, key=sorted), strict=True):
        row[list(members)] = 1.0
    return out


def _beyond(tree: tuple[tuple[int, int], ...], cut: int) -> frozenset[int]:
    """The joints that hang on this limb of the tree."""
    out = {tree[cut][1]}
    for parent, child in tree:  # parents come first
        if parent in out:
            out.add(child)
    return frozenset(out)
