"""``posestream bench --networks``: what each network costs, beside MediaPipe in the same run.

Weights are untrained: time does not depend on them. Where people are needed, perfect maps of
random people stand in for the network's answer, so that everything behind it has real work.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import nn

from posestream.assets import DEMO_CLIP
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.estimate.backends.engine import F32
from posestream.estimate.backends.rrmp import network_input
from posestream.estimate.decode import find_people, to_people2d
from posestream.evaluation.rivals import rivals
from posestream.geometry.camera import intrinsics_from_fov
from posestream.lift.rrmp import lift
from posestream.nn import export
from posestream.nn.cost import macs, parameters
from posestream.nn.hdnet import Hdnet, HdnetConfig
from posestream.nn.quantize import quantize
from posestream.nn.rrmp import Rrmp, RrmpConfig
from posestream.nn.session import open_session
from posestream.nn.unified import People, Unified, UnifiedConfig
from posestream.skeleton.network import network_skeleton
from posestream.training.random_people import random_people
from posestream.training.targets import build_maps
from posestream.types import Frame, PoseMaps

SIZE_PX: Final = (448, 256)
THREADS: Final = 2
WIDTHS: Final = (0.5, 0.75, 1.0)
CROWDS: Final = (1, 4, 10)
_CALIBRATION, _CLIP_FRAMES = 6, 60
_STRIDE = 8

Rows = list[dict[str, Any]]


class Effort(NamedTuple):
    """How often each thing is timed."""

    runs: int = 30
    warm_up: int = 3


def bench_networks(effort: Effort | None = None) -> dict[str, Any]:
    """Every network's figures. Raises BackendError where onnx or ONNX Runtime is missing."""
    effort = effort or Effort()
    torch.manual_seed(0)
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    frames = _frames()
    pictures = [network_input(frame.image, SIZE_PX)[0] for frame in frames[:_CALIBRATION]]
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            return {
                "size_px": list(SIZE_PX),
                "threads": THREADS,
                "runs": effort.runs,
                "rrmp": [_rrmp(width, pictures, folder, effort) for width in WIDTHS],
                "unified": _unified(pictures, folder, effort),
                "hdnet": [_hdnet(trunk, folder, effort) for trunk in ("resnet50", "light")],
                "mediapipe": _mediapipe(frames),
            }
    finally:
        torch.set_num_threads(before)


def _rrmp(width: float, pictures: Sequence[F32], folder: Path, effort: Effort) -> dict[str, Any]:
    network = Rrmp(RrmpConfig(width=width)).eval()
    path, small = folder / f"rrmp{width}.onnx", folder / f"rrmp{width}-int8.onnx"
    export.export_rrmp(network, path, SIZE_PX)
    feed = {"image": pictures[0]}
    quantize(path, small, [{"image": picture} for picture in pictures])
    return {
        "width": width,
        **_size(network, lambda: network(torch.from_numpy(pictures[0]))),
        "ms": {
            "torch_fp32": _torch_ms(network, pictures[0], torch.float32, effort),
            "torch_bf16": _torch_ms(network, pictures[0], torch.bfloat16, effort),
            "onnx_fp32": _onnx_ms(path, feed, effort),
            "onnx_int8": _onnx_ms(small, feed, effort),
        },
    }


def _unified(pictures: Sequence[F32], folder: Path, effort: Effort) -> dict[str, Any]:
    """The network at full width, then everything from its input to 3D for 1, 4 and 10 people."""
    network = Unified(UnifiedConfig()).eval()
    maps, head, small = (folder / f"{name}.onnx" for name in ("maps", "head", "small"))
    export.export_unified(network, maps, head, SIZE_PX)
    cells = SIZE_PX[1] // _STRIDE, SIZE_PX[0] // _STRIDE
    rays = np.zeros((1, 2, *cells), np.float32)
    feeds = [{"image": picture, "rays": rays} for picture in pictures]
    quantize(maps, small, feeds)
    image = torch.from_numpy(pictures[0])

    def whole() -> None:
        out = network(image, torch.from_numpy(rays))
        one = People(torch.ones(1, 17, 2), torch.ones(1, 17), torch.zeros(1, dtype=torch.int64))
        network.depth(out.depth_features, out.rrmp.maps.heatmaps, one)

    session, depth = open_session(small, THREADS), open_session(head, THREADS)
    deep = np.zeros((1, network.depth_channels, *cells), np.float32)
    crowds = [_crowd(n, session, depth, feeds[0], deep, effort) for n in CROWDS]
    first, last = (crowd["ms"]["total"] for crowd in (crowds[0], crowds[-1]))
    return {
        "width": 1.0,
        **_size(network, whole),
        "ms": {"onnx_fp32": _onnx_ms(maps, feeds[0], effort)},
        "people": crowds,
        "more_for_10_than_for_1": round(last / first - 1.0, 3),
    }


def _crowd(
    count: int, session: Any, head: Any, feed: dict[str, F32], deep: F32, effort: Effort
) -> dict[str, Any]:
    """Network in int8, decoding, depth head and lifting, timed together in every round."""
    skeleton = network_skeleton()
    K = intrinsics_from_fov(SIZE_PX, 60.0)
    people = random_people(np.random.default_rng(count), count, skeleton, K, SIZE_PX, (3.0, 8.0))
    truth = build_maps(people, SIZE_PX, skeleton)
    maps = PoseMaps(truth.heatmaps, truth.pafs, truth.locations, float(_STRIDE))
    rounds = []
    for _ in range(effort.warm_up + effort.runs):
        t = [time.perf_counter()]
        session.run(None, feed)
        t.append(time.perf_counter())
        found = find_people(maps.heatmaps, maps.pafs, skeleton, None, maps.locations)
        t.append(time.perf_counter())
        given = {
            "depth_features": deep,
            "heatmaps": maps.heatmaps[None],
            "xy": np.nan_to_num(found.xy_cells).astype(np.float32),
            "score": found.score.astype(np.float32),
        }
        head.run(None, given)
        t.append(time.perf_counter())
        lift(to_people2d(found, skeleton, _STRIDE), maps, skeleton)
        t.append(time.perf_counter())
        rounds.append(np.diff(t))
    ms = 1e3 * np.median(rounds[effort.warm_up :], axis=0)
    parts = dict(zip(("network", "decode", "head", "lift"), ms.round(3).tolist(), strict=True))
    total = float(ms.sum())
    return {
        "people": count,
        "found": len(found),
        "ms": {**parts, "total": round(total, 3)},
        "share_in_networks": round((parts["network"] + parts["head"]) / total, 3),
    }


def _hdnet(trunk: str, folder: Path, effort: Effort) -> dict[str, Any]:
    """Per person: a patch alone, and each of four at once."""
    network = Hdnet(HdnetConfig(trunk="light" if trunk == "light" else "resnet50")).eval()
    path = folder / f"hdnet-{trunk}.onnx"
    export.export_hdnet(network, path)
    feeds = [
        {
            "image": np.zeros((n, 3, 256, 256), np.float32),
            "mask": np.ones((n, 1, 64, 64), np.float32),
        }
        for n in (1, 4)
    ]
    one, mask = (torch.from_numpy(feeds[0][name]) for name in ("image", "mask"))
    few = Effort(max(3, effort.runs // 3), 1)
    alone = _median_ms(lambda: network(one, mask), few)
    return {
        "trunk": trunk,
        **_size(network, lambda: network(one, mask)),
        "ms_per_person": {
            "torch_fp32": alone,
            "onnx_fp32": _onnx_ms(path, feeds[0], few),
            "onnx_fp32_of_4": round(_onnx_ms(path, feeds[1], few) / 4.0, 2),
        },
    }


def _mediapipe(frames: Sequence[Frame]) -> Rows:
    """Each rival on the bundled clip; it tracks, so every frame is a new one."""
    rows: Rows = []
    for name, estimate in rivals():
        people, times = 0, []
        for frame in frames:
            begun = time.perf_counter()
            people += estimate(frame)
            times.append(1e3 * (time.perf_counter() - begun))
        ms = round(statistics.median(times[5:]), 2)
        rows.append({"name": name, "ms": ms, "people_mean": round(people / len(frames), 2)})
    return rows


def _size(network: nn.Module, run: Callable[[], Any]) -> dict[str, Any]:
    return {"parameters": parameters(network), "gmac": round(macs(network, run) / 1e9, 3)}


def _torch_ms(network: nn.Module, picture: F32, kind: torch.dtype, effort: Effort) -> float:
    image = torch.from_numpy(picture).to(kind)
    ms = _median_ms(lambda: network.to(kind)(image), effort)
    network.to(torch.float32)
    return ms


def _onnx_ms(path: Path, feed: dict[str, F32], effort: Effort) -> float:
    session = open_session(path, THREADS)
    return _median_ms(lambda: session.run(None, feed), effort)


def _median_ms(run: Callable[[], Any], effort: Effort) -> float:
    times = []
    with torch.inference_mode():
        for _ in range(effort.warm_up + effort.runs):
            begun = time.perf_counter()
            run()
            times.append(1e3 * (time.perf_counter() - begun))
    return round(statistics.median(times[effort.warm_up :]), 2)


def _frames() -> list[Frame]:
    source = open_source(str(DEMO_CLIP), CaptureSettings(pace="fast"))
    try:
        frames: list[Frame] = []
        while len(frames) < _CLIP_FRAMES and (frame := source.read()) is not None:
            frames.append(frame)
        return frames
    finally:
        source.close()


def as_text(result: dict[str, Any]) -> str:
    """The same as tables in Markdown."""
    lines = [
        f"Input {result['size_px'][0]}×{result['size_px'][1]}, {result['threads']} threads, "
        f"milliseconds (median of {result['runs']}).",
        "",
        "| network | parameters | GMAC | torch fp32 | torch bf16 | ONNX fp32 | ONNX int8 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["rrmp"]:
        times = " | ".join(f"{ms:.1f}" for ms in row["ms"].values())
        lines.append(f"| rrmp × {row['width']} | {_sizes(row)} | {times} |")
    unified = result["unified"]
    int8 = unified["people"][0]["ms"]["network"]
    lines.append(
        f"| unified × 1.0 | {_sizes(unified)} | | | {unified['ms']['onnx_fp32']:.1f} | {int8:.1f} |"
    )
    for row in result["hdnet"]:
        ms = row["ms_per_person"]
        lines.append(
            f"| hdnet ({row['trunk']}), per person | {_sizes(row)} | {ms['torch_fp32']:.1f} | "
            f"| {ms['onnx_fp32']:.1f} | |"
        )
    lines += [
        "",
        "| unified int8, people | network | decode | depth head | lift | total | in networks |",
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for crowd in unified["people"]:
        times = " | ".join(f"{ms:.2f}" for ms in crowd["ms"].values())
        lines.append(f"| {crowd['people']} | {times} | {crowd['share_in_networks']:.0%} |")
    lines += ["", f"Ten people cost {unified['more_for_10_than_for_1']:+.1%} against one.", ""]
    for row in result["mediapipe"]:
        lines.append(f"{row['name']}: {row['ms']} ms a frame, {row['people_mean']} people")
    return "\n".join(lines)


def _sizes(row: dict[str, Any]) -> str:
    return f"{row['parameters'] / 1e6:.2f} M | {row['gmac']:.2f}"
