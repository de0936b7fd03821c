"""One open page: what it asks for, how much it takes, and what it was shown last."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from posestream.errors import PosestreamError, ProtocolError
from posestream.preview.feed import Feed

_log = logging.getLogger(__name__)

MAX_UPLOAD_BYTES: Final = 256 << 20
_LOST_S: Final = 5.0  # a page that has not said for so long that it shows a picture gets another

_Rate = Annotated[float, Meta(ge=0.2, le=120.0)]


class Pace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much a page takes, as it says itself; the settings may allow less."""

    motion_hz: _Rate = 120.0
    picture_hz: _Rate = 120.0
    figures_hz: _Rate = 4.0
    picture_px: Annotated[int, Meta(ge=64, le=4096)] = 640  # width of the camera's picture


class Turns:
    """Lets at most so many a second through, evenly, whatever the beat of what comes."""

    def __init__(self) -> None:
        self._due_s = self._early_s = 0.0

    def due(self, now_s: float) -> bool:
        """Whether it is time for another; one that comes a little early counts as punctual."""
        return now_s >= self._due_s - self._early_s

    def take(self, now_s: float, rate_hz: float) -> None:
        """One was let through."""
        self._due_s = max(self._due_s + 1.0 / rate_hz, now_s)
        self._early_s = 0.25 / rate_hz


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page sends as text."""

    name: str
    id: int = 0
    payload: dict[str, Any] = {}


class _Upload:
    """A file that arrives in pieces."""

    def __init__(self, request: Request) -> None:
        name, size = request.payload.get("file"), request.payload.get("size")
        if not isinstance(name, str) or type(size) is not int:
            raise ProtocolError("An upload needs the file's name and size.")
        if not 0 < size <= MAX_UPLOAD_BYTES:
            raise ProtocolError(f"{name[:80]} is empty or larger than 256 MB: reduce its textures.")
        self.id, self.name, self.size = request.id, name, size
        self.data = bytearray()

    def add(self, piece: bytes) -> bool:
        """Whether the file is complete. Raises ProtocolError where it is more than announced."""
        self.data += piece
        if len(self.data) > self.size:
            raise ProtocolError(f"{self.name[:80]} is larger than announced: load it again.")
        return len(self.data) == self.size


class Viewer:
    """A page that has shown the key."""

    def __init__(self, connection: ServerConnection, feed: Feed) -> None:
        self.connection = connection
        self.visible = True
        self.greeted = False
        self.mesh_number = -1  # of the avatar that was sent
        self.settings: object = None  # that were sent
        self.shot = -1  # number of the picture that was sent
        self.pace = Pace()
        self.motion, self.figures, self.pictures = Turns(), Turns(), Turns()
        self._asked_s: float | None = None  # since when a picture waits to be shown
        self._feed = feed
        self._upload: _Upload | None = None

    @property
    def ready(self) -> bool:
        """Whether it looks, and has taken everything that was sent so far."""
        c = self.connection
        looks = self.greeted and self.visible and c.state is State.OPEN
        return looks and c.transport.get_write_buffer_size() == 0

    def takes_picture(self, now_s: float) -> bool:
        """Whether it is time for another picture and the last one is shown."""
        waits = self._asked_s is not None and now_s - self._asked_s < _LOST_S
        return self.ready and not waits and self.pictures.due(now_s)

    def waits_for(self, shot: int, now_s: float) -> None:
        """That picture was sent, and the page does not show it yet."""
        self.shot = shot
        self._asked_s = now_s

    async def greet(self) -> None:
        """Say what there is; nothing else comes before."""
        await self.tell({"kind": "welcome", **self._feed.welcome()})
        self.greeted = True

    async def serve(self) -> None:
        """Answer until the page is closed."""
        async for data in self.connection:
            reply = await self._answer(data)
            if reply is not None:
                await self.tell({"kind": "reply", **reply})

    async def tell(self, message: dict[str, Any]) -> None:
        """Send as JSON."""
        await self.connection.send(as_text(message))

    async def tell_settings(self) -> None:
        """Send them if they are not what was sent last: before the answer that says "changed"."""
        settings = self._feed.settings()
        if settings != self.settings:
            self.settings = settings
            await self.tell({"kind": "settings", "settings": settings})

    async def _answer(self, data: str | bytes) -> dict[str, Any] | None:
        identity = 0
        try:
            if isinstance(data, bytes):
                return await self._piece(data)
            request = _parse(data)
            identity = request.id
            return await self._carry_out(request)
        except PosestreamError as error:
            return {"id": identity, "ok": False, "reason": str(error)}
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("A request of the panel failed.")
            return {"id": identity, "ok": False, "reason": "An internal error; see the log."}

    async def _carry_out(self, request: Request) -> dict[str, Any] | None:
        if self._takes_note(request):
            return None
        result = await self._feed.command(request.name, request.payload)
        await self.tell_settings()
        return {"id": request.id, "ok": True, "result": result}

    def _takes_note(self, request: Request) -> bool:
        """Whether it is one of the page's own messages, which get no answer."""
        match request.name:
            case "visible":
                self.visible = request.payload.get("on") is True
            case "shown":
                self._asked_s = None
            case "pace":
                self.pace = _pace(request.payload)
            case "upload":
                self._upload = _Upload(request)
            case _:
                return False
        return True

    async def _piece(self, data: bytes) -> dict[str, Any] | None:
        upload = self._upload
        if upload is None:
            return None  # the rest of one that was refused
        try:
            if not upload.add(data):
                return None
            self._upload = None
            result = await self._feed.upload(upload.name, bytes(upload.data))
        except PosestreamError as error:
            self._upload = None
            return {"id": upload.id, "ok": False, "reason": str(error)}
        return {"id": upload.id, "ok": True, "result": result}


def as_text(message: dict[str, Any]) -> str:
    """JSON; NaN becomes null."""
    return msgspec.json.encode(message).decode()


def _parse(data: str) -> Request:
    try:
        return msgspec.json.decode(data, type=Request)
    except (msgspec.MsgspecError, RecursionError):
        raise ProtocolError("The page sent something that is no request: reload it.") from None


def _pace(payload: dict[str, Any]) -> Pace:
    try:
        return msgspec.convert(payload, Pace)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"The page asks for a pace that there is not: {error}.") from None
