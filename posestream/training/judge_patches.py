"""HDNet's figures: it finds nobody, so it is given every labelled person of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch

from posestream.arrays import F64
from posestream.evaluation.matching import longer_side
from posestream.geometry.cells import cells_to_px
from posestream.geometry.depth_bins import (
    DepthBins,
    depth_from_index,
    expected_index,
    focal_px,
    softmax,
)
from posestream.nn.hdnet import Hdnet
from posestream.skeleton.network import NetworkSkeleton, network_skeleton
from posestream.training.augment import moved
from posestream.training.config import ValidationSource
from posestream.training.example import Arrays, build_patch, camera_of, join
from posestream.training.held_out import raw_pictures
from posestream.training.judge import Tally
from posestream.training.objective import to_input
from posestream.training.sample import Sample

_SHARE: Final = 0.6  # of the patch, that a person's longer side takes
_LEAST_JOINTS: Final = 5
_BATCH: Final = 16
_GREY: Final = (127, 127, 127)

Patch = tuple[Sample, int]
"""A sample of a patch's size, and whose patch it is."""


def patches(source: ValidationSource, folder: Path, size_px: tuple[int, int]) -> list[Patch]:
    """Every labelled person of the source, in the middle of a patch of one scale."""
    out: list[Patch] = []
    for sample in raw_pictures(source, folder, size_px):
        out += [(_patch(sample, who, size_px), who) for who in _people(sample)]
    return out


def _people(sample: Sample) -> Iterator[int]:
    known = np.isfinite(sample.xy_px).all(axis=-1) & sample.visible
    yield from (int(n) for n in np.flatnonzero(known.sum(axis=1) >= _LEAST_JOINTS))


def _patch(sample: Sample, who: int, size_px: tuple[int, int]) -> Sample:
    xy = sample.xy_px[who]
    middle = (np.nanmin(xy, axis=0) + np.nanmax(xy, axis=0)) / 2.0
    extent = float(np.max(np.nanmax(xy, axis=0) - np.nanmin(xy, axis=0)))
    scale = _SHARE * min(size_px) / max(extent, 1.0)
    goal = (np.array(size_px) - 1.0) / 2.0
    A = np.column_stack([scale * np.eye(2), goal - scale * middle])
    return moved(sample, A, size_px, _GREY)


def judge_patches(network: Hdnet, people: list[Patch], device: torch.device, bf16: bool) -> Tally:
    """2D and distance of everybody."""
    skeleton = network_skeleton(network.config.joints)
    out = Tally(skeleton)
    rng = np.random.default_rng(0)
    network.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for begin in range(0, len(people), _BATCH):
            some = people[begin : begin + _BATCH]
            made = [build_patch(s, n, skeleton, network.config.bins, rng) for s, n in some]
            _add(out, network, some, made, device)
    return out


def _add(
    out: Tally, network: Hdnet, people: list[Patch], made: list[Arrays], device: torch.device
) -> None:
    batch = {k: v.to(device) for k, v in join(made).items()}
    answer = network(to_input(batch["image"]), batch["mask"].float())
    uv = answer.uv.double().cpu().numpy()
    f_px = np.array([focal_px(camera_of(s)) for s, _ in people])
    depth_m = _depth(answer.depth.double().cpu().numpy(), f_px, network.config.bins)
    truth = np.stack([_truth(s, n, out.skeleton) for s, n in people])
    size = longer_side(truth)
    out.pictures += len(people)
    out.people += len(people)
    out.matched += len(people)
    out.add_2d(truth, np.asarray(cells_to_px(uv, network.stride)), size)
    out.add_depth(np.array([s.depth_m[n] for s, n in people]), depth_m)


def _truth(sample: Sample, who: int, skeleton: NetworkSkeleton) -> F64:
    xy = np.where(sample.visible[who, :, None], sample.xy_px[who], np.nan)
    return np.asarray(skeleton.from_body(xy[None])[0])


def _depth(answer: F64, f_px: F64, bins: DepthBins) -> F64:
    """(N,) metres of bin logits (N, N_B), or of d/f (N, 1) in mm/px."""
    if answer.shape[1] == 1:
        return np.asarray(answer[:, 0] * f_px / 1000.0)
    index, _ = expected_index(softmax(answer))
    return depth_from_index(index, f_px, bins)
