"""Open Sound Control, incoming: a parser that is bounded in size and depth.

Whatever the bytes, ``decode`` returns a packet or raises ``ProtocolError``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from posestream.errors import ProtocolError

MAX_DATAGRAM_BYTES: Final = 65_507
"""The largest payload that UDP carries."""

MAX_DEPTH: Final = 8
"""Bundles in bundles, and arrays in arrays."""


class TimeTag(NamedTuple):
    """NTP time; (0, 1) means at once."""

    seconds: int
    fraction: int


class Midi(NamedTuple):
    """A MIDI message."""

    port: int
    status: int
    data1: int
    data2: int


class Rgba(NamedTuple):
    """A colour."""

    red: int
    green: int
    blue: int
    alpha: int


class Infinitum(Enum):
    """The argument of type I."""

    INFINITUM = "infinitum"


Value: TypeAlias = (
    "int | float | str | bytes | bool | TimeTag | Midi | Rgba | Infinitum"
    " | tuple[Value, ...] | None"
)


@dataclass(frozen=True, slots=True)
class OscMessage:
    """``typetags`` is None where an old sender left them out; there are no args then."""

    address: str
    typetags: str | None
    args: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class OscBundle:
    """Messages that belong together."""

    timetag: TimeTag
    elements: tuple[OscMessage | OscBundle, ...]


def decode(data: bytes) -> OscMessage | OscBundle:
    """The packet in one datagram.

    An argument of unknown type ends its message's arguments: its length is unknown.

    Raises:
        ProtocolError: not OSC, cut off, too large or too deep.
    """
    if len(data) > MAX_DATAGRAM_BYTES:
        raise ProtocolError(f"An OSC packet of {len(data)} bytes is too large.")
    return _packet(data, 0)


def messages(packet: OscMessage | OscBundle) -> Iterator[OscMessage]:
    """All messages of a packet, in order."""
    if isinstance(packet, OscMessage):
        yield packet
        return
    for element in packet.elements:
        yield from messages(element)


def _packet(data: bytes, depth: int) -> OscMessage | OscBundle:
    if not data or len(data) % 4:
        raise ProtocolError(f"An OSC packet cannot have {len(data)} bytes.")
    if data.startswith(b"#bundle\0"):
        return _bundle(data, depth)
    if data.startswith(b"/"):
        return _message(data)
    raise ProtocolError("An OSC packet must start with a slash or #bundle.")


def _bundle(data: bytes, depth: int) -> OscBundle:
    if depth >= MAX_DEPTH:
        raise ProtocolError(f"OSC bundles are nested more than {MAX_DEPTH} deep.")
    reader = _Reader(data, 8)
    timetag = TimeTag(*reader.unpack(_TWO_UINTS))
    elements = []
    while reader.left:
        (size,) = reader.unpack(_INT)
        elements.append(_packet(reader.take(size), depth + 1))
    return OscBundle(timetag, tuple(elements))


def _message(data: bytes) -> OscMessage:
    reader = _Reader(data, 0)
    address = reader.string()
    if not (address.isascii() and address.isprintable()):
        raise ProtocolError("An OSC address holds characters that are not printable ASCII.")
    if not reader.left:
        return OscMessage(address, None, ())
    typetags = reader.string()
    if not typetags.startswith(","):
        raise ProtocolError("An OSC message's type tags must start with a comma.")
    return OscMessage(address, typetags, _arguments(reader, typetags[1:]))


def _arguments(reader: _Reader, tags: str) -> tuple[Value, ...]:
    stack: list[list[Value]] = [[]]
    for tag in tags:
        if tag == "[":
            _check_depth(len(stack))
            stack.append([])
        elif tag == "]":
            _close_array(stack)
        elif tag in _READ:
            stack[-1].append(_READ[tag](reader))
        else:
            return tuple(stack[0])
    if len(stack) > 1:
        raise ProtocolError("An OSC array is not closed.")
    return tuple(stack[0])


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ProtocolError(f"OSC arrays are nested more than {MAX_DEPTH} deep.")


def _close_array(stack: list[list[Value]]) -> None:
    if len(stack) == 1:
        raise ProtocolError("An OSC array is closed that was never opened.")
    array = stack.pop()
    stack[-1].append(tuple(array))


class _Reader:
    """A position in a message; every read is checked against the end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise ProtocolError("An OSC packet is cut off.")
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        values: tuple[int, ...] = form.unpack(self.take(form.size))
        return values

    def string(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise ProtocolError("An OSC string has no end.")
        text = self._data[self._at : end]
        self.take((end - self._at) // 4 * 4 + 4)
        # titles come in other encodings too; no receiver should fall over a name
        return text.decode("utf-8", errors="replace")

    def blob(self) -> bytes:
        (size,) = self.unpack(_INT)
        data = self.take(size)
        self.take(-size % 4)
        return data


_INT = struct.Struct(">i")
_LONG = struct.Struct(">q")
_FLOAT = struct.Struct(">f")
_DOUBLE = struct.Struct(">d")
_TWO_UINTS = struct.Struct(">II")
_FOUR_BYTES = struct.Struct(">4B")
_CHAR = struct.Struct(">3xB")

_READ: Final[dict[str, Callable[[_Reader], Value]]] = {
    "i": lambda reader: reader.unpack(_INT)[0],
    "h": lambda reader: reader.unpack(_LONG)[0],
    "f": lambda reader: reader.unpack(_FLOAT)[0],
    "d": lambda reader: reader.unpack(_DOUBLE)[0],
    "s": _Reader.string,
    "S": _Reader.string,
    "b": _Reader.blob,
    "c": lambda reader: chr(reader.unpack(_CHAR)[0]),
    "t": lambda reader: TimeTag(*reader.unpack(_TWO_UINTS)),
    "m": lambda reader: Midi(*reader.unpack(_FOUR_BYTES)),
    "r": lambda reader: Rgba(*reader.unpack(_FOUR_BYTES)),
    "T": lambda _: True,
    "F": lambda _: False,
    "N": lambda _: None,
    "I": lambda _: Infinitum.INFINITUM,
}
