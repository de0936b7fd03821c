"""Frames, our whole chain on them, and how long anything takes that works on frames."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.errors import CaptureError
from posestream.estimate.registry import available, create
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.timing import Histogram, StageTimes
from posestream.types import AvatarFrame, Frame, TrackState
from posestream.wire import codec
from posestream.wire.messages import StreamFormat, stamped
from posestream.wire.vmc import VmcEncoder
from posestream.wire.vmc_target import VmcTarget

MAX_FRAMES = 300
_WARM_UP = 10
_TRACKED = int(TrackState.TRACKED)  # numpy compares with an enumeration slowly
_LIBRARIES = ("numpy", "mediapipe", "onnxruntime", "torch", "opencv-contrib-python")

Run = dict[str, Any]


class Chain:
    """Estimate … ground, then the bytes of every output."""

    def __init__(self, backend: str, settings: Settings | None = None) -> None:
        """Raises BackendError where the back end cannot run here."""
        settings = settings or Settings()
        self.estimator = create(backend, settings.estimate)
        self.pipeline = Pipeline(self.estimator, settings)
        self._vmc = VmcEncoder(VmcTarget(people=4))
        self._stream = StreamFormat()

    def __call__(self, frame: Frame) -> int:
        """How many people the frame has."""
        avatars = self.pipeline.step(frame)
        with self.pipeline.times.measure("encode"):
            self._encode(avatars)
        return int(np.count_nonzero(avatars.state == _TRACKED))

    def _encode(self, avatars: AvatarFrame) -> None:
        self._vmc.encode(avatars)
        codec.encode(stamped(avatars, avatars.t_capture_ns, 0), self._stream)


def frames_of(source: str, most: int = MAX_FRAMES) -> list[Frame]:
    """The first frames. Raises CaptureError where there are too few to measure."""
    opened = open_source(source, CaptureSettings(pace="fast"))
    try:
        frames: list[Frame] = []
        while len(frames) < most and (frame := opened.read()) is not None:
            frames.append(frame)
    finally:
        opened.close()
    if len(frames) <= _WARM_UP:
        raise CaptureError(f"{source} has {len(frames)} frames: too few to measure.")
    return frames


def timed(frames: list[Frame], process: Callable[[Frame], int]) -> Run:
    """Frames per second, per-frame percentiles and mean number of people, after warming up."""
    for frame in frames[:_WARM_UP]:
        process(frame)
    if isinstance(process, Chain):
        process.pipeline.times = StageTimes()
    per_frame, people = Histogram(), 0
    cpu_s, started_s = time.process_time(), time.perf_counter()
    for frame in frames[_WARM_UP:]:
        begun_ns = time.perf_counter_ns()
        people += process(frame)
        per_frame.add((time.perf_counter_ns() - begun_ns) / 1e6)
    count = len(frames) - _WARM_UP
    seconds = time.perf_counter() - started_s
    figures: Run = {
        "fps": round(count / seconds, 1),
        "frame_ms": per_frame.summary(),
        "cpu_ms_per_frame": round((time.process_time() - cpu_s) * 1e3 / count, 2),
        "people_mean": round(people / count, 2),
    }
    if isinstance(process, Chain):
        figures["stage_ms"] = process.pipeline.times.summary()
        figures["stage_share"] = shares(process.pipeline.times)
        process.estimator.close()
    return figures


def shares(times: StageTimes) -> dict[str, float]:
    """Each stage's part of the time of all."""
    sums = {name: h.cumulative([float("inf")])[1] for name, h in times.histograms().items()}
    return {name: round(ms / sum(sums.values()), 4) for name, ms in sums.items()}


def machine() -> Run:
    """What the figures were measured on, and how busy it was."""
    return {
        "cpu_cores": os.cpu_count(),
        "cpu": _cpu(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": [round(value, 2) for value in psutil.getloadavg()],
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
        "backends": {item.name: item.ok for item in available()},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        named = [line for line in lines if line.startswith("model name")]
    except OSError:
        named = []
    return named[0].partition(":")[2].strip() if named else platform.processor()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
