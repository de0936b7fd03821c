"""Commands that come at the same time, and recordings that failed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from posestream import config
from posestream.daemon.control import Control
from posestream.daemon.outputs import Outputs
from posestream.errors import ConfigError, RecordingError
from posestream.publish.hub import Hub
from posestream.settings import Settings
from posestream.types import Camera
from posestream.wire.messages import Event, Hello


class Told:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.settings = config.load(None, ["vmc=[]"])
        self.neutral = 0

    def configure(self, settings: Settings) -> None:
        self.settings = settings

    def recentre(self, slot: int | None) -> None: ...

    def recalibrate(self) -> None: ...

    def learn_neutral(self) -> None:
        self.neutral += 1

    def hello(self) -> Hello:
        return Hello("test", Camera(np.eye(3), (640, 480)), 30.0, 1)


class SlowOutputs(Outputs):
    """Whose hosts take a while to be found."""

    async def configure(self, before: Settings, after: Settings) -> None:
        await asyncio.sleep(0.01)


def control(folder: Path, outputs: type[Outputs] = Outputs) -> tuple[Control, Told, Outputs]:
    told, made = Told(), outputs(Hub(), None)
    events: list[Event] = []
    return Control(told, made, folder, events.append), told, made


async def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    command, told, _ = control(tmp_path, SlowOutputs)
    await asyncio.gather(
        command("set", {"key": "smooth.smoothness", "value": 0.25}),
        command("set", {"key": "track.hold_s", "value": 0.75}),
        command("set", {"key": "retarget.mirror", "value": True}),
    )
    kept = (told.settings.smooth.smoothness, told.settings.track.hold_s)
    assert kept == (0.25, 0.75) and told.settings.retarget.mirror


async def test_a_recording_that_failed_makes_room_for_the_next(tmp_path: Path) -> None:
    command, _, outputs = control(tmp_path)
    await command("record", {"name": "one"})
    (failed,) = outputs.all
    failed._stop_early("the disk is full")
    await command("record", {"name": "two"})
    assert [sink.name for sink in outputs.all] == ["record two.psrec"]
    with pytest.raises(RecordingError, match=r"two\.psrec is being recorded"):
        await command("record", {"name": "three"})
    assert (await command("stop_record", {}))["file"] == str(tmp_path / "two.psrec")
    assert outputs.all == []


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command, _, outputs = control(tmp_path / "file" / "recordings")
    with pytest.raises(RecordingError, match="recordings cannot be made"):
        await command("record", {"name": "one"})
    assert outputs.all == []


async def test_a_neutral_face_is_learnt_only_where_one_is_looked_at(tmp_path: Path) -> None:
    commands, told, _ = control(tmp_path)
    with pytest.raises(ConfigError, match=r"perform\.face"):
        await commands("neutral", {})
    await commands("set", {"key": "perform.face", "value": True})
    await commands("neutral", {})
    assert told.neutral == 1
