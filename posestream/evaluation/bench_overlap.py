"""``posestream bench --overlap``: what it brings to look at the next picture meanwhile.

Whole runs of the command line, since looking ahead is a matter of its threads: as fast as they
can for throughput, at the clip's own rate for latency; with and without in turns, so that a
machine that slows down meanwhile does not decide.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any, Final

import psutil

from posestream.assets import DEMO_CLIP
from posestream.errors import BackendError

FRAMES: Final = 420
_TURNS: Final = (False, True, True, False)
_FIGURES: Final = ("fps", "p50_ms", "p95_ms", "p99_ms", "cpu_ms_per_frame")
_POLL_S = 0.05


def bench_overlap(source: str = str(DEMO_CLIP), frames: int = FRAMES) -> list[dict[str, Any]]:
    """Means of both ways at each pace. Raises BackendError where nothing can run here."""
    return [
        {
            "pace": pace,
            "frames": frames,
            **_compared([_run(source, pace, on, frames) for on in _TURNS]),
        }
        for pace in ("fast", "realtime")
    ]


def _compared(runs: list[dict[str, float | None]]) -> dict[str, Any]:
    by_way = {
        name: [run for run, overlapping in zip(runs, _TURNS, strict=True) if overlapping == on]
        for name, on in (("off", False), ("on", True))
    }
    return {
        name: {key: _mean([run[key] for run in of]) for key in _FIGURES}
        for name, of in by_way.items()
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(mean(known), 3) if known else None


def _run(source: str, pace: str, overlap: bool, frames: int) -> dict[str, float | None]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "summary.json"
        command = [
            sys.executable, "-m", "posestream", "run", source, "--pace", pace, "--no-panel",
            "--max-frames", str(frames), "--summary", str(file), "--set", "source.loop=true",
            "--set", "vmc=[]", "--set", "websocket.port=0",
            "--set", f"estimate.overlap={str(overlap).lower()}",
        ]  # fmt: skip
        cpu_s, code, said = _finished(command)
        if code:
            raise BackendError(f"The overlap cannot be measured: {said}")
        summary = json.loads(file.read_text(encoding="utf-8"))
    latency = summary["latency_ms"]
    return {
        "fps": summary["fps"],
        **{f"{name}_ms": latency[name] for name in ("p50", "p95", "p99")},
        "cpu_ms_per_frame": cpu_s * 1e3 / summary["frames"],
    }


def _finished(command: list[str]) -> tuple[float, int, str]:
    """Processor seconds with the start, exit code and last words of a command."""
    with tempfile.TemporaryFile("w+") as words:
        process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=words)
        cpu_s = 0.0
        while process.poll() is None:
            try:
                times = process.cpu_times()
            except psutil.Error:  # it ends just now
                continue
            cpu_s = times.user + times.system
            time.sleep(_POLL_S)
        words.seek(0)
        lines = words.read().strip().splitlines() or ["it said nothing."]
    return cpu_s, int(process.returncode), lines[-1]


def as_lines(result: dict[str, Any]) -> Iterator[str]:
    """For people: one line per pace and way."""
    for run in result.get("overlap", ()):
        for way in ("off", "on"):
            figures = "  ".join(
                f"{key} {value:.1f}" for key, value in run[way].items() if value is not None
            )
            yield f"  overlap {way:3s} {run['pace']:8s} {figures}"
