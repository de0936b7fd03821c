"""What one viewer of the panel costs: python tools/measure_panel.py VIDEO --json FILE

One daemon works through the video as fast as it can, round and round. By turns nobody looks, a
program takes all that a page would, and a headless Chromium shows the page. Chromium draws
without a graphics card here and shares the machine, so that its figure is the worst case; the
program's figure is what the daemon itself pays.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from posestream.assets import DEMO_CLIP
from posestream.evaluation.bench_chain import machine

NOBODY, PROGRAM, BROWSER = "nobody", "program", "browser"
_SETTLE_S: Final = 2.0
_START_S: Final = 180.0
_VISIBLE: Final = "on => window.posestreamPanel.targets.link.ask('visible', {on})"


def main() -> int:
    """Print and write the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", nargs="?", default=str(DEMO_CLIP))
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each turn")
    parser.add_argument("--no-browser", action="store_true", help="the program alone")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    facts = machine()
    turns = measure(options)
    report = {
        "command": f"python tools/measure_panel.py {Path(options.video).name} "
        f"--backend {options.backend} --rounds {options.rounds} --seconds {options.seconds:g}",
        "machine": facts,
        **figures(turns),
    }
    print(json.dumps(report, indent=2))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every turn: who looked, the daemon's frames per second and CPU time per frame."""
    kinds = [NOBODY, PROGRAM] + ([] if options.no_browser else [BROWSER])
    turns = []
    with daemon(options.video, options.backend) as (panel, stream), viewers(panel, kinds) as look:
        for round_ in range(options.rounds):
            for kind in random.Random(round_).sample(kinds, len(kinds)):  # noqa: S311
                look(kind)
                time.sleep(_SETTLE_S)
                turns.append({"viewer": kind, "round": round_, **rates(stream, options.seconds)})
                print(turns[-1], file=sys.stderr, flush=True)
                look(NOBODY)
    return turns


def figures(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians by viewer, and the rate of each round by that of its turn without anybody."""
    by_kind: dict[str, list[dict[str, Any]]] = {turn["viewer"]: [] for turn in turns}
    for turn in turns:
        by_kind[turn["viewer"]].append(turn)
    alone = {turn["round"]: turn["fps"] for turn in by_kind[NOBODY]}
    medians = {
        key: {kind: _median([t[key] for t in of]) for kind, of in by_kind.items()}
        for key in ("fps", "cpu_ms")
    }
    return {
        "fps": medians["fps"],
        "cpu_ms_per_frame": medians["cpu_ms"],
        "rate_ratio": {
            kind: _median([t["fps"] / alone[t["round"]] for t in of], 4)
            for kind, of in by_kind.items()
            if kind != NOBODY
        },
        "turns": turns,
    }


def _median(values: list[float], digits: int = 2) -> float:
    return round(statistics.median(values), digits)


@contextmanager
def daemon(video: str, backend: str) -> Iterator[tuple[str, int]]:
    """The panel's address and the stream's port of a daemon that works as fast as it can."""
    with tempfile.TemporaryDirectory() as home:
        log = Path(home) / "log.txt"
        port = 18765
        command = [
            sys.executable, "-m", "posestream", "run", video, "--backend", backend,
            "--pace", "fast", "--set", "source.loop=true", "--set", "vmc=[]",
            "--set", f"websocket.port={port}", "--set", "panel.port=18766",
        ]  # fmt: skip
        environment = {**os.environ, "XDG_CONFIG_HOME": home}
        with log.open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
        try:
            yield _address(log, process), port
        finally:
            process.terminate()
            process.wait(30)


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    end_s = time.monotonic() + _START_S
    while time.monotonic() < end_s and process.poll() is None:
        text = log.read_text(encoding="utf-8")
        if found := re.search(r"Panel: (\S+)", text):
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"The daemon did not start: {log.read_text(encoding='utf-8')}")


def rates(port: int, seconds: float) -> dict[str, float]:
    """Frames per second over a while, and the daemon's CPU time per frame, ms."""
    before = _counts(port)
    time.sleep(seconds)
    after = _counts(port)
    frames, cpu_s, passed_s = (b - a for a, b in zip(before, after, strict=True))
    return {"fps": round(frames / passed_s, 3), "cpu_ms": round(cpu_s * 1e3 / max(frames, 1), 3)}


def _counts(port: int) -> tuple[float, float, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30.0) as answer:
        text = answer.read().decode()
    found = dict(
        re.findall(r"^(posestream_frames_total|process_cpu_seconds_total) (\S+)$", text, re.M)
    )
    return (
        float(found["posestream_frames_total"]),
        float(found["process_cpu_seconds_total"]),
        time.monotonic(),
    )


@contextmanager
def viewers(address: str, kinds: list[str]) -> Iterator[Any]:
    """``look(kind)``: from now on that one looks, and nobody else."""
    program = Program(address)
    with browser_page(address) if BROWSER in kinds else _nothing() as page:

        def look(kind: str) -> None:
            program.on(kind == PROGRAM)
            if page is not None:
                page.evaluate(f"on => {{ ({_VISIBLE})(on).catch(() => 0); }}", kind == BROWSER)

        look(NOBODY)
        try:
            yield look
        finally:
            program.on(False)


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


@contextmanager
def browser_page(address: str) -> Iterator[Any]:
    """The panel in headless Chromium, once it has drawn people."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, VIEW_PX, chromium_program

    with sync_playwright() as playwright:
        program = chromium_program()
        if program is None:
            raise SystemExit(
                "Chromium is not installed: apt-get install chromium, or --no-browser."
            )
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        width, height = VIEW_PX.values()
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(address)
        end_s = time.monotonic() + _START_S
        while not page.evaluate("window.posestreamPanel?.scene?.drawn > 3"):
            if time.monotonic() > end_s:
                raise SystemExit("The page draws nothing.")
            time.sleep(0.2)
        yield page
        browser.close()


class Program:
    """Takes everything that a page gets and throws it away."""

    def __init__(self, address: str) -> None:
        plain, _, self._key = address.partition("#")
        self._url = plain.replace("http:", "ws:") + "live"
        self._connection: Any = None

    def on(self, wanted: bool) -> None:
        """Connect or leave."""
        if wanted and self._connection is None:
            self._connection = connect(self._url, compression=None, max_size=None)
            self._connection.send(self._key)
            threading.Thread(target=self._take, args=(self._connection,), daemon=True).start()
        elif not wanted and self._connection is not None:
            self._connection.close()
            self._connection = None

    @staticmethod
    def _take(connection: Any) -> None:
        try:
            for _ in connection:
                pass
        except ConnectionClosed:
            return


if __name__ == "__main__":
    sys.exit(main())
