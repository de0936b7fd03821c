"""Sinks over UDP: VMC and VRChat. Newest wins under the rate cap; nothing ever blocks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from posestream.errors import PublishError
from posestream.publish.base import SinkKind, SinkStats
from posestream.publish.rate import RateCap
from posestream.publish.socket_out import UdpSender
from posestream.skeleton.rig import Rig
from posestream.types import EXPRESSIONS, AvatarFrame
from posestream.wire.vmc import VmcEncoder, target_warnings
from posestream.wire.vmc_target import VmcTarget
from posestream.wire.vrchat import VrchatEncoder, VrchatTarget

log = logging.getLogger(__name__)

_SEARCH_AGAIN_S = 20.0

Clock = Callable[[], float]
"""Seconds, monotonic; fine enough for a rate cap on Windows too."""


class _CappedSink:
    """Holds back frames that come too soon and sends the newest of them when it is time."""

    def __init__(self, rate_cap_hz: float, sender: UdpSender, clock: Clock) -> None:
        self._cap = RateCap(rate_cap_hz)
        self._sender = sender
        self._clock = clock
        self._waiting: AvatarFrame | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._replaced = 0

    async def start(self) -> None:
        """Open the socket.

        Raises:
            PublishError: the host is unknown.
        """
        await self._sender.start()

    def publish(self, frame: AvatarFrame) -> None:
        """Send now or, under the rate cap, as soon as allowed unless a newer one comes."""
        if not self._sender.open:
            return
        wait_s = self._cap.wait_s(self._clock())
        if wait_s <= 0.0:
            self._flush(frame)
            return
        if self._waiting is not None:
            self._replaced += 1
        self._waiting = frame
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._waiting is not None and self._sender.open:
            self._flush(self._waiting)

    def _flush(self, frame: AvatarFrame) -> None:
        if self._waiting is not None and self._waiting is not frame:
            self._replaced += 1
        self._waiting = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._cap.take(self._clock())
        self._send(frame)

    def _send(self, frame: AvatarFrame) -> None:
        raise NotImplementedError

    def stats(self) -> SinkStats:
        """Counts since the start; ``clients`` is the one receiver."""
        return SinkStats(
            self._sender.messages,
            self._sender.bytes,
            int(self._sender.open),
            self._replaced + self._sender.failed,
        )

    async def close(self) -> None:
        """Close the socket; safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting = None
        self._sender.close()


class VmcSink(_CappedSink):
    """Sends every person of one target to that person's own port."""

    kind: SinkKind = "vmc"

    def __init__(
        self,
        target: VmcTarget,
        rig: Rig | None = None,
        *,
        expression_names: Sequence[str] = EXPRESSIONS,
        clock: Clock = time.perf_counter,
    ) -> None:
        super().__init__(target.rate_cap_hz, UdpSender(target.host, "the vmc target's host"), clock)
        self.target = target
        self.name = f"vmc {target.host}:{target.first_port}"
        self.warnings = target_warnings(target, rig)
        self._encoder = VmcEncoder(target, rig, expression_names)
        self._used_ports = {target.first_port}

    def _send(self, frame: AvatarFrame) -> None:
        for port, datagrams in self._encoder.encode(frame):
            self._sender.send(datagrams, port)
        occupied = self._encoder.rows(frame).keys()
        # the port of somebody who left is told so; a port that never had anybody stays silent
        for port in sorted(self._used_ports - occupied):
            self._sender.send(self._encoder.encode_nobody(frame.t_capture_ns), port)
        self._used_ports |= occupied

    def stats(self) -> SinkStats:
        """As for every sink; people with numbers that are not finite count as dropped."""
        base = super().stats()
        dropped = base.dropped + self._encoder.skipped
        return SinkStats(base.messages, base.bytes, base.clients, dropped)


class VrchatSink(_CappedSink):
    """Sends one person's trackers to one VRChat client."""

    kind: SinkKind = "vrchat"

    def __init__(self, target: VrchatTarget, *, clock: Clock = time.perf_counter) -> None:
        super().__init__(
            target.rate_cap_hz, UdpSender(target.host, "the vrchat target's host"), clock
        )
        self.target = target
        self.name = f"vrchat {target.host}:{target.port}"
        self._encoder = VrchatEncoder(target)
        self._port = target.port
        self._realign = False
        self._search: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the socket and, if asked, begin to look for VRChat's port.

        Raises:
            PublishError: the host is unknown.
        """
        await super().start()
        if self.target.oscquery:
            self._search = asyncio.create_task(self._find_port())

    def realign(self) -> None:
        """Send the head's heading with the next frame, once."""
        self._realign = True

    async def _find_port(self) -> None:
        # lazily: zeroconf is optional and slow to import
        from posestream.publish.oscquery import find_vrchat

        say = log.warning  # once: VRChat may well be started later
        while True:
            try:
                self._port = (await find_vrchat()).port
            except PublishError as error:
                say("%s Sending to port %d meanwhile.", error, self._port)
                say = log.debug
                await asyncio.sleep(_SEARCH_AGAIN_S)
            else:
                log.info("VRChat takes OSC on port %d.", self._port)
                return

    def _send(self, frame: AvatarFrame) -> None:
        bundle = self._encoder.encode(frame, realign=self._realign)
        if bundle is not None:
            self._realign = False
            self._sender.send([bundle], self._port)

    async def close(self) -> None:
        """Stop looking and close the socket; safe to call twice."""
        if self._search is not None:
            self._search.cancel()
            await asyncio.gather(self._search, return_exceptions=True)
            self._search = None
        await super().close()
