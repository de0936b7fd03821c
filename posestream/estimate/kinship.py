"""How much two joints look like one person's: by their limb's field, and by the 3D read at both.

Along a limb the location maps hold that limb's 3D, at neck and pelvis the whole body's: places
of one person that store the same limb agree. How far places agree that were put together tells
how good the maps are, and so how much disagreement means. numpy only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.estimate.limb_links import Fields, Links
from posestream.estimate.peaks import Peaks
from posestream.skeleton.network import NetworkSkeleton

_FAR: Final = 1e6  # cells; beyond every map
_STORED_CELLS: Final = 0.98  # from a joint, its limb's 3D is stored this far for certain
_FOREIGN_CELLS: Final = 1.02  # from a joint, its limb's 3D is stored no farther than this
_NEAR_CELLS: Final = _FOREIGN_CELLS + 1.42  # farther places cover no cell beside one's own
_FOREIGN_M: Final = 0.3  # 3D that differs by this much belongs to different people
_NOISE_M: Final = 0.02  # maps whose own 3D differs by this much are trusted to 1/e
_WEIGHT: Final = 0.6  # what the 3D counts, where a field counts up to 1
_HIDDEN: Final = 0.15  # what it still counts where somebody nearer may have overwritten it
_STRAY: Final = 0.4  # a field that agrees less than this speaks against a limb, on clean maps
_EXACT: Final = 0.5  # what it is worth that the field agrees exactly, on clean maps
_SURE: Final = 0.999  # an agreement that only the limb's own field has
_AROUND: Final = np.array([(x, y) for x in (0, 1, -1) for y in (0, 1, -1)])


class _Layout(NamedTuple):
    """Where G limbs of N people are stored: S places a person and limb; R = N S.

    Places are the limb's joints, then neck and pelvis. Limbs of fewer joints are padded.
    """

    slot: I64  # (G, R) number n J + j of the place's joint, N J where padded
    foreign: Bool  # (R, R) of different people
    other: Bool  # (R, R) different places
    read: I64  # (G, 1, 3 W) rows of the location maps that hold the limb
    unit: F64  # (G, 1, 3 W) what makes their distances ones of _FOREIGN_M; 0 where padded
    worth: F64  # (G, R, R) what alike places count
    pair: I64  # (G R R,) number in the (N J, N J) table


class Evidence(NamedTuple):
    """What the maps say of peaks."""

    peaks: Peaks
    fields: Fields
    locations: NDArray[np.float32]  # (3J, h, w)
    skeleton: NetworkSkeleton
    least: float  # agreement with a field that speaks for a limb, on poor maps


def kinship(rows: I64, evidence: Evidence, trust: float, fields: F64) -> F64:
    """(N J, N J) what speaks for any two joints' being one person's, joint j of n at n J + j.

    Of people (N, J) as peak numbers, -1 where missing: these get 0. The less the maps are
    trusted, the less the 3D counts. ``fields``: see ``field_table``.
    """
    locations = evidence.locations
    layout = _layout(evidence.skeleton, len(rows))
    peak = rows.reshape(-1)
    place = np.append(peak, -1).take(layout.slot)  # (G, R)
    xy = np.append(evidence.peaks.xy, [[_FAR, _FAR]], axis=0).take(place, 0, mode="wrap")
    have = place >= 0
    cell, alone, clear = _read_at(xy.astype(np.float32), have, layout, locations.shape)
    alike = _alike(locations, cell, layout)
    _weigh(alike, have, alone, clear, layout)
    alike *= trust
    table = np.bincount(layout.pair, alike.reshape(-1), peak.size**2)
    return np.asarray(table.reshape(peak.size, -1) + fields.take(peak, 0).take(peak, 1))


def field_table(evidence: Evidence, trust: float) -> F64:
    """(P + 1, P + 1) what limbs' fields say of peaks; the last stands for a missing one.

    They speak for a limb from ``least`` on; the less the maps are trusted, the less they speak
    against it.
    """
    fields, least = evidence.fields, evidence.least
    value = fields.mean - (least + max(_STRAY - least, 0.0) * trust)
    count = len(fields.samples)
    sure = np.ones(count, dtype=np.float32) @ (fields.samples > _SURE).astype(np.float32)
    value += _EXACT * trust / count * sure
    np.multiply(value, trust, out=value, where=value < 0.0)
    table = np.zeros((len(evidence.peaks.joint) + 1,) * 2)
    table[fields.start, fields.end] = table[fields.end, fields.start] = value
    return table


def _weigh(alike: F64, have: Bool, alone: Bool, clear: Bool, layout: _Layout) -> None:
    """What places are alike (G, R, R) becomes what that counts, in place."""
    both = clear[:, :, None] & clear[:, None]
    own = alone[:, :, None] & alone[:, None] & ~layout.foreign
    speaks_for = np.maximum(alike, 0.0)
    alike -= speaks_for
    alike *= both | own
    speaks_for *= both * (1.0 - _HIDDEN) + _HIDDEN
    alike += speaks_for
    alike *= layout.worth
    alike *= have[:, :, None] & have[:, None]


def trust(links: Links, used: Bool) -> float:
    """How well the 3D agrees that is read at both ends of limbs; 1: as on perfect maps."""
    apart = np.sort(links.apart_m[used])  # NaN last
    known = int(apart.searchsorted(np.inf, side="right"))
    if not known:
        return 0.0
    median = 0.5 * (apart[(known - 1) // 2] + apart[known // 2])
    return float(np.exp(-median / _NOISE_M))


@lru_cache(maxsize=32)
def _layout(skeleton: NetworkSkeleton, people: int) -> _Layout:
    core = [skeleton.neck, skeleton.pelvis]
    longest = max(len(group) for group in skeleton.groups)
    limb = np.array([[*g, *[-1] * (longest - len(g))] for g in skeleton.groups])  # (G, W)
    joint = np.concatenate([limb, np.broadcast_to(core, (len(limb), 2))], axis=1)
    size = people * skeleton.num_joints
    start = np.arange(people)[:, None] * skeleton.num_joints
    slot = np.where(joint[:, None] >= 0, start + joint[:, None], size).reshape(len(limb), -1)
    owner = np.repeat(np.arange(people), joint.shape[1])
    known = np.repeat(limb >= 0, 3, axis=1)[:, None]
    unit = known / (_FOREIGN_M * np.sqrt(known.sum(axis=2, keepdims=True) / 3))
    inner = np.tile(np.isin(joint, core), people)
    worth = _WEIGHT / np.where(inner[:, :, None] & inner[:, None], len(limb), 1)
    inside = np.minimum(slot, size - 1)  # padded ones count nothing
    return _Layout(
        slot, owner[:, None] != owner, ~np.eye(owner.size, dtype=np.bool_),
        (3 * np.maximum(limb, 0)[..., None] + np.arange(3)).reshape(len(limb), 1, -1), unit,
        worth, (inside[:, :, None] * size + inside[:, None]).reshape(-1),
    )  # fmt: skip


def _read_at(
    xy: NDArray[np.float32], have: Bool, layout: _Layout, shape: tuple[int, ...]
) -> tuple[I64, Bool, Bool]:
    """(G, R, 2) cells at which places (G, R, 2) are read; (G, R) whether nobody else's place
    covers them, and whether no other one at all does.

    The joint's own cell, or one beside it if another person's places of that limb are near.
    """
    limit = np.array([shape[2] - 1, shape[1] - 1])
    cell = np.rint(np.minimum(np.maximum(xy, 0.0), limit)).astype(np.int64)
    away = _away(cell, xy)
    limb, place = np.nonzero(((away <= 1.0) & layout.foreign).any(axis=2) & have)
    if limb.size:
        near = (away[limb, place] < _NEAR_CELLS**2) & layout.foreign[place]
        beside = _beside(cell[limb, place], xy[limb, place], xy[limb], near, limit)
        cell[limb, place] = beside
        away[limb, place] = _away(beside[:, None], xy[limb])[:, 0]
    covered = away <= 1.0
    return cell, ~(covered & layout.foreign).any(axis=2), ~(covered & layout.other).any(axis=2)


def _beside(
    cell: I64, xy: NDArray[np.float32], others: NDArray[np.float32], near: Bool, limit: I64
) -> I64:
    """(Q, 2) cells at xy (Q, 2) or one beside it: as far from others (Q, R, 2) that are near as
    matters, but where the limb is stored; ``limit``: the map's last cell.
    """
    around = cell[:, None] + _AROUND  # (Q, 9, 2)
    off = around - xy[:, None]
    off *= off
    off = np.sqrt(off[..., 0] + off[..., 1])
    inside = around.view(np.uint64) <= limit.view(np.uint64)  # below 0 is beyond, too
    usable = (off <= _STORED_CELLS) & inside[..., 0] & inside[..., 1]
    clear = _nearest(around, others, near)
    value = np.where(usable, np.minimum(clear, _FOREIGN_CELLS) - 0.01 * off, -1.0)
    return np.asarray(around[np.arange(len(around)), value.argmax(axis=1)])


def _nearest(around: I64, xy: NDArray[np.float32], near: Bool) -> NDArray[np.float32]:
    """(Q, 9) how far cells (Q, 9, 2) are from the next of places (Q, R, 2) that are ``near``.

    At least one is, of each.
    """
    which, other = np.nonzero(near)
    delta = around[which] - xy[which, other][:, None]  # (K, 9, 2)
    delta *= delta
    first = np.searchsorted(which, np.arange(len(around)))
    return np.asarray(np.sqrt(np.minimum.reduceat(delta[..., 0] + delta[..., 1], first)))


def _away(cell: I64, xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """(G, C, R) squared distances from cells (G, C, 2) to places (G, R, 2)."""
    at = cell.astype(np.float32)
    x, y = (at[:, :, None, k] - xy[:, None, :, k] for k in (0, 1))
    x *= x
    y *= y
    x += y
    return np.asarray(x)


def _alike(locations: NDArray[np.float32], cell: I64, layout: _Layout) -> F64:
    """(G, R, R) 1 where the limbs read at two cells agree, -1 where they are somebody else's."""
    h, w = locations.shape[1:]
    at = cell[..., 0] + w * cell[..., 1]
    read = locations.reshape(-1).take(layout.read * (h * w) + at[..., None]) * layout.unit
    squared = (read * read).sum(axis=-1)
    apart = read @ read.swapaxes(-1, -2)
    apart *= -2.0
    apart += squared[:, :, None]
    apart += squared[:, None]
    np.maximum(apart, 0.0, out=apart)
    np.sqrt(np.sqrt(apart, out=apart), out=apart)
    np.minimum(apart, 1.0, out=apart)
    apart *= -2.0
    apart += 1.0
    return np.asarray(apart)
