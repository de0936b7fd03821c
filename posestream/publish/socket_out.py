"""One non-blocking UDP socket that counts what leaves and never raises while sending."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterable

from posestream.errors import PublishError

_SEND_BUFFER_BYTES = 1 << 18


class UdpSender:
    """Sends datagrams to ports of one host."""

    def __init__(self, host: str, option: str) -> None:
        """``option`` is the setting that holds the host, named in errors."""
        self.host = host
        self.messages = 0
        self.bytes = 0
        self.failed = 0
        self._option = option
        self._address: str | None = None
        self._socket: socket.socket | None = None

    @property
    def open(self) -> bool:
        """Whether datagrams can be sent."""
        return self._socket is not None

    async def start(self) -> None:
        """Resolve the host and open the socket.

        Raises:
            PublishError: the host is unknown, or the system refuses a socket.
        """
        family, self._address = await self._resolve()
        try:
            self._socket = _open(family)
        except OSError as error:
            raise PublishError(f"No UDP socket can be opened: {error.strerror}.") from None

    async def _resolve(self) -> tuple[int, str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self.host, None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise PublishError(
                f"The host {self.host!r} cannot be found: correct {self._option} or use an IP "
                "address."
            )
        # IPv4 first: receivers of these protocols rarely listen on IPv6
        found.sort(key=lambda entry: entry[0] != socket.AF_INET)
        return int(found[0][0]), str(found[0][4][0])

    def send(self, datagrams: Iterable[bytes], port: int) -> None:
        """Send them in order; what the system does not take at once is lost and counted."""
        if self._socket is None or self._address is None:
            return
        for datagram in datagrams:
            try:
                self._socket.sendto(datagram, (self._address, port))
            except OSError as error:
                # a refusal reports an earlier datagram that found no receiver: try once more
                if error.errno != errno.ECONNREFUSED or not self._retry(datagram, port):
                    self.failed += 1
                    continue
            self.messages += 1
            self.bytes += len(datagram)

    def _retry(self, datagram: bytes, port: int) -> bool:
        assert self._socket is not None
        try:
            self._socket.sendto(datagram, (self._address, port))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the socket; safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _open(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    return sock
