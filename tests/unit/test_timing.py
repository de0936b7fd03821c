"""Percentiles from logarithmic bins stay within a bin of the exact ones."""

from __future__ import annotations

import math
import sys
import time

import numpy as np
import pytest

from posestream.timing import Histogram, StageTimes, monotonic_ns


@pytest.mark.parametrize("percent", [50, 95, 99])
def test_percentiles_are_within_two_percent_of_the_exact_ones(percent):
    durations = np.random.default_rng(3).lognormal(2.0, 1.0, 5000)
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    exact = float(np.percentile(durations, percent))
    assert histogram.percentile(percent) == pytest.approx(exact, rel=0.025)


def test_nothing_counted_gives_no_figure():
    assert Histogram().summary() == {"p50": None, "p95": None, "p99": None}


def test_extremes_and_nonsense_do_not_break_it():
    histogram = Histogram()
    for duration in (0.0, 1e12, math.nan, -1.0):
        histogram.add(duration)
    assert histogram.total == 2


def test_stages_are_reported_in_the_order_in_which_they_ran():
    times = StageTimes()
    for name in ("estimate", "track", "estimate"):
        with times.measure(name):
            pass
    assert list(times.summary()) == ["estimate", "track"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' own monotonic clock is coarse")
def test_the_clock_is_the_one_that_drivers_and_other_programs_read() -> None:
    before_ns = time.monotonic_ns()
    now_ns = monotonic_ns()
    assert before_ns <= now_ns <= time.monotonic_ns()
