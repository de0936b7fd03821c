"""How much two joints look like one person's: by their limb's field, and by the 3D read at both.

Along a limb the location maps hold that limb's 3D, at neck and pelvis the whole body's: places
of one person that store the same limb agree. How far places agree that were put together tells
how good the maps are, and so how much disagreement means. numpy only.
"""

from __future__ import annotations

from functools import cache
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
_FOREIGN_M: Final = 0.3  # 3D that differs by this much belongs to different people
_NOISE_M: Final = 0.02  # maps whose own 3D differs by this much are trusted to 1/e
_WEIGHT: Final = 0.6  # what the 3D counts, where a field counts up to 1
_HIDDEN: Final = 0.15  # what it still counts where somebody nearer may have overwritten it
_STRAY: Final = 0.4  # a field that agrees less than this speaks against a limb, on clean maps
_EXACT: Final = 0.5  # what it is worth that the field agrees exactly, on clean maps
_SURE: Final = 0.999  # an agreement that only the limb's own field has
_AROUND: Final = np.array([(x, y) for x in (0, 1, -1) for y in (0, 1, -1)])


class _Stored(NamedTuple):
    """Limbs, and the places that store them; -1 pads."""

    places: I64  # (G, S) joints: the limb's own, then neck and pelvis
    limbs: I64  # (G, W) the joints whose 3D is stored there


class Evidence(NamedTuple):
    """What the maps say of peaks."""

    peaks: Peaks
    fields: Fields
    locations: NDArray[np.float32]  # (3J, h, w)
    skeleton: NetworkSkeleton
    least: float  # agreement with a field that speaks for a limb, on poor maps


def kinship(rows: I64, evidence: Evidence, trust: float) -> F64:
    """(N J, N J) what speaks for any two joints' being one person's, joint j of n at n J + j.

    Of people (N, J) as peak numbers, -1 where missing: these get 0. The less the maps are
    trusted, the less the 3D counts, and what the fields say against a limb; fields speak for it
    from ``least`` on.
    """
    peaks, _, locations, skeleton, _ = evidence
    n, j = rows.shape
    stored = _stored(skeleton)
    place = np.where(stored.places >= 0, rows[:, stored.places], -1).swapaxes(0, 1)  # (G, N, S)
    place = place.reshape(len(place), -1)
    cell, sure = _read_at(np.append(peaks.xy, [[_FAR, _FAR]], axis=0)[place], n, locations.shape)
    apart = _apart_m(locations, cell, stored)  # (G, N S, N S)
    have = place >= 0
    table = _field(evidence, rows.reshape(-1), trust)
    alike = 1.0 - 2.0 * np.minimum(np.sqrt(apart / _FOREIGN_M), 1.0)
    both = sure[..., :, None] & sure[..., None, :]  # (2, G, N S, N S)
    owner = np.repeat(np.arange(n), place.shape[1] // n)
    against = both[1] | (both[0] & (owner[:, None] == owner))
    weight = np.where(alike < 0.0, against, np.where(both[1], 1.0, _HIDDEN))
    alike *= _WEIGHT * trust * weight
    alike *= have[:, :, None] & have[:, None]
    slot = (np.arange(n)[:, None] * j + np.maximum(stored.places, 0)[:, None]).reshape(
        len(place), -1
    )
    core = (stored.places == skeleton.neck) | (stored.places == skeleton.pelvis)
    core = np.tile(core, n)
    alike[core[:, :, None] & core[:, None]] /= len(stored.places)
    index = slot[:, :, None] * (n * j) + slot[:, None]
    table += np.bincount(index.reshape(-1), alike.reshape(-1), table.size).reshape(table.shape)
    return table


def trust(links: Links, used: Bool) -> float:
    """How well the 3D agrees that is read at both ends of limbs; 1: as on perfect maps."""
    apart = links.apart_m[used & ~np.isnan(links.apart_m)]
    return float(np.exp(-np.median(apart) / _NOISE_M)) if apart.size else 0.0


@cache
def _stored(skeleton: NetworkSkeleton) -> _Stored:
    longest = max(len(group) for group in skeleton.groups)
    pad = [[-1] * (longest - len(group)) for group in skeleton.groups]
    core = [skeleton.neck, skeleton.pelvis]
    limbs = [[*g, *p] for g, p in zip(skeleton.groups, pad, strict=True)]
    return _Stored(np.array([[*limb, *core] for limb in limbs]), np.array(limbs))


def _read_at(xy: F64, people: int, shape: tuple[int, ...]) -> tuple[I64, Bool]:
    """(G, N S, 2) cells at which places (G, N S, 2) are read; (2, G, N S) whether nobody else's
    place, and no other one at all, covers them.

    The joint's own cell, or one beside it if another person's places of that limb are near.
    """
    limit = np.array([shape[2] - 1, shape[1] - 1])
    cell = np.rint(np.clip(xy, 0, limit)).astype(np.int64)
    owner = np.repeat(np.arange(people), xy.shape[1] // people)
    foreign = owner[:, None] != owner
    limb, place = np.nonzero((_covered(cell, xy) & foreign).any(axis=2))
    if limb.size:
        around = cell[limb, place][:, None] + _AROUND  # (Q, 9, 2)
        off = np.hypot(*(around - xy[limb, place][:, None]).transpose(2, 0, 1))
        usable = (off <= _STORED_CELLS) & ((around >= 0) & (around <= limit)).all(axis=-1)
        others = np.where(foreign[place, :, None], xy[limb], _FAR)  # (Q, N S, 2)
        x, y = (around[:, :, None, k] - others[:, None, :, k] for k in (0, 1))
        clear = np.sqrt((x * x + y * y).min(axis=2))
        value = np.where(usable, np.minimum(clear, _FOREIGN_CELLS) - 0.01 * off, -1.0)
        cell[limb, place] = around[np.arange(limb.size), value.argmax(axis=1)]
    covered = _covered(cell, xy)
    covered &= ~np.eye(len(owner), dtype=np.bool_)
    return cell, ~np.stack([(covered & foreign).any(axis=2), covered.any(axis=2)])


def _covered(cell: I64, xy: F64) -> Bool:
    """(G, N S, N S) whether the 3D of any place is stored at any cell."""
    x, y = (cell[:, :, None, k].astype(np.float32) - xy[:, None, :, k].astype(np.float32)
            for k in (0, 1))  # fmt: skip
    x *= x
    y *= y
    x += y
    return np.asarray(x <= 1.0)


def _apart_m(locations: NDArray[np.float32], cell: I64, stored: _Stored) -> F64:
    """(..., G, S, S) root mean square distance between the limbs read at any two of S cells."""
    h, w = locations.shape[1:]
    flat = locations.reshape(-1, 3, h * w)
    at = cell @ np.array([1, w])
    count = (stored.limbs >= 0).sum(axis=1)
    read = flat[stored.limbs[:, None], :, at[..., None]].astype(np.float64)  # (..., G, S, W, 3)
    read *= (stored.limbs >= 0)[:, None, :, None]
    read = read.reshape(*read.shape[:-2], -1)
    squared = (read * read).sum(axis=-1)
    product = read @ read.swapaxes(-1, -2)
    distance = squared[..., :, None] + squared[..., None, :] - 2.0 * product
    return np.asarray(np.sqrt(np.maximum(distance / count[:, None, None], 0.0)))


def _field(evidence: Evidence, peak: I64, trust: float) -> F64:
    """(M, M) what the limbs' fields say about peaks (M,)."""
    fields, least = evidence.fields, evidence.least
    value = fields.mean - (least + max(_STRAY - least, 0.0) * trust)
    value += _EXACT * trust * (fields.samples > _SURE).mean(axis=0)
    np.multiply(value, trust, out=value, where=value < 0.0)
    count = len(evidence.peaks.joint) + 1  # the last stands for a missing peak
    table = np.zeros((count, count))
    table[fields.start, fields.end] = table[fields.end, fields.start] = value
    return np.asarray(table[peak[:, None], peak])
