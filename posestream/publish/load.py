"""Measures the WebSocket stream under load: many real clients, latency from encoding to receipt.

The clients run in processes of their own (``python -m posestream.publish.load PORT COUNT``)
and read with a few lines of their own, so that little of what is measured is theirs. Both
sides read the same monotonic clock, so this works on one machine only.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import selectors
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from posestream.errors import PublishError
from posestream.geometry.camera import intrinsics_from_fov
from posestream.geometry.rotation import from_rotvec
from posestream.publish.websocket import WebSocketSink
from posestream.publish.websocket_settings import WebSocketSettings
from posestream.skeleton.humanoid import NUM_BONES, REST_HIP_HEIGHT_M
from posestream.timing import monotonic_ns
from posestream.types import EXPRESSIONS, AvatarFrame, Camera
from posestream.wire.messages import Hello
from posestream.wire.schema import FRAME, HEADER_BYTES, SECTION_HEADER_BYTES

_HEAD_AT: Final = HEADER_BYTES + SECTION_HEADER_BYTES
_SEQUENCE_AT: Final = _HEAD_AT + FRAME.head.offset("sequence")
_PUBLISHED_AT: Final = _HEAD_AT + FRAME.head.offset("t_publish_ns")
_START_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What the clients saw, all together."""

    clients: int
    people: int
    rate_hz: float  # asked for
    seconds: float
    frames: int  # published
    sent_hz: float  # reached
    received: int  # messages, all clients
    lost: int  # frames missing between each client's first and last
    bytes_per_frame: int
    latency_ms: dict[str, float]  # p50, p95, p99, max
    server_cpu: float  # share of one core
    clients_cpu: float


def scripted_frame(index: int, people: int, t_capture_ns: int) -> AvatarFrame:
    """People who wave every bone a little, side by side."""
    phase = index * 0.1 + np.arange(people)[:, None] + np.arange(NUM_BONES)
    rotvec = 0.3 * np.stack([np.sin(phase), np.cos(1.3 * phase), np.sin(0.7 * phase)], axis=-1)
    quat = from_rotvec(rotvec)
    root = np.array([0.0, REST_HIP_HEIGHT_M, -2.0]) + np.arange(people)[:, None] * [1.0, 0, 0]
    ids = np.arange(people)
    return AvatarFrame(
        index, t_capture_ns, ids, ids + 1, np.zeros(people, np.int64), np.ones(people), root,
        quat[:, 0], quat, root[:, None] + rotvec, np.ones((people, NUM_BONES), np.bool_),
        np.full(people, REST_HIP_HEIGHT_M), np.full((people, len(EXPRESSIONS)), 0.5),
    )  # fmt: skip


async def measure(
    clients: int = 100, rate_hz: float = 60.0, people: int = 2, seconds: float = 10.0
) -> LoadReport:
    """Serve ``people`` at ``rate_hz`` to ``clients`` in another process and report.

    Raises:
        PublishError: the clients' process could not connect.
    """
    camera = Camera(intrinsics_from_fov((640, 480), 60.0), (640, 480))
    settings = WebSocketSettings(port=0, max_clients=min(clients + 1, 1000))
    sink = WebSocketSink(settings, Hello("load test", camera, source_fps=rate_hz), token="x" * 32)
    await sink.start()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "posestream.publish.load", str(sink.port), str(clients),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        ready = await asyncio.wait_for(process.stdout.readline(), _START_TIMEOUT_S)
        if ready.strip() != b"ready":
            raise PublishError(f"The {clients} test clients could not connect.")
        cpu, started = time.process_time(), time.monotonic()
        frames = await _serve(sink, rate_hz, people, seconds)
        took, cpu = time.monotonic() - started, time.process_time() - cpu
        await asyncio.sleep(0.2)
    finally:
        await sink.close()
        output, _ = await process.communicate()
    return _report(json.loads(output), clients, people, rate_hz, took, frames, cpu)


async def _serve(sink: WebSocketSink, rate_hz: float, people: int, seconds: float) -> int:
    frames = int(seconds * rate_hz)
    started = time.monotonic()
    for index in range(frames):
        sink.publish(scripted_frame(index, people, monotonic_ns()))
        await asyncio.sleep(max(0.0, started + (index + 1) / rate_hz - time.monotonic()))
    return frames


def _report(
    seen: dict[str, Any], clients: int, people: int, rate_hz: float, took: float, frames: int,
    cpu: float,
) -> LoadReport:  # fmt: skip
    return LoadReport(
        clients, people, rate_hz, round(took, 2), frames, round(frames / took, 2),
        seen["received"], seen["lost"], seen["bytes_per_frame"], seen["latency_ms"],
        round(cpu / took, 3), round(seen["cpu_s"] / took, 3),
    )  # fmt: skip


class _Reader:
    """One client: takes frames apart just far enough to read sequence and publish time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self._rest = self._shake_hands(port)
        self.socket.setblocking(False)
        self.latencies_ns: list[int] = []
        self.sequences: list[int] = []
        self.frame_bytes = 0

    def _shake_hands(self, port: int) -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = self.socket.recv(65536)
            if not part:
                raise PublishError("The server closed a test client's connection.")
            answer += part
        head, _, rest = answer.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise PublishError("The server refused a test client.")
        return rest

    def read(self) -> bool:
        """Take what has arrived; False when the connection has ended."""
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError:
            return False
        now_ns = monotonic_ns()
        if not data:
            return False
        data = self._rest + data
        at = 0
        while (end := _frame_end(data, at)) is not None:
            self._take(data, at, end, now_ns)
            at = end[1]
        self._rest = data[at:]
        return True

    def _take(self, data: bytes, at: int, end: tuple[int, int], now_ns: int) -> None:
        start, stop = end
        opcode = data[at] & 0x0F
        if opcode == 0x9:
            payload = data[start:stop]
            self.socket.sendall(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        elif opcode == 0x2 and data[start + 3] == FRAME.kind:
            (published_ns,) = struct.unpack_from("<q", data, start + _PUBLISHED_AT)
            (sequence,) = struct.unpack_from("<Q", data, start + _SEQUENCE_AT)
            self.latencies_ns.append(now_ns - published_ns)
            self.sequences.append(sequence)
            self.frame_bytes = stop - start


def _frame_end(data: bytes, at: int) -> tuple[int, int] | None:
    """Start and end of the payload of the WebSocket frame at ``at``; None while incomplete."""
    if len(data) < at + 2:
        return None
    length, start = data[at + 1] & 0x7F, at + 2
    for mark, code in ((126, ">H"), (127, ">Q")):
        if length == mark:
            start += struct.calcsize(code)
            if len(data) < start:
                return None
            (length,) = struct.unpack_from(code, data, at + 2)
            break
    return (start, start + length) if len(data) >= start + length else None


def _run_clients(port: int, count: int) -> dict[str, Any]:
    readers = [_Reader(port) for _ in range(count)]
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.socket, selectors.EVENT_READ, reader)
        print("ready", flush=True)
        cpu = time.process_time()
        while selector.get_map():
            for key, _ in selector.select():
                if not key.data.read():
                    selector.unregister(key.fileobj)
                    key.data.socket.close()
    return _seen(readers, time.process_time() - cpu)


def _seen(readers: list[_Reader], cpu_s: float) -> dict[str, Any]:
    latencies_ms = np.concatenate([np.array(r.latencies_ns, np.float64) for r in readers]) / 1e6
    lost = sum(r.sequences[-1] - r.sequences[0] + 1 - len(r.sequences)
               for r in readers if r.sequences)  # fmt: skip
    marks = dict(zip(("p50", "p95", "p99", "max"), (50, 95, 99, 100), strict=True))
    return {
        "received": int(latencies_ms.size),
        "lost": lost,
        "bytes_per_frame": max(r.frame_bytes for r in readers),
        "latency_ms": {
            name: round(float(np.percentile(latencies_ms, percent)), 3)
            for name, percent in marks.items()
            if latencies_ms.size
        },
        "cpu_s": cpu_s,
    }


def main(arguments: list[str]) -> None:
    """Run as clients, ``PORT COUNT``; or without arguments as the whole measurement."""
    if len(arguments) == 2:
        result = _run_clients(int(arguments[0]), int(arguments[1]))
    else:
        result = asdict(asyncio.run(measure()))
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
