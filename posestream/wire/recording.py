"""The ``.psrec`` format: binary messages with lengths, checksums, times and an index. No files.

    header   magic "PSREC\\r\\n\\x1a", version u16, reserved u16, created (UTC ns) i64, CRC u32
    entry    length u32, CRC u32, time i64 (monotonic ns), message (``posestream.v1`` binary)
    index    an entry whose payload starts with "PSINDEX\\0": then per frame time i64, offset i64
    trailer  magic "PSRECEND", offset of the index entry u64, CRC u32 of both

The CRC (zlib's) covers the time and the payload, so an entry is whole or it is not read. A
file that was cut off lacks the trailer and the end of the last entry; everything before that
reads as usual.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from posestream.errors import RecordingError
from posestream.wire.schema import MAX_MESSAGE_BYTES

FORMAT_VERSION: Final = 1
MAGIC: Final = b"PSREC\r\n\x1a"
INDEX_MAGIC: Final = b"PSINDEX\0"
TRAILER_MAGIC: Final = b"PSRECEND"

_HEADER = struct.Struct("<8sHHqI")
_ENTRY = struct.Struct("<IIq")
_TRAILER = struct.Struct("<8sQI")
_TIME = struct.Struct("<q")
_INDEX_ROW_BYTES: Final = 16

HEADER_BYTES: Final = _HEADER.size
ENTRY_HEADER_BYTES: Final = _ENTRY.size
TRAILER_BYTES: Final = _TRAILER.size
MAX_ENTRY_BYTES: Final = MAX_MESSAGE_BYTES
MAX_INDEX_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class EntryHeader:
    """What precedes an entry's payload."""

    length: int
    crc: int
    t_ns: int

    def covers(self, payload: bytes) -> bool:
        """Whether the payload is the one that was written."""
        return len(payload) == self.length and _crc(self.t_ns, payload) == self.crc


def _crc(t_ns: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_TIME.pack(t_ns)))


def pack_header(created_utc_ns: int) -> bytes:
    """The first bytes of a recording."""
    head = _HEADER.pack(MAGIC, FORMAT_VERSION, 0, created_utc_ns, 0)[:-4]
    return head + struct.pack("<I", zlib.crc32(head))


def unpack_header(data: bytes) -> int:
    """When the recording was created (UTC, ns). Raises RecordingError for anything else."""
    if len(data) < HEADER_BYTES or data[: len(MAGIC)] != MAGIC:
        raise RecordingError("This is not a posestream recording (.psrec).")
    _, version, _, created_utc_ns, crc = _HEADER.unpack_from(data)
    if version != FORMAT_VERSION:
        raise RecordingError(
            f"The recording has format {version}; this version of posestream reads "
            f"format {FORMAT_VERSION}: update posestream."
        )
    if zlib.crc32(data[: HEADER_BYTES - 4]) != crc:
        raise RecordingError("The recording's header is damaged.")
    return int(created_utc_ns)


def pack_entry(t_ns: int, payload: bytes) -> bytes:
    """One message with what guards it."""
    return _ENTRY.pack(len(payload), _crc(t_ns, payload), t_ns) + payload


def unpack_entry_header(data: bytes) -> EntryHeader:
    """The 16 bytes before a payload."""
    return EntryHeader(*_ENTRY.unpack(data))


def pack_index(t_ns: int, frames: NDArray[np.int64], offset: int) -> bytes:
    """Index entry and trailer. ``frames`` (F, 2): time and offset; ``offset``: where it goes."""
    table = frames.astype("<i8").tobytes()
    tail = _TRAILER.pack(TRAILER_MAGIC, offset, 0)[:-4]
    entry = pack_entry(t_ns, INDEX_MAGIC + table)
    return entry + tail + struct.pack("<I", zlib.crc32(tail))


def unpack_trailer(data: bytes) -> int | None:
    """Offset of the index entry; None where the file ends otherwise."""
    if len(data) != TRAILER_BYTES or data[: len(TRAILER_MAGIC)] != TRAILER_MAGIC:
        return None
    _, offset, crc = _TRAILER.unpack(data)
    return int(offset) if zlib.crc32(data[:-4]) == crc else None


def unpack_index(payload: bytes) -> NDArray[np.int64] | None:
    """Time and offset of each frame (F, 2); None where the payload is no index."""
    table = payload[len(INDEX_MAGIC) :]
    if payload[: len(INDEX_MAGIC)] != INDEX_MAGIC or len(table) % _INDEX_ROW_BYTES:
        return None
    return np.frombuffer(table, "<i8").reshape(-1, 2).astype(np.int64)
