"""Run the daemon for long and watch it: python tools/soak.py --minutes 120 --json FILE

The source is the bundled clip, played again and again through the real network. One WebSocket
client stays and measures how old the motion is when it arrives; others come, read a little or
nothing, and vanish; somebody asks for health and figures. What counts is the last fifth of the
time against the second: the first is left for caches to fill.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from posestream.assets import DEMO_CLIP
from posestream.timing import monotonic_ns
from posestream.wire import codec
from posestream.wire.messages import StampedFrame

SAMPLE_S = 5.0
FLAT = 0.02
DRIFT_MS = 5.0
_EVERY = 5  # frames of which the age is taken


@dataclass(frozen=True, slots=True)
class Sample:
    """The daemon at one moment."""

    rss_mb: float
    handles: int
    threads: int
    healthy: bool
    age_ms: float  # median of the motion that arrived since the last sample; NaN if none did


@dataclass(slots=True)
class Watch:
    """What the clients see."""

    port: int
    received: int = 0
    visits: int = 0
    ages_ms: list[float] = field(default_factory=list)

    async def stay(self) -> None:
        """One client that reads everything."""
        while True:
            with suppress(OSError, WebSocketException):
                async with connect(f"ws://127.0.0.1:{self.port}", compression=None) as stream:
                    async for data in stream:
                        self.received += 1
                        if self.received % _EVERY == 0:
                            self._take_age(data)
            await asyncio.sleep(0.2)

    def _take_age(self, data: str | bytes) -> None:
        message = codec.decode(data)
        if isinstance(message, StampedFrame):
            self.ages_ms.append((monotonic_ns() - message.t_capture_ns) / 1e6)

    async def come_and_go(self, pause_s: float) -> None:
        """Clients that read a little, or nothing, and vanish."""
        while True:
            await asyncio.sleep(pause_s)
            with suppress(OSError, WebSocketException):
                stream = await connect(f"ws://127.0.0.1:{self.port}")
                self.visits += 1
                if self.visits % 2:
                    await stream.recv()
                stream.transport.abort()

    def healthy(self) -> bool:
        """Whether the daemon says so; its figures are asked for, too."""
        address = f"http://127.0.0.1:{self.port}"
        try:
            for page in ("/metrics", "/healthz"):
                with urllib.request.urlopen(address + page, timeout=10.0) as answer:  # noqa: S310
                    answer.read()
        except OSError:
            return False
        return True


def main() -> int:
    """0 if memory, handles and latency stayed flat."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--source", default=str(DEMO_CLIP))
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    report = asyncio.run(soak(options.source, options.minutes * 60.0, options.backend))
    text = json.dumps(report, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    return 0 if report["flat"] else 1


async def soak(source: str, seconds: float, backend: str = "auto") -> dict[str, Any]:
    """Run, sample, stop, report."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        port, vmc_port = _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_DGRAM)
        process = _start(source, backend, summary, port, vmc_port)
        try:
            watch = Watch(port)
            samples = await _watch(process, watch, seconds)
            process.send_signal(signal.SIGINT)
            code = await asyncio.to_thread(process.wait, 10)
        finally:
            process.kill()
        run = json.loads(summary.read_text(encoding="utf-8"))
    return {
        "command": f"python tools/soak.py --minutes {seconds / 60:g} --backend {backend} "
        f"--source {source.rpartition(os.sep)[2]}",
        "machine": f"{os.cpu_count()} cores, {platform.system()}",
        **figures(samples),
        "run": run,
        "exit_code": code,
        "messages_to_the_client_that_stayed": watch.received,
        "clients_that_came_and_went": watch.visits,
    }


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(
    source: str, backend: str, summary: Path, port: int, vmc_port: int
) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "posestream", "run", source, "--summary", str(summary),
        "--backend", backend, "--set", "source.loop=true", "--no-panel",
        "--set", f"websocket.port={port}", "--set", f"vmc.0.port={vmc_port}",
    ]  # fmt: skip
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


async def _watch(process: subprocess.Popen[bytes], watch: Watch, seconds: float) -> list[Sample]:
    while not await asyncio.to_thread(watch.healthy):
        if process.poll() is not None:
            raise RuntimeError("the daemon has ended before it began")
        await asyncio.sleep(0.2)
    every_s = min(SAMPLE_S, seconds / 20)
    tasks = [asyncio.create_task(watch.stay()), asyncio.create_task(watch.come_and_go(every_s))]
    samples, ended_s = [], time.monotonic() + seconds
    try:
        while time.monotonic() < ended_s:
            await asyncio.sleep(every_s)
            samples.append(await _sample(psutil.Process(process.pid), watch))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return samples


async def _sample(process: psutil.Process, watch: Watch) -> Sample:
    healthy = await asyncio.to_thread(watch.healthy)
    ages_ms, watch.ages_ms = watch.ages_ms, []
    handles = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    return Sample(
        process.memory_info().rss / 2**20,
        handles,
        process.num_threads(),
        healthy,
        statistics.median(ages_ms) if ages_ms else float("nan"),
    )


def figures(samples: list[Sample]) -> dict[str, Any]:
    """The last fifth against the second, and whether that counts as flat."""
    fifth = max(len(samples) // 5, 1)
    early, late = samples[fifth : 2 * fifth], samples[-fifth:]
    rss = [statistics.median(s.rss_mb for s in part) for part in (early, late)]
    handles = [statistics.median(s.handles for s in part) for part in (early, late)]
    threads = [statistics.median(s.threads for s in part) for part in (early, late)]
    ages = [_median([s.age_ms for s in part]) for part in (early, late)]
    growth = rss[1] / rss[0] - 1.0
    drift_ms = ages[1] - ages[0]
    flat = {
        "memory": growth <= FLAT,
        "handles": handles[1] <= handles[0] + 1,
        "threads": threads[1] <= threads[0],
        "latency": drift_ms <= max(DRIFT_MS, 0.1 * ages[0]),
    }
    return {
        "rss_mb": {"early": round(rss[0], 1), "late": round(rss[1], 1)},
        "rss_growth_percent": round(100 * growth, 2),
        "open_files": {"early": handles[0], "late": handles[1]},
        "threads": {"early": threads[0], "late": threads[1]},
        "latency_at_client_ms": {"early": round(ages[0], 2), "late": round(ages[1], 2)},
        "latency_drift_ms": round(drift_ms, 2),
        "unhealthy_samples": sum(not s.healthy for s in samples),
        "samples": len(samples),
        "flat_in": flat,
        "flat": all(flat.values()),
    }


def _median(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else float("inf")


if __name__ == "__main__":
    sys.exit(main())
