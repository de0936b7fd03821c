"""A sample to what a network sees and must answer; examples to a batch of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from posestream.arrays import F64, Bool
from posestream.geometry.camera import intrinsics_from_fov
from posestream.geometry.cells import px_to_cells
from posestream.geometry.depth_bins import DepthBins, focal_px
from posestream.skeleton.network import NetworkSkeleton, network_skeleton
from posestream.training.config import DataSettings, NetworkSettings
from posestream.training.sample import IGNORED, Sample
from posestream.training.targets import (
    LabelledPeople,
    build_maps,
    depth_targets,
    probability_heatmaps,
)

Arrays = dict[str, NDArray[Any]]
Batch = dict[str, torch.Tensor]

_USUAL_FOV_DEG: Final = 60.0
_IGNORED_SHARE: Final = 0.1  # of a cell, from which on it is not judged
_MEAN_HEIGHT_M: Final = 1.7
_PATCH_STRIDE: Final = 4  # of hdnet's maps
_BOX_MARGIN: Final = 0.1  # of a person's extent
_PER_PERSON: Final = ("xy", "there", "bins", "index", "height")


def build_example(
    sample: Sample,
    who: int,
    network: NetworkSettings,
    data: DataSettings,
    rng: np.random.Generator,
) -> Arrays:
    """Arrays of one sample of the network's input size; ``who`` is hdnet's person."""
    skeleton = network_skeleton(network.joints)
    if network.kind == "hdnet":
        return build_patch(sample, who, skeleton, network.hdnet.bins, rng)
    out = _maps(sample, skeleton, data)
    if network.kind == "unified":
        K = camera_of(sample)
        out["K"] = K.astype(np.float32)
        out |= _people(sample, skeleton, network.unified.bins, data, K, rng)
    return out


def join(examples: Sequence[Arrays]) -> Batch:
    """One batch; of people, ``picture`` tells whose each is."""
    several = "xy" in examples[0]  # people a picture, not one
    batch = {
        name: torch.from_numpy(np.stack([e[name] for e in examples]))
        for name in examples[0]
        if not (several and name in _PER_PERSON)
    }
    if several:
        for name in _PER_PERSON:
            batch[name] = torch.from_numpy(np.concatenate([e[name] for e in examples]))
        counts = [len(e["xy"]) for e in examples]
        batch["picture"] = torch.from_numpy(np.repeat(np.arange(len(examples)), counts))
    return batch


def camera_of(sample: Sample) -> F64:
    """K, or a usual one where it is unknown."""
    if sample.K_px is not None:
        return sample.K_px
    height, width = sample.picture.shape[:2]
    return intrinsics_from_fov((width, height), _USUAL_FOV_DEG)


def labelled_people(
    sample: Sample, skeleton: NetworkSkeleton, self_hidden: bool, stride_px: int
) -> LabelledPeople:
    """The labels as targets are made of them."""
    visible = sample.visible
    if self_hidden and sample.owner is not None:
        visible = visible | _own(sample)
    xyz = sample.xyz_root_m - sample.xyz_root_m[:, :1]  # BODY begins with the pelvis
    return LabelledPeople(
        skeleton.from_body(sample.xy_px),
        visible[:, skeleton.body_index],
        skeleton.from_body(xyz),
        sample.depth_m,
        None if sample.owner is None else _ignored(sample.owner, stride_px),
    )


def _own(sample: Sample) -> Bool:
    """(N, BODY) joints in the picture before which nobody but their owner is."""
    assert sample.owner is not None
    height, width = sample.owner.shape
    cell = np.rint(np.nan_to_num(sample.xy_px, nan=-9.0)).astype(np.int64)
    x, y = cell[..., 0], cell[..., 1]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = sample.owner[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return np.asarray(inside & (found == np.arange(1, len(sample) + 1)[:, None]))


def _ignored(owner: NDArray[np.uint8], stride_px: int) -> Bool:
    height, width = (n // stride_px for n in owner.shape)
    cells = owner[: height * stride_px, : width * stride_px] == IGNORED
    share = cells.reshape(height, stride_px, width, stride_px).mean(axis=(1, 3))
    return np.asarray(share > _IGNORED_SHARE)


def _picture(sample: Sample) -> NDArray[np.uint8]:
    """(3, H, W) RGB."""
    return np.ascontiguousarray(sample.picture[..., ::-1].transpose(2, 0, 1))


def _maps(sample: Sample, skeleton: NetworkSkeleton, data: DataSettings) -> Arrays:
    height, width = sample.picture.shape[:2]
    people = labelled_people(sample, skeleton, data.self_hidden, data.targets.stride_px)
    maps = build_maps(people, (width, height), skeleton, data.targets)
    return {
        "image": _picture(sample),
        "heatmaps": maps.heatmaps.astype(np.float16),
        "heat_mask": maps.heat_mask.astype(np.uint8),
        "pafs": maps.pafs.astype(np.float16),
        "paf_mask": maps.paf_mask.astype(np.uint8),
        "locations": maps.locations.astype(np.float16),
        "location_mask": maps.location_mask.astype(np.uint8),
    }


def _people(
    sample: Sample,
    skeleton: NetworkSkeleton,
    bins: DepthBins,
    data: DataSettings,
    K_px: F64,
    rng: np.random.Generator,
) -> Arrays:
    """The people whose depth is known, as inexactly as the decoder would find them."""
    visible = sample.visible if sample.owner is None else sample.visible | _own(sample)
    xy = skeleton.from_body(sample.xy_px)
    there = visible[:, skeleton.body_index] & np.isfinite(xy).all(axis=-1)
    xy = px_to_cells(xy, data.targets.stride_px) + rng.normal(0.0, data.jitter_cells, xy.shape)
    there &= rng.random(there.shape) >= data.drop_joint
    target = depth_targets(sample.depth_m, focal_px(K_px), bins)
    known = target.known & there.any(axis=1)
    height = np.stack(
        [np.log(np.nan_to_num(sample.height_m, nan=1.0) / _MEAN_HEIGHT_M), np.ones(len(sample))], 1
    )
    told = np.isfinite(sample.height_m) & (rng.random(len(sample)) >= data.forget_height)
    return {
        "xy": np.nan_to_num(xy)[known].astype(np.float32),
        "there": there[known],
        "bins": target.bins[known].astype(np.float32),
        "index": target.index[known].astype(np.float32),
        "height": (height * told[:, None])[known].astype(np.float32),
    }


def build_patch(
    sample: Sample, who: int, skeleton: NetworkSkeleton, bins: DepthBins, rng: np.random.Generator
) -> Arrays:
    """One person's patch for hdnet, or a patch of nobody that no loss counts."""
    height, width = (n // _PATCH_STRIDE for n in sample.picture.shape[:2])
    body = sample.xy_px[who] if who >= 0 else np.full(sample.xy_px.shape[1:], np.nan)
    xy = px_to_cells(skeleton.from_body(body[None])[0], _PATCH_STRIDE)
    with np.errstate(invalid="ignore"):
        known = ((xy >= 0.0) & (xy <= np.array([width - 1.0, height - 1.0]))).all(axis=-1)
    depth_m = sample.depth_m[who : who + 1] if who >= 0 else np.full(1, np.nan)
    f_px = focal_px(camera_of(sample))
    target = depth_targets(depth_m, f_px, bins)
    return {
        "image": _picture(sample),
        "uv": np.where(known[:, None], xy, 0.0).astype(np.float32),
        "joint_known": known.astype(np.float32),
        "heatmaps": probability_heatmaps(xy[None], known[None], (height, width))[0].astype(
            np.float16
        ),
        "mask": box_mask(xy, known, (height, width), rng),
        "rays_per_cell": np.float32(_PATCH_STRIDE / f_px),
        "bins": target.bins[0].astype(np.float32),
        "index": np.float32(target.index[0]),
        "depth_known": np.float32(target.known[0] and known.any()),
    }


def box_mask(
    xy_cells: F64, known: Bool, shape: tuple[int, int], rng: np.random.Generator | None = None
) -> NDArray[np.uint8]:
    """(1, h, w) the box of the known joints, widened; inexactly if there is an ``rng``."""
    mask = np.ones((1, *shape), dtype=np.uint8)
    if not known.any():
        return mask
    low, high = xy_cells[known].min(axis=0), xy_cells[known].max(axis=0)
    pad = _BOX_MARGIN * float(np.max(high - low)) + 1.0
    noise = np.zeros(4) if rng is None else rng.uniform(-0.5, 1.0, 4)
    x0, y0 = np.floor(low - pad * (1.0 + noise[:2]))
    x1, y1 = np.ceil(high + pad * (1.0 + noise[2:]))
    y, x = np.mgrid[: shape[0], : shape[1]]
    mask[0] = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    return mask
