"""Documents to and from ``posestream.v1+json``; works from the schema alone.

One JSON object per message: ``kind``, the head's fields, then the sections under their names;
what exists once per person is gathered in objects in the list ``people``. Counts are left
out (the lists have lengths), switches are true or false, enumerations are their lower-case
names, float32 values are rounded to six decimals, NaN is null.
"""

from __future__ import annotations

import base64
import binascii
from enum import IntEnum
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from posestream.errors import ProtocolError
from posestream.wire import document as doc
from posestream.wire.document import Document
from posestream.wire.json_types import GROUP, json_type
from posestream.wire.layout import (
    NUMPY_DTYPE,
    AnySection,
    Array,
    Blob,
    Field,
    MessageType,
    Names,
    Record,
    Text,
    dims_of,
)
from posestream.wire.schema import BY_NAME, MAX_MESSAGE_BYTES, Switch

_DECIMALS: Final = 6


class _Kind(msgspec.Struct):
    kind: str


_decode_kind: Final = msgspec.json.Decoder(_Kind).decode
_decoders: dict[str, msgspec.json.Decoder[Any]] = {}


def pack(message: MessageType, document: Document) -> bytes:
    """Encode a document that its maker has built to the schema; UTF-8 JSON text."""
    head = document[message.head.name]
    tree: dict[str, Any] = {"kind": message.name} | _object(message, message.head, head)
    people: list[dict[str, Any]] | None = None
    for section in message.sections[1:]:
        value = document.get(section.name)
        if value is None:
            continue
        if dims_of(section)[:1] == (GROUP,):
            people = [{} for _ in value] if people is None else people
            _spread(message, section, value, people)
        else:
            tree[section.name] = _tree(message, section, value)
    if people is not None:
        tree[GROUP] = people
    return msgspec.json.encode(tree)


def _spread(
    message: MessageType, section: AnySection, value: Any, people: list[dict[str, Any]]
) -> None:
    if isinstance(section, Record):
        for person, row in zip(people, value, strict=True):
            person.update(_object(message, section, row))
    else:
        for person, row in zip(people, _rounded(value), strict=True):
            person[section.name] = row


def _tree(message: MessageType, section: AnySection, value: Any) -> Any:
    match section:
        case Record():
            return _object(message, section, value)
        case Array():
            return _rounded(value)
        case Blob():
            return base64.b64encode(value).decode()
    return value


def _object(message: MessageType, record: Record, row: Any) -> dict[str, Any]:
    shown = (f for f in record.fields if not f.reserved and f.count_of is None)
    return {f.name: _field_tree(message, f, row[f.name]) for f in shown}


def _field_tree(message: MessageType, field: Field, value: Any) -> Any:
    if field.enum is Switch:
        return bool(value)
    if field.enum is not None:
        return field.enum(int(value)).name.lower()
    if field.bits_of is not None:
        mask = int(value)
        count = next(f for f in message.head.fields if f.count_of == field.bits_of).high or 0
        return [(mask >> i) & 1 for i in range(int(count))]
    return _rounded(np.asarray(value))


def _rounded(values: NDArray[Any]) -> Any:
    if values.dtype == np.float32:
        return np.round(values.astype(np.float64), _DECIMALS).tolist()
    return values.tolist()


def unpack(data: str | bytes) -> tuple[MessageType | None, str, Document]:
    """Decode to (message type, kind, document); type None for kinds not known here.

    Raises ProtocolError for anything that is not a complete message.
    """
    if len(data) > 4 * MAX_MESSAGE_BYTES:
        raise ProtocolError(f"A message cannot have {len(data)} bytes.")
    try:
        kind = _decode_kind(data).kind
        message = BY_NAME.get(kind)
        if message is None:
            return None, kind, {}
        tree = _decoder(message).decode(data)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise ProtocolError(f"This is not a message in JSON: {error}.") from error
    document = _document(message, msgspec.structs.asdict(tree))
    doc.check_complete(message, document)
    return message, kind, document


def _decoder(message: MessageType) -> msgspec.json.Decoder[Any]:
    if message.name not in _decoders:
        _decoders[message.name] = msgspec.json.Decoder(json_type(message))
    return _decoders[message.name]


def _document(message: MessageType, tree: dict[str, Any]) -> Document:
    people = [msgspec.structs.asdict(person) for person in tree.get(GROUP, ())]
    head = _record(message.head, [tree], {f: _count(message, dim, tree, people)
                                          for dim, f in message.counts.items()})[0]  # fmt: skip
    document: Document = {message.head.name: head}
    for section in message.sections[1:]:
        if dims_of(section)[:1] == (GROUP,):
            value = _gathered(message, document, section, people)
        else:
            value = _value(message, document, section, tree.get(section.name))
        if value is not None:
            document[section.name] = value
    return document


def _count(
    message: MessageType, dim: str, tree: dict[str, Any], people: list[dict[str, Any]]
) -> int:
    """Length of a dimension, from the first list that has it; checked against the others later."""
    if dim == GROUP:
        return len(people)
    for section in message.sections[1:]:
        dims = dims_of(section)
        if dims[:1] == (dim,):
            return len(tree[section.name])
        if dims[:2] == (GROUP, dim) and people and people[0].get(section.name) is not None:
            return len(people[0][section.name])
    fixed = next(f for f in message.head.fields if f.count_of == dim)
    return int(fixed.low or 0)


def _gathered(
    message: MessageType, document: Document, section: AnySection, people: list[dict[str, Any]]
) -> Any:
    if isinstance(section, Record):
        values = _record(section, people, {})
        doc.check_record(section, values)
        return values
    rows = [person.get(section.name) for person in people]
    if all(row is None for row in rows):
        return None
    return _value(message, document, section, rows)


def _value(message: MessageType, document: Document, section: AnySection, value: Any) -> Any:
    if value is None:
        return None
    match section:
        case Record():
            return _record(section, [msgspec.structs.asdict(value)], {})[0]
        case Array():
            shape = tuple(doc.size_of(message, document, dim) for dim in section.dims)
            return _array(section, value, shape)
        case Names():
            return _names(section, value, doc.size_of(message, document, section.count))
        case Text():
            doc.check_length(section, len(value.encode("utf-8", "surrogatepass")))
            return value
        case Blob():
            return _blob(section, value)
    doc.check_length(section, len(msgspec.json.encode(value)))
    return value


def _record(record: Record, rows: list[dict[str, Any]], counts: dict[str, int]) -> NDArray[Any]:
    out = np.zeros(len(rows), record.dtype)
    for field in record.fields:
        if field.reserved:
            continue
        if field.count_of is not None:
            out[field.name] = min(counts[field.name], np.iinfo(NUMPY_DTYPE[field.dtype]).max)
        elif rows:
            out[field.name] = _numbers(
                field.name, [_field_number(field, row[field.name]) for row in rows],
                NUMPY_DTYPE[field.dtype], (len(rows), *field.shape),
            )  # fmt: skip
    doc.check_record(record, out)
    return out


def _field_number(field: Field, value: Any) -> Any:
    if field.enum is not None and field.enum is not Switch:
        return _member(field.enum, value)
    if field.bits_of is not None:
        return sum(1 << i for i, bit in enumerate(value) if bit)
    return value


def _member(enum: type[IntEnum], name: str) -> int:
    return int(enum[name.upper()])


def _array(section: Array, value: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    values = _numbers(section.name, value, NUMPY_DTYPE[section.dtype], shape)
    doc.check_array(section, values)
    return values


def _numbers(name: str, value: Any, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(value, dtype=dtype)
    except (ValueError, OverflowError, TypeError) as error:
        raise ProtocolError(f"{name} does not hold numbers as it should.") from error
    if numbers.size == 0 == np.prod(shape):
        return numbers.reshape(shape)
    if numbers.shape != shape:
        raise ProtocolError(f"{name} has shape {numbers.shape}, expected {shape}.")
    return numbers


def _names(section: Names, value: list[str], count: int) -> tuple[str, ...]:
    if len(value) != count:
        raise ProtocolError(f"{section.name} has {len(value)} entries, expected {count}.")
    for name in value:
        doc.check_length(section, len(name.encode("utf-8", "surrogatepass")))
    return tuple(value)


def _blob(section: Blob, value: str) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolError(f"{section.name} is not base64.") from error
    doc.check_length(section, len(raw))
    return raw
