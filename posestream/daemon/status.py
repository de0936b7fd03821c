"""One calm status line while the daemon runs."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TextIO

from posestream.daemon import logs

_TTY_PERIOD_S = 0.5
_LOG_PERIOD_S = 10.0


@dataclass(frozen=True, slots=True)
class Status:
    """The figures of this moment."""

    fps: float
    people: int
    latency_ms: float | None
    targets: int
    clients: int

    def __str__(self) -> str:
        latency = "" if self.latency_ms is None else f" · {self.latency_ms:.0f} ms"
        return (
            f"{self.fps:5.1f} fps · {counted(self.people, 'person', 'people')}{latency}"
            f" · {counted(self.targets, 'UDP target')}"
            f" · {counted(self.clients, 'WebSocket client')}"
        )


async def show_status(
    status: Callable[[], Status], stream: TextIO = sys.stderr, period_s: float | None = None
) -> None:
    """Rewrite one line of a terminal twice a second; elsewhere print a line every ten seconds."""
    is_terminal = stream.isatty() and not logs.as_json()
    period_s = period_s or (_TTY_PERIOD_S if is_terminal else _LOG_PERIOD_S)
    try:
        while True:
            await asyncio.sleep(period_s)
            _show(stream, status(), is_terminal)
    finally:
        if is_terminal:
            _write(stream, "", is_terminal)


def _show(stream: TextIO, status: Status, is_terminal: bool) -> None:
    if logs.as_json():
        logs.STATUS.info("%s", str(status).strip(), extra={"figures": asdict(status)})
        return
    _write(stream, str(status), is_terminal)


def _write(stream: TextIO, line: str, is_terminal: bool) -> None:
    if not is_terminal:
        print(line, file=stream, flush=True)
        return
    width = shutil.get_terminal_size().columns - 1
    stream.write("\r" + line[:width].ljust(width) + ("\r" if not line else ""))
    stream.flush()


def notify(message: str, stream: TextIO = sys.stderr) -> None:
    """One sentence to the user, on a line of its own even while the status line is shown."""
    if logs.as_json():
        logs.NOTICES.warning("%s", message.removeprefix("posestream: "))
        return
    if stream.isatty():
        _write(stream, "", True)
    print(message, file=stream, flush=True)


def counted(number: int, one: str, many: str = "") -> str:
    """A number and its noun, as in "1 person" or "2 clients"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
