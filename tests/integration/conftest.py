"""Real processes and sockets: how tests start the command line and listen to what it sends."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from posestream.errors import TrainingError

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 30.0


def wait_until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_S) -> Any:
    """The condition's first true value; fails with ``what`` when the time is over."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.01)
    return value


class Run:
    """One ``posestream`` process of its own, with a home of its own."""

    def __init__(self, arguments: Sequence[str], home: Path, **popen: Any) -> None:
        self.home = home
        self._log = home / f"stderr-{time.monotonic_ns()}.txt"
        if arguments and arguments[0] == "run" and not any("panel" in a for a in arguments):
            arguments = [*arguments, "--no-panel"]  # tests side by side have one port between them
        command = [sys.executable, "-m", "posestream", *arguments]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, cwd=home,
                env=environment(home), **popen,
            )  # fmt: skip

    @property
    def stderr(self) -> str:
        return self._log.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[str]:
        """What the user reads, without the status lines of a long run."""
        return [line for line in self.stderr.splitlines() if " fps · " not in line]

    @property
    def token(self) -> str:
        file = self.home / "config" / "posestream" / "token"
        wait_until(file.is_file, "the token")
        return file.read_text(encoding="ascii").strip()

    def signal(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = DEADLINE_S) -> int:
        """The exit code."""
        try:
            self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            pytest.fail(f"still running after {seconds} s; stderr:\n{self.stderr}")
        return self.process.returncode

    def stop(self) -> int:
        self.signal()
        return self.wait()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUTF8": "1",
    }


class Receivers:
    """UDP receivers that read all the time, as applications do."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._got: dict[int, list[bytes]] = defaultdict(list)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._sockets: list[socket.socket] = []

    def open(self, count: int, stride: int = 10) -> list[int]:
        """Ports of new receivers, ``stride`` apart."""
        for _ in range(200):
            with contextlib.ExitStack() as stack:
                ports: list[int] = []
                try:
                    for i in range(count):
                        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                        stack.callback(udp.close)
                        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                        udp.bind(("127.0.0.1", ports[0] + i * stride if ports else 0))
                        ports.append(udp.getsockname()[1])
                        self._sockets.append(udp)
                except (OSError, OverflowError):
                    del self._sockets[len(self._sockets) - len(ports) :]
                    continue
                stack.pop_all()
                for udp in self._sockets[-count:]:
                    udp.setblocking(False)
                    self._selector.register(udp, selectors.EVENT_READ, udp.getsockname()[1])
                if not self._thread.is_alive():
                    self._thread.start()
                return ports
        raise AssertionError(f"no {count} free ports {stride} apart")

    def _read(self) -> None:
        while not self._ending.is_set():
            for key, _ in self._selector.select(0.05):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        self._got[key.data].append(key.fileobj.recv(65536))  # type: ignore[union-attr]

    def datagrams(self, port: int) -> list[bytes]:
        return list(self._got[port])

    def messages(self, port: int) -> list[OscMessage]:
        return [m for datagram in self.datagrams(port) for m in OscBundle(datagram)]

    def close(self) -> None:
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        for udp in self._sockets:
            udp.close()
        self._selector.close()


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    made = Receivers()
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_receivers() -> Iterator[Receivers]:
    made = Receivers()
    yield made
    made.close()


def _starter(new_home: Callable[[], Path]) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(*arguments: str, home: Path | None = None, **popen: Any) -> Run:
        run = Run(arguments, home or new_home(), **popen)
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.end()


@pytest.fixture
def posestream(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts ``posestream`` with arguments, in a temporary home of its own."""
    yield from _starter(lambda: tmp_path)


@pytest.fixture(scope="module")
def module_posestream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Run]]:
    """The same, for processes that several tests look at."""
    yield from _starter(lambda: tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """``eventually(condition, what)`` polls until the condition holds."""
    return wait_until


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A TCP port that nobody has."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where MediaPipe's models are put together, once for all tests."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSESTREAM_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def can_draw() -> None:
    """Skips, loudly, where synthetic people cannot be drawn."""
    pytest.importorskip("anny", reason="synthetic people need anny: pip install '.[synth]'")
    pytest.importorskip("moderngl", reason="rendering needs moderngl: pip install '.[synth]'")
    from posestream.training.synth.opengl import open_context

    try:
        open_context().release()
    except TrainingError as error:
        pytest.skip(str(error))
