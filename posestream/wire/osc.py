"""Open Sound Control 1.0, outgoing: messages, bundles, and templates for frames that repeat.

Only the types i, f and s are ever written: some receivers die of anything else.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from posestream.errors import ProtocolError

IMMEDIATELY: Final = 1
"""The time tag that asks for a bundle to be handled at once."""

BUNDLE_HEADER_BYTES: Final = 16
ELEMENT_HEADER_BYTES: Final = 4

Argument = int | float | str

_INT32 = struct.Struct(">i")
_FLOAT32 = struct.Struct(">f")


def encode_string(text: str) -> bytes:
    """The bytes of a string: UTF-8, at least one NUL, padded to a multiple of four."""
    data = text.encode("utf-8", errors="replace")
    if 0 in data:
        raise ProtocolError(f"The text {text!r} holds a NUL character, which OSC cannot carry.")
    return data + bytes(4 - len(data) % 4)


def encode_message(address: str, *args: Argument) -> bytes:
    """One message. int is sent as i (32 bit), float as f, str as s.

    Raises:
        ProtocolError: an argument has another type or does not fit.
    """
    if not address.startswith("/"):
        raise ProtocolError(f"The OSC address {address!r} must start with a slash.")
    tags = "," + "".join(_tag(arg) for arg in args)
    parts = [encode_string(address), encode_string(tags)]
    parts.extend(_encode_argument(arg) for arg in args)
    return b"".join(parts)


def _tag(arg: Argument) -> str:
    # bool is an int to Python, yet T and F are types that receivers do not expect
    if isinstance(arg, bool) or not isinstance(arg, int | float | str):
        raise ProtocolError(f"OSC argument {arg!r} is neither int, float nor text.")
    return "i" if isinstance(arg, int) else "f" if isinstance(arg, float) else "s"


def _encode_argument(arg: Argument) -> bytes:
    if isinstance(arg, str):
        return encode_string(arg)
    try:
        return _INT32.pack(arg) if isinstance(arg, int) else _FLOAT32.pack(arg)
    except (struct.error, OverflowError):
        raise ProtocolError(f"OSC argument {arg!r} does not fit into 32 bits.") from None


def encode_bundle(messages: Iterable[bytes], timetag: int = IMMEDIATELY) -> bytes:
    """One bundle of encoded messages (or bundles), in the given order."""
    parts = [b"#bundle\0", timetag.to_bytes(8, "big")]
    for message in messages:
        parts += (_INT32.pack(len(message)), message)
    return b"".join(parts)


def split_bundles(messages: Iterable[bytes], max_bytes: int = 1500) -> list[bytes]:
    """As few bundles as possible that keep the order and stay within ``max_bytes`` each.

    Raises:
        ProtocolError: a single message does not fit.
    """
    return [encode_bundle(group) for group in _group(messages, max_bytes)]


def _group(messages: Iterable[bytes], max_bytes: int) -> list[list[bytes]]:
    groups: list[list[bytes]] = []
    room = 0
    for message in messages:
        need = ELEMENT_HEADER_BYTES + len(message)
        if need > max_bytes - BUNDLE_HEADER_BYTES:
            raise ProtocolError(f"An OSC message of {need} bytes exceeds {max_bytes} per bundle.")
        if need > room:
            groups.append([])
            room = max_bytes - BUNDLE_HEADER_BYTES
        groups[-1].append(message)
        room -= need
    return groups


class FrameTemplate:
    """A frame whose text and integers never change: bundles made once, floats patched in.

    Every element of OSC is a multiple of four bytes, so all bundles together are one array
    of big-endian words, and a frame is one indexed assignment.
    """

    __slots__ = ("_buffer", "_ends", "_index", "_words")

    def __init__(
        self, messages: Sequence[tuple[str, Sequence[Argument]]], max_bytes: int = 1500
    ) -> None:
        """``messages`` in order; the value of each float argument is only a placeholder."""
        encoded = [encode_message(address, *args) for address, args in messages]
        groups = _group(encoded, max_bytes)
        bundles = [encode_bundle(group) for group in groups]
        self._buffer = bytearray(b"".join(bundles))
        self._ends = np.cumsum([len(bundle) for bundle in bundles]).tolist()
        self._words = np.frombuffer(self._buffer, dtype=">f4")
        self._index = np.array(_float_words(messages, groups), dtype=np.intp)

    @property
    def num_floats(self) -> int:
        """How many values ``fill`` takes."""
        return int(self._index.size)

    def fill(self, values: ArrayLike) -> list[bytes]:
        """The datagrams of one frame; ``values`` (num_floats,) in the messages' order."""
        self._words[self._index] = values
        data = bytes(self._buffer)
        starts = [0, *self._ends[:-1]]
        return [data[a:b] for a, b in zip(starts, self._ends, strict=True)]


def _float_words(
    messages: Sequence[tuple[str, Sequence[Argument]]], groups: Sequence[Sequence[bytes]]
) -> list[int]:
    """Positions, in words, of all float arguments within the joined bundles."""
    words: list[int] = []
    remaining = iter(messages)
    start = 0
    for group in groups:
        start += BUNDLE_HEADER_BYTES
        for encoded in group:
            start += ELEMENT_HEADER_BYTES
            _, args = next(remaining)
            words += [(start + at) // 4 for at in _float_offsets(len(encoded), args)]
            start += len(encoded)
    return words


def _float_offsets(message_bytes: int, args: Sequence[Argument]) -> list[int]:
    at = message_bytes - sum(len(_encode_argument(arg)) for arg in args)
    offsets = []
    for arg in args:
        if isinstance(arg, float):
            offsets.append(at)
        at += len(_encode_argument(arg))
    return offsets
