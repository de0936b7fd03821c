"""A cap on how often something is sent. Pure: the clock is read by the caller."""

from __future__ import annotations


class RateCap:
    """Lets events through at no more than ``rate_hz`` on average.

    One interval of lateness is forgiven, so that a source at the capped rate whose frames
    jitter loses none of them; bursts are not.
    """

    __slots__ = ("_due_s", "_interval_s")

    def __init__(self, rate_hz: float) -> None:
        self._interval_s = 1.0 / rate_hz
        self._due_s = -float("inf")

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next event may pass; 0 if it may now."""
        return max(0.0, self._due_s - now_s)

    def take(self, now_s: float) -> None:
        """Note that an event passed at ``now_s``."""
        self._due_s = max(self._due_s, now_s - self._interval_s) + self._interval_s
