"""Plain HTTP answers on the stream's port, for those whom the stream's rules admit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Response


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    body: str
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


Pages = Mapping[str, Callable[[], Page]]
"""By path, such as ``/healthz``. Called in the event loop's thread, so they must be quick."""

NO_PAGES: Final[Pages] = {}


def answer(connection: ServerConnection, make: Callable[[], Page]) -> Response:
    """The page as the response to an opening request."""
    page = make()
    response = connection.respond(page.status, page.body)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = page.content_type
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
