"""Ctrl-C and SIGTERM as a wish to end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_signals() -> Iterator[dict[str, bool]]:
    """Ctrl-C and SIGTERM end the run after the step; a second one at once."""
    stop = {"now": False}

    def ask(number: int, _: FrameType | None) -> None:
        if stop["now"]:
            raise KeyboardInterrupt
        stop["now"] = True

    before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
