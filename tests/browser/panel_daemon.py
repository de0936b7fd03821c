"""The running daemon that the panel's tests look at, and how they look at it."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from websockets.sync.client import connect

from posestream.wire import codec
from posestream.wire.messages import StampedFrame

REPOSITORY = Path(__file__).resolve().parents[2]
CLIP = REPOSITORY / "posestream" / "assets" / "demo.mp4"
CONFIG = """# My own settings: keep this line.
[smooth]
smoothness = 0.2   # as I like it

[[vmc]]
port = {vmc}   # the app on this machine
people = 2
"""
LIVE = "window.posestreamPanel"
WAIT_S = 120.0

expect.set_options(timeout=60_000)


@dataclass
class Daemon:
    """``posestream run`` with a panel, a stream and one receiver of VMC."""

    home: Path
    arguments: tuple[str, ...]
    panel: int = 0
    stream: int = 0
    vmc: socket.socket = field(default_factory=lambda: udp_socket())
    process: Any = None

    def __post_init__(self) -> None:
        self.panel, self.stream = free_port(), free_port()
        self.config = self.home / "mine.toml"
        self.config.write_text(CONFIG.format(vmc=self.vmc_port), encoding="utf-8")

    def start(self) -> Daemon:
        self.log = self.home / f"log-{time.monotonic_ns()}.txt"
        command = [sys.executable, "-m", "posestream", "run", *self.arguments, "-c", self.config,
                   "--set", f"panel.port={self.panel}",
                   "--set", f"websocket.port={self.stream}"]  # fmt: skip
        home = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.home,
                env={**os.environ, **home, "PYTHONPATH": str(REPOSITORY)},
            )  # fmt: skip
        eventually(lambda: "Panel: " in self.text or self.process.poll() is not None, self)
        return self

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def address(self) -> str:
        found = re.search(r"Panel: (\S+)", self.text)
        assert found, self.text
        return found[1]

    @property
    def vmc_port(self) -> int:
        return int(self.vmc.getsockname()[1])

    def frames(self, count: int) -> list[StampedFrame]:
        """What is published now."""
        got: list[StampedFrame] = []
        with connect(f"ws://127.0.0.1:{self.stream}/?axes=gltf") as stream:
            while len(got) < count:
                message = codec.decode(stream.recv(timeout=WAIT_S))
                if isinstance(message, StampedFrame):
                    got.append(message)
        return got

    def end(self, page: Page | None = None) -> None:
        if page is not None:
            page.goto("about:blank")  # else it would try to connect again
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


def eventually(condition: Callable[[], Any], what: Any, seconds: float = WAIT_S) -> Any:
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, what.text if isinstance(what, Daemon) else what
        time.sleep(0.05)
    return value


def udp_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(WAIT_S)
    return made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def on_the_clip(home: Path) -> Daemon:
    """On the bundled clip with its exact people, round and round."""
    source = (str(CLIP), "--backend", "fake", "--set", "source.loop=true")
    return Daemon(home, source).start()


def opened(page: Page, daemon: Daemon) -> Page:
    page.goto(daemon.address)
    expect(page.locator("#status")).to_have_text("Running")
    until(page, f"{LIVE}.motion?.length > 0 && {LIVE}.picture.shown > 0")
    until(page, f"{LIVE}.scene.avatars.mesh !== null && {LIVE}.scene.drawn > 1")
    return page


def until(page: Page, condition: str) -> None:
    """Wait for a condition in the page, whose policy forbids Playwright's own way of waiting."""
    eventually(lambda: page.evaluate(condition), condition)


def pixels(place: Locator) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(place.screenshot())).convert("RGB")).astype(int)


def tab(page: Page, name: str) -> None:
    page.click(f"[data-tab={name}]")


def control(page: Page, key: str, inside: str = "#tab-motion") -> Locator:
    return page.locator(f"{inside} [data-key='{key}']")
