"""When a file's pictures are due: at their own pace, as if live, or at once."""

from __future__ import annotations

import time
from collections.abc import Callable

from posestream.capture.base import Pace
from posestream.timing import monotonic_ns

_LATEST_S = 1.0


class Pacer:
    """Maps a file's time to capture times, and waits for them where the pace is realtime."""

    def __init__(
        self,
        pace: Pace,
        clock_ns: Callable[[], int] = monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._realtime = pace == "realtime"
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._start_ns: int | None = None

    def is_late(self, t_s: float, interval_s: float) -> bool:
        """Whether the picture of time ``t_s`` has been overtaken by the next one.

        Who falls more than a second behind is let off: the clock is set back, so that a
        machine too slow to decode shows slow motion rather than nothing.
        """
        if not self._realtime or self._start_ns is None:
            return False
        behind_s = (self._clock_ns() - self._start_ns) * 1e-9 - t_s
        if behind_s > _LATEST_S:
            self._start_ns += int(behind_s * 1e9)
            return False
        return behind_s > interval_s

    def wait(self, t_s: float) -> int:
        """Wait until ``t_s`` is due; returns its capture time in ns (fast: from 0 on)."""
        t_ns = round(t_s * 1e9)
        if not self._realtime:
            return t_ns
        if self._start_ns is None:
            self._start_ns = self._clock_ns() - t_ns
        due_ns = self._start_ns + t_ns
        ahead_ns = due_ns - self._clock_ns()
        if ahead_ns > 0:
            self._sleep(ahead_ns * 1e-9)
        return due_ns
