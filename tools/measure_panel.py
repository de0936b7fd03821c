"""What one viewer of the panel costs: python tools/measure_panel.py VIDEO --json FILE

One daemon works through the video as fast as it can, or at its own rate (``--pace realtime``),
round and round. By turns nobody looks, a program takes all that the finest page would, and a
headless Chromium shows the page. Chromium draws without a graphics card here and shares the
machine, so that its figure is the worst case; the program's figure is what the daemon itself
pays. Processor seconds are right on a busy machine, too; frame rates want a quiet one.
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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from posestream.assets import DEMO_CLIP
from posestream.evaluation.bench_chain import machine
from posestream.preview.packing import Kind

NOBODY, PROGRAM, BROWSER = "nobody", "program", "browser"
_SETTLE_S: Final = 3.0
_START_S: Final = 180.0
_PORT: Final = 18765
_VISIBLE: Final = "on => { window.posestreamPanel.pace.link.say('visible', {on}); }"


def main() -> int:
    """Print and write the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", nargs="?", default=str(DEMO_CLIP))
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each turn")
    parser.add_argument("--pace", choices=("fast", "realtime"), default="fast")
    parser.add_argument("--no-browser", action="store_true", help="the program alone")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    facts = machine()
    turns = measure(options)
    report = {
        "command": f"python tools/measure_panel.py {Path(options.video).name} "
        f"--backend {options.backend} --pace {options.pace} "
        f"--rounds {options.rounds} --seconds {options.seconds:g}",
        "machine": facts,
        **figures(turns),
    }
    print(json.dumps(report, indent=2))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every turn: who looked, the daemon's frames per second, everybody's processor time."""
    kinds = [NOBODY, PROGRAM] + ([] if options.no_browser else [BROWSER])
    turns = []
    with daemon(options) as (panel, process), viewers(panel, kinds) as look:
        for round_ in range(options.rounds):
            for kind in random.Random(round_).sample(kinds, len(kinds)):  # noqa: S311
                look(kind)
                time.sleep(_SETTLE_S)
                turns.append({"viewer": kind, "round": round_, **rates(process, options.seconds)})
                print(turns[-1], file=sys.stderr, flush=True)
                look(NOBODY)
    return turns


def figures(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians by viewer; rates, and the daemon's time, by that of the round's turn alone."""
    by_kind: dict[str, list[dict[str, Any]]] = {turn["viewer"]: [] for turn in turns}
    for turn in turns:
        by_kind[turn["viewer"]].append(turn)
    report: dict[str, Any] = {
        key: {kind: _median([t[key] for t in of]) for kind, of in by_kind.items()}
        for key in ("fps", "cpu_ms_per_frame", "cpu_s_per_minute", "browser_cpu_s_per_minute")
    }
    for name, key in (("rate_ratio", "fps"), ("cpu_per_frame_ratio", "cpu_ms_per_frame")):
        alone = {turn["round"]: turn[key] for turn in by_kind[NOBODY]}
        report[name] = {
            kind: _median([t[key] / alone[t["round"]] for t in of], 4)
            for kind, of in by_kind.items()
            if kind != NOBODY
        }
    return {**report, "turns": turns}


def _median(values: list[float], digits: int = 2) -> float:
    return round(statistics.median(values), digits)


@contextmanager
def daemon(options: argparse.Namespace) -> Iterator[tuple[str, psutil.Process]]:
    """A daemon on the video, and its panel's address."""
    with tempfile.TemporaryDirectory() as home:
        log = Path(home) / "log.txt"
        command = [
            sys.executable, "-m", "posestream", "run", options.video, "--backend", options.backend,
            "--pace", options.pace, "--set", "source.loop=true", "--set", "vmc=[]",
            "--set", f"websocket.port={_PORT}", "--set", "panel.port=18766",
        ]  # fmt: skip
        environment = {**os.environ, "XDG_CONFIG_HOME": home}
        with log.open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
        try:
            yield _address(log, process), psutil.Process(process.pid)
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


def rates(process: psutil.Process, seconds: float) -> dict[str, float]:
    """Frames per second over a while, the daemon's processor time and that of all browsers."""
    before = _counts(process)
    time.sleep(seconds)
    frames, own_s, browser_s, passed_s = (
        b - a for a, b in zip(before, _counts(process), strict=True)
    )
    return {
        "fps": round(frames / passed_s, 3),
        "cpu_ms_per_frame": round(own_s * 1e3 / max(frames, 1), 3),
        "cpu_s_per_minute": round(60 * own_s / passed_s, 3),
        "browser_cpu_s_per_minute": round(60 * browser_s / passed_s, 3),
    }


def _counts(process: psutil.Process) -> tuple[float, float, float, float]:
    """Frames, processor seconds of the daemon and of the browsers that we started, the time."""
    with urllib.request.urlopen(f"http://127.0.0.1:{_PORT}/metrics", timeout=30.0) as answer:
        text = answer.read().decode()
    found = re.search(r"^posestream_frames_total (\S+)$", text, re.M)
    family = psutil.Process().children(recursive=True)
    browsers = [p for p in family if "chrom" in p.name().lower()]
    return (
        float(found[1]) if found else 0.0,
        _cpu_s([process]),
        _cpu_s(browsers),
        time.monotonic(),
    )


def _cpu_s(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):  # it has just ended
            times = process.cpu_times()
            total += times.user + times.system
    return total


@contextmanager
def viewers(address: str, kinds: list[str]) -> Iterator[Any]:
    """``look(kind)``: from now on that one looks, and nobody else."""
    program = Program(address)
    with browser_page(address) if BROWSER in kinds else _nothing() as page:

        def look(kind: str) -> None:
            program.on(kind == PROGRAM)
            if page is not None:
                page.evaluate(_VISIBLE, kind == BROWSER)

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
    """Takes everything that the finest page gets, as fast as it comes, and throws it away."""

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
            for data in connection:
                if isinstance(data, bytes) and data[0] == Kind.PICTURE:
                    connection.send('{"name": "shown"}')
        except ConnectionClosed:
            return


if __name__ == "__main__":
    sys.exit(main())
