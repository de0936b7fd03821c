"""Network sources against a real server on loopback: a file, a camera's stream, its death."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.capture import open_source, reopener
from posestream.capture.base import CaptureSettings
from posestream.capture.device import DeviceSource
from posestream.capture.live import LatestFrame, every_frame
from posestream.capture.video import VideoSource
from posestream.errors import CaptureError

LONG_S = 30.0
SETTINGS = CaptureSettings(timeout_s=5.0, reconnect_first_s=0.05)


class Camera(ThreadingHTTPServer):
    """``/clip.mp4`` is a file; ``/live`` a motion JPEG stream that ends when it is unplugged."""

    daemon_threads = True

    def __init__(self, clip: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.clip = clip
        self.unplug = threading.Event()
        self.streams = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        try:
            if self.path == "/clip.mp4":
                self._send_file()
            elif self.path == "/live":
                self._send_stream()
            else:
                self.send_error(404)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the reader has gone

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _send_file(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(self.server.clip)))
        self.end_headers()
        self.wfile.write(self.server.clip)

    def _send_stream(self) -> None:
        self.server.streams += 1
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        unplug, k = self.server.unplug, 0
        while not unplug.wait(0.02):
            image = np.full((48, 64, 3), k % 200, dtype=np.uint8)
            jpeg = cv2.imencode(".jpg", image)[1].tobytes()
            head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            k += 1


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for k in range(20):
        writer.write(np.full((48, 64, 3), 10 * k, dtype=np.uint8))
    writer.release()
    server = Camera(path.read_bytes())
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.unplug.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_behind_an_address_is_a_file(camera: Camera) -> None:
    source = open_source(f"{camera.address}/clip.mp4", CaptureSettings(pace="fast"))
    assert isinstance(source, VideoSource)
    assert len(list(every_frame(source))) == 20


def test_a_file_whose_server_cannot_seek_is_not_called_damaged(
    camera: Camera, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, dice = tmp_path / "long.mp4", np.random.default_rng(0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (320, 240))
    for _ in range(20):  # noise, so that its index lies far behind its start
        writer.write(dice.integers(0, 256, (240, 320, 3), dtype=np.uint8))
    writer.release()
    camera.clip = path.read_bytes()
    with pytest.raises(CaptureError, match="from start to end: download it"):
        open_source(f"{camera.address}/clip.mp4", CaptureSettings(pace="fast"))
    assert caplog.text == ""


def test_a_stream_that_dies_comes_back(camera: Camera) -> None:
    address = f"{camera.address}/live"
    source = open_source(address, SETTINGS)
    assert isinstance(source, DeviceSource)
    events: list[str] = []
    recovered = threading.Event()

    def on_event(kind: str, sentence: str) -> None:
        events.append(kind)
        camera.unplug.clear()  # it is plugged in again as soon as its loss is noticed
        if kind == "recovered":
            recovered.set()

    with LatestFrame(source, SETTINGS, reopener(address, SETTINGS), on_event) as latest:
        before = latest.get(LONG_S)
        camera.unplug.set()
        assert recovered.wait(LONG_S)
        after = latest.get(LONG_S)
        for _ in range(3):
            after = latest.get(LONG_S)
        assert latest.stats().reconnects == 1
    assert before is not None
    assert after is not None
    assert after.index > before.index
    assert after.t_capture_ns > before.t_capture_ns
    assert events == ["lost", "recovered"]
    assert camera.streams >= 2
