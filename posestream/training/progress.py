"""One calm line: how far, how fast, how long still."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Final

_EVERY_S: Final = 30.0  # where the output is no terminal
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Writes to standard error; a terminal's line is rewritten, a log gets one now and then."""

    def __init__(self, steps: int, first: int, speaks: bool) -> None:
        self._steps, self._first, self._speaks = steps, first, speaks
        self._begun = self._last = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def show(self, step: int, values: dict[str, float], parts: Sequence[str]) -> None:
        """Where the run is."""
        now = time.monotonic()
        if not self._speaks or (not self._terminal and now - self._last < _EVERY_S):
            return
        self._last = now
        per_step = (now - self._begun) / max(1, step - self._first)
        losses = " ".join(f"{name} {values[name]:.4g}" for name in parts)
        line = (
            f"{step}/{self._steps} · {losses} · {values['per_s']:.1f} pictures/s, waiting "
            f"{values['waiting']:.0%} · {_duration(per_step * (self._steps - step))} left"
        )
        print(f"{_CLEAR}{line}" if self._terminal else line, end=self._end, file=sys.stderr)
        sys.stderr.flush()

    @property
    def _end(self) -> str:
        return "" if self._terminal else "\n"

    def say(self, text: str) -> None:
        """Lines that stay."""
        if self._speaks:
            print(f"{_CLEAR if self._terminal else ''}{text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line."""
        if self._speaks and self._terminal:
            print(file=sys.stderr)


def _duration(seconds: float) -> str:
    minutes = int(seconds / 60.0 + 0.5)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
