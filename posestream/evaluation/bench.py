"""``posestream bench``: speed of our chain beside rivals, all in one run on the same pictures.

Rivals and what they do per frame: ``mediapipe-single`` is ``mp.solutions.pose`` (one person,
2D and root-relative 3D), ``mediapipe-tasks`` is the Tasks PoseLandmarker for several people.
Neither places people in metres, keeps identities, retargets or sends anything; our chain
does, and is timed whole: estimate … smooth, and the bytes for VMC and WebSocket.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from posestream.assets import DEMO_CLIP
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.errors import CaptureError
from posestream.estimate.registry import available, create
from posestream.evaluation.rivals import rivals
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.timing import Histogram, StageTimes
from posestream.types import AvatarFrame, Frame, TrackState
from posestream.wire import codec
from posestream.wire.messages import StreamFormat, stamped
from posestream.wire.vmc import VmcEncoder
from posestream.wire.vmc_target import VmcTarget

MAX_FRAMES = 300
_MOTION_SOURCE = "synthetic:people=4,seconds=20,width=320,height=180"
_WARM_UP = 10


def bench(
    sources: Sequence[str], *, chain: bool, motion: bool, clients: bool, as_json: bool
) -> int:
    """Run the chosen parts, print their figures."""
    result: dict[str, Any] = {"machine": machine()}
    if chain:
        result["chain"] = [bench_chain(source) for source in sources or [str(DEMO_CLIP)]]
    if motion:
        result["motion"] = bench_motion()
    if clients:
        result["clients"] = bench_clients()
    print(json.dumps(result, indent=2) if as_json else _as_text(result))
    return 0


def bench_chain(source: str) -> dict[str, Any]:
    """Our chain on one source, then each rival on the same pictures."""
    frames = _frames(source)
    runs = {"posestream": _time(frames, _Chain("mediapipe"))}
    for name, estimate in rivals():
        runs[name] = _time(frames, estimate)
    ours = runs["posestream"]["fps"]
    ratios = {f"vs {name}": round(ours / run["fps"], 2) for name, run in runs.items()}
    del ratios["vs posestream"]
    return {
        "source": Path(source).name,
        "frames": len(frames),
        "size_px": list(frames[0].camera.size_px),
        "runs": runs,
        "speed_ratio": ratios,
    }


def bench_motion() -> dict[str, Any]:
    """Everything that follows the network, for four people whose exact joints are given."""
    frames = _frames(_MOTION_SOURCE)
    chain = _Chain("fake")
    run = _time(frames, chain)
    run.pop("fps")
    return {"source": _MOTION_SOURCE, "frames": len(frames), **run}


def bench_clients() -> dict[str, Any]:
    """100 WebSocket clients in a process of their own, 60 frames a second of two people."""
    from posestream.publish import load

    return asdict(asyncio.run(load.measure(clients=100, rate_hz=60, people=2, seconds=10)))


class _Chain:
    """Estimate … smooth, then the bytes of every output."""

    def __init__(self, backend: str) -> None:
        settings = Settings()
        self.estimator = create(backend, settings.estimate)
        self.pipeline = Pipeline(self.estimator, settings)
        self._vmc = VmcEncoder(VmcTarget(people=4))
        self._stream = StreamFormat()

    def __call__(self, frame: Frame) -> int:
        avatars = self.pipeline.step(frame)
        with self.pipeline.times.measure("encode"):
            self._encode(avatars)
        return int((avatars.state == TrackState.TRACKED).sum())

    def _encode(self, avatars: AvatarFrame) -> None:
        self._vmc.encode(avatars)
        codec.encode(stamped(avatars, avatars.t_capture_ns, 0), self._stream)


def _frames(source: str) -> list[Frame]:
    opened = open_source(source, CaptureSettings(pace="fast"))
    try:
        frames: list[Frame] = []
        while len(frames) < MAX_FRAMES and (frame := opened.read()) is not None:
            frames.append(frame)
    finally:
        opened.close()
    if len(frames) <= _WARM_UP:
        raise CaptureError(f"{source} has {len(frames)} frames: too few to measure.")
    return frames


def _time(frames: list[Frame], process: Callable[[Frame], int]) -> dict[str, Any]:
    """Frames per second, per-frame percentiles and mean number of people, after warming up."""
    for frame in frames[:_WARM_UP]:
        process(frame)
    if isinstance(process, _Chain):
        process.pipeline.times = StageTimes()
    per_frame, people = Histogram(), 0
    cpu_s, started_s = time.process_time(), time.perf_counter()
    for frame in frames[_WARM_UP:]:
        begun_ns = time.perf_counter_ns()
        people += process(frame)
        per_frame.add((time.perf_counter_ns() - begun_ns) / 1e6)
    count = len(frames) - _WARM_UP
    seconds = time.perf_counter() - started_s
    figures: dict[str, Any] = {
        "fps": round(count / seconds, 1),
        "frame_ms": per_frame.summary(),
        "cpu_ms_per_frame": round((time.process_time() - cpu_s) * 1e3 / count, 2),
        "people_mean": round(people / count, 2),
    }
    if isinstance(process, _Chain):
        figures["stage_ms"] = process.pipeline.times.summary()
        process.estimator.close()
    return figures


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu_cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "backends": {item.name: item.ok for item in available()},
    }


def _as_text(result: dict[str, Any]) -> str:
    lines = [f"{result['machine']['cpu_cores']} cores, Python {result['machine']['python']}"]
    for chain in result.get("chain", ()):
        lines.append(f"\n{chain['source']}: {chain['frames']} frames, {chain['size_px']} px")
        for name, run in chain["runs"].items():
            lines.append(_row(name, run))
        lines += _stages(chain["runs"]["posestream"])
        lines.append(f"  speed {chain['speed_ratio']}")
    if "motion" in result:
        lines.append("\neverything after the network, 4 people")
        lines += [_row("per frame", result["motion"]), *_stages(result["motion"])]
    if "clients" in result:
        lines.append(f"\nclients {json.dumps(result['clients'])}")
    return "\n".join(lines)


def _row(name: str, run: dict[str, Any]) -> str:
    ms = run["frame_ms"]
    fps = f"{run['fps']:7.1f} fps  " if "fps" in run else ""
    return (
        f"  {name:18s} {fps}p50 {ms['p50']:7.2f}  p95 {ms['p95']:7.2f}  p99 {ms['p99']:7.2f} ms"
        f"  {run['people_mean']:.2f} people"
    )


def _stages(run: dict[str, Any]) -> list[str]:
    return [
        f"    {name:16s} p50 {ms['p50']:7.3f}  p95 {ms['p95']:7.3f}  p99 {ms['p99']:7.3f} ms"
        for name, ms in run["stage_ms"].items()
    ]
