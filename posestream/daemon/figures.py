"""What a run measures of itself: the status line and the summary file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from posestream.errors import PosestreamError
from posestream.publish.base import SinkKind, SinkStats
from posestream.timing import Histogram, StageTimes
from posestream.types import AvatarFrame, TrackState


@dataclass(slots=True)
class Figures:
    """Counts of one run. Written by the worker's thread, read by the status line."""

    times: StageTimes = field(default_factory=StageTimes)
    latency: Histogram = field(default_factory=Histogram)
    frames: int = 0
    people_now: int = 0
    people_max: int = 0
    people_sum: int = 0
    started_s: float | None = None
    ended_s: float | None = None
    _recent: list[float] = field(default_factory=list)

    def count(self, frame: AvatarFrame) -> None:
        """Count one frame that left the pipeline."""
        now_s = time.perf_counter()
        if self.started_s is None:
            self.started_s = now_s
        self.ended_s = now_s
        self.frames += 1
        self.people_now = int((frame.state == TrackState.TRACKED).sum())
        self.people_max = max(self.people_max, self.people_now)
        self.people_sum += self.people_now
        self._recent = [t for t in self._recent[-120:] if now_s - t < 2.0] + [now_s]

    def recent_fps(self) -> float:
        """Frames per second over the last two seconds."""
        recent = self._recent
        if len(recent) < 2 or recent[-1] <= recent[0]:
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])

    def mean_fps(self) -> float:
        """Frames per second from the first to the last frame."""
        if self.started_s is None or self.ended_s is None or self.frames < 2:
            return 0.0
        return (self.frames - 1) / max(self.ended_s - self.started_s, 1e-9)

    def seconds(self) -> float:
        """From the first to the last frame."""
        if self.started_s is None or self.ended_s is None:
            return 0.0
        return self.ended_s - self.started_s


def sent_by_kind(stats: Callable[[SinkKind], SinkStats]) -> dict[str, dict[str, int]]:
    """Messages and bytes that left, per kind of sink."""
    kinds: tuple[SinkKind, ...] = ("vmc", "vrchat", "websocket")
    counts = {kind: stats(kind) for kind in kinds}
    return {kind: {"messages": s.messages, "bytes": s.bytes} for kind, s in counts.items()}


def peak_rss_mb() -> float:
    """The most memory that this process ever held."""
    if psutil.LINUX:  # getrusage there counts what the parent held when it forked, too
        peak = Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")[2]
        if peak:  # some kernels do not tell
            return int(peak.split(maxsplit=1)[0]) / 2**10
    if psutil.WINDOWS:
        return float(psutil.Process().memory_info().peak_wset) / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if psutil.MACOS else 2**10)


def check_writable(path: str, what: str) -> None:
    """Raise PosestreamError now where writing ("summary", "trace") would in the end."""
    try:
        with Path(path).open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise unwritable(path, what, error) from None


def write_summary(path: str, summary: dict[str, Any]) -> None:
    """Write ``summary`` as JSON; raises PosestreamError where the file cannot be written."""
    try:
        Path(path).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, "summary", error) from None


def unwritable(path: str, what: str, error: OSError) -> PosestreamError:
    """The sentence for the user."""
    return PosestreamError(
        f"The {what} cannot be written to {path}: {error.strerror}; choose another file."
    )
