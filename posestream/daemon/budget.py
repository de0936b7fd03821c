"""Leaves cores to the avatar application: fewer threads, fewer cores, lower priority, a rate cap.

A budget of a half on four cores means: run on two of them, with as many threads, behind
whatever else wants them, and take no more than two seconds of CPU time per second. Where a
camera gives more pictures than that allows, the newest is taken and the others are skipped.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec
import psutil

from posestream.settings import Settings

_NICE: Final = 5
_BURST_S: Final = 0.25  # of CPU time that may be saved up, for a picture that takes longer
_LONGEST_S: Final = 2.0
_MOST_THREADS: Final = 16


class CpuBudget:
    """A share of the cores that this process may use when it is made."""

    def __init__(self, share: float) -> None:
        self.share = share
        self._usable = _usable()

    @property
    def cores(self) -> int:
        """How many whole cores the share needs; at least one."""
        return max(math.ceil(self.share * len(self._usable) - 1e-9), 1)

    def confine(self, settings: Settings) -> Settings:
        """Keep this process to its share; the settings with as many threads.

        Call it before threads and models are made: they inherit what holds then. Does nothing
        where the share is everything, and leaves out what the system does not permit.
        """
        if self.share >= 1.0:
            return settings
        _confine(self._usable[-self.cores :])  # systems like to put interrupts on the first
        _step_back()
        if settings.estimate.threads:
            return settings
        threads = min(self.cores, _MOST_THREADS)
        estimate = msgspec.structs.replace(settings.estimate, threads=threads)
        return msgspec.structs.replace(settings, estimate=estimate)

    def governor(self) -> Governor | None:
        """What holds the rate down; None where the share is everything."""
        return None if self.share >= 1.0 else Governor(self.share * len(self._usable))


def _usable() -> list[int]:
    """The cores that this process may use at all."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _confine(cores: list[int]) -> None:
    with suppress(psutil.Error, OSError):
        if sys.platform.startswith("linux"):  # one thread at a time there
            for thread in psutil.Process().threads():
                os.sched_setaffinity(thread.id, cores)
        elif sys.platform == "win32":
            psutil.Process().cpu_affinity(cores)


def _step_back() -> None:
    with suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        elif sys.platform.startswith("linux"):
            for thread in psutil.Process().threads():
                os.setpriority(os.PRIO_PROCESS, thread.id, _NICE)
        else:
            os.nice(_NICE)


class Governor:
    """Says how long to pause so that this process's CPU time stays within ``cores``."""

    def __init__(
        self,
        cores: float,
        cpu_s: Callable[[], float] = time.process_time,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cores = cores
        self._cpu_s, self._clock_s = cpu_s, clock_s
        self._last = (cpu_s(), clock_s())
        self._debt_s = 0.0

    def pause_s(self) -> float:
        """Seconds to wait before the next frame; 0 while within the budget."""
        now = (self._cpu_s(), self._clock_s())
        used_s, passed_s = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now
        self._debt_s = max(self._debt_s + used_s - passed_s * self._cores, -_BURST_S)
        return min(max(self._debt_s / self._cores, 0.0), _LONGEST_S)
