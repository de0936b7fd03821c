"""The content of a message without its encoding: section names to numpy values, text, objects.

Both codecs produce documents; everything in one has been checked against the schema:
lengths, ranges, enumerations, finiteness.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from posestream.errors import ProtocolError
from posestream.wire.layout import Array, Blob, Field, Json, MessageType, Names, Record, Text

Document = dict[str, Any]


def size_of(message: MessageType, document: Document, dim: str | int) -> int:
    """A dimension in elements; names are looked up in the head record."""
    if isinstance(dim, int):
        return dim
    return int(document[message.head.name][message.counts[dim]])


def check_record(record: Record, values: NDArray[Any]) -> None:
    """Raise ProtocolError where a field leaves its range. ``values``: any shape of records."""
    for field in record.fields:
        if not field.reserved:
            _check_field(record.name, field, values[field.name])


def _check_field(where: str, field: Field, values: NDArray[Any]) -> None:
    if field.dtype in ("f32", "f64") and not np.isfinite(values).all():
        raise ProtocolError(f"{where}.{field.name} is not a finite number.")
    if field.low is not None and not (values >= field.low).all():
        raise ProtocolError(f"{where}.{field.name} is below {field.low}.")
    if field.high is not None and not (values <= field.high).all():
        raise ProtocolError(f"{where}.{field.name} is above {field.high}.")
    if field.enum is not None and not np.isin(values, [e.value for e in field.enum]).all():
        raise ProtocolError(f"{where}.{field.name} is none of the known values.")


def check_array(array: Array, values: NDArray[Any]) -> None:
    """Raise ProtocolError for numbers that are not finite (NaN may be allowed)."""
    if array.dtype not in ("f32", "f64"):
        return
    bad = np.isinf(values) if array.nan else ~np.isfinite(values)
    if bad.any():
        raise ProtocolError(f"{array.name} holds a number that is not finite.")


def check_length(section: Text | Names | Json | Blob, size: int) -> None:
    """Raise ProtocolError where text or bytes exceed the section's limit."""
    if size > section.max_bytes:
        raise ProtocolError(f"{section.name} has {size} bytes; {section.max_bytes} are allowed.")


def check_complete(message: MessageType, document: Document) -> None:
    """Raise ProtocolError where a required section is missing."""
    for section in message.sections:
        required = not getattr(section, "optional", False)
        if required and section.name not in document:
            raise ProtocolError(f"The {message.name} message lacks its section {section.name}.")
