"""Where avatar frames come from: who closes the source, and what is said of its camera."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from posestream import config
from posestream.capture import open_source
from posestream.capture.synthetic import SyntheticSource
from posestream.daemon.producers import PictureProducer
from posestream.daemon.sources import first_camera
from posestream.locate.floor import camera_pose, up_from_tilt
from posestream.timing import StageTimes

SOURCE = "synthetic:people=1,seconds=3"
FLOOR = ("floor.camera_height_m=1.7", "floor.camera_pitch_deg=-20", "floor.camera_roll_deg=3")
FAST = "source.pace=fast"


@pytest.fixture
def closed_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the threads that closed a source."""
    names: list[str] = []
    close = SyntheticSource.close

    def noted(source: SyntheticSource) -> None:
        names.append(threading.current_thread().name)
        close(source)

    monkeypatch.setattr(SyntheticSource, "close", noted)
    return names


def producer(*overrides: str, heard: list[str] | None = None) -> PictureProducer:
    heard = [] if heard is None else heard
    settings = config.load(None, overrides)
    return PictureProducer(SOURCE, settings, StageTimes(), lambda *_: None, heard.append)


@pytest.mark.parametrize("pace", ["fast", "realtime"])
def test_a_source_is_closed_by_the_thread_that_reads_it(pace: str, closed_in: list[str]) -> None:
    made = producer(f"source.pace={pace}")
    started = threading.Event()

    def read() -> None:
        for _ in made.frames():
            started.set()

    worker = threading.Thread(target=read, name="worker")
    worker.start()
    assert started.wait(20.0)
    made.close()
    worker.join(20.0)
    assert closed_in == ["worker" if pace == "fast" else "capture"]


def test_a_source_that_nobody_reads_is_closed_at_once(closed_in: list[str]) -> None:
    made = producer(FAST)
    made.close()
    assert closed_in == [threading.current_thread().name]
    assert list(made.frames()) == []


def test_a_source_whose_back_end_fails_is_closed(closed_in: list[str]) -> None:
    made = producer(FAST)
    frames = made.frames()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError, match="no models"):
        patch.setattr("posestream.daemon.producers.create", _fails)
        next(frames)
    assert closed_in == [threading.current_thread().name]


def _fails(*_: object) -> None:
    raise RuntimeError("no models")


def test_the_first_camera_stands_where_the_floors_settings_say() -> None:
    settings = config.load(None, FLOOR)
    opened = open_source(SOURCE, settings.source)
    up = up_from_tilt(np.radians(-20.0), np.radians(3.0))
    told = first_camera(opened, "clip.mp4", settings)
    np.testing.assert_allclose(told.T_world_cam, camera_pose(up, 1.7), atol=1e-12)
    exact = first_camera(opened, SOURCE, settings)
    assert exact is opened.camera


def test_the_camera_is_described_with_the_first_frame_that_has_it_recentred() -> None:
    heard: list[str] = []
    made = producer(FAST, heard=heard)
    frames = made.frames()
    for _ in range(8):
        next(frames)
    before = made.camera.T_world_cam
    assert heard == []
    made.recentre(0)
    np.testing.assert_array_equal(made.camera.T_world_cam, before)
    frame = next(frames)
    assert heard == ["recentred"]
    assert np.linalg.norm(frame.root_world_m[0, [0, 2]]) < 0.2
    assert not np.allclose(made.camera.T_world_cam, before)
    made.recentre(None)
    next(frames)
    np.testing.assert_allclose(made.camera.T_world_cam, before)
    made.recalibrate()
    next(frames)
    made.configure(config.load(None, [FAST, *FLOOR]))
    next(frames)
    assert heard == ["recentred", "recentred", "calibration started anew",
                     "the floor's settings changed"]  # fmt: skip
    frames.close()
