"""What the settings' types say of themselves: which keys there are and what each accepts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from posestream.settings import Settings

_NAMES = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
_SHORT_NAMES = {float: "number", int: "integer", bool: "true | false", str: "text"}
_LONGEST_INDEX = 3


def struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The settings struct inside ``Annotated``, ``tuple[X, ...]`` or ``X | None``."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((s for inner in get_args(kind) if (s := struct_in(inner)) is not None), None)


def fields_of(kind: Any) -> dict[str, Any]:
    """Name and type of every key of the struct inside ``kind``; empty where it holds none."""
    struct = struct_in(kind)
    return {} if struct is None else dict(_fields(struct))


@cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {f.name: f.type for f in _field_infos(struct)}


@cache
def _field_infos(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Kept, because msgspec evaluates every annotation anew at each question."""
    return msgspec.structs.fields(struct)


def is_index(part: str) -> bool:
    """Whether a part of a dotted key is a place in a list."""
    return part.isascii() and part.isdigit() and len(part) <= _LONGEST_INDEX


def is_optional(kind: Any) -> bool:
    """Whether the setting can be off."""
    return kind is NoneType or (
        get_origin(kind) not in (tuple, Literal) and any(map(is_optional, get_args(kind)))
    )


def type_at(key: str) -> Any | None:
    """The type of the setting or section at a dotted key, None where there is none.

    Places in lists may be left out: ``vmc.port`` is ``vmc.0.port``.
    """
    kind: Any = Settings
    for part in key.split("."):
        if is_index(part) and (items := _items(kind)) is not None:
            kind = items
            continue
        fields = fields_of(kind)
        if part not in fields:
            return None
        kind = fields[part]
    return kind


def accepted(kind: Any) -> str:
    """What a setting of this type accepts, for the sentence "… must be …"."""
    if get_origin(kind) is Annotated:
        base, *notes = get_args(kind)
        return accepted(base) + "".join(_range(note) for note in notes if isinstance(note, Meta))
    if get_origin(kind) is Literal:
        return _listed([str(choice) for choice in get_args(kind)])
    if get_origin(kind) is tuple:
        struct = struct_in(kind)
        return f"a list of {'tables, each begun by [[…]]' if struct else _plural(kind)}"
    if struct_in(kind) is not None:
        return "a table of settings"
    if get_args(kind):
        return _listed([accepted(choice) for choice in get_args(kind)])
    return "off" if kind is NoneType else _NAMES.get(kind, str(kind))


def describe() -> Iterator[tuple[str, str, Any, str]]:
    """(key, type, default, description) of every key, for the reference page and help."""
    yield from _all_described()


@cache
def _all_described() -> tuple[tuple[str, str, Any, str], ...]:
    """Kept, because every wrong key asks for the nearest right one."""
    return tuple(_describe(Settings, ""))


def _items(kind: Any) -> Any | None:
    if get_origin(kind) is tuple:
        return get_args(kind)[0]
    inner = (_items(a) for a in get_args(kind)) if get_origin(kind) is Annotated else ()
    return next((found for found in inner if found is not None), None)


def _plural(kind: Any) -> str:
    items = get_args(kind)[0]
    return "texts" if items is str else "numbers" if items is float else f"these: {accepted(items)}"


def _range(note: Meta) -> str:
    low, high = note.ge, note.le
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    parts = [
        (note.gt, " above {:g}"), (low, " at least {:g}"), (note.lt, " below {:g}"),
        (high, " at most {:g}"), (note.max_length, " at most {} of them"),
    ]  # fmt: skip
    return ",".join(text.format(limit) for limit, text in parts if limit is not None)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _describe(struct: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str, Any, str]]:
    for field in _field_infos(struct):
        nested = struct_in(field.type)
        if nested is not None:
            many = nested is not field.type
            yield from _describe(nested, f"{prefix}{field.name}.{'N.' if many else ''}")
            continue
        default = None if field.default is msgspec.NODEFAULT else field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        yield f"{prefix}{field.name}", _type_name(field.type), default, _description(field.type)


def _description(kind: Any) -> str:
    """The outermost description, or the one of the type inside ``X | None``."""
    own = [a.description for a in get_args(kind) if isinstance(a, Meta) and a.description]
    return own[0] if own else next(filter(None, map(_description, get_args(kind))), "")


def _type_name(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return _type_name(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return " | ".join(map(str, get_args(kind)))
    if get_origin(kind) is tuple:
        return f"list of {_type_name(get_args(kind)[0])}"
    if get_args(kind):
        return " | ".join(map(_type_name, get_args(kind)))
    return "off" if kind is NoneType else _SHORT_NAMES.get(kind, str(kind))
