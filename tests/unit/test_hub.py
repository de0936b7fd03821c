"""The hub: newest wins, failing sinks stay alone, people come and go."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from posestream.errors import PublishError
from posestream.publish.base import SinkKind, SinkStats
from posestream.publish.hub import Hub
from posestream.publish.load import scripted_frame
from posestream.types import AvatarFrame, Camera, TrackState
from posestream.wire.messages import Event, EventKind, Hello


@dataclass
class MemorySink:
    name: str = "memory"
    kind: SinkKind = "record"
    fail_start: bool = False
    fail_publish: bool = False
    frames: list[AvatarFrame] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    hellos: list[Hello] = field(default_factory=list)
    open: bool = False

    async def start(self) -> None:
        if self.fail_start:
            raise PublishError("Port 1 is in use.")
        self.open = True

    def publish(self, frame: AvatarFrame) -> None:
        self.frames.append(frame)
        if self.fail_publish:
            raise OSError("no route")

    def announce(self, event: Event) -> None:
        self.events.append(event)

    def describe(self, hello: Hello) -> None:
        self.hellos.append(hello)

    def stats(self) -> SinkStats:
        return SinkStats(messages=len(self.frames))

    async def close(self) -> None:
        self.open = False


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def frame(index: int, people: int = 1, **changes: Any) -> AvatarFrame:
    return replace(scripted_frame(index, people, index), **changes)


async def test_the_newest_frame_wins() -> None:
    sink = MemorySink()
    hub = Hub([sink])
    await hub.start()
    for index in range(10):
        hub.submit(frame(index))
    await settle()
    hub.submit(frame(10))
    await settle()
    assert [f.index for f in sink.frames] == [9, 10]
    assert (hub.submitted, hub.dropped) == (11, 9)


async def test_a_waiting_thread_loses_nothing() -> None:
    sink = MemorySink()
    hub = Hub([sink])
    await hub.start()

    def produce() -> None:
        for index in range(200):
            hub.submit(frame(index), wait_s=10.0)

    await asyncio.to_thread(produce)
    await settle()
    assert [f.index for f in sink.frames] == list(range(200))


async def test_calls_keep_their_place_among_frames() -> None:
    sink = MemorySink()
    hub = Hub([sink])
    await hub.start()
    seen: list[int] = []

    def produce() -> None:
        for index in range(20):
            hub.call(lambda: seen.append(len(sink.frames)))
            hub.submit(frame(index), wait_s=10.0)

    await asyncio.to_thread(produce)
    await settle()
    assert len(sink.frames) == 20
    assert all(before <= index for index, before in enumerate(seen))
    assert seen[0] == 0 and seen == sorted(seen) and len(seen) == 20


async def test_threads_may_submit_at_once() -> None:
    sink = MemorySink()
    hub = Hub([sink])
    await hub.start()
    threads = [
        threading.Thread(target=lambda: [hub.submit(frame(i)) for i in range(100)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await settle()
    assert len(sink.frames) == hub.submitted - hub.dropped and hub.submitted == 400


async def test_a_failing_sink_warns_once_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = MemorySink("bad", fail_publish=True), MemorySink("good")
    hub = Hub([bad, good])
    await hub.start()
    with caplog.at_level(logging.WARNING):
        for index in range(3):
            hub.submit(frame(index))
            await settle()
    assert len(good.frames) == len(bad.frames) == 3
    assert [r.message for r in caplog.records] == ["bad fails; the other outputs go on."]


async def test_a_sink_that_cannot_start_closes_the_others() -> None:
    first = MemorySink()
    with pytest.raises(PublishError, match="Port 1"):
        await Hub([first, MemorySink(fail_start=True)]).start()
    assert not first.open


async def test_people_appear_and_are_lost() -> None:
    sink = MemorySink()
    hub = Hub([sink])
    await hub.start()
    leaving = np.array([TrackState.TRACKED, TrackState.LOST], np.int64)
    held = np.array([TrackState.HELD], np.int64)
    for one in (frame(0, 2), frame(1, 2, state=leaving), frame(2, 1, state=held), frame(3, 0)):
        hub.submit(one)
        await settle()
    told = [(e.kind, e.track_id, e.slot, e.t_ns) for e in sink.events]
    assert told == [
        (EventKind.PERSON_APPEARED, 1, 0, 0),
        (EventKind.PERSON_APPEARED, 2, 1, 0),
        (EventKind.PERSON_LOST, 2, 1, 1),
        (EventKind.PERSON_LOST, 1, 0, 3),
    ]


async def test_events_and_hellos_pass_from_any_thread() -> None:
    sink = MemorySink()
    hub = Hub([sink])
    await hub.start()
    event = Event(EventKind.SOURCE_LOST, 5, text="unplugged")
    hello = Hello("1", Camera(np.eye(3), (4, 4)))
    await asyncio.to_thread(hub.announce, event)
    await asyncio.to_thread(hub.describe, hello)
    await settle()
    assert sink.events == [event] and sink.hellos == [hello]


async def test_frames_before_the_start_and_at_the_end_are_not_lost() -> None:
    sink = MemorySink()
    hub = Hub([sink])
    hub.submit(frame(1))
    await hub.start()
    await settle()
    hub.submit(frame(2))
    await hub.close()
    await hub.close()
    assert [f.index for f in sink.frames] == [1, 2] and not sink.open


def test_submitting_after_the_loop_has_gone_is_harmless() -> None:
    hub = Hub([MemorySink()])
    asyncio.run(hub.start())
    hub.submit(frame(0))
    hub.announce(Event(EventKind.SOURCE_LOST, 0))


async def test_sinks_come_and_go_while_running() -> None:
    hub = Hub()
    await hub.start()
    sink = MemorySink()
    await hub.add(sink)
    hub.submit(frame(0))
    await settle()
    assert hub.stats() == {"memory": SinkStats(messages=1)}
    await hub.remove(sink)
    hub.submit(frame(1))
    await settle()
    assert len(sink.frames) == 1 and not sink.open
