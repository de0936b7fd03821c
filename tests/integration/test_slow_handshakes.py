"""Those who open connections and never finish them: they end alone, and soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from posestream.publish import listening
from posestream.publish.load import scripted_frame
from posestream.publish.websocket import WebSocketSink
from posestream.publish.websocket_settings import WebSocketSettings
from posestream.types import Camera
from posestream.wire.messages import Hello

CAMERA = Camera(np.eye(3) * 500.0, (640, 480))
WAIT_S = 10.0


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[WebSocketSink]:
    settings = msgspec.structs.replace(WebSocketSettings(port=0), **options)
    sink = WebSocketSink(settings, Hello("1", CAMERA, 30.0), token="correct-horse-battery")
    await sink.start()
    try:
        yield sink
    finally:
        await sink.close()


async def drip(port: int, text: bytes, pause_s: float) -> bytes:
    """Send a byte at a time until the server hangs up; what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with suppress(OSError):
            for byte in text:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(pause_s)
                if reader.at_eof():
                    break
        with suppress(OSError):
            return await asyncio.wait_for(reader.read(), WAIT_S)
        return b""
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_a_request_that_drips_is_cut_off_and_delays_nobody() -> None:
    async with serving(handshake_timeout_s=0.3) as sink:
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-a: b\r\n" * 2000
        dripping = [asyncio.create_task(drip(sink.port, request, 0.02)) for _ in range(30)]
        async with connect(f"ws://127.0.0.1:{sink.port}/") as client:
            await asyncio.wait_for(client.recv(), WAIT_S)
            for i in range(20):
                sink.publish(scripted_frame(i, 1, i))
                assert await asyncio.wait_for(client.recv(), WAIT_S)
            answers = await asyncio.wait_for(asyncio.gather(*dripping), WAIT_S)
            assert not any(b"101 Switching" in answer for answer in answers)
            assert sink.stats().clients == 1


async def test_headers_without_end_are_refused() -> None:
    async with serving() as sink:
        for flood in (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000,
                      b"GET /?token=" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                      b"GET / HTTP/1.1\r\nX: " + b"z" * 100_000 + b"\r\n\r\n"):  # fmt: skip
            reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
            writer.write(flood)
            with suppress(OSError):
                answer = await asyncio.wait_for(reader.read(), WAIT_S)
                assert b"101" not in answer[:16]
            writer.close()


async def test_unfinished_handshakes_cannot_use_up_the_handles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "MAX_HANDSHAKES", 10)
    async with serving(handshake_timeout_s=60.0) as sink:
        opened = [await asyncio.open_connection("127.0.0.1", sink.port) for _ in range(40)]
        ended = await asyncio.gather(*(ends_within(reader, 3.0) for reader, _ in opened))
        assert sum(ended) == 30
        for end, (_, writer) in zip(ended, opened, strict=True):
            if not end:
                writer.close()
        async with connect(f"ws://127.0.0.1:{sink.port}/") as client:
            assert await asyncio.wait_for(client.recv(), WAIT_S)
        for _, writer in opened:
            writer.close()


async def ends_within(reader: asyncio.StreamReader, seconds: float) -> bool:
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize("size", [(64 << 10) + 1, 1 << 20])
async def test_messages_that_are_too_large_end_their_connection(size: int) -> None:
    async with serving() as sink, connect(f"ws://127.0.0.1:{sink.port}/") as client:
        await client.recv()
        with pytest.raises(ConnectionClosed) as caught:
            await client.send(b"\0" * size)
            while True:
                await asyncio.wait_for(client.recv(), WAIT_S)
        assert caught.value.rcvd is None or caught.value.rcvd.code == 1009
