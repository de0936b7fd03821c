"""Our own stream over WebSocket: ``posestream.v1`` and ``posestream.v1+json``.

Each frame is encoded once per format and written to every idle client at once; a client that
is still busy with an earlier one keeps only the newest and delays nobody.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol

from posestream.errors import ProtocolError, PublishError
from posestream.publish.access import Admission, Opening, Policy, Refusal, is_loopback
from posestream.publish.base import SinkKind, SinkStats
from posestream.publish.listening import cannot_listen, crowded
from posestream.publish.pages import NO_PAGES, Pages, answer
from posestream.publish.stream_client import StreamClient
from posestream.publish.stream_requests import Clock, ControlHandler, Requests, refuse_control
from posestream.publish.token import matches
from posestream.publish.websocket_settings import WebSocketSettings
from posestream.types import AvatarFrame
from posestream.wire import codec
from posestream.wire.messages import (
    Encoding,
    Event,
    Hello,
    Message,
    Picture,
    StreamFormat,
    stamped,
)
from posestream.wire.schema import SUBPROTOCOL_BINARY, SUBPROTOCOL_JSON

_log = logging.getLogger(__name__)
# Whoever scans the port must not fill the user's terminal with tracebacks of bad handshakes.
_connection_log = logging.getLogger(f"{__name__}.connection")
_connection_log.setLevel(logging.CRITICAL)

_ENCODING: Final = {SUBPROTOCOL_BINARY: Encoding.BINARY, SUBPROTOCOL_JSON: Encoding.JSON}
_CLOSE_TIMEOUT_S: Final = 0.5
# Frames that wait in the kernel are old when they leave: room for a few of them, not for seconds.
_SEND_BUFFER_BYTES: Final = 64 << 10

_CLOCK: Final = Clock()


class _Connection(ServerConnection):
    admission: Admission = Admission()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if crowded(self.server):
            self.transport.abort()


class WebSocketSink:
    """The server. ``picture`` gives the newest camera picture or None; called in a thread.

    ``pages`` are plain answers on the same port, under the same rules.
    """

    kind: SinkKind = "websocket"
    name = "websocket"

    def __init__(
        self,
        settings: WebSocketSettings,
        hello: Hello,
        *,
        token: str,
        on_control: ControlHandler = refuse_control,
        picture: Callable[[], Picture | None] | None = None,
        pages: Pages = NO_PAGES,
        clock: Clock = _CLOCK,
    ) -> None:
        self._settings = settings
        self._hello = hello
        self._picture = picture
        self._pages = pages
        self._clock = clock
        token_ok = partial(matches, token)
        self._requests = Requests(token_ok, on_control, self._say_hello, clock)
        self._policy = Policy(
            token_ok,
            is_loopback(settings.host),
            settings.allowed_origins,
            settings.allowed_hosts,
            frozenset(pages),
        )
        self._clients: set[StreamClient] = set()
        self._server: Server | None = None
        self._picture_task: asyncio.Task[None] | None = None
        self._messages = self._bytes = self._dropped = 0

    async def start(self) -> None:
        """Listen.

        Raises:
            PublishError: the port is in use or the address is not this machine's.
        """
        s = self._settings
        try:
            self._server = await serve(
                self._handle, s.host, s.port,
                create_connection=_Connection,
                process_request=self._admit,
                subprotocols=[Subprotocol(name) for name in _ENCODING],
                select_subprotocol=_select_subprotocol,
                compression=None,  # costs more time than loopback or a LAN gives back
                server_header=None,
                open_timeout=s.handshake_timeout_s,
                ping_interval=s.ping_s, ping_timeout=s.ping_s, close_timeout=_CLOSE_TIMEOUT_S,
                max_size=s.max_message_bytes, max_queue=4, write_limit=0,
                logger=_connection_log,
            )  # fmt: skip
        except OSError as error:
            raise PublishError(cannot_listen(s, error)) from error
        if self._picture is not None:
            self._picture_task = asyncio.create_task(self._send_pictures(self._picture))

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            return self._settings.port
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def clients(self) -> list[StreamClient]:
        """Who is connected now."""
        return list(self._clients)

    def publish(self, frame: AvatarFrame) -> None:
        """Encode once per format and send to every client whose rate allows it."""
        if not self._clients:
            return
        now_ns, utc_offset_ns = self._clock.now()
        message = stamped(frame, now_ns, utc_offset_ns)
        encoded: dict[StreamFormat, bytes] = {}
        idle: dict[StreamFormat, list[ServerConnection]] = {}
        for client in filter(lambda c: c.due(now_ns), self._clients):
            if client.format not in encoded:
                encoded[client.format] = codec.encode(message, client.format)
            if client.idle:
                idle.setdefault(client.format, []).append(client.connection)
            else:
                client.put_frame(encoded[client.format])
            self._count(encoded[client.format])
        for fmt, connections in idle.items():
            broadcast(connections, encoded[fmt], text=fmt.encoding is Encoding.JSON)

    def announce(self, event: Event) -> None:
        """Send an event to every client."""
        self._send_all(event)

    def describe(self, hello: Hello) -> None:
        """Calibration or skeleton changed: send the new hello to every client."""
        self._hello = hello
        for client in self._clients:
            self._say_hello(client)

    def stats(self) -> SinkStats:
        """Counts so far; a frame that a newer one replaced counts as dropped."""
        dropped = self._dropped + sum(client.dropped for client in self._clients)
        return SinkStats(self._messages - dropped, self._bytes, len(self._clients), dropped)

    async def close(self) -> None:
        """Say goodbye to all clients and stop listening. Safe to call twice."""
        if self._picture_task is not None:
            self._picture_task.cancel()
            self._picture_task = None
        server, self._server = self._server, None
        if server is None:
            return
        for client in list(self._clients):
            if not client.idle:
                client.abort()
        for connection in server.handlers:  # who connects and says nothing is not waited for
            if connection.state is State.CONNECTING:
                connection.transport.abort()
        server.close(code=1001, reason="posestream stops")
        await server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        headers = request.headers
        verdict = self._policy.judge(Opening(
            request.path, headers.get_all("Origin"), headers.get_all("Host"),
            headers.get_all("Authorization"), str(connection.local_address[0]),
        ))  # fmt: skip
        if isinstance(verdict, Admission) and verdict.page:
            return answer(connection, self._pages[verdict.page])
        if isinstance(verdict, Admission) and len(self._clients) >= self._settings.max_clients:
            verdict = Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"All {self._settings.max_clients} places are taken (websocket.max_clients).",
            )
        if isinstance(verdict, Refusal):
            return connection.respond(verdict.status, verdict.reason + "\n")
        assert isinstance(connection, _Connection)
        connection.admission = verdict
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        assert isinstance(connection, _Connection)
        if len(self._clients) >= self._settings.max_clients:  # several opened at once
            await connection.close(1013, "All places are taken.")
            return
        client = self._welcome(connection)
        sender = asyncio.create_task(client.run())
        try:
            async for data in connection:
                reply = await self._requests.answer(client, data)
                if reply is not None:
                    self._send(client, reply)
        except ConnectionClosed:
            pass
        except ProtocolError as error:
            await connection.close(1002, str(error).encode()[:120].decode("utf-8", "ignore"))
        finally:
            self._clients.discard(client)
            self._dropped += client.dropped
            sender.cancel()

    def _welcome(self, connection: _Connection) -> StreamClient:
        s = self._settings
        transport_socket = connection.transport.get_extra_info("socket")
        with suppress(OSError):
            transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        encoding = _ENCODING.get(connection.subprotocol or "", Encoding.BINARY)
        client = StreamClient(
            connection, connection.admission, encoding, rate_cap_hz=s.rate_cap_hz,
            requests_per_s=s.requests_per_s, stall_s=2.0 * s.ping_s,
        )  # fmt: skip
        self._say_hello(client)
        self._clients.add(client)
        return client

    def _say_hello(self, client: StreamClient) -> None:
        now_ns, utc_offset_ns = self._clock.now()
        hello = replace(self._hello, t_monotonic_ns=now_ns, utc_offset_ns=utc_offset_ns)
        self._send(client, hello)

    def _send(self, client: StreamClient, message: Message) -> None:
        data = codec.encode(message, client.format)
        client.put(data)
        self._count(data)

    def _send_all(self, message: Message) -> None:
        for client in list(self._clients):
            self._send(client, message)

    def _count(self, data: bytes) -> None:
        self._messages += 1
        self._bytes += len(data)

    async def _send_pictures(self, newest: Callable[[], Picture | None]) -> None:
        last = -1
        while True:
            await asyncio.sleep(1.0 / self._settings.picture_hz)
            if not any(client.wants.picture for client in self._clients):
                continue
            try:
                picture = await asyncio.to_thread(newest)
                if picture is not None and picture.sequence != last:
                    last = picture.sequence
                    self._send_picture(picture)
            except Exception:
                _log.exception("The picture stream has ended.")
                return

    def _send_picture(self, picture: Picture) -> None:
        encoded: dict[Encoding, bytes] = {}
        for client in self._clients:
            if client.wants.picture:
                if client.encoding not in encoded:
                    encoded[client.encoding] = codec.encode(picture, client.format)
                client.put_picture(encoded[client.encoding])
                self._count(encoded[client.encoding])


def _select_subprotocol(
    connection: ServerConnection, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    """The client's first choice that we speak; a client that offers none gets binary."""
    if not offered:
        return None
    for name in offered:
        if name in _ENCODING:
            return name
    raise NegotiationError(f"this server speaks {' and '.join(_ENCODING)}")
