"""Faults put in on purpose: each is recovered from, or ends the run with a reason.

The other faults have their tests where their parts are: a full disk in ``test_recording`` and
``test_bad_input``, a port in use in ``test_bad_input``, a client that never reads in
``test_websocket_stream`` and ``test_hostile_clients``, a driver that hangs in
``test_capture_live``, a network stream that dies in ``test_capture_http``.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from websockets.sync.client import connect

from posestream import config
from posestream.capture import open_source
from posestream.capture.cameras import CameraInfo
from posestream.capture.live import every_frame
from posestream.capture.replay import ReplayReader
from posestream.daemon.producers import PictureProducer
from posestream.errors import BackendError, PosestreamError
from posestream.estimate.registry import create
from posestream.pipeline import Pipeline
from posestream.publish.recorder import RecorderSink
from posestream.skeleton.joints import NUM_JOINTS
from posestream.timing import StageTimes
from posestream.types import AvatarFrame, Camera, Estimate, Frame, People2D, PeopleRoot
from posestream.wire import recording
from posestream.wire.messages import Hello

LONG_S = 30.0
posix = pytest.mark.skipif(sys.platform == "win32", reason="counts POSIX file handles")
PICTURE = np.full((48, 64, 3), 90, dtype=np.uint8)


class Driver:
    """Behaves as a Video4Linux camera at the boundary to OpenCV does: waits, delivers, vanishes."""

    def __init__(self, pictures: Iterator[Any], plugged: threading.Event) -> None:
        self.pictures, self.plugged = pictures, plugged
        self.released = False

    def grab(self) -> bool:
        time.sleep(0.005)
        return self.plugged.is_set()

    def retrieve(self) -> tuple[bool, Any]:
        picture = next(self.pictures)
        return picture is not None, picture

    def get(self, prop: int, /) -> float:
        return 120.0 if prop == cv2.CAP_PROP_FPS else 0.0

    def set(self, prop: int, value: float, /) -> bool:
        return True

    def release(self) -> None:
        self.released = True


class Engine:
    """Finds nobody; notes what it was given; fails where ``fails`` (call number) says so."""

    name = "engine"

    def __init__(self, fails: Callable[[int], bool] = lambda _: False) -> None:
        self.fails = fails
        self.calls = 0
        self.seen: list[tuple[tuple[int, ...], Any, tuple[int, int]]] = []
        self.closed = False

    def estimate(self, frame: Frame) -> Estimate:
        self.calls += 1
        self.seen.append((frame.image.shape, frame.image.dtype, frame.camera.size_px))
        if self.fails(self.calls):
            raise RuntimeError("CUDA error: device lost")
        none = np.zeros((0, NUM_JOINTS))
        people = People2D(np.zeros((0, NUM_JOINTS, 2)), none, np.zeros(0))
        return Estimate(people, root3d=PeopleRoot(np.zeros((0, NUM_JOINTS, 3))))

    def close(self) -> None:
        self.closed = True


class Rig:
    """A producer on a fake camera with fake engines."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plugged = threading.Event()
        self.plugged.set()
        self.pictures: Iterator[Any] = itertools.repeat(PICTURE)
        self.drivers: list[Driver] = []
        self.engines: list[Engine] = []
        self.make_engine: Callable[[], Engine] = Engine
        self.events: list[tuple[str, str]] = []
        find = "posestream.capture.opening.find_camera"
        monkeypatch.setattr(find, lambda _: CameraInfo(0, "fake"))
        monkeypatch.setattr("posestream.capture.opencv.open_camera", lambda *_: self._driver())
        monkeypatch.setattr("posestream.daemon.producers.create", lambda *_: self._engine())

    def _driver(self) -> Driver:
        self.drivers.append(Driver(self.pictures, self.plugged))
        return self.drivers[-1]

    def _engine(self) -> Engine:
        self.engines.append(self.make_engine())
        return self.engines[-1]

    def producer(self, source: str = "camera:0", *overrides: str) -> PictureProducer:
        settings = config.load(None, ["source.reconnect_first_s=0.05", *overrides])
        note = lambda kind, said: self.events.append((kind, said))  # noqa: E731
        return PictureProducer(source, settings, StageTimes(), note, lambda _: None)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(monkeypatch)


def taken(producer: PictureProducer, until: Callable[[int, AvatarFrame], bool]) -> list[Any]:
    """Frames until the condition (count, frame) holds; ends the producer."""
    frames, deadline = [], time.monotonic() + LONG_S
    for frame in producer.frames():
        frames.append(frame)
        if until(len(frames), frame):
            producer.close()
        assert time.monotonic() < deadline, "nothing came of it"
    return frames


def test_an_unplugged_camera_is_waited_for_and_taken_up_again(rig: Rig) -> None:
    producer = rig.producer()

    def script(count: int, frame: AvatarFrame) -> bool:
        if count == 5:
            rig.plugged.clear()
        if rig.kinds() == ["lost"] and len(rig.drivers) >= 3:  # two tries have failed
            rig.plugged.set()
        return rig.kinds() == ["lost", "recovered"] and count > 12

    frames = taken(producer, script)
    assert rig.kinds() == ["lost", "recovered"]
    assert all(driver.released for driver in rig.drivers)
    times = [frame.t_capture_ns for frame in frames]
    assert times == sorted(times)
    assert all(engine.closed for engine in rig.engines)


def test_pictures_of_any_kind_reach_the_engine_as_pictures_or_not_at_all(rig: Rig) -> None:
    dice = np.random.default_rng(3)
    odd: list[Any] = [
        PICTURE,
        np.full((96, 128, 3), 90, np.uint8),  # another size
        np.full((48, 64), 90, np.uint8),  # grey
        np.full((48, 64, 1), 90, np.uint8),
        np.full((48, 64, 4), 90, np.uint8),
        np.full((48, 64, 2), 90, np.uint8),  # raw YUYV
        np.full((48, 64, 3), np.nan, np.float32),
        np.full((48, 64, 3), 900, np.uint16),
        np.zeros((0, 64, 3), np.uint8),
        None,
        np.full((1, 1, 3), 9, np.uint8),
        dice.integers(0, 256, (48, 64, 3), np.uint8),
    ]
    rig.pictures = itertools.cycle(odd)
    frames = taken(rig.producer(), lambda count, _: count > 60)
    seen = rig.engines[0].seen
    assert len(frames) >= 60 and rig.events == []
    assert {dtype for _, dtype, _ in seen} == {np.dtype(np.uint8)}
    assert {shape for shape, *_ in seen} == {(48, 64, 3), (96, 128, 3), (1, 1, 3)}
    assert all(size_px == (shape[1], shape[0]) for shape, _, size_px in seen)


def test_a_network_that_fails_once_costs_one_frame(rig: Rig) -> None:
    rig.make_engine = lambda: Engine(lambda call: call == 5)
    producer = rig.producer()
    frames = taken(producer, lambda count, _: count >= 20)
    assert len(frames) >= 20
    assert (producer.failures, len(rig.engines)) == (1, 1)
    ((kind, said),) = rig.events
    assert kind == "failing" and "device lost" in said


def test_a_lost_gpu_is_opened_again(rig: Rig) -> None:
    rig.make_engine = lambda: Engine(lambda call: len(rig.engines) == 1 and call > 4)
    producer = rig.producer()
    taken(producer, lambda count, _: count >= 20)
    assert (producer.failures, len(rig.engines)) == (3, 2)
    assert [engine.closed for engine in rig.engines] == [True, True]
    assert rig.engines[1].calls > 5


def test_a_network_that_always_fails_ends_the_run_with_the_reason(rig: Rig) -> None:
    rig.make_engine = lambda: Engine(lambda _: True)
    with pytest.raises(BackendError, match=r"in a row .*device lost.*--backend"):
        taken(rig.producer(), lambda *_: False)
    assert len(rig.engines) > 1  # it was tried anew


def test_a_source_whose_own_words_explain_it_ends_with_them(rig: Rig) -> None:
    class Explains(Engine):
        def estimate(self, frame: Frame) -> Estimate:
            raise BackendError("The model wants a licence: buy one.")

    rig.make_engine = Explains
    with pytest.raises(PosestreamError, match=r"^The model wants a licence: buy one\.$"):
        taken(rig.producer(), lambda *_: False)


class Stalling(ThreadingHTTPServer):
    """A network camera whose stream stops without ending while ``stalled``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StallingHandler)
        self.stalled = threading.Event()
        self.ended = threading.Event()


class StallingHandler(BaseHTTPRequestHandler):
    server: Stalling

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        jpeg = cv2.imencode(".jpg", PICTURE)[1].tobytes()
        head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        try:
            while not self.server.ended.wait(0.02):
                if not self.server.stalled.is_set():
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
        except OSError:
            pass  # the reader has gone

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stalling() -> Iterator[Stalling]:
    server = Stalling()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_stream_that_stalls_is_opened_again_when_it_goes_on(rig: Rig, stalling: Stalling) -> None:
    address = f"http://127.0.0.1:{stalling.server_address[1]}/live"
    producer = rig.producer(address, "source.timeout_s=1.0")
    silent = []

    def script(count: int, frame: AvatarFrame) -> bool:
        if count == 5:
            stalling.stalled.set()
        silent.append(producer.silent_s)
        if "lost" in rig.kinds():
            stalling.stalled.clear()
        return rig.kinds() == ["lost", "recovered"] and producer.silent_s < 0.1

    frames = taken(producer, script)
    assert rig.kinds() == ["lost", "recovered"]
    assert max(silent) > 0.3  # it was noticed, and people were held meanwhile
    assert len(frames) > 8


@pytest.mark.parametrize("jump_s", [3600.0, 30 * 86400.0, -0.05, -3600.0])
def test_a_jump_of_the_cameras_clock_breaks_nothing(jump_s: float) -> None:
    settings = config.load(None, ["source.pace=fast"])
    source = open_source("synthetic:people=2,seconds=3,size=64x36", settings.source)
    pipeline = Pipeline(create("fake", settings.estimate), settings)
    made = []
    for frame in every_frame(source):
        late = int(jump_s * 1e9) if frame.index >= 45 else 0
        made.append(pipeline.step(replace(frame, t_capture_ns=frame.t_capture_ns + late)))
    for avatars in made:
        assert np.isfinite(avatars.root_world_m).all()
        np.testing.assert_allclose(np.linalg.norm(avatars.quat_local_xyzw, axis=-1), 1.0, atol=1e-6)
    assert len(made[-1].slot) == 2
    if jump_s > -1.0:
        assert made[-1].track_id.tolist() == made[40].track_id.tolist()


async def test_a_recording_does_not_care_about_the_wall_clock(tmp_path: Path) -> None:
    wall = itertools.chain([10**18, 10**18], itertools.repeat(5))  # set back to 1970
    take = tmp_path / "take.psrec"
    camera = Camera(np.eye(3) * 500.0, (640, 480))
    sink = RecorderSink(take, Hello("1", camera, 30.0), utc_ns=lambda: next(wall))
    await sink.start()
    for i in range(20):
        sink.publish(AvatarFrame.empty(i, i * 33_000_000))
    await sink.close()
    frames = list(ReplayReader(take))
    assert [frame.index for frame in frames] == list(range(20))
    published = [frame.t_publish_ns for frame in frames]  # type: ignore[attr-defined]
    assert published == sorted(published)


def entries_end(path: Path) -> int:
    """Where the last whole entry of a recording ends."""
    payloads = list(ReplayReader(path).payloads())
    sizes = (recording.ENTRY_HEADER_BYTES + len(payload) for payload in payloads)
    return recording.HEADER_BYTES + sum(sizes)


@pytest.mark.parametrize("bytes_written", [20_000, 60_000, 100_000])
def test_a_daemon_killed_while_recording_loses_the_torn_tail_alone(
    posestream: Any, eventually: Any, tmp_path: Path, bytes_written: int
) -> None:
    take = tmp_path / "take.psrec"
    run = posestream(
        "run", "synthetic:people=3", "--set", "vmc=[]", "--set", "websocket.enabled=false",
        "--record", str(take),
    )  # fmt: skip
    eventually(lambda: take.is_file() and take.stat().st_size > bytes_written, "a recording")
    run.process.kill()
    run.process.wait()
    size, whole = take.stat().st_size, entries_end(take)
    largest = max(len(p) for p in ReplayReader(take).payloads()) + recording.ENTRY_HEADER_BYTES
    assert whole <= size < whole + largest
    indices = [frame.index for frame in ReplayReader(take)]
    assert len(indices) > 3
    assert indices == sorted(set(indices))


@posix
def test_a_thousand_clients_that_come_and_go_leave_nothing_behind(
    posestream: Any, free_port: Any, eventually: Any
) -> None:
    port = free_port()
    run = posestream(
        "run", "synthetic:people=2", "--set", "vmc=[]", "--set", f"websocket.port={port}",
        "--set", "websocket.handshake_timeout_s=1.0",
    )  # fmt: skip
    address = f"ws://127.0.0.1:{port}/"
    eventually(lambda: answers(address), "the stream")
    process = psutil.Process(run.process.pid)
    come_and_go(address, 100)  # what is made once is made now
    handles, memory = process.num_fds(), process.memory_info().rss
    with connect(address) as stays:
        come_and_go(address, 1000)
        for _ in range(20):
            stays.recv(timeout=10.0)
    eventually(lambda: process.num_fds() <= handles, "closed handles")
    assert process.memory_info().rss < memory * 1.1
    assert (run.stop(), run.lines) == (0, [])


def answers(address: str) -> bool:
    try:
        with connect(address):
            return True
    except OSError:
        return False


def come_and_go(address: str, times: int) -> None:
    """Some say goodbye, some vanish, some never finish their handshake."""
    import socket
    from urllib.parse import urlsplit

    where = urlsplit(address)
    for i in range(times):
        if i % 5 == 0:
            socket.create_connection((where.hostname or "", where.port or 0)).close()
        elif i % 5 == 1:
            client = connect(address)
            client.socket.close()
        else:
            with connect(address) as client:
                client.recv(timeout=10.0)
