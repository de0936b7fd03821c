"""The vocabulary in which the schema is written: fields, sections, messages, and their layout.

A message is a head record followed by sections. Counts in the head give the lengths of
everything else, so a reader can check each section's length before it looks inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np

DType = Literal["u8", "u16", "u32", "u64", "i16", "i32", "i64", "f32", "f64"]

NUMPY_DTYPE: Final[dict[str, str]] = {
    "u8": "<u1", "u16": "<u2", "u32": "<u4", "u64": "<u8",
    "i16": "<i2", "i32": "<i4", "i64": "<i8", "f32": "<f4", "f64": "<f8",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One field of a record.

    ``count_of`` names the dimension that this field counts, ``bits_of`` the dimension of
    which it holds one bit per element (lowest bit first). ``low`` and ``high`` bound every
    element. Fields called ``reserved…`` are written as 0 and not read.
    """

    name: str
    dtype: DType
    doc: str
    shape: tuple[int, ...] = ()
    enum: type[IntEnum] | None = None
    low: float | None = None
    high: float | None = None
    count_of: str | None = None
    bits_of: str | None = None

    @property
    def reserved(self) -> bool:
        """Whether the field only fills space."""
        return self.name.startswith("reserved")


@dataclass(frozen=True)
class Section:
    """What all sections have: an id unique within the message, a name, a description."""

    id: int
    name: str
    doc: str


@dataclass(frozen=True)
class Record(Section):
    """Packed fields, once, or once per element of the dimension ``per``."""

    fields: tuple[Field, ...]
    per: str | None = None
    optional: bool = False

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The packed little-endian structured dtype."""
        return np.dtype([(f.name, NUMPY_DTYPE[f.dtype], f.shape) for f in self.fields])

    def offset(self, field: str) -> int:
        """Bytes from the start of the record to ``field``."""
        fields = self.dtype.fields
        assert fields is not None
        return int(fields[field][1])


@dataclass(frozen=True)
class Array(Section):
    """A dense array, last dimension fastest. ``dims`` are numbers or names of counts."""

    dtype: DType
    dims: tuple[str | int, ...]
    optional: bool = False
    nan: bool = False  # NaN stands for "unknown" (null in JSON)


@dataclass(frozen=True)
class Text(Section):
    """UTF-8 text."""

    max_bytes: int
    optional: bool = False


@dataclass(frozen=True)
class Names(Section):
    """A list of UTF-8 strings, each preceded by its length in bytes as u16."""

    count: str
    max_bytes: int = 128
    optional: bool = False


@dataclass(frozen=True)
class Json(Section):
    """A JSON object (as UTF-8 text in binary messages)."""

    max_bytes: int
    optional: bool = False


@dataclass(frozen=True)
class Blob(Section):
    """Opaque bytes (base64 in JSON messages)."""

    max_bytes: int
    optional: bool = False


AnySection = Record | Array | Text | Names | Json | Blob


@dataclass(frozen=True)
class MessageType:
    """One kind of message. The first section is the head record, written exactly once."""

    kind: int
    name: str
    direction: Literal["server", "client"]
    doc: str
    sections: tuple[AnySection, ...]

    @cached_property
    def head(self) -> Record:
        """The record that comes first and holds the counts."""
        first = self.sections[0]
        assert isinstance(first, Record)
        return first

    @cached_property
    def by_id(self) -> dict[int, AnySection]:
        """Sections by their id."""
        return {section.id: section for section in self.sections}

    @cached_property
    def by_name(self) -> dict[str, AnySection]:
        """Sections by their name."""
        return {section.name: section for section in self.sections}

    @cached_property
    def counts(self) -> dict[str, str]:
        """Dimension name to the head's field that counts it."""
        return {f.count_of: f.name for f in self.head.fields if f.count_of is not None}


def dims_of(section: AnySection) -> tuple[str | int, ...]:
    """Leading dimensions of a section's value; empty for a single value."""
    if isinstance(section, Array):
        return section.dims
    if isinstance(section, Record):
        return () if section.per is None else (section.per,)
    return (section.count,) if isinstance(section, Names) else ()
