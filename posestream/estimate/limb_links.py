"""How well limbs join pairs of peaks: line integrals over part affinity fields. numpy only."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.estimate.peaks import Peaks
from posestream.skeleton.network import NetworkSkeleton

_FOREIGN_M = 0.3  # 3D poses that differ by this much belong to different people
_SAME_M = 0.08  # 3D poses that differ by less belong to one person
_WIDEST = 8.0  # scores lie closer together than this


class LinkRules(NamedTuple):
    """When a limb may join two peaks, and what it is worth."""

    min_score: float = 0.25  # mean agreement with the field
    min_share: float = 0.7  # of the points that agree at all
    location_weight: float = 0.3  # what a foreign 3D pose costs


class Fields(NamedTuple):
    """All pairs of peaks that a limb could join, and how their field agrees."""

    limb: I64  # (C,)
    start: I64  # (C,) number of the peak at the limb's first joint
    end: I64  # (C,)
    samples: NDArray[np.float32]  # (samples, C) agreement with the direction start → end
    mean: F64  # (C,)


class Links(NamedTuple):
    """Candidate limbs between peaks."""

    limb: I64  # (C,)
    start: I64  # (C,) number of the peak at the limb's first joint
    end: I64  # (C,)
    score: F64  # (C,) mean agreement with the field, at most 1
    apart_m: F64  # (C,) mean distance of the 3D stored at both ends; NaN where none is
    margin: F64  # (C,) by how much the best rival at either peak is worse; negative: better


def read_fields(
    pafs: NDArray[np.float32], peaks: Peaks, skeleton: NetworkSkeleton, samples: int
) -> Fields:
    """Affinity fields (2L, h, w), read between any two peaks that a limb could join."""
    limb, start, end = _pairs(peaks.joint, skeleton)
    agreement = _agreement(pafs, limb, peaks.xy.take(start, 0), peaks.xy.take(end, 0), samples)
    mean = agreement.astype(np.float64).sum(axis=0)
    mean /= samples
    return Fields(limb, start, end, agreement, mean)


def candidate_links(
    fields: Fields,
    peaks: Peaks,
    skeleton: NetworkSkeleton,
    rules: LinkRules,
    locations: NDArray[np.float32] | None = None,
) -> Links:
    """All pairs of peaks that a limb could join, whose field agrees.

    With location maps (3J, h, w), the 3D that both peaks store for the same joints is compared,
    too: ends of one person agree.
    """
    near = np.flatnonzero(fields.mean >= 0.5 * rules.min_score)
    limb, start, end = fields.limb[near], fields.start[near], fields.end[near]
    score = fields.mean[near]
    agree = fields.samples.take(near, 1) > 0.05
    count = np.ones(len(agree), dtype=np.float32) @ agree.astype(np.float32)
    share = count.astype(np.float64) / len(agree)
    good = (score >= rules.min_score) & (share >= rules.min_share)
    apart = np.full(score.size, np.nan)
    if locations is not None and rules.location_weight > 0.0:
        cost = _disagreement_m(locations, limb, peaks.xy, start, end, skeleton)
        witnessed = skeleton.limb_witnesses[limb, 0] >= 0
        good |= witnessed & (cost < _SAME_M)  # where limbs cross, their fields cancel
        apart = np.where(witnessed, cost, np.nan)
        score = score - rules.location_weight * np.minimum(cost / _FOREIGN_M, 1.0)
    limb, start, end = limb[good], start[good], end[good]
    score, apart = score[good], apart[good]
    j = skeleton.num_joints
    at_start = start * j + peaks.joint[end]
    at_end = (end + peaks.joint.size) * j + peaks.joint[start]
    margin = _margin(np.concatenate([at_start, at_end]), np.concatenate([score, score]))
    margin = np.minimum(margin[: start.size], margin[start.size :])
    return Links(limb, start, end, np.clip(score, 1e-3, 1.0), apart, margin)


def _pairs(joint: I64, skeleton: NetworkSkeleton) -> tuple[I64, I64, I64]:
    """Limb, start and end (C,) of all pairs of peaks, sorted by joint, that a limb could join."""
    count = np.bincount(joint, minlength=skeleton.num_joints)
    first = np.cumsum(count) - count
    a, b = skeleton.limb_array.T
    pairs = count[a] * count[b]
    limb = np.repeat(np.arange(skeleton.num_limbs), pairs)
    nth = np.arange(limb.size) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    ends = count[b][limb]
    start = nth // ends
    return limb, first[a][limb] + start, first[b][limb] + nth - start * ends


def _disagreement_m(
    locations: NDArray[np.float32], limb: I64, xy: F64, start: I64, end: I64,
    skeleton: NetworkSkeleton,
) -> F64:  # fmt: skip
    """(C,) mean distance between the 3D joints stored at both ends; 0 where none is."""
    h, w = locations.shape[1:]
    where, known, count = _witnesses(skeleton, h * w)
    base = where.take(limb, 0)  # (C, W, 3)
    flat = locations.reshape(-1)
    x, y = (xy + 0.5).astype(np.intp).T
    at = y * w + x
    delta = flat.take(base + at[start][:, None, None])
    base += at[end][:, None, None]
    delta -= flat.take(base)
    distance = np.sqrt(np.einsum("cwk,cwk->cw", delta, delta))
    distance *= known.take(limb, 0)
    return np.asarray(distance.sum(axis=1) / count[limb], dtype=np.float64)


@lru_cache(maxsize=8)
def _witnesses(skeleton: NetworkSkeleton, cells: int) -> tuple[I64, Bool, I64]:
    """Where location maps of so many cells hold each limb's witnesses (L, W, 3), in flattened
    maps; (L, W) which there are; (L,) how many, at least 1.
    """
    joint = skeleton.limb_witnesses
    known = joint >= 0
    where = cells * (3 * np.maximum(joint, 0)[..., None] + np.arange(3))
    return where, known, np.maximum(known.sum(axis=1), 1)


def _margin(key: I64, score: F64) -> F64:
    """(C,) score less the best other score with the same key; less 0 where there is none."""
    if key.size == 0:
        return score
    order = np.argsort(_WIDEST * key - score, kind="stable")  # by key, the best first
    key, score = key[order], score[order]
    new = np.ones(key.size, dtype=np.bool_)
    np.not_equal(key[1:], key[:-1], out=new[1:])
    best = np.flatnonzero(new)
    second = np.minimum(best + 1, key.size - 1)
    rival = score[best][np.cumsum(new) - 1]
    rival[best] = np.where(new[second], 0.0, score[second])
    margin = np.empty_like(score)
    margin[order] = score - rival
    return margin


def _agreement(
    pafs: NDArray[np.float32], limb: I64, start: F64, end: F64, samples: int
) -> NDArray[np.float32]:
    """(samples, C) cosine-like agreement between the field and the direction start → end."""
    h, w = pafs.shape[1:]
    delta = end - start
    size = np.maximum(np.hypot(delta[:, 0], delta[:, 1]), 1e-6)
    unit = (delta / size[:, None]).astype(np.float32)
    share = _shares(samples)
    x, y = (
        (start[:, k] + 0.5).astype(np.float32) + delta[:, k].astype(np.float32) * share
        for k in (0, 1)
    )  # peaks lie on the map: never negative
    cell = y.astype(np.intp)  # large: changed in place
    cell *= w
    cell += x.astype(np.intp)
    cell += (2 * h * w) * limb
    flat = pafs.reshape(-1)
    along = flat.take(cell)
    along *= unit[:, 0]
    cell += h * w
    across = flat.take(cell)
    across *= unit[:, 1]
    along += across
    return along


@cache
def _shares(samples: int) -> NDArray[np.float32]:
    """(samples, 1) how far along a limb each is."""
    return np.linspace(0.0, 1.0, samples, dtype=np.float32)[:, None]


def matched(links: Links, num_limbs: int, method: str) -> Bool:
    """(C,) which links hold when a peak has one partner per limb.

    ``hungarian`` makes the sum of scores highest, ``greedy`` takes the best link first.
    """
    if method == "greedy":
        return _greedy(links)
    keep = links.margin > 0.0  # best for both its ends
    for limb in _contested(links, keep, num_limbs):
        mine = np.flatnonzero(links.limb == limb)
        keep[mine] = _hungarian(links.start[mine], links.end[mine], links.score[mine])
    return keep


def _contested(links: Links, plain: Bool, num_limbs: int) -> list[int]:
    """Limbs at which some start and some end do not get the partner that suits them best."""
    size = 1 + max(int(links.start.max(initial=0)), int(links.end.max(initial=0)))
    have = np.bincount(links.limb[plain], minlength=num_limbs)
    starts, ends = (
        np.bincount(np.flatnonzero(np.bincount(links.limb * size + p)) // size, minlength=num_limbs)
        for p in (links.start, links.end)
    )
    return [int(i) for i in np.flatnonzero(have < np.minimum(starts, ends))]


def _greedy(links: Links) -> Bool:
    keep = np.zeros(links.limb.size, dtype=np.bool_)
    taken: set[tuple[int, int]] = set()
    triples = list(zip(links.limb.tolist(), links.start.tolist(), links.end.tolist(), strict=True))
    for i in np.argsort(-links.score, kind="stable").tolist():
        limb, start, end = triples[i]
        if (limb, start) not in taken and (limb, end) not in taken:
            taken |= {(limb, start), (limb, end)}
            keep[i] = True
    return keep


def _hungarian(start: I64, end: I64, score: F64) -> Bool:
    """One limb's best matching."""
    import lap

    rows, row = _numbered(start)
    columns, column = _numbered(end)
    cost = np.zeros((rows, columns))
    cost[row, column] = -score
    _, partner, _ = lap.lapjv(cost, extend_cost=True)
    return np.asarray(partner[row] == column)


def _numbered(peaks: I64) -> tuple[int, list[int]]:
    """How many different peaks there are, and each one's rank: ``np.unique`` for a few."""
    rank = {peak: i for i, peak in enumerate(sorted(set(peaks.tolist())))}
    return len(rank), [rank[peak] for peak in peaks.tolist()]
