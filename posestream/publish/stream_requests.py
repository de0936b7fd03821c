"""Answers what WebSocket clients ask: the clock, options, control."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from posestream.errors import PosestreamError, ProtocolError
from posestream.publish.stream_client import StreamClient
from posestream.timing import monotonic_ns
from posestream.wire import codec
from posestream.wire.messages import (
    ClockReply,
    ClockRequest,
    Control,
    Reply,
    Subscribe,
    Unknown,
)

_log = logging.getLogger(__name__)

ControlHandler = Callable[[str, dict[str, Any]], Any | Awaitable[Any]]
"""``on_control(name, payload) -> result`` (a dict, or None), or an awaitable of it; raises
PosestreamError to refuse. Runs in the event loop's thread."""


def refuse_control(name: str, payload: dict[str, Any]) -> Any:
    """The handler of servers that have nothing to control."""
    raise ProtocolError(f"Nothing here can be controlled, not even {name!r}.")


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the stream tells it."""

    monotonic_ns: Callable[[], int] = monotonic_ns
    utc_ns: Callable[[], int] = time.time_ns

    def now(self) -> tuple[int, int]:
        """Monotonic time, and what to add to get UTC since 1970."""
        now_ns = self.monotonic_ns()
        return now_ns, self.utc_ns() - now_ns


@dataclass(frozen=True, slots=True)
class Requests:
    """What can be asked, and by whom. ``say_hello`` follows a change of options."""

    token_ok: Callable[[str], bool]
    on_control: ControlHandler
    say_hello: Callable[[StreamClient], None]
    clock: Clock

    async def answer(self, client: StreamClient, data: str | bytes) -> Reply | ClockReply | None:
        """The reply to one message, if it has one.

        Raises:
            ProtocolError: the message is malformed, not for clients, or one too many.
        """
        received_ns = self.clock.monotonic_ns()
        if not client.budget.spend(received_ns / 1e9):
            raise ProtocolError("Too many messages (websocket.requests_per_s).")
        message = codec.decode(data)
        match message:
            case ClockRequest(t_client_ns):
                return ClockReply(t_client_ns, received_ns, *self.clock.now())
            case Control():
                return await self._control(client, message)
            case Subscribe():
                return self._subscribe(client, message)
            case Unknown():
                return None  # from a newer client
        raise ProtocolError("Only servers send messages of this kind.")

    async def _control(self, client: StreamClient, message: Control) -> Reply:
        if not self._authorised(client, message.token):
            return Reply(message.id, False, "The token is missing or wrong.")
        try:
            result = self.on_control(message.name, message.payload)
            if inspect.isawaitable(result):
                result = await result
            reply = Reply(message.id, True, result=result or {})
            codec.encode(reply, client.format)  # a result that cannot be sent fails here
        except PosestreamError as error:
            return Reply(message.id, False, str(error))
        except Exception:
            _log.exception("The control message %r failed.", message.name)
            return Reply(message.id, False, "An internal error; see the daemon's log.")
        return reply

    def _subscribe(self, client: StreamClient, message: Subscribe) -> Reply:
        if message.picture and not self._authorised(client, message.token):
            return Reply(message.id, False, "The token is missing or wrong.")
        client.choose(replace(message, token=""))
        self.say_hello(client)
        return Reply(message.id, True)

    def _authorised(self, client: StreamClient, token: str) -> bool:
        return self.token_ok(token) if token else client.authorised
