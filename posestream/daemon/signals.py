"""Ctrl-C and its kin, and how threads tell the event loop that they have ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress


def set_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set the event, whatever thread this is."""
    with suppress(RuntimeError):  # the loop has ended already
        loop.call_soon_threadsafe(event.set)


def on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """First Ctrl-C or SIGTERM: stop cleanly. Second: at once."""
    asked = [0]

    def handle(*_: object) -> None:
        asked[0] += 1
        if asked[0] > 1:
            os._exit(130)
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stop)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handle)
