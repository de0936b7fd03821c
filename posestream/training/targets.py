"""What the networks must answer: maps and masks from labelled people. numpy only, pure.

Heatmaps are unit-peak Gaussians, part affinity fields unit vectors along each limb, location
maps 3D joints stored at every read-out place of RRMP eq. 1 and 2, the hidden ones too, where
of several people the closest wins. Masks are 0 wherever the labels do not tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.geometry.cells import SIGMA_CELLS, px_to_cells
from posestream.geometry.depth_bins import DepthBins, clamp_index, index_from_depth, soft_target
from posestream.skeleton.network import NetworkSkeleton

F32 = NDArray[np.float32]


class TargetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How labels become maps."""

    stride_px: Annotated[int, msgspec.Meta(ge=1, description="Input pixels per cell.")] = 8
    sigma_cells: Annotated[
        float, msgspec.Meta(gt=0.0, description="Width of the heatmaps' Gaussians.")
    ] = SIGMA_CELLS
    paf_width_cells: Annotated[
        float, msgspec.Meta(gt=0.0, description="Half width of a limb's affinity field.")
    ] = 1.0
    location_radius_cells: Annotated[
        float, msgspec.Meta(ge=0.75, description="Radius in which a 3D joint is stored.")
    ] = 1.0
    unknown_margin: Annotated[
        float, msgspec.Meta(ge=0.0, description="Share by which a person's box is widened.")
    ] = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPeople:
    """What is known of N people in one input picture; J joints in network order."""

    xy_px: F64  # (N, J, 2) pixels of the network's input; NaN where unknown
    visible: Bool  # (N, J) seen in the picture: gets a heatmap peak
    xyz_root_m: F64  # (N, J, 3) relative to the pelvis; NaN where unknown
    depth_m: F64  # (N,) of the pelvis along the optical axis; NaN where unknown
    ignore: Bool | None = None  # (H/stride, W/stride) somebody is there who is not labelled


@dataclass(frozen=True, slots=True, eq=False)
class MapTargets:
    """Maps and where they hold; ``owner`` says whose 3D a location map stores, -1 nobody's."""

    heatmaps: F32  # (J+1, h, w), the last is background
    heat_mask: F32  # (J+1, h, w)
    pafs: F32  # (2L, h, w), x and y of limb l at 2l and 2l+1
    paf_mask: F32  # (L, h, w)
    locations: F32  # (3J, h, w) metres, x, y, z of joint j at 3j
    location_mask: F32  # (J, h, w)
    owner: NDArray[np.int16]  # (J, h, w)


@dataclass(frozen=True, slots=True, eq=False)
class DepthTargets:
    """Depth as bins, for the people whose depth is known."""

    index: F64  # (N,) real-valued bin, clamped; 0 where unknown
    bins: F64  # (N, count)
    known: Bool  # (N,)
    clamped: int


def build_maps(
    people: LabelledPeople,
    size_px: tuple[int, int],
    skeleton: NetworkSkeleton,
    settings: TargetSettings | None = None,
) -> MapTargets:
    """All dense targets of one picture of ``size_px`` (width, height)."""
    settings = settings or TargetSettings()
    shape = (size_px[1] // settings.stride_px, size_px[0] // settings.stride_px)
    xy = px_to_cells(people.xy_px, settings.stride_px)
    seen = people.visible & np.isfinite(xy).all(-1) & _inside(xy, shape)
    heat = heatmaps(xy, seen, shape, settings.sigma_cells)
    heat_mask, paf_mask = unknown_masks(xy, skeleton, shape, settings.unknown_margin)
    pafs = affinity_fields(xy, seen, skeleton, shape, settings.paf_width_cells)
    locations, location_mask, owner = location_maps(people, xy, skeleton, shape, settings)
    if people.ignore is not None:
        heat_mask[:, people.ignore] = 0.0
        paf_mask[:, people.ignore] = 0.0
    return MapTargets(heat, heat_mask, pafs, paf_mask, locations, location_mask, owner)


def heatmaps(xy: F64, seen: Bool, shape: tuple[int, int], sigma: float) -> F32:
    """(J+1, h, w): the highest of the people's Gaussians, and 1 - the highest joint."""
    rows, columns = (
        np.exp(-((np.arange(n) - xy[..., axis, None]) ** 2) / (2.0 * sigma**2), dtype=np.float64)
        for n, axis in ((shape[0], 1), (shape[1], 0))
    )
    out = np.zeros((xy.shape[1] + 1, *shape), dtype=np.float32)
    for person, joint in np.argwhere(seen):
        peak = rows[person, joint, :, None] * columns[person, joint]
        np.maximum(out[joint], peak, out=out[joint], casting="same_kind")
    out[-1] = 1.0 - out[:-1].max(axis=0)
    return out


def affinity_fields(
    xy: F64, seen: Bool, skeleton: NetworkSkeleton, shape: tuple[int, int], width: float
) -> F32:
    """(2L, h, w): unit vectors within ``width`` cells of a limb; their mean where limbs cross."""
    total = np.zeros((skeleton.num_limbs, 2, *shape))
    count = np.zeros((skeleton.num_limbs, 1, *shape))
    for limb, (a, b) in enumerate(skeleton.limbs):
        for person in np.flatnonzero(seen[:, a] & seen[:, b]):
            _draw_limb(total[limb], count[limb], xy[person, a], xy[person, b], width)
    mean = total / np.maximum(count, 1.0)
    return np.asarray(mean.reshape(-1, *shape), dtype=np.float32)


def _draw_limb(total: F64, count: F64, start: F64, end: F64, width: float) -> None:
    """Add one limb to its field, in the part of the map that it touches."""
    low = np.maximum(np.floor(np.minimum(start, end) - width).astype(int), 0)
    high = np.ceil(np.maximum(start, end) + width).astype(int) + 1
    y, x = np.mgrid[low[1] : min(high[1], total.shape[1]), low[0] : min(high[0], total.shape[2])]
    length = max(float(np.hypot(*(end - start))), 1e-6)
    ux, uy = (end - start) / length
    along = (x - start[0]) * ux + (y - start[1]) * uy
    across = (x - start[0]) * uy - (y - start[1]) * ux
    on = (np.abs(across) <= width) & (along >= -width) & (along <= length + width)
    y, x = y[on], x[on]
    total[:, y, x] += np.array([[ux], [uy]])
    count[:, y, x] += 1.0


def location_maps(
    people: LabelledPeople,
    xy: F64,
    skeleton: NetworkSkeleton,
    shape: tuple[int, int],
    settings: TargetSettings,
) -> tuple[F32, F32, NDArray[np.int16]]:
    """Location maps (3J, h, w), mask (J, h, w), owner (J, h, w); the closest person is last."""
    values = np.zeros((skeleton.num_joints, 3, *shape), dtype=np.float32)
    owner = np.full((skeleton.num_joints, *shape), -1, dtype=np.int16)
    far_first = np.argsort(-np.nan_to_num(people.depth_m, nan=np.inf), kind="stable")
    for person in far_first:
        joint, y, x = _discs(xy[person], skeleton, shape, settings.location_radius_cells)
        values[joint, :, y, x] = people.xyz_root_m[person, joint]
        owner[joint, y, x] = person
    known = (owner >= 0) & np.isfinite(values).all(axis=1)
    values = np.nan_to_num(values).reshape(-1, *shape)
    return values, known.astype(np.float32), owner


def _discs(
    xy: F64, skeleton: NetworkSkeleton, shape: tuple[int, int], radius: float
) -> tuple[I64, I64, I64]:
    """Joint, row and column of every cell near a read-out place (RRMP eq. 1) of one person."""
    reach = int(np.ceil(radius))
    offsets = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    pairs = skeleton.readout[np.isfinite(xy[skeleton.readout[:, 1]]).all(-1)]
    place = xy[pairs[:, 1]]
    cell = np.rint(place).astype(np.int64)[:, None] + offsets[:, ::-1]  # (P, K, 2)
    near = np.hypot(*(cell - place[:, None]).transpose(2, 0, 1)) <= radius
    near &= _inside(cell.astype(np.float64), shape)
    pair, k = np.nonzero(near)
    return pairs[pair, 0], cell[pair, k, 1], cell[pair, k, 0]


def unknown_masks(
    xy: F64, skeleton: NetworkSkeleton, shape: tuple[int, int], margin: float
) -> tuple[F32, F32]:
    """Masks (J+1, h, w), (L, h, w): 0 in the box of a person for joints that have no label."""
    heat = np.ones((skeleton.num_joints + 1, *shape), dtype=np.float32)
    paf = np.ones((skeleton.num_limbs, *shape), dtype=np.float32)
    known = np.isfinite(xy).all(-1)
    for person in np.flatnonzero(~known.all(axis=1) & known.any(axis=1)):
        low, high = np.nanmin(xy[person], axis=0), np.nanmax(xy[person], axis=0)
        pad = margin * np.max(high - low) + 1.0
        x0, y0 = np.maximum(np.floor(low - pad).astype(int), 0)
        x1, y1 = np.maximum(np.ceil(high + pad).astype(int) + 1, 0)
        missing = ~known[person]
        heat[np.append(missing, True), y0:y1, x0:x1] = 0.0
        paf[missing[skeleton.limb_array].any(axis=1), y0:y1, x0:x1] = 0.0
    return heat, paf


def depth_targets(depth_m: F64, f_px: float, bins: DepthBins) -> DepthTargets:
    """Bins (HDNet eq. 6) of pelvis depths (N,); depths outside are clamped and counted."""
    known = np.isfinite(depth_m) & (depth_m > 0.0)
    raw = index_from_depth(np.where(known, depth_m, bins.near * f_px / 1000.0), f_px, bins)
    index, clamped = clamp_index(raw, bins)
    return DepthTargets(index, soft_target(index, bins) * known[:, None], known, clamped)


def probability_heatmaps(xy: F64, known: Bool, shape: tuple[int, int], sigma: float = 0.75) -> F32:
    """(N, J, h, w) Gaussians that sum to 1, one map per person and joint (HDNet section 4.2)."""
    y, x = (np.arange(n) for n in shape)
    centre = np.where(known[..., None], xy, 0.0)
    row = np.exp(-((y - centre[..., 1, None]) ** 2) / (2.0 * sigma**2))
    column = np.exp(-((x - centre[..., 0, None]) ** 2) / (2.0 * sigma**2))
    maps = row[..., :, None] * column[..., None, :]
    maps /= np.maximum(maps.sum(axis=(-1, -2), keepdims=True), 1e-12)
    return np.asarray(maps * known[..., None, None], dtype=np.float32)


def _inside(xy: F64, shape: tuple[int, int]) -> Bool:
    """Whether the nearest cell lies on the map."""
    limit = np.array([shape[1] - 0.5, shape[0] - 0.5])
    with np.errstate(invalid="ignore"):
        return np.asarray(((xy >= -0.5) & (xy < limit)).all(axis=-1))
