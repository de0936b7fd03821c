"""A timeline of a run for chrome://tracing or ui.perfetto.dev: ``--trace FILE``.

Kept in a ring, so that a run of hours costs no more memory than one of minutes: the file
holds what happened last. It is written when the run ends, however it ends.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from pathlib import Path
from typing import Any, Final, NamedTuple

from posestream.daemon.figures import unwritable
from posestream.timing import StageTimes, monotonic_ns

MAX_SPANS: Final = 120_000
"""About eight minutes of 30 frames per second with eight spans each."""

_TRACKS: Final = ("capture", "pipeline", "publish", "network")


class _Span(NamedTuple):
    track: str
    name: str
    start_ns: int
    end_ns: int
    frame: int


class Trace:
    """Collects spans from any thread."""

    def __init__(self, max_spans: int = MAX_SPANS) -> None:
        self._spans: deque[_Span] = deque(maxlen=max_spans)
        self._lock = threading.Lock()
        self._pending: list[_Span] = []  # stages of the frame at hand: its number comes last
        self._ahead: list[_Span] = []
        self.times = _TracedTimes(self)

    def add(self, track: str, name: str, start_ns: int, end_ns: int, frame: int = -1) -> None:
        """One span; times by ``timing.monotonic_ns``."""
        with self._lock:
            self._spans.append(_Span(track, name, start_ns, end_ns, frame))

    def captured(self, frame: int, start_ns: int, end_ns: int) -> None:
        """The source was read, in whatever thread reads it."""
        self.add("capture", "read", start_ns, end_ns, frame)

    def published(self, sink: str, start_ns: int, end_ns: int, frame: int) -> None:
        """A sink has had a frame."""
        self.add("publish", sink, start_ns, end_ns, frame)

    def stage(self, name: str, duration_ms: float) -> None:
        """A stage ended just now, in the pipeline's thread."""
        end_ns = monotonic_ns()
        self._pending.append(_Span("pipeline", name, end_ns - int(duration_ms * 1e6), end_ns, -1))

    def stage_ahead(self, name: str, start_ns: int, end_ns: int) -> None:
        """A stage of the frame at hand ran earlier, in a thread of its own."""
        self._ahead.append(_Span("network", name, start_ns, end_ns, -1))

    def frame_done(self, frame: int) -> None:
        """The stages since the last call belonged to this frame."""
        pending, self._pending = self._pending, []
        ahead, self._ahead = self._ahead, []
        if not pending:
            return
        with self._lock:
            whole = _Span("pipeline", "frame", pending[0].start_ns, pending[-1].end_ns, frame)
            self._spans.append(whole)
            self._spans.extend(span._replace(frame=frame) for span in (*ahead, *pending))

    def write(self, path: str) -> None:
        """Write everything kept. Raises PosestreamError where the file cannot be written."""
        with self._lock:
            spans = sorted(self._spans, key=lambda span: span.start_ns)
        try:
            with Path(path).open("w", encoding="utf-8") as file:
                file.write('{"displayTimeUnit": "ms", "traceEvents": [\n')
                file.write(",\n".join([*_names(spans), *map(_event, spans)]))
                file.write("\n]}\n")
        except OSError as error:
            raise unwritable(path, "trace", error) from None


class _TracedTimes(StageTimes):
    """Stage times that leave a span for each measurement."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace

    def add(self, stage: str, duration_ms: float) -> None:
        super().add(stage, duration_ms)
        self._trace.stage(stage, duration_ms)

    def add_between(self, stage: str, start_ns: int, end_ns: int) -> None:
        super().add(stage, (end_ns - start_ns) / 1e6)
        self._trace.stage_ahead(stage, start_ns, end_ns)


def _names(spans: list[_Span]) -> list[str]:
    tracks = [t for t in _TRACKS if t != "network" or any(span.track == t for span in spans)]
    return [_meta("process_name", 0, "posestream")] + [
        _meta("thread_name", _TRACKS.index(track), track) for track in tracks
    ]


def _meta(kind: str, thread: int, name: str) -> str:
    about = {"name": kind, "ph": "M", "pid": os.getpid(), "tid": thread, "args": {"name": name}}
    return json.dumps(about)


def _event(span: _Span) -> str:
    event: dict[str, Any] = {
        "name": span.name,
        "cat": span.track,
        "ph": "X",
        "ts": span.start_ns / 1e3,
        "dur": max(span.end_ns - span.start_ns, 0) / 1e3,
        "pid": os.getpid(),
        "tid": _TRACKS.index(span.track),
    }
    return json.dumps(event | ({"args": {"frame": span.frame}} if span.frame >= 0 else {}))
