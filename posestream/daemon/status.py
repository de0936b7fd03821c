"""One calm status line while the daemon runs."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from typing import TextIO

_TTY_PERIOD_S = 0.5
_LOG_PERIOD_S = 10.0


async def show_status(
    text: Callable[[], str], stream: TextIO = sys.stderr, period_s: float | None = None
) -> None:
    """Rewrite one line of a terminal twice a second; elsewhere print a line every ten seconds."""
    is_terminal = stream.isatty()
    period_s = period_s or (_TTY_PERIOD_S if is_terminal else _LOG_PERIOD_S)
    try:
        while True:
            await asyncio.sleep(period_s)
            _write(stream, text(), is_terminal)
    finally:
        if is_terminal:
            _write(stream, "", is_terminal)


def _write(stream: TextIO, line: str, is_terminal: bool) -> None:
    if not is_terminal:
        print(line, file=stream, flush=True)
        return
    width = shutil.get_terminal_size().columns - 1
    stream.write("\r" + line[:width].ljust(width) + ("\r" if not line else ""))
    stream.flush()


def notify(message: str, stream: TextIO = sys.stderr) -> None:
    """One sentence to the user, on a line of its own even while the status line is shown."""
    if stream.isatty():
        _write(stream, "", True)
    print(message, file=stream, flush=True)


def counted(number: int, one: str, many: str = "") -> str:
    """A number and its noun, as in "1 person" or "2 clients"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
