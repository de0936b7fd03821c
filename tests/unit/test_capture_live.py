"""The newest-wins slot and reconnection, with sources that do what real ones do badly."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from posestream.capture import open_source
from posestream.capture.base import CaptureSettings, Source, SourceCounts, SourceLost, camera_for
from posestream.capture.live import LatestFrame, every_frame
from posestream.errors import CaptureError
from posestream.types import Frame

SETTINGS = CaptureSettings()
LONG_S = 20.0  # limit for what must happen; never reached when it does


class ScriptedSource:
    """Delivers frames until ``script`` (called with the index) returns or raises otherwise."""

    live = True
    fps: float | None = 30.0

    def __init__(self, script: Callable[[int], bool], name: str = "camera:0 (fake)") -> None:
        self.name = name
        self.camera = camera_for((16, 16), SETTINGS)
        self.counts = SourceCounts()
        self.script = script
        self.index = -1
        self.closed = threading.Event()

    def read(self) -> Frame | None:
        self.index += 1
        if not self.script(self.index):
            return None
        return Frame(self.index, self.index, np.zeros((16, 16, 3), dtype=np.uint8), self.camera)

    def close(self) -> None:
        self.closed.set()


def _lost(_: int) -> bool:
    raise SourceLost("the camera is gone.")


def _taken(latest: LatestFrame) -> list[int]:
    """Indices of everything handed out until the end."""
    indices = []
    while not latest.ended:
        frame = latest.get(LONG_S)
        if frame is not None:
            indices.append(frame.index)
    return indices


def test_a_slow_reader_gets_the_newest_frame_and_the_rest_is_counted() -> None:
    written = threading.Event()

    def script(index: int) -> bool:
        if index == 100:
            written.set()
        return index < 100

    with LatestFrame(ScriptedSource(script), SETTINGS) as latest:
        assert written.wait(LONG_S)
        assert _taken(latest) == [99]
        stats = latest.stats()
    assert (stats.read, stats.overwritten, stats.dropped) == (100, 99, 99)


def test_a_reader_in_time_gets_every_frame_and_the_last_one_too() -> None:
    taken = threading.Semaphore(0)

    def script(index: int) -> bool:
        assert index == 0 or taken.acquire(timeout=LONG_S)
        return index < 20

    indices = []
    with LatestFrame(ScriptedSource(script), SETTINGS) as latest:
        while not latest.ended:
            frame = latest.get(LONG_S)
            if frame is not None:
                indices.append(frame.index)
                taken.release()
    assert indices == list(range(20))
    assert latest.stats().dropped == 0


def test_no_frame_within_the_time_is_none_and_not_the_end() -> None:
    go_on = threading.Event()
    with LatestFrame(ScriptedSource(lambda _: not go_on.wait(LONG_S)), SETTINGS) as latest:
        assert latest.get(0.01) is None
        assert not latest.ended
        go_on.set()
        assert latest.get(LONG_S) is None
        assert latest.ended


def test_an_unplugged_camera_comes_back_with_growing_waits() -> None:
    first = ScriptedSource(lambda i: i < 3 or _lost(i))
    second = ScriptedSource(lambda i: i < 2)
    waits: list[float] = []
    events: list[str] = []
    closed_before_reopening: list[bool] = []

    def reopen() -> Source:
        closed_before_reopening.append(first.closed.is_set())
        if len(waits) < 8:
            raise CaptureError("still not there.")
        return second

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    first.counts.stale = 4
    latest = LatestFrame(first, SETTINGS, reopen, lambda kind, _: events.append(kind), wait)
    with latest:
        indices = _taken(latest)
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert events == ["lost", "recovered"]
    assert all(closed_before_reopening)
    assert indices[-1] == 4  # 0 1 2 of the first, 3 4 of the second: indices go on rising
    assert indices == sorted(indices)
    stats = latest.stats()
    assert (stats.read, stats.reconnects, stats.stale) == (5, 1, 4)
    assert second.closed.is_set()


def test_losses_repeat_and_each_starts_with_a_short_wait() -> None:
    waits: list[float] = []
    sources = [ScriptedSource(lambda i: i < 1 or _lost(i)) for _ in range(3)]
    sources.append(ScriptedSource(lambda i: i < 1))
    rest = iter(sources[1:])

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    with LatestFrame(sources[0], SETTINGS, lambda: next(rest), wait=wait) as latest:
        _taken(latest)
        assert latest.stats().reconnects == 3
    assert waits == [0.25] * 3


def test_without_a_way_to_reopen_the_loss_reaches_the_reader_after_the_last_frame() -> None:
    with LatestFrame(ScriptedSource(lambda i: i < 1 or _lost(i)), SETTINGS) as latest:
        assert latest.get(LONG_S) is not None
        with pytest.raises(SourceLost, match="gone"):
            latest.get(LONG_S)


def test_a_failure_is_not_mistaken_for_the_end() -> None:
    source = ScriptedSource(_lost)
    with LatestFrame(source, SETTINGS) as latest:
        assert source.closed.wait(LONG_S)  # the thread has done all that it will do
        assert not latest.ended
        with pytest.raises(SourceLost):
            latest.get(LONG_S)


def test_a_bug_in_a_source_reaches_the_reader_as_our_error() -> None:
    source = ScriptedSource(lambda i: i < 1 // 0)
    with (
        LatestFrame(source, SETTINGS) as latest,
        pytest.raises(CaptureError, match=r"camera:0 .* failed unexpectedly: ZeroDivisionError"),
    ):
        latest.get(LONG_S)
    assert source.closed.wait(LONG_S)


def test_a_failing_listener_does_not_stop_the_camera() -> None:
    def listener(kind: str, sentence: str) -> None:
        raise RuntimeError(kind)

    first = ScriptedSource(lambda i: i < 1 or _lost(i))
    second = ScriptedSource(lambda i: i < 1)
    with LatestFrame(first, SETTINGS, lambda: second, listener, lambda _: False) as latest:
        assert _taken(latest)[-1] == 1


def test_stop_while_reconnecting_ends_the_thread() -> None:
    def never() -> Source:
        raise CaptureError("still not there.")

    trying = threading.Event()
    source = ScriptedSource(_lost)
    latest = LatestFrame(source, SETTINGS, never, lambda *_: trying.set()).start()
    assert trying.wait(LONG_S)
    latest.stop()
    assert not latest._thread.is_alive()
    assert latest.ended


def test_stop_leaves_a_hanging_driver_behind() -> None:
    release = threading.Event()
    hangs = threading.Event()

    def script(index: int) -> bool:
        hangs.set()
        return not release.wait(LONG_S)

    source = ScriptedSource(script)
    latest = LatestFrame(source, SETTINGS).start()
    assert hangs.wait(LONG_S)
    latest.stop()
    assert latest._thread.is_alive()  # stop returned although read() did not
    assert latest._thread.daemon
    assert not source.closed.is_set()  # closing under a reader's feet crashes drivers
    assert latest.ended
    release.set()
    assert source.closed.wait(LONG_S)  # it tidies up once the driver answers


def test_a_source_that_was_never_started_is_closed() -> None:
    source = ScriptedSource(lambda _: False)
    LatestFrame(source, SETTINGS).stop()
    assert source.closed.is_set()


def test_every_frame_drops_nothing_and_closes() -> None:
    source = ScriptedSource(lambda i: i < 50)
    assert [frame.index for frame in every_frame(source)] == list(range(50))
    assert source.closed.is_set()


def test_scripted_people_live_end_with_the_last_frame() -> None:
    source = open_source("synthetic:people=1,seconds=0.2,fps=100,size=64x36", SETTINGS)
    assert source.live
    with LatestFrame(source, SETTINGS) as latest:
        indices = _taken(latest)
        stats = latest.stats()
    assert indices == sorted(set(indices))
    assert len(indices) + stats.dropped == 20
