"""Who may connect, and what a connection asks for in its address. No sockets.

Any web page can open a WebSocket to this machine, so Origin and Host are checked on loopback
too: no Origin means a native client, web origins must be listed, and the Host must be
loopback, the address that was reached, or listed (against DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from posestream.wire.messages import Axes, Rotations, Subscribe
from posestream.wire.schema import MAX_TOKEN_BYTES, Switch

_MAX_QUERY: Final = 1024
_WEB_PORTS: Final = {"http": 80, "https": 443}
_E = TypeVar("_E", bound=IntEnum)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a handshake is refused: the HTTP status and a sentence."""

    status: HTTPStatus
    reason: str


@dataclass(frozen=True, slots=True)
class Admission:
    """A connection that may be opened, with what its address asked for."""

    wants: Subscribe = field(default_factory=Subscribe)
    authorised: bool = False  # it showed the token
    page: str = ""  # which page it asked for instead of the stream


@dataclass(frozen=True, slots=True)
class Opening:
    """What a handshake says. Header values are lists because headers can be repeated."""

    path: str
    origins: list[str]
    hosts: list[str]
    authorizations: list[str]
    local_ip: str = ""  # the address of ours that was reached


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed. ``token_ok`` compares in constant time."""

    token_ok: Callable[[str], bool]
    open_to_all: bool  # listening on loopback alone: the token is needed for control only
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    pages: frozenset[str] = frozenset()  # paths of what is served beside the stream

    def judge(self, opening: Opening) -> Admission | Refusal:
        """Whether the connection may be opened."""
        refusal = self._foreign(opening)
        if refusal is not None:
            return refusal
        try:
            url = urlsplit(opening.path[: _MAX_QUERY + 64])
            if url.path not in ("", "/") and url.path not in self.pages:
                return Refusal(HTTPStatus.NOT_FOUND, "The stream is at the path /.")
            wants = parse_wants(url)
        except ValueError as error:
            return Refusal(HTTPStatus.BAD_REQUEST, str(error))
        page = url.path if url.path in self.pages else ""
        return self._with_token(wants, _token(opening, wants), page)

    def _foreign(self, opening: Opening) -> Refusal | None:
        if len(opening.hosts) != 1 or not self._host_ok(opening.hosts[0], opening.local_ip):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "This host name is not allowed: list it in websocket.allowed_hosts.",
            )
        if opening.origins and not self._origin_ok(opening.origins):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "This web page's origin is not allowed: list it in websocket.allowed_origins.",
            )
        return None

    def _host_ok(self, host: str, local_ip: str) -> bool:
        name = _host_name(host)
        if name is None:
            return False
        allowed = {allowed.lower() for allowed in self.allowed_hosts}
        return is_loopback(name) or name == local_ip.lower() or name in allowed

    def _origin_ok(self, origins: list[str]) -> bool:
        allowed = {_origin_key(origin) for origin in self.allowed_origins}
        return len(origins) == 1 and _origin_key(origins[0]) in allowed - {None}

    def _with_token(self, wants: Subscribe, token: str, page: str) -> Admission | Refusal:
        authorised = bool(token) and self.token_ok(token)
        if token and not authorised:
            return Refusal(HTTPStatus.UNAUTHORIZED, "The token is wrong.")
        if not authorised and not self.open_to_all:
            return Refusal(HTTPStatus.UNAUTHORIZED, "The token is needed: add ?token=… .")
        if not authorised and wants.picture:
            return Refusal(HTTPStatus.UNAUTHORIZED, "The token is needed for pictures.")
        return Admission(wants, authorised, page)


def is_loopback(name: str) -> bool:
    """Whether a host name or IP address means this machine alone."""
    if name.lower() in ("localhost", "localhost."):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str | None:
    """The name in a Host header, without port and brackets; None where it is not one."""
    try:
        url = urlsplit(f"//{host}")
        _ = url.port
    except ValueError:
        return None
    return None if url.username or url.path or not url.hostname else url.hostname.lower()


def _origin_key(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for ``null`` and what is no origin."""
    try:
        url = urlsplit(origin.strip().rstrip("/"))
        port = url.port or _WEB_PORTS.get(url.scheme, 0)
    except ValueError:
        return None
    return (url.scheme, url.hostname, port) if url.scheme and url.hostname else None


def _token(opening: Opening, wants: Subscribe) -> str:
    for value in opening.authorizations[:1]:
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()[:MAX_TOKEN_BYTES]
    return wants.token


def parse_wants(url: SplitResult) -> Subscribe:
    """Options in the address: axes, rotations, positions, picture, rate, token.

    Raises ValueError: a sentence that names the option and its choices.
    """
    given = dict(parse_qsl(url.query[:_MAX_QUERY], keep_blank_values=True, max_num_fields=16))
    known = ("axes", "rotations", "positions", "picture", "rate", "token")
    for name in given:
        if name not in known:
            raise ValueError(f"There is no option {name[:40]!r}: known are {', '.join(known)}.")
    return Subscribe(
        rate_hz=_rate(given.get("rate", "0")),
        axes=_choice(Axes, "axes", given.get("axes", "unity")),
        rotations=_choice(Rotations, "rotations", given.get("rotations", "float32")),
        positions=_switch("positions", given.get("positions", "0")),
        picture=_switch("picture", given.get("picture", "0")),
        token=given.get("token", "")[:MAX_TOKEN_BYTES],
    )


def _choice(enum: type[_E], name: str, value: str) -> _E:
    try:
        return enum[value.upper()]
    except KeyError:
        raise ValueError(f"{name} must be {_listed(e.name.lower() for e in enum)}.") from None


def _switch(name: str, value: str) -> bool:
    accepted = {"0": False, "1": True, "false": False, "true": True}
    accepted |= {member.name.lower(): bool(member) for member in Switch}
    if value.lower() not in accepted:
        raise ValueError(f"{name} must be 0 or 1.")
    return accepted[value.lower()]


def _rate(value: str) -> float:
    try:
        rate = float(value)
    except ValueError:
        rate = -1.0
    if not 0.0 <= rate <= 1000.0:
        raise ValueError("rate must be a number of frames per second from 0 (all) to 1000.")
    return rate


def _listed(names: Iterable[str]) -> str:
    return " or ".join(names)
