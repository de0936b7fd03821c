"""Why a port cannot be listened on, in a sentence; and a bound on unfinished handshakes."""

from __future__ import annotations

import errno
from typing import Final

from websockets.asyncio.server import Server
from websockets.protocol import State

from posestream.publish.websocket_settings import WebSocketSettings

MAX_HANDSHAKES: Final = 256
"""Connections that may be opening at a time. Each has ``handshake_timeout_s`` to finish."""


def cannot_listen(settings: WebSocketSettings, error: OSError) -> str:
    """The sentence for the user."""
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {settings.port} is already in use, so the WebSocket stream cannot listen on "
            f"it: stop the other program or choose another port with --set websocket.port=N."
        )
    if error.errno == errno.EACCES:
        return f"Listening on {where} is not permitted: choose --set websocket.port=N above 1023."
    return (
        f"The WebSocket stream cannot listen on {where}: set websocket.host to an address of "
        "this machine."
    )


def crowded(server: Server) -> bool:
    """Whether so many connections are opening that one more could exhaust our file handles."""
    opening = sum(connection.state is State.CONNECTING for connection in server.handlers)
    return opening > MAX_HANDSHAKES
