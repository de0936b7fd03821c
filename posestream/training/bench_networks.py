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
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from posestream.assets import DEMO_CLIP
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.estimate.backends.engine import F32
from posestream.estimate.backends.rrmp import network_input
from posestream.evaluation.rivals import rivals
from posestream.nn import export
from posestream.nn.cost import macs, parameters
from posestream.nn.hdnet import Hdnet, HdnetConfig
from posestream.nn.quantize import quantize
from posestream.nn.rrmp import Rrmp, RrmpConfig
from posestream.nn.session import open_session
from posestream.training.bench_unified import SIZE_PX, THREADS, Effort, bench_unified
from posestream.types import Frame

WIDTHS: Final = (0.5, 0.75, 1.0)
_CALIBRATION, _CLIP_FRAMES = 6, 60
_PATCH_PX: Final = 256

Rows = list[dict[str, Any]]


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
                "unified": bench_unified(pictures, folder, effort),
                "hdnet": [
                    _hdnet(trunk, pictures, folder, effort) for trunk in ("resnet50", "light")
                ],
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


def _hdnet(trunk: str, pictures: Sequence[F32], folder: Path, effort: Effort) -> dict[str, Any]:
    """Per person: a patch alone, and each of four at once."""
    network = Hdnet(HdnetConfig(trunk="light" if trunk == "light" else "resnet50")).eval()
    path, small = (folder / f"hdnet-{trunk}{kind}.onnx" for kind in ("", "-int8"))
    export.export_hdnet(network, path)
    mask = np.ones((1, 1, _PATCH_PX // 4, _PATCH_PX // 4), np.float32)
    patches = [picture[..., :_PATCH_PX, :_PATCH_PX] for picture in pictures]
    feeds = [{"image": patch, "mask": mask} for patch in patches]
    quantize(path, small, feeds, only=("Conv",))
    four = {name: np.repeat(values, 4, axis=0) for name, values in feeds[0].items()}
    one = [torch.from_numpy(values) for values in feeds[0].values()]
    few = Effort(max(3, effort.runs // 3), 1)
    return {
        "trunk": trunk,
        **_size(network, lambda: network(*one)),
        "ms_per_person": {
            "torch_fp32": _median_ms(lambda: network(*one), few),
            "onnx_fp32": _onnx_ms(path, feeds[0], few),
            "onnx_int8": _onnx_ms(small, feeds[0], few),
            "onnx_int8_of_4": round(_onnx_ms(small, four, few) / 4.0, 2),
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
    for crowd in unified["people"]:
        times = " | ".join(f"{ms:.1f}" for ms in crowd["ms"].values())
        name = f"unified × 1.0 with its head, people: {crowd['people']}"
        lines.append(f"| {name} | {_sizes(unified)} | {times} |")
    for row in result["hdnet"]:
        ms = row["ms_per_person"]
        lines.append(
            f"| hdnet ({row['trunk']}), per person | {_sizes(row)} | {ms['torch_fp32']:.1f} | "
            f"| {ms['onnx_fp32']:.1f} | {ms['onnx_int8']:.1f} |"
        )
    more = ", ".join(f"{kind} {share:+.1%}" for kind, share in unified["more_for_10"].items())
    lines += ["", f"Ten people cost the unified network, against one: {more}.", ""]
    lines += [
        "| whole chain, int8, people | network | decode | depth head | lift | total | in networks |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for crowd in unified["people"]:
        times = " | ".join(f"{ms:.2f}" for ms in crowd["chain_ms"].values())
        lines.append(f"| {crowd['people']} | {times} | {crowd['share_in_networks']:.0%} |")
    lines.append("")
    for row in result["mediapipe"]:
        lines.append(f"{row['name']}: {row['ms']} ms a frame, {row['people_mean']} people")
    return "\n".join(lines)


def _sizes(row: dict[str, Any]) -> str:
    return f"{row['parameters'] / 1e6:.2f} M | {row['gmac']:.2f}"
