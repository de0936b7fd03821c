"""The real server and real clients over loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from posestream.errors import ConfigError, PublishError
from posestream.publish.load import measure, scripted_frame
from posestream.publish.stream_requests import Clock
from posestream.publish.websocket import WebSocketSink
from posestream.publish.websocket_settings import WebSocketSettings
from posestream.types import AvatarFrame, Camera
from posestream.wire import codec
from posestream.wire.messages import (
    Axes,
    ClockReply,
    ClockRequest,
    Control,
    Encoding,
    Event,
    EventKind,
    Hello,
    Message,
    Picture,
    Reply,
    StampedFrame,
    StreamFormat,
    Subscribe,
    stamped,
)
from posestream.wire.schema import SUBPROTOCOL_BINARY, SUBPROTOCOL_JSON

TOKEN = "correct-horse-battery-staple"
CAMERA = Camera(np.eye(3) * 500.0, (640, 480))
WAIT_S = 10.0


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[WebSocketSink]:
    names = WebSocketSettings.__struct_fields__
    given = {name: options.pop(name) for name in list(options) if name in names}
    settings = msgspec.structs.replace(WebSocketSettings(port=0), **given)
    sink = WebSocketSink(settings, Hello("1.2.3", CAMERA, 30.0), token=TOKEN, **options)
    await sink.start()
    try:
        yield sink
    finally:
        await sink.close()


def opening(sink: WebSocketSink, query: str = "", **options: Any) -> connect:
    return connect(f"ws://127.0.0.1:{sink.port}/{query}", compression=None, **options)


async def receive(client: ClientConnection) -> Message:
    return codec.decode(await asyncio.wait_for(client.recv(), WAIT_S))


async def until(client: ClientConnection, wanted: Callable[[Message], bool]) -> Message:
    while not wanted(message := await receive(client)):
        pass
    return message


def is_a(kind: type) -> Callable[[Message], bool]:
    return lambda message: isinstance(message, kind)


def frame(index: int, people: int = 2) -> AvatarFrame:
    return scripted_frame(index, people, index * 1000)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, None),
        ([SUBPROTOCOL_BINARY], SUBPROTOCOL_BINARY),
        ([SUBPROTOCOL_JSON], SUBPROTOCOL_JSON),
        (["other", SUBPROTOCOL_JSON, SUBPROTOCOL_BINARY], SUBPROTOCOL_JSON),
    ],
)
async def test_hello_and_frames_in_each_subprotocol(
    offered: list[str] | None, chosen: str | None
) -> None:
    protocols = None if offered is None else [Subprotocol(name) for name in offered]
    async with serving() as sink, opening(sink, subprotocols=protocols) as client:
        assert client.subprotocol == chosen
        raw = await asyncio.wait_for(client.recv(), WAIT_S)
        assert isinstance(raw, str) == (chosen == SUBPROTOCOL_JSON)
        hello = codec.decode(raw)
        assert isinstance(hello, Hello)
        assert (hello.daemon_version, hello.source_fps) == ("1.2.3", 30.0)
        before_ns = time.monotonic_ns()
        sink.publish(frame(7))
        got = await receive(client)
        assert isinstance(got, StampedFrame)
        assert got.index == 7 and before_ns <= got.t_publish_ns <= time.monotonic_ns()
        assert abs(got.t_publish_ns + got.utc_offset_ns - time.time_ns()) < 60e9
        np.testing.assert_allclose(got.quat_local_xyzw, frame(7).quat_local_xyzw, atol=1e-6)


async def test_a_client_that_offers_only_what_is_not_spoken_is_refused() -> None:
    async with serving() as sink:
        with pytest.raises(InvalidStatus) as refused:
            await opening(sink, subprotocols=[Subprotocol("chat")])
        assert refused.value.response.status_code == 400


async def status_of(sink: WebSocketSink, query: str = "", **options: Any) -> int:
    try:
        async with opening(sink, query, **options):
            return 101
    except InvalidStatus as refused:
        return int(refused.response.status_code)


async def test_origins_hosts_and_tokens_are_checked_on_loopback() -> None:
    async with serving(allowed_origins=("http://localhost:8766",)) as sink:
        assert await status_of(sink) == 101
        assert await status_of(sink, origin=Origin("http://localhost:8766")) == 101
        for origin in ("https://evil.example", "null", "http://localhost:9", "http://127.0.0.1"):
            assert await status_of(sink, origin=Origin(origin)) == 403
        assert await raw_status(sink, "evil.example") == 403
        assert await raw_status(sink, f"localhost:{sink.port}") == 101
        assert await raw_status(sink, "127.0.0.1", "Host: 127.0.0.1\r\n") in (400, 403)
        assert await status_of(sink, "?token=wrong") == 401
        assert await status_of(sink, f"?token={TOKEN}") == 101
        assert await status_of(sink, "?picture=1") == 401
        assert await status_of(sink, "?axes=sideways") == 400
        assert await status_of(sink, "?axis=unity") == 400
        assert await status_of(sink, "elsewhere") == 404


async def raw_status(sink: WebSocketSink, host: str, more: str = "") -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
    writer.write(
        f"GET / HTTP/1.1\r\nHost: {host}\r\n{more}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    status = (await asyncio.wait_for(reader.readline(), WAIT_S)).split()[1]
    writer.close()
    return int(status)


async def test_beyond_loopback_everything_needs_the_token() -> None:
    async with serving(host="0.0.0.0") as sink:
        assert await status_of(sink) == 401
        assert await status_of(sink, "?token=wrong") == 401
        assert await status_of(sink, f"?token={TOKEN}") == 101
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert await status_of(sink, additional_headers=bearer) == 101


async def test_options_in_the_address_and_by_message() -> None:
    async with serving() as sink, opening(sink, "?axes=gltf&positions=1&rotations=packed") as c:
        hello = await receive(c)
        assert isinstance(hello, Hello)
        assert hello.format.axes is Axes.GLTF and hello.format.positions
        sink.publish(frame(1))
        got = await receive(c)
        assert isinstance(got, StampedFrame) and np.isfinite(got.position_world_m).all()
        await c.send(codec.encode(Subscribe(5, axes=Axes.UNITY)))
        hello = await receive(c)
        assert isinstance(hello, Hello) and hello.format.axes is Axes.UNITY
        assert await receive(c) == Reply(5, True)
        sink.publish(frame(2))
        got = await receive(c)
        assert isinstance(got, StampedFrame) and np.isnan(got.position_world_m).all()


async def test_rate_cap_halves_the_frames() -> None:
    now = [0]
    clock = Clock(lambda: now[0], lambda: 0)
    async with serving(clock=clock) as sink, opening(sink, "?rate=30") as c, opening(sink) as d:
        await receive(c), await receive(d)
        for index in range(60):
            now[0] = int(index / 60 * 1e9)
            sink.publish(frame(index, 1))
        sink.announce(Event(EventKind.SOURCE_LOST, 0))
        counts = [await _frames_before_event(client) for client in (c, d)]
    assert counts[1] == 60 and 29 <= counts[0] <= 31


async def _frames_before_event(client: ClientConnection) -> int:
    count = 0
    while not isinstance(await receive(client), Event):
        count += 1
    return count


async def test_clock_exchange() -> None:
    async with serving() as sink, opening(sink) as client:
        sent_ns = time.monotonic_ns()
        await client.send(codec.encode(ClockRequest(sent_ns)))
        reply = await until(client, is_a(ClockReply))
        received_ns = time.monotonic_ns()
        assert isinstance(reply, ClockReply)
        assert sent_ns <= reply.t_server_received_ns <= reply.t_server_sent_ns <= received_ns
        assert abs(reply.offset_ns(received_ns)) <= (received_ns - sent_ns) / 2


async def test_control_needs_the_token_and_says_why_it_refuses() -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    async def on_control(name: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        heard.append((name, payload))
        if name == "set":
            raise ConfigError("smooth.cutof is not known; did you mean smooth.cutoff?")
        if name == "break":
            raise ZeroDivisionError
        return {"slot": payload["slot"]}

    async with serving(on_control=on_control) as sink, opening(sink) as client:
        for message, expected in [
            (Control(1, "recentre", {"slot": 0}), (False, "token")),
            (Control(2, "recentre", {"slot": 0}, "wrong"), (False, "token")),
            (Control(3, "set", {}, TOKEN), (False, "did you mean smooth.cutoff")),
            (Control(4, "break", {}, TOKEN), (False, "internal error")),
            (Control(5, "recentre", {"slot": 3}, TOKEN), (True, "")),
        ]:
            await client.send(codec.encode(message))
            reply = await until(client, is_a(Reply))
            assert isinstance(reply, Reply) and reply.id == message.id
            assert reply.ok == expected[0] and expected[1] in reply.reason
        assert reply.result == {"slot": 3}
        text = json.dumps({"kind": "control", "name": "recentre", "payload": {"slot": 1},
                           "token": TOKEN})  # fmt: skip
        await client.send(text)
        reply = await until(client, is_a(Reply))
        assert isinstance(reply, Reply) and reply.ok
    assert [name for name, _ in heard] == ["set", "break", "recentre", "recentre"]


@pytest.mark.parametrize(
    "hostile",
    [b"", b"garbage", "{", "[]", codec.encode(ClockRequest(1))[:-1],
     codec.encode(Event(EventKind.SOURCE_LOST, 1)),
     b"x" * 70_000],
)  # fmt: skip
async def test_hostile_messages_end_that_connection_alone(hostile: bytes | str) -> None:
    async with serving() as sink, opening(sink) as good, opening(sink) as bad:
        await bad.send(hostile)
        with pytest.raises(ConnectionClosed):
            while True:
                await asyncio.wait_for(bad.recv(), WAIT_S)
        await receive(good)
        sink.publish(frame(1))
        assert isinstance(await receive(good), StampedFrame)


async def test_too_many_messages_end_the_connection() -> None:
    async with serving(requests_per_s=5.0) as sink, opening(sink) as client:
        with pytest.raises(ConnectionClosed) as closed:
            for number in range(1000):
                await client.send(codec.encode(ClockRequest(number)))
                await asyncio.wait_for(client.recv(), WAIT_S)
        assert "Too many" in str(closed.value)


async def test_events_and_a_new_hello_reach_every_client() -> None:
    json_only = [Subprotocol(SUBPROTOCOL_JSON)]
    async with serving() as sink, opening(sink) as a, opening(sink, subprotocols=json_only) as b:
        event = Event(EventKind.CALIBRATION_CHANGED, 12, text="floor")
        for client in (a, b):
            assert isinstance(await receive(client), Hello)
        sink.announce(event)
        sink.describe(Hello("2", CAMERA))
        for client in (a, b):
            assert await receive(client) == event
            hello = await receive(client)
            assert isinstance(hello, Hello) and hello.daemon_version == "2"


async def _until_clients(sink: WebSocketSink, count: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while sink.stats().clients != count:  # noqa: ASYNC110 - the server has no such event
            await asyncio.sleep(0.01)


async def _slow_client(port: int) -> socket.socket:
    """A client that opens its connection and then never reads."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.to_thread(slow.connect, ("127.0.0.1", port))
    slow.sendall(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    return slow


async def test_a_client_that_never_reads_skips_frames_and_delays_nobody() -> None:
    async with serving() as sink, opening(sink) as good:
        slow = await _slow_client(sink.port)
        await receive(good)
        await _until_clients(sink, 2)
        for index in range(400):
            sink.publish(frame(index, 8))
            got = await receive(good)
            assert isinstance(got, StampedFrame) and got.index == index
        assert sink.stats().dropped > 100
        slow.close()


async def test_a_client_that_never_reads_is_cut_off_in_the_end() -> None:
    async with serving(ping_s=0.1) as sink:
        slow = await _slow_client(sink.port)
        await _until_clients(sink, 1)
        async with asyncio.timeout(WAIT_S):
            while sink.stats().clients:
                sink.publish(frame(0, 8))
                await asyncio.sleep(0.005)
        slow.close()


async def test_a_vanished_client_is_forgotten() -> None:
    async with serving() as sink, opening(sink) as good:
        async with opening(sink) as gone:
            await receive(gone)
            gone.transport.abort()
        await receive(good)
        await _until_clients(sink, 1)
        sink.publish(frame(3))
        assert isinstance(await receive(good), StampedFrame)


async def test_a_hundred_clients_all_get_the_same_frame() -> None:
    async with serving() as sink:
        clients = await asyncio.gather(*(opening(sink) for _ in range(100)))
        for client in clients:
            await receive(client)
        sink.publish(frame(9))
        messages = {await asyncio.wait_for(client.recv(), WAIT_S) for client in clients}
        assert len(messages) == 1
        stats = sink.stats()
        assert (stats.clients, stats.messages, stats.dropped) == (100, 200, 0)
        await asyncio.gather(*(client.close() for client in clients))


async def test_there_are_only_so_many_places() -> None:
    async with serving(max_clients=1) as sink, opening(sink) as first:
        await receive(first)
        assert await status_of(sink) == 503


async def test_pictures_reach_only_who_has_the_token() -> None:
    shown = Picture(5, 77, (2, 2), b"\xff\xd8 not read here \xff\xd9")
    async with serving(picture=lambda: shown, picture_hz=60.0) as sink, opening(sink) as client:
        await client.send(codec.encode(Subscribe(1, picture=True, token="wrong")))
        reply = await until(client, is_a(Reply))
        assert isinstance(reply, Reply) and not reply.ok
        await client.send(codec.encode(Subscribe(2, picture=True, token=TOKEN)))
        assert await until(client, is_a(Picture)) == shown


async def test_a_port_in_use_is_named_with_the_option() -> None:
    async with serving() as sink:
        settings = WebSocketSettings(port=sink.port)
        second = WebSocketSink(settings, Hello("1", CAMERA), token=TOKEN)
        with pytest.raises(PublishError, match=rf"{sink.port}.*--set websocket.port=N"):
            await second.start()
        await second.close()


async def test_closing_says_goodbye_and_does_not_wait_for_the_dead() -> None:
    async with serving() as sink, opening(sink) as client:
        slow = await _slow_client(sink.port)
        await receive(client)
        for index in range(300):
            sink.publish(frame(index, 8))
            await receive(client)
        closing = asyncio.create_task(sink.close())
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), WAIT_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
        await asyncio.wait_for(closing, WAIT_S)
        slow.close()


async def test_closing_does_not_wait_for_who_connects_and_says_nothing() -> None:
    sink = WebSocketSink(
        WebSocketSettings(port=0, handshake_timeout_s=60.0),
        Hello("1.2.3", CAMERA, 30.0),
        token=TOKEN,
    )
    await sink.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
    await asyncio.sleep(0.1)
    await asyncio.wait_for(sink.close(), WAIT_S)
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_the_load_measurement_loses_nothing() -> None:
    report = await measure(clients=5, rate_hz=50.0, people=2, seconds=1.0)
    assert (report.frames, report.received, report.lost) == (50, 250, 0)
    assert report.bytes_per_frame == len(codec.encode(stamped(frame(0, 2), 0, 0), StreamFormat()))
    assert 0.0 < report.latency_ms["p50"] <= report.latency_ms["p99"]


async def test_json_clients_share_what_binary_clients_get() -> None:
    json_only = [Subprotocol(SUBPROTOCOL_JSON)]
    async with serving() as sink, opening(sink) as a, opening(sink, subprotocols=json_only) as b:
        await receive(a), await receive(b)
        sink.publish(frame(4))
        one, other = await receive(a), await receive(b)
        assert isinstance(one, StampedFrame) and isinstance(other, StampedFrame)
        assert one.t_publish_ns == other.t_publish_ns
        np.testing.assert_allclose(one.quat_local_xyzw, other.quat_local_xyzw, atol=1e-6)
        assert codec.encode(one, StreamFormat(Encoding.JSON))
