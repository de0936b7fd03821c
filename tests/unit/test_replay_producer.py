"""Recordings played again: they end, go round, and let go in the midst of a long gap."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posestream import config
from posestream.daemon.producers import ReplayProducer
from posestream.publish.load import scripted_frame
from posestream.publish.recorder import RecorderSink
from posestream.types import Camera
from posestream.wire.messages import Hello

HELLO = Hello("1.0", Camera(np.eye(3) * 400.0, (640, 480)), 30.0)


async def recorded(path: Path, *times_s: float) -> Path:
    sink = RecorderSink(path, HELLO)
    await sink.start()
    for index, t_s in enumerate(times_s):
        sink.publish(replace(scripted_frame(index, 1, 0), t_capture_ns=round(t_s * 1e9)))
    await sink.close()
    return path


def producer(path: Path, *overrides: str) -> ReplayProducer:
    return ReplayProducer(str(path), config.load(None, overrides), lambda _: None)


@pytest.mark.parametrize("pace", ["fast", "realtime"])
async def test_every_frame_comes_once_or_again_and_again(tmp_path: Path, pace: str) -> None:
    path = await recorded(tmp_path / "a.psrec", 5.0, 5.01, 5.02)
    once = producer(path, f"source.pace={pace}")
    assert [frame.index for frame in once.frames()] == [0, 1, 2]
    again = producer(path, f"source.pace={pace}", "source.loop=true")
    seven = itertools.islice(again.frames(), 7)
    assert [frame.index for frame in seven] == [0, 1, 2, 0, 1, 2, 0]


async def test_a_recording_without_frames_does_not_go_round_for_ever(tmp_path: Path) -> None:
    path = await recorded(tmp_path / "a.psrec")
    assert list(producer(path, "source.loop=true").frames()) == []


async def test_closing_ends_the_wait_in_a_gap_of_hours(tmp_path: Path) -> None:
    made = producer(await recorded(tmp_path / "a.psrec", 0.0, 36_000.0))
    frames = made.frames()
    assert next(frames).index == 0
    rest: list[int] = []
    worker = threading.Thread(target=lambda: rest.extend(f.index for f in frames), daemon=True)
    worker.start()
    made.close()
    worker.join(20.0)
    assert not worker.is_alive() and rest == []
