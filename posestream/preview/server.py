"""Serves the panel on loopback: the page's files, and one WebSocket per open page.

While nobody looks nothing is computed. Each page says how much it takes (``viewer.Pace``); one
that has not yet taken what was sent skips what comes meanwhile, and nobody waits for it. The next
picture is made once the page shows the last one.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from posestream.errors import PosestreamError, PublishError
from posestream.preview.access import host_is_ours, key_matches, origin_is_ours
from posestream.preview.feed import Feed
from posestream.preview.files import HEADERS, page_files
from posestream.preview.packing import Shot, pack_motion, pack_picture
from posestream.preview.settings import PanelSettings
from posestream.preview.viewer import Viewer, as_text
from posestream.publish.base import SinkKind, SinkStats
from posestream.types import AvatarFrame

_log = logging.getLogger(__name__)
_connection_log = logging.getLogger(f"{__name__}.connection")
_connection_log.setLevel(logging.CRITICAL)  # whoever scans the port must not fill the terminal

_Made = TypeVar("_Made")

HOST: Final = "127.0.0.1"
SOCKET_PATH: Final = "/live"
WRONG_KEY: Final = 4401
_MAX_VIEWERS: Final = 16
_KEY_TIMEOUT_S: Final = 5.0
_FIGURES_HZ: Final = 4.0
_MAX_MESSAGE_BYTES: Final = 1 << 20


class PanelSink:
    """The server; takes frames as the other sinks do."""

    kind: SinkKind = "panel"
    name = "panel"

    def __init__(self, settings: PanelSettings, key: str, feed: Feed) -> None:
        self._settings = settings
        self._key = key
        self._feed = feed
        self._viewers: set[Viewer] = set()
        self._server: Server | None = None
        self._frame: AvatarFrame | None = None
        self._figures: asyncio.Task[None] | None = None
        self._picture: asyncio.Task[None] | None = None  # that is being made
        self._thread = ThreadPoolExecutor(1, "panel")  # begins with the first picture
        self._messages = self._bytes = 0

    async def start(self) -> None:
        """Listen. Raises PublishError: the port is in use or not permitted."""
        page_files()  # a damaged installation is noticed now
        try:
            self._server = await serve(
                self._handle, HOST, self._settings.port,
                process_request=self._admit, compression=None, server_header=None,
                max_size=_MAX_MESSAGE_BYTES, max_queue=4, close_timeout=0.5, open_timeout=5.0,
                ping_interval=20.0, ping_timeout=60.0, logger=_connection_log,
            )  # fmt: skip
        except OSError as error:
            raise PublishError(_cannot_listen(self._settings.port, error)) from error

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            return self._settings.port
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def address(self) -> str:
        """What to open in a browser. The key stands behind # and so never leaves it."""
        return f"http://{HOST}:{self.port}/#{self._key}"

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return any(viewer.visible for viewer in self._viewers)

    def publish(self, frame: AvatarFrame) -> None:
        """Keep the newest frame; what pages are due comes after the other outputs."""
        self._frame = frame
        if self._viewers:
            asyncio.get_running_loop().call_soon(self._show)

    def stats(self) -> SinkStats:
        """Counts so far."""
        return SinkStats(self._messages, self._bytes, len(self._viewers), 0)

    async def close(self) -> None:
        """Stop listening. Safe to call twice."""
        self._pause()
        self._thread.shutdown(wait=False)
        server, self._server = self._server, None
        if server is None:
            return
        for connection in list(server.handlers):
            connection.transport.abort()
        server.close()
        await server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        hosts = request.headers.get_all("Host")
        if not host_is_ours(hosts, self.port):
            return _response(HTTPStatus.FORBIDDEN, "The panel answers on this machine alone.")
        path = urlsplit(request.path).path
        if path == SOCKET_PATH:
            return self._admit_socket(request, hosts[0])
        if path not in page_files():
            return _response(HTTPStatus.NOT_FOUND, "There is no such page.")
        kind, content = page_files()[path]
        return _response(HTTPStatus.OK, content, kind)

    def _admit_socket(self, request: Request, host: str) -> Response | None:
        if not origin_is_ours(request.headers.get_all("Origin"), host):
            return _response(HTTPStatus.FORBIDDEN, "Only the panel's own page may connect.")
        if len(self._viewers) >= _MAX_VIEWERS:
            return _response(HTTPStatus.SERVICE_UNAVAILABLE, "Too many panels are open.")
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        try:
            if not await self._knows_key(connection):
                await connection.close(WRONG_KEY, "The key is missing or wrong.")
                return
            viewer = Viewer(connection, self._feed)
            self._viewers.add(viewer)
            self._resume()
            try:
                await viewer.greet()
                self._show()  # what stands still is shown, too
                await viewer.serve()
            finally:
                self._viewers.discard(viewer)
                if not self._viewers:
                    self._pause()
        except (ConnectionClosed, TimeoutError):
            pass

    async def _knows_key(self, connection: ServerConnection) -> bool:
        async with asyncio.timeout(_KEY_TIMEOUT_S):
            return key_matches(self._key, await connection.recv())

    def _resume(self) -> None:
        if self._figures is None:
            self._figures = asyncio.create_task(self._show_figures())

    def _pause(self) -> None:
        for task in (self._figures, self._picture):
            if task is not None:
                task.cancel()
        self._figures = self._picture = None

    def _show(self) -> None:
        """Movements to whoever is due, and a picture begun if anybody is due for one."""
        now_s = asyncio.get_running_loop().time()
        due = [v for v in self._viewers if v.ready and v.motion.due(now_s)]
        if due and self._frame is not None:
            for viewer in due:
                viewer.motion.take(now_s, min(viewer.pace.motion_hz, self._settings.motion_hz))
            self._send(due, pack_motion(self._frame))
        if self._picture is None and any(v.takes_picture(now_s) for v in self._viewers):
            self._picture = asyncio.create_task(self._show_picture())
            self._picture.add_done_callback(self._picture_made)

    def _picture_made(self, task: asyncio.Task[None]) -> None:
        if self._picture is task:
            self._picture = None

    async def _show_picture(self) -> None:
        now_s = asyncio.get_running_loop().time()
        due = [v for v in self._viewers if v.takes_picture(now_s)]
        for viewer in due:
            viewer.pictures.take(now_s, min(viewer.pace.picture_hz, self._settings.picture_hz))
        shot = await self._shot(due)
        if shot is not None:
            for viewer in due:
                viewer.waits_for(shot.index, now_s)
            self._send([v for v in due if v.ready], pack_picture(shot))

    async def _shot(self, due: list[Viewer]) -> Shot | None:
        """One as large as the largest page wants it; None where all of them have it."""
        had = {viewer.shot for viewer in due}
        after = had.pop() if len(had) == 1 else -1
        width_px = max((viewer.pace.picture_px for viewer in due), default=0)
        try:
            return await self._in_thread(self._feed.shot, after, width_px) if due else None
        except Exception:
            _log.exception("A picture could not be shown.")
            await asyncio.sleep(1.0)
            return None

    async def _in_thread(self, make: Callable[..., _Made], *arguments: Any) -> _Made:
        return await asyncio.get_running_loop().run_in_executor(self._thread, make, *arguments)

    async def _show_figures(self) -> None:
        while True:
            try:
                await self._send_state()
            except PosestreamError as error:
                _log.warning("%s", error)
            await asyncio.sleep(1.0 / _FIGURES_HZ)

    async def _send_state(self) -> None:
        now_s = asyncio.get_running_loop().time()
        ready = [v for v in self._viewers if v.ready and v.figures.due(now_s)]
        if not ready:
            return
        for viewer in ready:
            viewer.figures.take(now_s, viewer.pace.figures_hz)
        settings = self._feed.settings()
        fresh = [v for v in ready if v.settings != settings]
        for viewer in fresh:
            viewer.settings = settings
        self._send(fresh, as_text({"kind": "settings", "settings": settings}))
        self._send(ready, as_text({"kind": "state", **self._feed.state()}))
        await self._send_mesh([v for v in ready if v.mesh_number != self._feed.mesh_number])

    async def _send_mesh(self, viewers: list[Viewer]) -> None:
        if not viewers:
            return
        number, mesh = await self._in_thread(self._feed.mesh)
        for viewer in viewers:
            viewer.mesh_number = number
        self._send(viewers, mesh)

    def _send(self, viewers: list[Viewer], data: bytes | str) -> None:
        """To all at once, without waiting for anybody."""
        broadcast([v.connection for v in viewers], data)
        self._messages += len(viewers)
        self._bytes += len(viewers) * len(data)


def _response(status: HTTPStatus, body: str | bytes, kind: str = "text/plain") -> Response:
    content = f"{body}\n".encode() if isinstance(body, str) else body
    headers: dict[str, Any] = {
        "Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close", **HEADERS,
    }  # fmt: skip
    return Response(status.value, status.phrase, Headers(headers), content)


def _cannot_listen(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is already in use, so there is no panel: stop the other program or "
            "choose another port with --set panel.port=N."
        )
    return f"The panel cannot listen on port {port} ({error.strerror}): --set panel.port=N."
