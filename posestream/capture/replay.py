"""Reads ``.psrec`` recordings: the avatar frames as they were published."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO

from posestream.arrays import I64
from posestream.errors import ProtocolError, RecordingError
from posestream.timing import monotonic_ns
from posestream.types import AvatarFrame
from posestream.wire import codec, recording
from posestream.wire.messages import Event, Hello, Message, StampedFrame

_log = logging.getLogger(__name__)


class ReplayReader:
    """A recording, read from the start each time it is iterated.

    With ``rebase`` False the frames are ``StampedFrame``s with the times as recorded:
    recording them again gives the same frame messages. With ``rebase`` True they are plain
    ``AvatarFrame``s whose capture times are shifted so that the first one is now.

    A damaged or cut-off tail ends the iteration with one warning; ``complete`` then says
    False. Raises RecordingError where the file is no recording or holds no hello.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        rebase: bool = False,
        clock_ns: Callable[[], int] = monotonic_ns,
    ) -> None:
        self.path = Path(path)
        self._rebase = rebase
        self._clock_ns = clock_ns
        with self._open() as file:
            self.created_utc_ns = self._header(file)
            self.index = _read_index(file)
            self.hello = self._first_hello(file)

    @property
    def complete(self) -> bool:
        """Whether the recording was closed properly (it has its index)."""
        return self.index is not None

    @property
    def frame_count(self) -> int | None:
        """Number of frames, known without reading them only for complete recordings."""
        return None if self.index is None else len(self.index)

    @property
    def fps(self) -> float | None:
        """Frames per second as recorded, where the recording is complete; else the source's."""
        if self.index is None or len(self.index) < 2 or self.index[-1, 0] <= self.index[0, 0]:
            return self.hello.source_fps
        return float((len(self.index) - 1) * 1e9 / (self.index[-1, 0] - self.index[0, 0]))

    def __iter__(self) -> Iterator[AvatarFrame]:
        frames = (message for message in self.messages() if isinstance(message, StampedFrame))
        return _rebased(frames, self._clock_ns) if self._rebase else frames

    def frames_from(self, first: int) -> Iterator[StampedFrame]:
        """Frames from number ``first`` on, with times as recorded; 0 needs no index."""
        offset = None if self.index is None or first == 0 else int(self.index[first, 1])
        return (m for m in self.messages(offset) if isinstance(m, StampedFrame))

    @property
    def first_t_ns(self) -> int:
        """When the first frame was published, as the index says; else 0."""
        return 0 if self.index is None or not len(self.index) else int(self.index[0, 0])

    def messages(self, offset: int | None = None) -> Iterator[Hello | Event | StampedFrame]:
        """Everything recorded, in order, with times as recorded; from a place in the file on."""
        for payload in self.payloads(offset):
            try:
                message: Message = codec.decode(payload)
            except ProtocolError as error:
                raise RecordingError(f"{self.path} holds an invalid message: {error}") from error
            if isinstance(message, Hello | Event | StampedFrame):
                yield message

    def payloads(self, offset: int | None = None) -> Iterator[bytes]:
        """The recorded messages' bytes, in order, up to the end or the first damage."""
        with self._open() as file:
            self._header(file)
            if offset is not None:
                file.seek(offset)
            while (payload := _next_entry(file)) is not None:
                if payload.startswith(recording.INDEX_MAGIC):
                    return
                yield payload
        _log.warning("%s ends early: what comes before is replayed.", self.path)

    def _open(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RecordingError(f"The recording {self.path} cannot be read: {reason}.") from error

    def _header(self, file: BinaryIO) -> int:
        try:
            return recording.unpack_header(file.read(recording.HEADER_BYTES))
        except RecordingError as error:
            raise RecordingError(f"{self.path}: {error}") from error

    def _first_hello(self, file: BinaryIO) -> Hello:
        file.seek(recording.HEADER_BYTES)
        payload = _next_entry(file)
        try:
            message = None if payload is None else codec.decode(payload)
        except ProtocolError:
            message = None
        if not isinstance(message, Hello):
            raise RecordingError(f"{self.path} is damaged before its first message: nothing in it "
                                 "can be replayed.")  # fmt: skip
        return message


def _next_entry(file: BinaryIO, limit: int = recording.MAX_ENTRY_BYTES) -> bytes | None:
    """The next payload; None at the end, at a cut, and where the checksum does not fit."""
    head = file.read(recording.ENTRY_HEADER_BYTES)
    if len(head) < recording.ENTRY_HEADER_BYTES:
        return None
    header = recording.unpack_entry_header(head)
    if header.length > limit:
        return _index_mark(file, header.length)
    payload = file.read(header.length)
    return payload if header.covers(payload) else None


def _index_mark(file: BinaryIO, length: int) -> bytes | None:
    """A long recording's index is larger than any message; here only its mark matters."""
    mark = file.read(len(recording.INDEX_MAGIC))
    fits = length <= recording.MAX_INDEX_BYTES and mark == recording.INDEX_MAGIC
    return mark if fits else None


def _read_index(file: BinaryIO) -> I64 | None:
    size = file.seek(0, 2)
    if size < recording.HEADER_BYTES + recording.TRAILER_BYTES:
        return None
    file.seek(size - recording.TRAILER_BYTES)
    offset = recording.unpack_trailer(file.read(recording.TRAILER_BYTES))
    if offset is None or not recording.HEADER_BYTES <= offset < size:
        return None
    file.seek(offset)
    payload = _next_entry(file, min(recording.MAX_INDEX_BYTES, size))
    return None if payload is None else recording.unpack_index(payload)


def _rebased(frames: Iterator[StampedFrame], clock_ns: Callable[[], int]) -> Iterator[AvatarFrame]:
    shift_ns: int | None = None
    for frame in frames:
        if shift_ns is None:
            shift_ns = clock_ns() - frame.t_capture_ns
        yield rebased(frame, shift_ns)


def rebased(frame: StampedFrame, shift_ns: int) -> AvatarFrame:
    """The plain frame, so much later."""
    values = {f.name: getattr(frame, f.name) for f in fields(AvatarFrame)}
    values["t_capture_ns"] = frame.t_capture_ns + shift_ns
    return AvatarFrame(**values)
