"""Documents to and from the binary encoding ``posestream.v1``; works from the schema alone.

A message: magic ``PS``, version u8, kind u8, length of the whole u32; then sections: id u16,
reserved u16, payload length u32, payload. Little-endian throughout. The head comes first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import prod
from typing import Any

import msgspec
import numpy as np

from posestream.errors import ProtocolError
from posestream.wire import document as doc
from posestream.wire.document import Document
from posestream.wire.layout import (
    NUMPY_DTYPE,
    AnySection,
    Array,
    Blob,
    Json,
    MessageType,
    Names,
    Record,
    Text,
    dims_of,
)
from posestream.wire.schema import (
    BY_KIND,
    HEADER_BYTES,
    MAGIC,
    MAX_MESSAGE_BYTES,
    MAX_SECTIONS,
    PROTOCOL_VERSION,
    SECTION_HEADER_BYTES,
)

_HEADER = struct.Struct("<2sBBI")
_SECTION = struct.Struct("<HHI")
_NAME = struct.Struct("<H")


def pack(message: MessageType, document: Document) -> bytes:
    """Encode a document that its maker has built to the schema."""
    parts = [b""]
    for section in message.sections:
        value = document.get(section.name)
        if value is not None:
            payload = _payload(section, value)
            parts += (_SECTION.pack(section.id, 0, len(payload)), payload)
    length = HEADER_BYTES + sum(map(len, parts))
    if length > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"A {message.name} message of {length} bytes is too large to send.")
    parts[0] = _HEADER.pack(MAGIC, PROTOCOL_VERSION, message.kind, length)
    return b"".join(parts)


def _payload(section: AnySection, value: Any) -> bytes:
    match section:
        case Record() | Array():
            return bytes(value.tobytes())
        case Text():
            return _limited(section, value.encode())
        case Names():
            return b"".join(_packed_name(section, name.encode()) for name in value)
        case Json():
            return _limited(section, msgspec.json.encode(value))
        case Blob():
            return _limited(section, bytes(value))


def _limited(section: Text | Names | Json | Blob, raw: bytes) -> bytes:
    doc.check_length(section, len(raw))
    return raw


def _packed_name(section: Names, raw: bytes) -> bytes:
    return _NAME.pack(len(raw)) + _limited(section, raw)


def unpack(data: bytes | memoryview) -> tuple[MessageType | None, int, Document]:
    """Decode to (message type, kind, document); type None for kinds not known here.

    Raises ProtocolError for anything that is not a complete message of this version.
    """
    kind, body = _body(memoryview(data))
    message = BY_KIND.get(kind)
    if message is None:
        for _ in _sections(body):
            pass
        return None, kind, {}
    document: Document = {}
    for section_id, payload in _sections(body):
        section = message.by_id.get(section_id)
        if section is not None:
            _read_section(message, document, section, payload)
    doc.check_complete(message, document)
    return message, kind, document


def _body(data: memoryview) -> tuple[int, memoryview]:
    if len(data) < HEADER_BYTES or len(data) > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"A message cannot have {len(data)} bytes.")
    magic, version, kind, length = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise ProtocolError("The message does not start with the posestream mark.")
    if version != PROTOCOL_VERSION:
        raise ProtocolError(f"The message is of version {version}; this reads {PROTOCOL_VERSION}.")
    if length != len(data):
        raise ProtocolError(f"The message says {length} bytes and has {len(data)}.")
    return kind, data[HEADER_BYTES:]


def _sections(body: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    for _ in range(MAX_SECTIONS):
        if at == len(body):
            return
        if len(body) - at < SECTION_HEADER_BYTES:
            raise ProtocolError("The message ends inside a section's header.")
        section_id, _, length = _SECTION.unpack_from(body, at)
        at += SECTION_HEADER_BYTES
        if length > len(body) - at:
            raise ProtocolError(f"Section {section_id} is longer than its message.")
        yield section_id, body[at : at + length]
        at += length
    raise ProtocolError(f"The message has more than {MAX_SECTIONS} sections.")


def _read_section(
    message: MessageType, document: Document, section: AnySection, payload: memoryview
) -> None:
    if section.name in document:
        raise ProtocolError(f"The {message.name} message repeats its section {section.name}.")
    if section is not message.head and message.head.name not in document:
        raise ProtocolError(f"The {message.name} message does not begin with its head.")
    shape = tuple(doc.size_of(message, document, dim) for dim in dims_of(section))
    document[section.name] = _value(section, shape, payload)


def _value(section: AnySection, shape: tuple[int, ...], payload: memoryview) -> Any:
    match section:
        case Record():
            values = _numbers(section.name, section.dtype, shape, payload)
            doc.check_record(section, values)
            return values
        case Array():
            values = _numbers(section.name, np.dtype(NUMPY_DTYPE[section.dtype]), shape, payload)
            doc.check_array(section, values)
            return values
        case Text():
            doc.check_length(section, len(payload))
            return _utf8(section.name, payload)
        case Names():
            return _names(section, shape[0], payload)
        case Json():
            return _json_object(section, payload)
        case Blob():
            doc.check_length(section, len(payload))
            return bytes(payload)


def _numbers(name: str, dtype: np.dtype[Any], shape: tuple[int, ...], payload: memoryview) -> Any:
    expected = dtype.itemsize * prod(shape)
    if len(payload) != expected:
        raise ProtocolError(f"{name} has {len(payload)} bytes, expected {expected}.")
    return np.frombuffer(payload, dtype).reshape(shape)


def _utf8(name: str, payload: memoryview) -> str:
    try:
        return str(payload, "utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{name} is not UTF-8 text.") from error


def _names(section: Names, count: int, payload: memoryview) -> tuple[str, ...]:
    names = []
    at = 0
    for _ in range(count):
        if len(payload) - at < _NAME.size:
            raise ProtocolError(f"{section.name} ends early.")
        (length,) = _NAME.unpack_from(payload, at)
        at += _NAME.size
        doc.check_length(section, length)
        if length > len(payload) - at:
            raise ProtocolError(f"{section.name} ends early.")
        names.append(_utf8(section.name, payload[at : at + length]))
        at += length
    if at != len(payload):
        raise ProtocolError(f"{section.name} holds more than {count} names.")
    return tuple(names)


def _json_object(section: Json, payload: memoryview) -> dict[str, Any]:
    doc.check_length(section, len(payload))
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise ProtocolError(f"{section.name} is not a JSON object.") from error
