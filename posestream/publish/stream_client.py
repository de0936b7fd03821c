"""One WebSocket client: its options, its newest-wins slots, its sending task."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from posestream.publish.access import Admission
from posestream.wire.messages import Encoding, StreamFormat, Subscribe

_MAX_URGENT: Final = 256
_EARLY: Final = 0.25  # share of the interval by which a frame may come early under a rate cap


@dataclass
class Budget:
    """A token bucket: ``rate`` messages per second, twice as many in a burst."""

    rate: float
    _tokens: float = field(init=False)
    _last_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._tokens = 2.0 * self.rate

    def spend(self, now_s: float) -> bool:
        """Whether one more message is within the budget."""
        self._tokens = min(self._tokens + (now_s - self._last_s) * self.rate, 2.0 * self.rate)
        self._last_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class StreamClient:
    """What the server knows of one client.

    Frames and pictures have one slot each, in which newer ones replace older ones; hello,
    events and replies queue. While nothing waits, frames are written at once by the server.
    """

    def __init__(
        self,
        connection: ServerConnection,
        admission: Admission,
        encoding: Encoding,
        *,
        rate_cap_hz: float,
        requests_per_s: float,
        stall_s: float,
    ) -> None:
        self.connection = connection
        self.authorised = admission.authorised
        self.encoding = encoding
        self.budget = Budget(requests_per_s)
        self.dropped = 0
        self.frames = 0  # that were due so far
        self._rate_cap_hz = rate_cap_hz
        self._stall_s = stall_s
        self._urgent: deque[bytes] = deque()
        self._frame: bytes | None = None
        self._picture: bytes | None = None
        self._sending = False
        self._wake = asyncio.Event()
        self._due_ns = 0
        self.choose(admission.wants)

    def choose(self, wants: Subscribe) -> None:
        """Set the client's options."""
        self.wants = wants
        self.format = StreamFormat(self.encoding, wants.axes, wants.rotations, wants.positions)
        rates = [rate for rate in (wants.rate_hz, self._rate_cap_hz) if rate > 0.0]
        self._interval_ns = int(1e9 / min(rates)) if rates else 0
        self._due_ns = 0
        self._frame = None

    def due(self, now_ns: int) -> bool:
        """Whether this client's rate allows a frame now; counts it as sent if so."""
        if now_ns < self._due_ns - int(_EARLY * self._interval_ns):
            return False
        self._due_ns = max(self._due_ns + self._interval_ns, now_ns)
        self.frames += 1
        return True

    @property
    def idle(self) -> bool:
        """Whether nothing waits, so that a frame can be written at once."""
        return (
            not self._sending
            and not self._urgent
            and self._frame is None
            and self.connection.transport.get_write_buffer_size() == 0
        )

    def put_frame(self, data: bytes) -> None:
        """Send this frame next, instead of an older one that still waits."""
        self.dropped += self._frame is not None
        self._frame = data
        self._wake.set()

    def put_picture(self, data: bytes) -> None:
        """Send this picture when nothing else waits, instead of an older one."""
        self.dropped += self._picture is not None
        self._picture = data
        self._wake.set()

    def put(self, data: bytes) -> None:
        """Send a message that must not be left out. A client that never reads is cut off."""
        if len(self._urgent) >= _MAX_URGENT:
            self.abort()
            return
        self._urgent.append(data)
        self._wake.set()

    def abort(self) -> None:
        """Cut the connection without a closing handshake."""
        self.connection.transport.abort()

    async def run(self) -> None:
        """Send what waits, until the connection ends."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._send_waiting()
        except ConnectionClosed:
            return
        except TimeoutError:
            self.abort()

    async def _send_waiting(self) -> None:
        self._sending = True
        try:
            while (data := self._next()) is not None:
                async with asyncio.timeout(self._stall_s):
                    await self.connection.send(data, text=self.encoding is Encoding.JSON)
        finally:
            self._sending = False

    def _next(self) -> bytes | None:
        if self._urgent:
            return self._urgent.popleft()
        if self._frame is not None:
            frame, self._frame = self._frame, None
            return frame
        picture, self._picture = self._picture, None
        return picture
