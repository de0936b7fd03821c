"""Listens for the VMC messages that a performer accepts (usually on UDP port 39540)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from posestream.errors import ProtocolError, PublishError
from posestream.wire.vmc_control import VmcControl, parse_control

log = logging.getLogger(__name__)


class VmcControlSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where control messages are accepted."""

    enabled: Annotated[
        bool, msgspec.Meta(description="Accept VMC control messages (recalibrate, send now).")
    ] = False
    host: Annotated[str, msgspec.Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, msgspec.Meta(ge=0, le=65535, description="UDP port to listen on; 0: any free one.")
    ] = 39540


class VmcControlListener(asyncio.DatagramProtocol):
    """Hands every control message to a callback; whatever else arrives is only counted."""

    def __init__(
        self, settings: VmcControlSettings, on_control: Callable[[VmcControl], None]
    ) -> None:
        self.settings = settings
        self.accepted = 0
        self.ignored = 0  # well-formed, but nothing that we take
        self.malformed = 0
        self._on_control = on_control
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        """Port that is listened on; the configured one before the start."""
        if self._transport is None:
            return self.settings.port
        return int(self._transport.get_extra_info("sockname")[1])

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            PublishError: the port is in use or the address is not ours.
        """
        host, port = self.settings.host, self.settings.port
        loop = asyncio.get_running_loop()
        try:
            await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        except OSError as error:
            raise PublishError(
                f"UDP port {port} on {host} cannot be listened on ({error.strerror}): another "
                "program may have it; change vmc_control.port or set vmc_control.enabled = false."
            ) from None

    async def close(self) -> None:
        """Stop listening; safe to call twice."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def connection_made(self, transport: Any) -> None:
        """Called by asyncio."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Called by asyncio."""
        try:
            controls = parse_control(data)
        except ProtocolError:
            self.malformed += 1
            return
        for control in controls:
            self._take(control)

    def _take(self, control: VmcControl) -> None:
        if control.kind == "ignored":
            self.ignored += 1
            return
        self.accepted += 1
        try:
            self._on_control(control)
        except Exception:
            # a fault in what a message sets off must not end the listening
            log.exception("The VMC message %s could not be carried out.", control.address)
