"""The capture thread: the newest frame wins, a lost camera is opened again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal

from posestream.capture.base import CaptureSettings, Source, SourceCounts, SourceLost
from posestream.errors import CaptureError
from posestream.timing import monotonic_ns
from posestream.types import Frame

log = logging.getLogger(__name__)

EventKind = Literal["lost", "recovered"]
EventCallback = Callable[[EventKind, str], None]
ReadCallback = Callable[[int, int, int], None]
"""``on_read(index, start_ns, end_ns)``: a frame was read; called in the thread that reads."""

_STOP_S: Final = 0.8


@dataclass(frozen=True, slots=True)
class LiveStats:
    """Where the frames went. ``dropped``: everything that was captured but never handed out."""

    read: int
    overwritten: int  # a newer frame came before anybody asked
    late: int
    stale: int
    broken: int
    reconnects: int

    @property
    def dropped(self) -> int:
        """Frames that the reader did not get although they were taken."""
        return self.overwritten + self.late + self.stale + self.broken


class LatestFrame:
    """Reads a live source in its own thread and keeps only the newest frame.

    ``reopen`` opens the source again after ``SourceLost``; without it, or where the source
    fails otherwise, ``get`` raises. Waits between tries double from ``reconnect_first_s`` to
    ``reconnect_max_s``. ``on_event`` is called in the capture thread with "lost" or
    "recovered" and a sentence.

    ``wait`` (seconds) -> whether to give up waits between tries; tests put their own here.
    """

    def __init__(
        self,
        source: Source,
        settings: CaptureSettings,
        reopen: Callable[[], Source] | None = None,
        on_event: EventCallback | None = None,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_read: ReadCallback | None = None,
    ) -> None:
        self.source = source
        self._on_read = on_read
        self._settings, self._reopen, self._on_event = settings, reopen, on_event
        self._stopping = threading.Event()
        self._wait = wait or self._stopping.wait
        self._clock = clock
        self._changed = threading.Condition()
        self._slot: Frame | None = None
        self._finished = False
        self._error: CaptureError | None = None
        self._read = self._overwritten = self._reconnects = 0
        self._closed_counts = SourceCounts()
        self._next_index = 0
        self._index_shift = 0
        self._last_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> LatestFrame:
        """Start reading."""
        self._thread.start()
        return self

    def __enter__(self) -> LatestFrame:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be had: at the end with the last frame taken, or stopped.

        False while ``get`` still has a failure to raise, so that no loop overlooks it.
        """
        with self._changed:
            failed = self._error is not None and not self._stopping.is_set()
            return self._finished and self._slot is None and not failed

    @property
    def silent_s(self) -> float:
        """Seconds since the last frame came; 0 before the first."""
        last_s = self._last_s
        return 0.0 if last_s is None else self._clock() - last_s

    def get(self, timeout_s: float) -> Frame | None:
        """The newest frame that was not handed out yet, waiting for it at most ``timeout_s``.

        None if none came, or at the end (see ``ended``). Raises CaptureError if the source
        failed for good, after its last frame was taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slot is not None or self._finished, timeout_s)
            frame, self._slot = self._slot, None
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def stats(self) -> LiveStats:
        """Counts so far, over all reconnections."""
        counts = SourceCounts()
        counts.add(self._closed_counts)
        counts.add(self.source.counts)
        return LiveStats(
            self._read, self._overwritten, counts.late, counts.stale, counts.broken,
            self._reconnects,
        )  # fmt: skip

    def stop(self) -> None:
        """End the thread. One that hangs in a driver is left behind: it ends with the process."""
        self._stopping.set()
        if self._thread.ident is None:  # never started
            self._close_source()
        elif self._thread is not threading.current_thread():
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                log.warning("%s does not answer and is left behind.", self.source.name)
        self._finish(None)

    def _run(self) -> None:
        error: CaptureError | None = None
        try:
            self._pump()
        except CaptureError as failure:
            error = failure
        except Exception as failure:
            log.exception("capture failed")
            error = CaptureError(f"Reading {self.source.name} failed unexpectedly: {failure!r}.")
        finally:
            self._finish(error)
            self._close_source()

    def _pump(self) -> None:
        while not self._stopping.is_set():
            try:
                frame = timed_read(self.source, self._on_read)
            except SourceLost as loss:
                if not self._recover(loss):
                    return
                continue
            if frame is None:
                return
            self._put(frame)

    def _put(self, frame: Frame) -> None:
        if self._index_shift:
            frame = replace(frame, index=frame.index + self._index_shift)
        with self._changed:
            self._read += 1
            self._overwritten += self._slot is not None
            self._next_index = frame.index + 1
            self._slot = frame
            self._last_s = self._clock()
            self._changed.notify_all()

    def _recover(self, loss: SourceLost) -> bool:
        """Open the source again; False if the thread was asked to stop meanwhile."""
        if self._reopen is None:
            raise loss
        self._close_source()  # first, or a replugged camera gets another number
        self._tell("lost", str(loss))
        source = self._reopened(self._reopen)
        if source is None:
            return False
        self._closed_counts.add(self.source.counts)
        self.source = source
        self._index_shift = self._next_index
        self._reconnects += 1
        self._tell("recovered", f"{source.name} is back.")
        return True

    def _reopened(self, reopen: Callable[[], Source]) -> Source | None:
        delay_s = self._settings.reconnect_first_s
        while not self._wait(delay_s) and not self._stopping.is_set():
            try:
                return reopen()
            except CaptureError as error:
                log.debug("not back yet: %s", error)
            delay_s = min(delay_s * 2.0, self._settings.reconnect_max_s)
        return None

    def _tell(self, kind: EventKind, sentence: str) -> None:
        log.info("%s", sentence)
        if self._on_event is not None:
            try:
                self._on_event(kind, sentence)
            except Exception:
                log.exception("the listener to capture events failed")

    def _finish(self, error: CaptureError | None) -> None:
        with self._changed:
            self._error = self._error or error
            self._finished = True
            self._changed.notify_all()

    def _close_source(self) -> None:
        with suppress(Exception):  # what is broken already may also fail to close
            self.source.close()


def timed_read(source: Source, on_read: ReadCallback | None) -> Frame | None:
    """The next frame; tells ``on_read`` how long it took."""
    if on_read is None:
        return source.read()
    start_ns = monotonic_ns()
    frame = source.read()
    if frame is not None:
        on_read(frame.index, start_ns, monotonic_ns())
    return frame


def every_frame(source: Source) -> Iterator[Frame]:
    """All frames of a source in order, none dropped, in the caller's thread; closes it."""
    try:
        while (frame := source.read()) is not None:
            yield frame
    finally:
        source.close()
