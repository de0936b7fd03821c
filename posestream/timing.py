"""Durations summarised in constant memory: what the status line and the summary report."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

monotonic_ns = time.perf_counter_ns
"""The clock of every time in a frame or message, ns: monotonic, the same in all threads.

``time.monotonic_ns`` is this clock on Linux and macOS, but on Windows it moves in steps of
15.6 ms before Python 3.13: as long as a frame.
"""

_LOWEST_MS = 1e-3
_BINS_PER_DECADE = 115  # neighbouring bins differ by 2 %
_DECADES = 9
_LAST = _BINS_PER_DECADE * _DECADES - 1


class Histogram:
    """Counts of durations in logarithmic bins of 2 %, from 1 µs to 1,000 s."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * (_LAST + 1)  # numpy is slow with single numbers
        self.total = 0

    def add(self, duration_ms: float) -> None:
        """Count one duration; negative and NaN are ignored."""
        if not duration_ms >= 0.0:
            return
        position = math.log10(max(duration_ms, _LOWEST_MS) / _LOWEST_MS) * _BINS_PER_DECADE
        self._counts[min(int(position), _LAST)] += 1
        self.total += 1

    def percentile(self, percent: float) -> float | None:
        """The duration in ms below which ``percent`` of the counted ones lie."""
        if self.total == 0:
            return None
        rank = math.ceil(self.total * percent / 100.0)
        bin_index = int(np.searchsorted(np.cumsum(self._counts), max(rank, 1)))
        return float(_LOWEST_MS * 10 ** ((bin_index + 0.5) / _BINS_PER_DECADE))

    def cumulative(self, bounds_ms: Sequence[float]) -> tuple[list[int], float]:
        """How many durations lie below each bound, and the sum of all in ms, both within 2 %."""
        places = (np.arange(_LAST + 1) + 0.5) / _BINS_PER_DECADE
        centres_ms = _LOWEST_MS * 10.0**places
        counts = np.array(self._counts)  # another thread may be counting
        below = np.concatenate([[0], np.cumsum(counts)])
        return below[np.searchsorted(centres_ms, bounds_ms)].tolist(), float(counts @ centres_ms)

    def copy(self) -> Histogram:
        """The counts of now."""
        copied = Histogram()
        copied._counts = self._counts.copy()
        copied.total = sum(copied._counts)
        return copied

    def since(self, earlier: Histogram) -> Histogram:
        """What was counted after ``earlier``, a copy of this one, was made."""
        recent = self.copy()
        recent._counts = [
            now - then for now, then in zip(recent._counts, earlier._counts, strict=True)
        ]
        recent.total -= earlier.total
        return recent

    def summary(self) -> dict[str, float | None]:
        """p50, p95 and p99 in ms, None where nothing was counted."""
        return {
            f"p{percent}": None if (v := self.percentile(percent)) is None else round(v, 3)
            for percent in (50, 95, 99)
        }


class _Measurement:
    """A block that is being timed; a class costs less than a generator."""

    __slots__ = ("_stage", "_started_ns", "_times")

    def __init__(self, times: StageTimes, stage: str) -> None:
        self._times = times
        self._stage = stage
        self._started_ns = 0

    def __enter__(self) -> None:
        self._started_ns = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        self._times.add(self._stage, (time.perf_counter_ns() - self._started_ns) / 1e6)


class StageTimes:
    """One histogram per stage, filled by ``with times.measure("track"): …``."""

    def __init__(self) -> None:
        self._stages: dict[str, Histogram] = {}

    def measure(self, stage: str) -> _Measurement:
        """Time the block and count it under ``stage``."""
        return _Measurement(self, stage)

    def add(self, stage: str, duration_ms: float) -> None:
        """Count a duration measured elsewhere."""
        if stage not in self._stages:
            self._stages[stage] = Histogram()
        self._stages[stage].add(duration_ms)

    def add_between(self, stage: str, start_ns: int, end_ns: int) -> None:
        """Count a duration of another thread, from and to times of ``monotonic_ns``."""
        self.add(stage, (end_ns - start_ns) / 1e6)

    def histograms(self) -> dict[str, Histogram]:
        """The histogram of every stage, in the order in which the stages first ran."""
        return dict(self._stages)

    def summary(self) -> dict[str, dict[str, float | None]]:
        """Percentiles of every stage, in the order in which the stages first ran."""
        return {name: histogram.summary() for name, histogram in self._stages.items()}
