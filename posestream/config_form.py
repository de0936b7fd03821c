"""Every setting as a form's field: which control fits it, its range, its one-line explanation."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from posestream.config_keys import describe, type_at
from posestream.settings import RESTART_SECTIONS

Kind = Literal["switch", "number", "integer", "choice", "text", "list"]
_KINDS: dict[Any, Kind] = {bool: "switch", int: "integer", float: "number", str: "text"}


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One setting."""

    key: str  # vmc.N.port: of every entry of a list
    kind: Kind
    text: str
    default: Any
    choices: tuple[Any, ...] = ()  # besides a number: words that stand for one
    optional: bool = False  # may be off
    low: float | None = None
    high: float | None = None
    live: bool = True  # changes while running


def fields() -> list[Field]:
    """Every setting in the order of the configuration."""
    return [_field(key, default, text) for key, _, default, text in describe()]


def _field(key: str, default: Any, text: str) -> Field:
    kind = type_at(key.replace(".N.", ".0."))
    parts = list(_flat(kind))
    notes = [p for p in parts if isinstance(p, Meta)]
    choices = tuple(c for p in parts if get_origin(p) is Literal for c in get_args(p))
    bases = [p for p in parts if p in _KINDS]
    return Field(
        key=key,
        kind=_kind(parts, bases, choices),
        text=_sentence(text),
        default=msgspec.to_builtins(default),
        choices=choices,
        optional=NoneType in parts,
        low=next((v for n in notes for v in (n.ge, n.gt) if v is not None), None),
        high=next((v for n in notes for v in (n.le, n.lt) if v is not None), None),
        live=key.split(".")[0] not in RESTART_SECTIONS,
    )


def _flat(kind: Any) -> Iterator[Any]:
    """The plain types, literals and notes that a type is made of."""
    if get_origin(kind) is Annotated:
        base, *notes = get_args(kind)
        yield from _flat(base)
        yield from notes
    elif get_origin(kind) in (Literal, tuple) or not get_args(kind):
        yield kind
    else:
        for inner in get_args(kind):
            yield from _flat(inner)


def _kind(parts: list[Any], bases: list[Any], choices: tuple[Any, ...]) -> Kind:
    if any(get_origin(p) is tuple for p in parts):
        return "list"
    if bases:
        return _KINDS[bases[0]]
    return "choice" if choices else "text"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
