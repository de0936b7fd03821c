"""The unified network with 1, 4 and 10 people: alone, and with all that leads to 3D.

In every round each crowd is timed once, one after the other: what the machine does meanwhile
meets all of them alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from posestream.arrays import F64
from posestream.estimate.backends.engine import F32
from posestream.estimate.decode import NetworkPeople, find_people, to_people2d
from posestream.geometry.camera import intrinsics_from_fov
from posestream.lift.rrmp import lift
from posestream.nn import export
from posestream.nn.cost import macs, parameters
from posestream.nn.quantize import quantize
from posestream.nn.session import open_session
from posestream.nn.unified import People, Unified, UnifiedConfig
from posestream.skeleton.network import network_skeleton
from posestream.training.random_people import random_people
from posestream.training.targets import build_maps
from posestream.types import PoseMaps

SIZE_PX: Final = (448, 256)
THREADS: Final = 2
CROWDS: Final = (1, 4, 10)
STEPS: Final = ("network", "decode", "head", "lift")
_STRIDE: Final = 8
_CELLS: Final = SIZE_PX[1] // _STRIDE, SIZE_PX[0] // _STRIDE
_SKELETON: Final = network_skeleton()


class Effort(NamedTuple):
    """How often each thing is timed."""

    runs: int = 30
    warm_up: int = 3


class Crowd(NamedTuple):
    """Random people, the perfect maps of them, and who is found there."""

    maps: PoseMaps
    found: NetworkPeople


def bench_unified(pictures: Sequence[F32], folder: Path, effort: Effort) -> dict[str, Any]:
    """Trunk and head in torch and ONNX, then everything from the input to 3D, in int8.

    The network sees real pictures; people come from perfect maps, which its own weights, being
    untrained, could not give.
    """
    network = Unified(UnifiedConfig()).eval()
    maps, head, small = (folder / f"{name}.onnx" for name in ("maps", "head", "small"))
    export.export_unified(network, maps, head, SIZE_PX)
    rays = np.zeros((1, 2, *_CELLS), np.float32)
    feeds = [{"image": picture, "rays": rays} for picture in pictures]
    quantize(maps, small, feeds)
    crowds = [_crowd(count) for count in CROWDS]
    ms = {
        "torch_fp32": _in_torch(network, feeds[0], crowds, torch.float32, effort),
        "torch_bf16": _in_torch(network, feeds[0], crowds, torch.bfloat16, effort),
        "onnx_fp32": _in_onnx(maps, head, feeds[0], crowds, effort),
    }
    chain = _chain(small, head, feeds[0], crowds, effort)  # (crowds, steps)
    ms["onnx_int8"] = chain[:, 0] + chain[:, 2]
    one = torch.from_numpy(pictures[0]), torch.from_numpy(rays), crowds[0]
    return {
        "width": 1.0,
        "parameters": parameters(network),
        "gmac": round(macs(network, lambda: _run_torch(network, *one)) / 1e9, 3),
        "people": [
            {
                "people": count,
                "found": len(crowds[i].found),
                "ms": {kind: round(float(times[i]), 2) for kind, times in ms.items()},
                "chain_ms": dict(zip(STEPS, chain[i].round(3).tolist(), strict=True))
                | {"total": round(float(chain[i].sum()), 3)},
                "share_in_networks": round(float((chain[i, 0] + chain[i, 2]) / chain[i].sum()), 3),
            }
            for i, count in enumerate(CROWDS)
        ],
        "more_for_10": {
            **{kind: _more(times) for kind, times in ms.items()},
            "whole_chain": _more(chain.sum(axis=1)),
        },
    }


def _more(ms: F64) -> float:
    """What the last crowd costs more than the first, as a share."""
    return round(float(ms[-1] / ms[0]) - 1.0, 3)


def _crowd(count: int) -> Crowd:
    K = intrinsics_from_fov(SIZE_PX, 60.0)
    rng = np.random.default_rng(count)
    truth = build_maps(
        random_people(rng, count, _SKELETON, K, SIZE_PX, (3.0, 8.0)), SIZE_PX, _SKELETON
    )
    maps = PoseMaps(truth.heatmaps, truth.pafs, truth.locations, float(_STRIDE))
    return Crowd(maps, find_people(maps.heatmaps, maps.pafs, _SKELETON, None, maps.locations))


def _rounds(run: Callable[[Crowd], list[float]], crowds: Sequence[Crowd], effort: Effort) -> F64:
    """(crowds, steps) median milliseconds; ``run`` gives the moments between its steps."""
    times = [[np.diff(run(crowd)) for crowd in crowds] for _ in range(effort.warm_up + effort.runs)]
    return np.asarray(1e3 * np.median(times[effort.warm_up :], axis=0))


def _run_torch(network: Unified, image: torch.Tensor, rays: torch.Tensor, crowd: Crowd) -> None:
    kind, n = image.dtype, len(crowd.found)
    with torch.inference_mode():
        out = network(image, rays)
        xy = torch.from_numpy(np.nan_to_num(crowd.found.xy_cells)).to(kind)
        score = torch.from_numpy(crowd.found.score).to(kind)
        people = People(xy, score, torch.zeros(n, dtype=torch.int64))
        network.depth(out.depth_features, out.rrmp.maps.heatmaps, people)


def _in_torch(
    network: Unified,
    feed: dict[str, F32],
    crowds: Sequence[Crowd],
    kind: torch.dtype,
    effort: Effort,
) -> F64:
    image, rays = (torch.from_numpy(feed[name]).to(kind) for name in ("image", "rays"))
    network.to(kind)

    def run(crowd: Crowd) -> list[float]:
        begun = time.perf_counter()
        _run_torch(network, image, rays, crowd)
        return [begun, time.perf_counter()]

    try:
        return _rounds(run, crowds, effort)[:, 0]
    finally:
        network.to(torch.float32)


def _in_onnx(
    maps: Path, head: Path, feed: dict[str, F32], crowds: Sequence[Crowd], effort: Effort
) -> F64:
    chain = _chain(maps, head, feed, crowds, effort)
    return np.asarray(chain[:, 0] + chain[:, 2])


def _chain(
    maps: Path, head: Path, feed: dict[str, F32], crowds: Sequence[Crowd], effort: Effort
) -> F64:
    """(crowds, 4) network, decoding, depth head and lifting, as the ``rrmp`` back end has them."""
    network, depth = open_session(maps, THREADS), open_session(head, 1)
    names = [output.name for output in network.get_outputs()]

    def run(crowd: Crowd) -> list[float]:
        t = [time.perf_counter()]
        out = dict(zip(names, network.run(None, feed), strict=True))
        t.append(time.perf_counter())
        given = crowd.maps
        found = find_people(given.heatmaps, given.pafs, _SKELETON, None, given.locations)
        t.append(time.perf_counter())
        people = {
            "xy": np.nan_to_num(found.xy_cells).astype(np.float32),
            "score": found.score.astype(np.float32),
        }
        depth.run(None, {name: out[name] for name in ("depth_features", "heatmaps")} | people)
        t.append(time.perf_counter())
        lift(to_people2d(found, _SKELETON, _STRIDE), given, _SKELETON)
        return [*t, time.perf_counter()]

    return _rounds(run, crowds, effort)
