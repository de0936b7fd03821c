"""What a NATS broker adds to a frame's way: python tools/measure_broker.py --json FILE

Needs nats-server on the PATH (Debian: apt install nats-server) and ``pip install nats-py``. Several
cameras publish frames of a given size at 60 Hz, each with one subscriber in another process; what
is measured is publish → receipt on this machine's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import multiprocessing
import os
import platform
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RATE_HZ = 60
SIZES = (988, 2088, 8112)
CAMERAS = (1, 10, 40)
SECONDS = 8.0
_TIME_BYTES = 8


def main() -> int:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    port = _free_port()
    command = ["nats-server", "-a", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.0)
        rows = [measure(port, size, cameras) for size in SIZES for cameras in CAMERAS]
    finally:
        server.terminate()
        server.wait(10)
    report = {
        "command": "python tools/measure_broker.py",
        "machine": f"{os.cpu_count()} cores, {platform.system()}",
        "rows": rows,
    }
    print(json.dumps(report, indent=2))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(port: int, size: int, cameras: int) -> dict[str, Any]:
    """Percentiles of publish to receipt, ms."""
    context = multiprocessing.get_context("spawn")
    ages: Any = context.Queue()
    reader = context.Process(target=_read, args=(port, cameras, ages))
    reader.start()
    ages.get()  # it listens
    sent = asyncio.run(_publish(port, size, cameras))
    got = sorted(ages.get())
    reader.join()
    at = {q: round(got[min(int(len(got) * q / 100), len(got) - 1)], 3) for q in (50, 95, 99)}
    return {
        "bytes": size, "cameras": cameras, "sent": sent, "lost": sent - len(got),
        "latency_ms": {f"p{q}": value for q, value in at.items()},
    }  # fmt: skip


async def _publish(port: int, size: int, cameras: int) -> int:
    client = await importlib.import_module("nats").connect(f"nats://127.0.0.1:{port}")
    filler, sent = bytes(size - _TIME_BYTES), 0
    started_s = time.perf_counter()
    while (elapsed_s := time.perf_counter() - started_s) < SECONDS:
        for camera in range(cameras):
            stamp = time.perf_counter_ns().to_bytes(_TIME_BYTES, "little")
            await client.publish(f"posestream.v1.site.cam{camera}.frame", stamp + filler)
            sent += 1
        await client.flush()
        await asyncio.sleep(max(0.0, sent / cameras / RATE_HZ - elapsed_s))
    for _ in range(cameras):
        await client.publish("posestream.v1.site.end", b"")
    await client.drain()
    return sent


def _read(port: int, cameras: int, ages: Any) -> None:
    asyncio.run(_subscribe(port, cameras, ages))


async def _subscribe(port: int, cameras: int, ages: Any) -> None:
    client = await importlib.import_module("nats").connect(f"nats://127.0.0.1:{port}")
    taken: list[float] = []
    ended = asyncio.Event()

    async def on_frame(message: Any) -> None:
        sent_ns = int.from_bytes(message.data[:_TIME_BYTES], "little")
        taken.append((time.perf_counter_ns() - sent_ns) / 1e6)

    async def on_end(message: Any) -> None:
        ended.set()

    for camera in range(cameras):
        await client.subscribe(f"posestream.v1.site.cam{camera}.frame", cb=on_frame)
    await client.subscribe("posestream.v1.site.end", cb=on_end)
    await client.flush()
    ages.put(None)
    await ended.wait()
    await asyncio.sleep(0.5)
    ages.put(taken)
    await client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
