"""Sources that deliver few pictures a second are slow, not silent."""

from __future__ import annotations

from typing import Any

import pytest

from posestream import config
from posestream.daemon.producers import open_producer
from posestream.timing import StageTimes


def ignore(*_: Any) -> None:
    """Nobody listens."""


@pytest.mark.parametrize("fps", [2, 4])
def test_people_before_a_slow_source_are_seen_and_only_pictures_make_frames(fps: int) -> None:
    source = f"synthetic:people=1,seconds=3,fps={fps}"
    producer = open_producer(source, config.load(), StageTimes(), ignore, ignore)
    frames = list(producer.frames())
    indices = [frame.index for frame in frames]
    assert len(set(indices)) == len(indices) <= 3 * fps
    assert len(frames[-1]) == 1
