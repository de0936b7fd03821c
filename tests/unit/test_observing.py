"""Timeline, log lines and health, without a run."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

import pytest

from posestream.daemon.figures import Figures
from posestream.daemon.health import SourceHealth, health
from posestream.daemon.logs import JsonLines
from posestream.daemon.trace import Trace
from posestream.timing import Histogram
from posestream.types import AvatarFrame


def spans_of(trace: Trace, path: Path) -> list[dict[str, object]]:
    trace.write(str(path))
    return [e for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"]


def test_a_timeline_keeps_what_happened_last(tmp_path: Path) -> None:
    trace = Trace(max_spans=10)
    for i in range(1000):
        trace.captured(i, i * 1000, i * 1000 + 10)
    spans = spans_of(trace, tmp_path / "t.json")
    assert [s["args"] for s in spans] == [{"frame": i} for i in range(990, 1000)]


def test_stages_belong_to_the_frame_that_they_made(tmp_path: Path) -> None:
    trace = Trace()
    for frame in (7, 9):
        with trace.times.measure("track"):
            pass
        with trace.times.measure("smooth"):
            pass
        trace.frame_done(frame)
    trace.frame_done(10)  # a replay has no stages
    spans = spans_of(trace, tmp_path / "t.json")
    found = [(s["name"], s["args"]) for s in spans]
    for frame in (7, 9):
        for name in ("frame", "track", "smooth"):
            assert (name, {"frame": frame}) in found
    assert len(found) == 6
    assert trace.times.summary()["track"]["p50"] is not None


def test_log_lines_are_objects_whatever_is_said() -> None:
    try:
        raise ValueError('a "quote"\nand a line')
    except ValueError:
        record = logging.LogRecord(
            "x.y", logging.ERROR, "", 0, 'said %s\n"so"', ("ü\ud800",), sys.exc_info()
        )
    text = JsonLines().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert line["message"] == 'said ü\ud800\n"so"'
    assert 'ValueError: a "quote"' in line["error"]
    assert line["level"] == "error"


def test_health_names_what_is_wrong() -> None:
    figures, source = Figures(), SourceHealth()

    def state(silent_s: float = 0.0) -> tuple[int, str]:
        page = health(figures, source, silent_s)
        return int(page.status), json.loads(page.body)["status"]

    assert state() == (503, "starting")
    figures.count(AvatarFrame.empty(0, 0))
    assert state() == (200, "ok")
    assert state(silent_s=6.0) == (503, "stalled")
    source.note("lost")
    assert state() == (503, "source lost")
    source.note("recovered")
    assert state() == (200, "ok")
    figures.ended_s = time.perf_counter() - 6.0
    assert state() == (503, "stalled")
    assert (source.losses, source.recoveries) == (1, 1)


def test_buckets_agree_with_what_was_counted() -> None:
    histogram = Histogram()
    for duration_ms in (0.2, 3.0, 3.0, 40.0, 2000.0):
        histogram.add(duration_ms)
    counts, sum_ms = histogram.cumulative([1.0, 10.0, 100.0, float("inf")])
    assert counts == [1, 3, 4, 5]
    assert sum_ms == pytest.approx(2046.2, rel=0.02)
