"""What runs before its turn: in order, newest wins, and failures are heard in their place."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from posestream.assets import DEMO_CLIP
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.config import load
from posestream.daemon import ahead
from posestream.daemon.ahead import Prepared, one_ahead, prepare, warmed
from posestream.daemon.producers import PictureProducer
from posestream.daemon.trace import Trace
from posestream.errors import BackendError, CaptureError
from posestream.estimate.registry import create
from posestream.geometry.camera import intrinsics_from_fov
from posestream.pipeline import Look
from posestream.skeleton.joints import NUM_JOINTS
from posestream.timing import StageTimes
from posestream.types import Camera, Estimate, Frame, People2D

CAMERA = Camera(intrinsics_from_fov((8, 8), 60.0), (8, 8))
NOBODY = Estimate(People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0)))
WAIT_S = 60.0


def frame(index: int) -> Frame:
    return Frame(index, index, np.zeros((8, 8, 3), np.uint8), CAMERA)


class Network:
    """Notes what it looked at, and in which thread; fails on pictures that are told."""

    name = "network"

    def __init__(self, fails: tuple[int, ...] = ()) -> None:
        self.fails = fails
        self.seen: list[int] = []
        self.threads: set[str] = set()
        self.closed = 0

    def look(self, frame: Frame) -> Look:
        return Look(self.estimate(frame), 0, 1)

    def estimate(self, frame: Frame) -> Estimate:
        self.threads.add(threading.current_thread().name)
        self.seen.append(frame.index)
        if frame.index in self.fails:
            raise BackendError(f"picture {frame.index}")
        return NOBODY

    def close(self) -> None:
        self.closed += 1


def test_frames_come_in_order_and_are_looked_at_in_another_thread() -> None:
    network = Network()
    frames = [frame(0), None, frame(1), frame(2)]
    got = list(one_ahead(iter(frames), network.look))
    assert [None if o.frame is None else o.frame.index for o in got] == [0, None, 1, 2]
    assert all(o.look is not None and o.look().estimate is NOBODY for o in got if o.frame)
    assert network.seen == [0, 1, 2]
    assert network.threads == {"network"}


def test_the_next_look_runs_while_this_one_is_worked_on_and_never_more() -> None:
    network, asked = Network(), []
    looked = threading.Event()

    def frames() -> Iterator[Frame]:
        for index in range(50):
            asked.append(index)
            if index == 2:
                looked.set()
            yield frame(index)

    outcomes = one_ahead(frames(), network.look)
    next(outcomes)
    assert looked.wait(WAIT_S)  # frame 1 is done and lies ready, 2 is being looked at
    next(outcomes)
    for _ in range(5):  # whatever time passes, no further frame is asked for
        assert max(asked) <= 4
    outcomes.close()
    assert max(asked) < 10


def test_a_failed_look_is_heard_with_its_own_frame() -> None:
    outcomes = list(one_ahead(map(frame, range(3)), Network(fails=(1,)).look))
    for index, outcome in enumerate(outcomes):
        assert outcome.look is not None
        if index == 1:
            with pytest.raises(BackendError, match="picture 1"):
                outcome.look()
        else:
            assert outcome.look().estimate is NOBODY


def test_a_failing_source_ends_it_after_what_was_looked_at() -> None:
    def frames() -> Iterator[Frame]:
        yield frame(0)
        raise CaptureError("unplugged")

    outcomes = one_ahead(frames(), Network().look)
    assert next(outcomes).frame is not None
    with pytest.raises(CaptureError, match="unplugged"):
        next(outcomes)


def test_who_stops_listening_ends_the_thread() -> None:
    outcomes = one_ahead(map(frame, range(10_000)), Network().look)
    next(outcomes)
    outcomes.close()
    assert "network" not in {t.name for t in threading.enumerate()}


@pytest.mark.parametrize("overlap", [False, True])
def test_a_producer_gives_the_same_people_with_overlap(overlap: bool) -> None:
    settings = load(None, [f"estimate.overlap={str(overlap).lower()}"])
    times = StageTimes()
    source = "synthetic:people=2,seconds=1,fps=15,size=160x90"
    made = PictureProducer(source, settings, times, lambda *_: None, lambda _: None)
    frames = [f for f in made.frames() if len(f)]
    assert [f.index for f in frames] == sorted(f.index for f in frames)
    assert all(len(f) == 2 for f in frames[1:])
    assert {"estimate", "track", "smooth"} <= set(times.histograms())
    counts = {name: histogram.total for name, histogram in times.histograms().items()}
    assert 0 < counts["estimate"] == counts["locate"] <= counts["retarget"]  # while it is silent


def test_what_is_prepared_is_taken_or_closed() -> None:
    network = Network()
    assert Prepared(lambda: network).take() is network
    unwanted = Network()
    prepared = Prepared(lambda: unwanted)
    prepared.discard()
    prepared.take()
    assert unwanted.closed == 1 and network.closed == 0


def test_what_cannot_be_made_is_said_to_who_takes_it() -> None:
    def fails() -> Network:
        raise BackendError("no models")

    prepared = Prepared(fails)
    prepared.discard()
    with pytest.raises(BackendError, match="no models"):
        prepared.take()


def test_warming_up_looks_at_one_picture_and_minds_no_failure() -> None:
    network = Network()
    assert warmed(network) is network and network.seen == [0]
    assert warmed(Network(fails=(0,))).name == "network"


@pytest.mark.parametrize(
    ("source", "begins"),
    [("camera:0", True), ("rtsp://nowhere/", True), (__file__, True), ("no such file.mp4", False),
     ("replay:take.psrec", False), ("synthetic:", False)],
)  # fmt: skip
def test_models_are_loaded_ahead_where_there_may_be_pictures(
    source: str, begins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Network()
    monkeypatch.setattr(ahead, "create", lambda *_: made)
    prepared = prepare(source, load())
    assert (prepared is not None) == begins
    if prepared is not None:
        assert prepared.take() is made


def test_a_producer_takes_what_is_prepared() -> None:
    network = Network()
    settings = load(None, ["source.pace=fast", "estimate.backend=mediapipe"])
    assert settings.source != CaptureSettings()
    made = PictureProducer(
        "synthetic:people=1,seconds=0.2", settings, StageTimes(), lambda *_: None, lambda _: None,
        prepared=Prepared(lambda: network),
    )  # fmt: skip
    assert len(list(made.frames())) == len(network.seen) > 0
    assert network.closed == 1


def test_a_look_ahead_has_a_track_of_its_own_in_the_trace(tmp_path: Path) -> None:
    trace = Trace()
    trace.times.add_between("estimate", 1_000_000, 5_000_000)
    trace.times.add("track", 0.1)
    trace.frame_done(7)
    trace.write(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    spans = {e["name"]: e for e in events if e["ph"] == "X"}
    assert tracks[spans["estimate"]["tid"]] == "network"
    assert tracks[spans["frame"]["tid"]] == tracks[spans["track"]["tid"]] == "pipeline"
    assert spans["estimate"]["args"] == {"frame": 7} and spans["estimate"]["dur"] == 4000.0
    assert spans["frame"]["ts"] == spans["track"]["ts"]
    assert trace.times.histograms()["estimate"].total == 1


@pytest.mark.mediapipe
def test_a_blank_picture_changes_nothing_of_what_is_found_later() -> None:
    source = open_source(str(DEMO_CLIP), CaptureSettings(pace="fast"))
    frames = [frame for _ in range(3) if (frame := source.read()) is not None]
    source.close()
    found = []
    for prepared in (lambda made: made, warmed):
        made = prepared(create("mediapipe", load().estimate))
        found.append([made.estimate(frame).people2d.xy_px for frame in frames])
        made.close()
    assert sum(map(len, found[0])) > 0
    for cold, warm in zip(*found, strict=True):
        np.testing.assert_array_equal(cold, warm)
