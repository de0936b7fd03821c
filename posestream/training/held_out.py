"""Held-out pictures, and what a network with decoder and read-out finds in them.

The same functions as in live use: letterbox, maps, ``find_people``, ``lift``, depth head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from posestream.arrays import F64
from posestream.estimate.decode import DecodeSettings, NetworkPeople, find_people, to_people2d
from posestream.geometry.depth_bins import depth_from_index, expected_index, focal_px, softmax
from posestream.lift.rrmp import LiftSettings, lift
from posestream.nn.rrmp import Rrmp
from posestream.nn.unified import People, Unified, ray_maps
from posestream.skeleton.network import NetworkSkeleton, network_skeleton
from posestream.training.augment import letterboxed
from posestream.training.config import ValidationSource
from posestream.training.example import camera_of
from posestream.training.objective import to_input
from posestream.training.sample import Sample
from posestream.training.sources import open_pictures, shard_set
from posestream.types import PoseMaps

F16 = NDArray[np.float16]
_SEED: Final = 7919  # of composites: the same pictures at every validation
_BATCH: Final = 8


class Answer(NamedTuple):
    """A network's maps of one picture, in half precision to hold many."""

    heatmaps: F16
    pafs: F16
    locations: F16
    depth_features: F16 | None


class Found(NamedTuple):
    """N people found in one picture; joints in ``BODY`` order, NaN where missing."""

    xy_px: F64  # (N, BODY, 2) in the network's input
    xyz_root_m: F64  # (N, BODY, 3)
    depth_m: F64  # (N,) NaN without a depth head


def pictures(source: ValidationSource, folder: Path, size_px: tuple[int, int]) -> list[Sample]:
    """The source's pictures in the network's input. Raises TrainingError if there are none."""
    return [letterboxed(s, size_px) for s in raw_pictures(source, folder, size_px)]


def raw_pictures(
    source: ValidationSource, folder: Path, size_px: tuple[int, int]
) -> Iterator[Sample]:
    """The source's pictures as they are; composites are made at ``size_px``."""
    if source.backgrounds:
        made = open_pictures(source.name, folder, source.shards, source.backgrounds)
        for i in range(source.pictures):
            yield made.draw(np.random.default_rng([_SEED, i]), size_px)
        return
    shards = shard_set(source.name, folder, source.shards)
    count = min(source.pictures, len(shards))
    chosen = np.arange(count) if source.first else np.linspace(0, len(shards) - 1, count).round()
    for i in chosen:
        yield shards[int(i)]


def answers(
    network: Rrmp | Unified, samples: Sequence[Sample], device: torch.device, bf16: bool
) -> list[Answer]:
    """Maps of every picture."""
    out: list[Answer] = []
    network.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for begin in range(0, len(samples), _BATCH):
            out += _answers(network, samples[begin : begin + _BATCH], device)
    return out


def _answers(
    network: Rrmp | Unified, samples: Sequence[Sample], device: torch.device
) -> list[Answer]:
    pixels = np.stack([s.picture[..., ::-1].transpose(2, 0, 1) for s in samples])
    image = to_input(torch.from_numpy(pixels).to(device))
    features: Any = [None] * len(samples)
    if isinstance(network, Unified):
        K = torch.from_numpy(np.stack([camera_of(s) for s in samples])).float().to(device)
        cells = (image.shape[2] // network.stride, image.shape[3] // network.stride)
        whole = network(image, ray_maps(K, cells))
        maps, features = whole.rrmp.maps, _half(whole.depth_features)
    else:
        maps = network(image).maps
    rows = zip(_half(maps.heatmaps), _half(maps.pafs), _half(maps.locations), features, strict=True)
    return [Answer(*row) for row in rows]


def _half(maps: torch.Tensor) -> F16:
    return np.asarray(maps.detach().cpu().half().numpy())


def skeleton_of(network: Rrmp | Unified) -> NetworkSkeleton:
    """The network's joints."""
    inner = network if isinstance(network, Rrmp) else network.rrmp
    return network_skeleton(inner.config.joints)


def decode(answer: Answer, skeleton: NetworkSkeleton, settings: DecodeSettings) -> NetworkPeople:
    """People in 2D."""
    heat, pafs, locations = (m.astype(np.float32) for m in answer[:3])
    return find_people(heat, pafs, skeleton, settings, locations)


def find(
    network: Rrmp | Unified,
    sample: Sample,
    answer: Answer,
    settings: DecodeSettings,
    lift_settings: LiftSettings,
) -> Found:
    """People in 2D, 3D and depth."""
    skeleton = skeleton_of(network)
    people = decode(answer, skeleton, settings)
    flat = to_people2d(people, skeleton, network.stride)
    heat, pafs, locations = (m.astype(np.float32) for m in answer[:3])
    root = lift(flat, PoseMaps(heat, pafs, locations, network.stride), skeleton, lift_settings)
    depth_m = np.full(len(people), np.nan)
    if isinstance(network, Unified) and len(people):
        depth_m = _depth(network, sample, answer, people)
    return Found(flat.xy_px, root.xyz_root_m, depth_m)


def _depth(network: Unified, sample: Sample, answer: Answer, people: NetworkPeople) -> F64:
    """(N,) metres."""
    assert answer.depth_features is not None
    device = next(network.parameters()).device
    feed = (answer.depth_features, answer.heatmaps)
    features, heatmaps = (torch.from_numpy(m[None]).float().to(device) for m in feed)
    n = len(people)
    rows = People(
        torch.from_numpy(np.nan_to_num(people.xy_cells)).float().to(device),
        torch.from_numpy(people.score).float().to(device),
        torch.zeros(n, dtype=torch.int64, device=device),
        torch.zeros(n, 2, device=device),
    )
    with torch.inference_mode():
        logits = network.depth(features, heatmaps, rows).double().cpu().numpy()
    index, _ = expected_index(softmax(logits))
    return depth_from_index(index, focal_px(camera_of(sample)), network.config.bins)
