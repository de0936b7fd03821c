"""OSCQuery: lets OSC applications find us, and finds VRChat's OSC port.

Import this module lazily: it needs the optional ``zeroconf`` package for everything but the
HTTP server. By default nothing leaves or listens beyond this machine.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from posestream.errors import PublishError

OSC_SERVICE: Final = "_osc._udp.local."
OSCQUERY_SERVICE: Final = "_oscjson._tcp.local."
VRCHAT_PREFIX: Final = "VRChat-Client"

_LOOPBACK: Final = "127.0.0.1"
_MAX_REQUEST_BYTES: Final = 8192
_MAX_CONNECTIONS: Final = 16
_REQUEST_TIMEOUT_S: Final = 2.0
_REASONS: Final = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 503: "Service Unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundService:
    """An OSC application that announced itself."""

    name: str
    host: str
    port: int


def describe(name: str, host: str, osc_port: int, methods: Mapping[str, str]) -> dict[str, Any]:
    """The address space as OSCQuery's JSON.

    Args:
        name: shown to other applications.
        host: address on which OSC is taken.
        osc_port: its UDP port.
        methods: OSC address to type tags (without comma) of what we accept.
    """
    root = _node("/")
    for address, types in methods.items():
        node = root
        parts = address.strip("/").split("/")
        for depth, part in enumerate(parts, 1):
            path = "/" + "/".join(parts[:depth])
            node = node.setdefault("CONTENTS", {}).setdefault(part, _node(path))
        node |= {"TYPE": types, "ACCESS": 2}
    return root | {"HOST_INFO": _host_info(name, host, osc_port)}


def _node(path: str) -> dict[str, Any]:
    return {"FULL_PATH": path, "ACCESS": 0}


def _host_info(name: str, host: str, osc_port: int) -> dict[str, Any]:
    return {
        "NAME": name,
        "OSC_IP": host,
        "OSC_PORT": osc_port,
        "OSC_TRANSPORT": "UDP",
        "EXTENSIONS": {"ACCESS": True, "TYPE": True},
    }


class OscQueryServer:
    """Answers OSCQuery's HTTP requests; read-only."""

    def __init__(
        self,
        name: str,
        osc_port: int,
        methods: Mapping[str, str],
        *,
        host: str = _LOOPBACK,
        port: int = 0,
    ) -> None:
        self.name = name
        self.host = host
        self.osc_port = osc_port
        self._tree = describe(name, host, osc_port, methods)
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._connections = 0

    @property
    def port(self) -> int:
        """TCP port that is listened on; the wanted one before the start."""
        if self._server is None:
            return self._wanted_port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            PublishError: the port is in use or the address is not ours.
        """
        try:
            self._server = await asyncio.start_server(
                self._serve, self.host, self._wanted_port, limit=_MAX_REQUEST_BYTES
            )
        except OSError as error:
            raise PublishError(
                f"OSCQuery cannot listen on {self.host}:{self._wanted_port} ({error.strerror}): "
                "choose another port or turn oscquery off."
            ) from None

    async def close(self) -> None:
        """Stop listening; safe to call twice."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                writer.write(_response(*await self._answer(reader)))
                await writer.drain()
        except (TimeoutError, OSError):
            pass
        finally:
            self._connections -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, Any]:
        if self._connections > _MAX_CONNECTIONS:
            return 503, None
        try:
            request = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return 400, None
        return self.answer(request)

    def answer(self, request: bytes) -> tuple[int, Any]:
        """Status and JSON for one request's head."""
        try:
            (method, target, _), headers = _parse(request)
        except ValueError:
            return 400, None
        if "origin" in headers or not self._own_host(headers.get("host", "")):
            return 403, None  # a web page, possibly through a rebound name
        if method != "GET":
            return 405, None
        path, _, query = target.partition("?")
        return self._look_up(path, query)

    def _look_up(self, path: str, query: str) -> tuple[int, Any]:
        node: Any = self._tree
        for part in path.strip("/").split("/") if path.strip("/") else []:
            node = node.get("CONTENTS", {}).get(part)
            if node is None:
                return 404, None
        if query == "HOST_INFO":
            return 200, self._tree["HOST_INFO"]
        if not query:
            return 200, node
        return (200, {query: node[query]}) if query in node else (404, None)

    def _own_host(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
        return name in (_LOOPBACK, "localhost", self.host)


def _parse(request: bytes) -> tuple[list[str], dict[str, str]]:
    first, *lines = request.decode("ascii").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise ValueError(first)
    pairs = (line.partition(":") for line in lines if line)
    return words, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _response(status: int, content: Any) -> bytes:
    body = b"" if content is None else json.dumps(content).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


class Advertisement:
    """Announces an ``OscQueryServer`` by mDNS while it is open."""

    def __init__(self, server: OscQueryServer, *, lan: bool = False) -> None:
        self._server = server
        self._lan = lan
        self._zeroconf: Any = None

    async def start(self) -> None:
        """Announce it.

        Raises:
            PublishError: zeroconf is not installed, or the network refuses multicast.
        """
        self._zeroconf = await _open_zeroconf(self._lan)
        try:
            register = self._zeroconf.async_register_service
            announced = await asyncio.gather(*map(register, self._services()))
            await asyncio.gather(*announced)
        except Exception as error:
            await self.close()
            raise PublishError(f"OSCQuery cannot announce itself: {error}.") from None

    def _services(self) -> list[Any]:
        from zeroconf import ServiceInfo

        server = self._server
        address = [socket.inet_aton(server.host)]
        host_name = f"{server.name}.local."
        return [
            ServiceInfo(kind, f"{server.name}.{kind}", port, addresses=address, server=host_name)
            for kind, port in ((OSCQUERY_SERVICE, server.port), (OSC_SERVICE, server.osc_port))
        ]

    async def close(self) -> None:
        """Withdraw the announcement; safe to call twice."""
        if self._zeroconf is not None:
            zeroconf, self._zeroconf = self._zeroconf, None
            await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()


async def find_vrchat(timeout_s: float = 10.0, *, lan: bool = False) -> FoundService:
    """The first VRChat client that announces its OSC port.

    Raises:
        PublishError: none within the time, or zeroconf is missing or fails.
    """
    zeroconf = await _open_zeroconf(lan)
    try:
        async with asyncio.timeout(timeout_s):
            return await _first_service(zeroconf)
    except TimeoutError:
        raise PublishError(
            "VRChat was not found: start it and turn OSC on in its action menu, or set the "
            "vrchat target's port."
        ) from None
    finally:
        await zeroconf.async_close()


async def _first_service(zeroconf: Any) -> FoundService:
    from zeroconf import ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser

    names: asyncio.Queue[str] = asyncio.Queue()

    def on_change(*, name: str, state_change: ServiceStateChange, **_: Any) -> None:
        if state_change is ServiceStateChange.Added and name.startswith(VRCHAT_PREFIX):
            names.put_nowait(name)

    browser = AsyncServiceBrowser(zeroconf.zeroconf, OSC_SERVICE, handlers=[on_change])
    try:
        while True:
            name = await names.get()
            info = await zeroconf.async_get_service_info(OSC_SERVICE, name)
            if info is not None and info.parsed_addresses() and info.port:
                return FoundService(name, info.parsed_addresses()[0], info.port)
    finally:
        await browser.async_cancel()


async def _open_zeroconf(lan: bool) -> Any:
    try:
        # in a thread: the import takes long enough to delay frames
        await asyncio.to_thread(importlib.import_module, "zeroconf.asyncio")
    except ImportError:
        raise PublishError(
            "OSCQuery needs the zeroconf package: install it or turn oscquery off."
        ) from None
    from zeroconf import InterfaceChoice, IPVersion
    from zeroconf.asyncio import AsyncZeroconf

    try:
        return AsyncZeroconf(
            interfaces=InterfaceChoice.All if lan else [_LOOPBACK], ip_version=IPVersion.V4Only
        )
    except OSError as error:
        raise PublishError(f"OSCQuery cannot use multicast ({error}): turn oscquery off.") from None
