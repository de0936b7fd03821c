"""Strict types for decoding JSON messages, made from the schema."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np

from posestream.wire.layout import (
    NUMPY_DTYPE,
    AnySection,
    Array,
    Blob,
    Field,
    Json,
    MessageType,
    Names,
    Record,
    Text,
    dims_of,
)
from posestream.wire.schema import Switch

GROUP: Final = "people"
"""The dimension whose sections JSON gathers in one object per element."""

_NO_LIST_IS_LONGER = 4096


def json_type(message: MessageType) -> type[msgspec.Struct]:
    """The struct that a JSON message of this type must fit; unknown keys are skipped.

    In what clients send, a field left out is 0 or the first choice, to be kind to beginners.
    """
    plain = [s for s in message.sections[1:] if dims_of(s)[:1] != (GROUP,)]
    grouped = [s for s in message.sections[1:] if dims_of(s)[:1] == (GROUP,)]
    fields = _fields(message.head, message.direction == "client")
    fields += [_section(s, ()) for s in plain]
    if grouped:
        fields.append((GROUP, _list(_person(message.name, grouped))))
    return msgspec.defstruct(f"{message.name}_json", fields, kw_only=True)


def _person(name: str, sections: list[AnySection]) -> Any:
    fields: list[Any] = []
    for section in sections:
        if isinstance(section, Record):
            fields += _fields(section)
        else:
            fields.append(_section(section, (GROUP,)))
    return msgspec.defstruct(f"{name}_person_json", fields, kw_only=True)


def _fields(record: Record, defaults: bool = False) -> list[Any]:
    shown = [f for f in record.fields if not f.reserved and f.count_of is None]
    return [(f.name, _field(f), _default(f)) if defaults else (f.name, _field(f)) for f in shown]


def _default(field: Field) -> Any:
    if field.enum is Switch:
        return False
    return 0 if field.enum is None else next(iter(field.enum)).name.lower()


def _field(field: Field) -> Any:
    if field.enum is Switch:
        return bool
    if field.enum is not None:
        return Literal[tuple(member.name.lower() for member in field.enum)]
    if field.bits_of is not None:
        return Annotated[list[Literal[0, 1]], msgspec.Meta(max_length=64)]
    return _nested(_number(field.dtype), len(field.shape))


def _section(section: AnySection, leading: tuple[str, ...]) -> Any:
    kind = _section_type(section, leading)
    if getattr(section, "optional", False):
        return (section.name, kind | None, None)
    return (section.name, kind)


def _section_type(section: AnySection, leading: tuple[str, ...]) -> Any:
    match section:
        case Record():
            return msgspec.defstruct(f"{section.name}_json", _fields(section), kw_only=True)
        case Array():
            number = _number(section.dtype)
            return _nested(number | None if section.nan else number,
                           len(section.dims) - len(leading))  # fmt: skip
        case Names():
            return _list(str)
        case Json():
            return dict[str, Any]
        case Text() | Blob():
            return str


def _number(dtype: str) -> Any:
    if dtype.startswith("f"):
        return float
    limits = np.iinfo(NUMPY_DTYPE[dtype])
    if limits.bits == 64:  # msgspec's own bounds end at 64 bits; numpy refuses the rest
        return int
    return Annotated[int, msgspec.Meta(ge=int(limits.min), le=int(limits.max))]


def _list(item: Any) -> Any:
    return Annotated[list[item], msgspec.Meta(max_length=_NO_LIST_IS_LONGER)]


def _nested(item: Any, depth: int) -> Any:
    for _ in range(depth):
        item = _list(item)
    return item
