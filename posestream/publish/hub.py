"""From the pipeline's thread to every sink: newest frame wins, a failing sink stays alone."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

import numpy as np

from posestream.errors import PosestreamError
from posestream.publish.base import Sink, SinkStats
from posestream.timing import monotonic_ns
from posestream.types import AvatarFrame, TrackState
from posestream.wire.messages import Event, EventKind, Hello

_log = logging.getLogger(__name__)
_CLOSE_TIMEOUT_S = 1.5


@runtime_checkable
class EventSink(Protocol):
    """A sink that also carries events."""

    def announce(self, event: Event) -> None:
        """Send an event; never blocks."""


@runtime_checkable
class HelloSink(Protocol):
    """A sink that also says what the stream holds."""

    def describe(self, hello: Hello) -> None:
        """Send a new hello; never blocks."""


class Hub:
    """Hands frames from one thread into the event loop and there to all sinks.

    ``submit``, ``announce``, ``describe`` and ``call`` may be called from any thread;
    everything else from the event loop's. ``on_delivered`` is called there once all sinks
    have had a frame, ``on_published(sink, start_ns, end_ns, index)`` once each has.
    """

    def __init__(
        self,
        sinks: Sequence[Sink] = (),
        on_delivered: Callable[[AvatarFrame], None] | None = None,
        on_published: Callable[[str, int, int, int], None] | None = None,
    ) -> None:
        self._on_published = on_published
        self._sinks = list(sinks)
        self._on_delivered = on_delivered
        self._started: list[Sink] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room = threading.Condition()
        self._slot: AvatarFrame | None = None
        self._present: dict[int, int] = {}  # track id to slot
        self._failing: set[str] = set()
        self.submitted = 0
        self.dropped = 0  # frames replaced by newer ones before the loop took them

    async def start(self) -> None:
        """Start all sinks; if one cannot start, those that did are closed again.

        Raises:
            PosestreamError: what the sink says.
        """
        self._loop = asyncio.get_running_loop()
        try:
            for sink in self._sinks:
                await self._start(sink)
        except PosestreamError:
            await self.close()
            raise
        self._deliver()

    async def add(self, sink: Sink) -> None:
        """Start one more sink while running. Raises what the sink raises."""
        await self._start(sink)
        self._sinks.append(sink)

    async def remove(self, sink: Sink) -> None:
        """Stop a sink while running."""
        self._sinks = [s for s in self._sinks if s is not sink]
        self._started = [s for s in self._started if s is not sink]
        await self._close_sink(sink)

    async def _start(self, sink: Sink) -> None:
        await sink.start()
        self._started.append(sink)

    def submit(self, frame: AvatarFrame, *, wait_s: float = 0.0) -> None:
        """Hand over a frame; it replaces one that was not taken yet.

        With ``wait_s`` the caller waits that long for the earlier frame to be taken first:
        for sources that must not lose frames.
        """
        with self._room:
            if wait_s > 0.0:
                self._room.wait_for(lambda: self._slot is None, wait_s)
            self.submitted += 1
            idle = self._slot is None
            self.dropped += not idle
            self._slot = frame
        if idle:
            self.call(self._deliver)

    def announce(self, event: Event) -> None:
        """Pass an event to all sinks that carry events."""
        self.call(self._announce, event)

    def describe(self, hello: Hello) -> None:
        """Pass a new hello to all sinks that carry one."""
        self.call(self._describe, hello)

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function`` in the event loop, behind what was handed over before."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has closed: nobody is there to be told
                self._loop.call_soon_threadsafe(function, *arguments)

    def _deliver(self) -> None:
        with self._room:
            frame, self._slot = self._slot, None
            self._room.notify_all()
        if frame is None:
            return
        for sink in list(self._started):
            start_ns = monotonic_ns()
            self._guarded(sink, sink.publish, frame)
            if self._on_published is not None:
                self._on_published(sink.name, start_ns, monotonic_ns(), frame.index)
        if self._on_delivered is not None:
            self._on_delivered(frame)
        for event in self._changes(frame):
            self._announce(event)

    def _changes(self, frame: AvatarFrame) -> list[Event]:
        """Who came and who left, compared with the last frame that was delivered."""
        there = np.asarray(frame.state) != TrackState.LOST
        ids, slots = frame.track_id[there].tolist(), frame.slot[there].tolist()
        now: dict[int, int] = dict(zip(ids, slots, strict=True))
        before, self._present = self._present, now
        lost = [(t, s, EventKind.PERSON_LOST) for t, s in before.items() if t not in now]
        new = [(t, s, EventKind.PERSON_APPEARED) for t, s in now.items() if t not in before]
        return [Event(kind, frame.t_capture_ns, s, t) for t, s, kind in lost + new]

    def _announce(self, event: Event) -> None:
        for sink in list(self._started):
            if isinstance(sink, EventSink):
                self._guarded(sink, sink.announce, event)

    def _describe(self, hello: Hello) -> None:
        for sink in list(self._started):
            if isinstance(sink, HelloSink):
                self._guarded(sink, sink.describe, hello)

    def _guarded(self, sink: Sink, call: Callable[[Any], None], argument: Any) -> None:
        try:
            call(argument)
        except Exception:
            if sink.name not in self._failing:
                self._failing.add(sink.name)
                _log.warning("%s fails; the other outputs go on.", sink.name, exc_info=True)

    def stats(self) -> dict[str, SinkStats]:
        """Counts of every sink by its name."""
        return {sink.name: sink.stats() for sink in self._sinks}

    async def close(self) -> None:
        """Deliver what is waiting, then close all sinks that were started. Safe to call twice."""
        self._deliver()
        started, self._started = self._started, []
        await asyncio.gather(*(self._close_sink(sink) for sink in started))

    async def _close_sink(self, sink: Sink) -> None:
        try:
            await asyncio.wait_for(sink.close(), _CLOSE_TIMEOUT_S)
        except TimeoutError:
            _log.warning("%s could not be closed in time.", sink.name)
        except Exception:
            _log.warning("%s could not be closed.", sink.name, exc_info=True)
