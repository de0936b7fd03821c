"""A daemon that runs on while others send it rubbish, read slowly or vanish."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from posestream.wire import codec
from posestream.wire.messages import ClockRequest, EventKind, Hello, StampedFrame, StreamFormat


@dataclass
class Daemon:
    """A daemon that runs on while others misbehave."""

    run: Any
    port: int
    control_port: int

    def uri(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"


@pytest.fixture(scope="module")
def shared_daemon(module_posestream: Any, free_port: Any, eventually: Any) -> Daemon:
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        control_port = probe.getsockname()[1]
    run = module_posestream(
        "run", "synthetic:people=2", "--set", "vmc=[]", "--set", f"websocket.port={port}",
        "--set", "vmc_control.enabled=true", "--set", f"vmc_control.port={control_port}",
        "--set", "websocket.handshake_timeout_s=1.0", "--set", "websocket.ping_s=1.0",
    )  # fmt: skip
    daemon = Daemon(run, port, control_port)
    eventually(lambda: reaches(daemon), "the stream")
    return daemon


def reaches(daemon: Daemon) -> bool:
    with contextlib.suppress(OSError, ConnectionClosed), connect(daemon.uri()):
        return True
    return False


@pytest.fixture
def daemon(shared_daemon: Daemon) -> Iterator[Daemon]:
    """Afterwards it publishes as before and has not complained."""
    with connect(shared_daemon.uri(), close_timeout=0.5) as bystander:
        assert isinstance(codec.decode(bystander.recv(timeout=10.0)), Hello)
        yield shared_daemon
        indices = [next_frame(bystander).index for _ in range(10)]
    assert indices == sorted(indices)
    assert shared_daemon.run.process.poll() is None
    assert shared_daemon.run.lines == []


def next_frame(client: Any) -> StampedFrame:
    while not isinstance(message := codec.decode(client.recv(timeout=10.0)), StampedFrame):
        assert message is not None
    return message


def hostile_messages() -> list[str | bytes]:
    rng = random.Random(7)
    good = codec.encode(ClockRequest(5), StreamFormat())
    deep = '{"kind":"control","id":1,"name":"set","payload":' + '{"a":' * 5000 + "1" + "}" * 5001
    return [
        b"", b"\0", good[:5], good[:-1], good + b"\0" * 50, rng.randbytes(300), b"\xff" * 4000,
        "", "{", "[]", "null", "1e999", '{"kind":"frame"}', '{"kind":7}', '{"kind":"hello"}', deep,
        '{"kind":"control","id":1e400,"name":[],"payload":3,"token":{}}', "\ud7ff" * 500,
        *(bytes(b ^ (rng.random() < 0.2) * rng.randrange(256) for b in good) for _ in range(20)),
    ]  # fmt: skip


def test_hostile_stream_messages_end_only_their_own_connection(daemon: Daemon) -> None:
    for message in hostile_messages():
        with connect(daemon.uri()) as client, contextlib.suppress(ConnectionClosed):
            client.send(message)
            for _ in range(3):
                client.recv(timeout=5.0)


def test_too_large_and_too_many_messages_end_only_their_own_connection(daemon: Daemon) -> None:
    with connect(daemon.uri()) as client, pytest.raises(ConnectionClosed):
        client.send(b"\0" * (1 << 20))
        for _ in range(1000):
            client.recv(timeout=5.0)
    with connect(daemon.uri()) as client, pytest.raises(ConnectionClosed):
        for i in range(5000):
            client.send(codec.encode(ClockRequest(i), StreamFormat()))
        for _ in range(1000):
            client.recv(timeout=5.0)


def test_bytes_that_are_no_websocket(daemon: Daemon) -> None:
    rng = random.Random(3)
    for data in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + rng.randbytes(200),
                 rng.randbytes(5000), b"GET /" + b"a" * 100_000,
                 b"POST / HTTP/1.1\r\n"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", daemon.port)) as tcp:
            with contextlib.suppress(OSError):
                tcp.sendall(data)
            tcp.settimeout(0.05)
            with contextlib.suppress(OSError):
                tcp.recv(1000)


def test_clients_that_vanish_or_never_read_delay_nobody(daemon: Daemon) -> None:
    lingering = struct.pack("ii", 1, 0)  # close with a reset instead of a goodbye
    stalled = []
    for i in range(8):
        client = connect(daemon.uri(), max_queue=1)
        if i % 2:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
            client.socket.shutdown(socket.SHUT_RDWR)
        stalled.append(client)
    with connect(daemon.uri()) as reader:
        ages_ms = []
        for _ in range(60):
            frame = next_frame(reader)
            ages_ms.append((time.monotonic_ns() - frame.t_publish_ns) / 1e6)
    assert np.median(ages_ms) < 200.0  # of seconds if one waited for another
    for client in stalled:
        client.socket.close()


def hostile_datagrams(folder: Path) -> list[bytes]:
    rng = random.Random(11)
    packets = json.loads((folder / "packets.json").read_text())["packets"]
    real = [bytes.fromhex(packet["hex"]) for packet in packets]
    cut = [data[:n] for data in real[:20] for n in range(0, len(data), max(1, len(data) // 8))]
    bundle = b"#bundle\0" + b"\0" * 8
    nested = bundle
    for _ in range(60):
        nested = bundle + struct.pack(">i", len(nested)) + nested
    return [
        b"", b"\0", b"#bundle\0", bundle + b"\xff\xff\xff\xff", bundle + b"\x7f\xff\xff\xff/a",
        nested, b"/VMC/Ext/Set/Calib/Exec\0,i\0\0", b"/VMC/Ext/Set/Period\0,iiiiii\0\0\0\0",
        b"/" + b"a" * 60_000, b"/a\0\0,[[[[[[\0",
        *(rng.randbytes(rng.randrange(400)) for _ in range(100)), *real, *cut,
    ]  # fmt: skip


def test_hostile_datagrams_are_ignored(daemon: Daemon, shared_data: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for datagram in hostile_datagrams(shared_data / "vmc_packets"):
            udp.sendto(datagram, ("127.0.0.1", daemon.control_port))


def test_a_vmc_application_may_ask_for_calibration(daemon: Daemon) -> None:
    exec_calibration = b"/VMC/Ext/Set/Calib/Exec\0,i\0\0\0\0\0\1"
    assert next(iter(OscBundle(bundle_of(exec_calibration)))).params == [1]
    with (
        connect(daemon.uri()) as client,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        codec.decode(client.recv(timeout=10.0))
        udp.sendto(exec_calibration, ("127.0.0.1", daemon.control_port))
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline:
            message = codec.decode(client.recv(timeout=10.0))
            if getattr(message, "kind", None) is EventKind.CALIBRATION_CHANGED:
                return
    pytest.fail("the calibration was not announced")


def bundle_of(message: bytes) -> bytes:
    return b"#bundle\0" + b"\0" * 7 + b"\1" + struct.pack(">i", len(message)) + message
