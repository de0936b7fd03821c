"""Run the daemon for long, watch its memory: python tools/soak.py --minutes 30 --json FILE

The source is ``synthetic:`` with four people; a WebSocket client stays, another comes and goes
every few seconds. Memory counts as flat if the last fifth's median is within 2 % of the second
fifth's: the first fifth is left for caches to fill.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

PORT = 18765
VMC_PORT = 19539
SAMPLE_S = 5.0
FLAT = 0.02


def main() -> int:
    """0 if memory and open files stayed flat."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--source", default="synthetic:people=4")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    report = asyncio.run(soak(options.source, options.minutes * 60.0))
    text = json.dumps(report, indent=2)
    print(text)
    if options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    return 0 if report["flat"] else 1


async def soak(source: str, seconds: float) -> dict[str, Any]:
    """Run, sample, stop, report."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        process = _start(source, summary)
        tasks = [asyncio.create_task(_stay()), asyncio.create_task(_come_and_go())]
        samples = await _sample(process.pid, seconds)
        for task in tasks:
            task.cancel()
        received, visits = await asyncio.gather(*tasks)
        process.send_signal(signal.SIGINT)
        code = await asyncio.to_thread(process.wait, 10)
        run = json.loads(summary.read_text(encoding="utf-8"))
    return _report(source, seconds, samples, run) | {
        "exit_code": code,
        "messages_to_the_client_that_stayed": received,
        "clients_that_came_and_went": visits,
    }


def _start(source: str, summary: Path) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable, "-m", "posestream", "run", source, "--summary", str(summary),
        "--set", f"websocket.port={PORT}", "--set", f"vmc.0.port={VMC_PORT}",
    ]  # fmt: skip
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


async def _stay() -> int:
    """One client that reads everything; how many messages it got."""
    count = 0
    with suppress(asyncio.CancelledError):
        while True:
            with suppress(OSError, WebSocketException):
                async with connect(f"ws://127.0.0.1:{PORT}") as stream:
                    async for _ in stream:
                        count += 1
            await asyncio.sleep(0.2)
    return count


async def _come_and_go() -> int:
    """Clients that read a little, or nothing, and vanish; how many there were."""
    count = 0
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(3.0)
            with suppress(OSError, WebSocketException):
                stream = await connect(f"ws://127.0.0.1:{PORT}")
                count += 1
                if count % 2:
                    await stream.recv()
                stream.transport.abort()
    return count


async def _sample(pid: int, seconds: float) -> list[tuple[float, int, int]]:
    process = psutil.Process(pid)
    ended_s = time.monotonic() + seconds
    samples = []
    while time.monotonic() < ended_s:
        await asyncio.sleep(min(SAMPLE_S, seconds / 20))
        handles = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        samples.append((process.memory_info().rss / 2**20, handles, process.num_threads()))
    return samples


def _report(
    source: str, seconds: float, samples: list[tuple[float, int, int]], run: dict[str, Any]
) -> dict[str, Any]:
    fifth = max(len(samples) // 5, 1)
    early, late = (
        [statistics.median(column) for column in zip(*part, strict=True)]
        for part in (samples[fifth : 2 * fifth], samples[-fifth:])
    )
    growth = late[0] / early[0] - 1.0
    return {
        "command": f"python tools/soak.py --minutes {seconds / 60:g} --source {source}",
        "machine": f"{os.cpu_count()} cores, {platform.system()}",
        "rss_mb": {"early": round(early[0], 1), "late": round(late[0], 1)},
        "rss_growth_percent": round(100 * growth, 2),
        "open_files": {"early": early[1], "late": late[1]},
        "threads": {"early": early[2], "late": late[2]},
        "flat": abs(growth) <= FLAT and late[1] <= early[1] + 2,
        "run": run,
    }


if __name__ == "__main__":
    sys.exit(main())
