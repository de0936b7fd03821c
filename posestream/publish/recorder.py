"""Writes what is published to a ``.psrec`` file, in a thread of its own.

A full disk ends the recording with one warning and one event; what was written stays
readable and the run goes on. Frames that the disk cannot keep up with are counted as dropped.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import queue
import threading
import time
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from posestream.errors import PosestreamError, RecordingError
from posestream.publish.base import SinkKind, SinkStats
from posestream.timing import monotonic_ns
from posestream.types import AvatarFrame
from posestream.wire import codec, recording
from posestream.wire.messages import RECORDED, Event, EventKind, Hello, StampedFrame, stamped

_log = logging.getLogger(__name__)
_QUEUE_LENGTH: Final = 256
_CLOSE_TIMEOUT_S: Final = 5.0


class RawFile(Protocol):
    """What the recorder needs of an unbuffered file."""

    def write(self, data: bytes, /) -> int | None:
        """Write some of ``data``; the number of bytes that were written."""

    def truncate(self, size: int, /) -> int:
        """Cut the file to ``size`` bytes."""
        ...

    def close(self) -> None:
        """Close the file."""


def open_new(path: Path) -> RawFile:
    """A new unbuffered file. Raises RecordingError where it exists or cannot be made."""
    try:
        return path.open("xb", buffering=0)
    except FileExistsError as error:
        raise RecordingError(
            f"{path} exists already: choose another name for the recording or remove it."
        ) from error
    except OSError as error:
        raise RecordingError(f"{path} cannot be written: {_reason(error)}.") from error


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    return (error.strerror or str(error)).lower()


class RecordingWriter:
    """Appends messages to a file; every entry is written whole or taken back."""

    def __init__(self, file: RawFile, created_utc_ns: int) -> None:
        self._file = file
        self._frames = array("q")  # time and offset of each: 16 bytes a frame, for hours
        self._last_t_ns = 0
        self.size = 0
        self._append(recording.pack_header(created_utc_ns))

    def write(self, message: Hello | Event | StampedFrame) -> int:
        """Append one message, return its size. Raises OSError; the file then ends before it."""
        t_ns = _time_of(message)
        payload = codec.encode(message, RECORDED)
        offset = self.size
        self._append(recording.pack_entry(t_ns, payload))
        self._last_t_ns = t_ns
        if isinstance(message, StampedFrame):
            self._frames.extend((t_ns, offset))
        return len(payload)

    def close(self) -> None:
        """Write the index, if there is room, and close."""
        try:
            frames = np.frombuffer(self._frames, np.int64).reshape(-1, 2)
            self._append(recording.pack_index(self._last_t_ns, frames, self.size))
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close without the index."""
        with suppress(OSError):
            self._file.close()

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                written = self._file.write(bytes(view))
                if not written:
                    raise OSError(errno.ENOSPC, "No space left on device")
                view = view[written:]
        except OSError:
            with suppress(OSError):
                self._file.truncate(self.size)
            raise
        self.size += len(data)


def _time_of(message: Hello | Event | StampedFrame) -> int:
    match message:
        case StampedFrame():
            return message.t_publish_ns
        case Hello():
            return message.t_monotonic_ns
    return message.t_ns


class RecorderSink:
    """A sink that records. ``on_event`` hears once if the recording has to stop early.

    ``on_event`` is called from the writer's thread. Frames with a publish time of their own
    (a replay with its recorded times) are written as they are.
    """

    kind: SinkKind = "record"

    def __init__(
        self,
        path: Path | str,
        hello: Hello,
        *,
        on_event: Callable[[Event], None] | None = None,
        open_file: Callable[[Path], RawFile] = open_new,
        clock_ns: Callable[[], int] = monotonic_ns,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.path = Path(path)
        self.name = f"record {self.path.name}"
        self._hello = hello
        self._on_event = on_event
        self._open_file = open_file
        self._clock_ns = clock_ns
        self._utc_ns = utc_ns
        self._queue: queue.Queue[Hello | Event | AvatarFrame | None] = queue.Queue(_QUEUE_LENGTH)
        self._thread: threading.Thread | None = None
        self._writer: RecordingWriter | None = None
        self._messages = self._bytes = self._dropped = 0
        self._utc_offset_ns = 0
        self._failed = False

    async def start(self) -> None:
        """Create the file and write the hello.

        Raises:
            RecordingError: the file exists, or cannot be created or written.
        """
        file = self._open_file(self.path)
        self._utc_offset_ns = self._utc_ns() - self._clock_ns()
        try:
            self._writer = RecordingWriter(file, self._utc_ns())
            self._writer.write(self._timed(self._hello))
        except OSError as error:
            file.close()
            raise RecordingError(f"{self.path} cannot be written: {_reason(error)}.") from error
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def recording(self) -> bool:
        """Whether frames are still being written."""
        return self._thread is not None and not self._failed

    def publish(self, frame: AvatarFrame) -> None:
        """Queue the frame for writing."""
        if isinstance(frame, StampedFrame):
            self._put(frame)
        else:
            self._put(stamped(frame, self._clock_ns(), self._utc_offset_ns))

    def announce(self, event: Event) -> None:
        """Queue an event for writing."""
        self._put(event)

    def describe(self, hello: Hello) -> None:
        """Queue a new hello: calibration or skeleton changed."""
        self._put(self._timed(hello))

    def stats(self) -> SinkStats:
        """Counts so far."""
        return SinkStats(self._messages, self._bytes, int(self.recording), self._dropped)

    async def close(self) -> None:
        """Write what is queued and the index, then close the file."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        await asyncio.to_thread(self._finish, thread)

    def _finish(self, thread: threading.Thread) -> None:
        with suppress(queue.Full):  # a writer stuck for this long will not end in time either
            self._queue.put(None, timeout=_CLOSE_TIMEOUT_S)
        thread.join(_CLOSE_TIMEOUT_S)

    def _timed(self, hello: Hello) -> Hello:
        return replace(hello, t_monotonic_ns=self._clock_ns(), utc_offset_ns=self._utc_offset_ns)

    def _put(self, message: Hello | Event | AvatarFrame) -> None:
        if self._failed or self._thread is None:
            return
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            if not self._dropped:
                _log.warning("The disk is too slow for %s: frames are left out.", self.path)
            self._dropped += 1

    def _run(self) -> None:
        writer = self._writer
        assert writer is not None
        try:
            while (message := self._queue.get()) is not None:
                self._write(writer, message)
            writer.close()
        except OSError as error:
            writer.abandon()
            self._stop_early(_reason(error))
        except Exception:
            _log.exception("The recorder failed.")
            writer.abandon()
            self._stop_early("of an internal error")

    def _write(self, writer: RecordingWriter, message: Hello | Event | AvatarFrame) -> None:
        assert isinstance(message, Hello | Event | StampedFrame)
        try:
            self._bytes += writer.write(message)
            self._messages += 1
        except PosestreamError as error:
            self._dropped += 1
            _log.warning("Something could not be recorded: %s", error)

    def _stop_early(self, reason: str) -> None:
        self._failed = True
        with suppress(queue.Empty):  # so that nobody who closes waits for room
            while True:
                self._queue.get_nowait()
        text = (
            f"Recording to {self.path} stopped because {reason}; the {self._messages} messages "
            "before that are kept."
        )
        _log.warning("%s", text)
        if self._on_event is not None:
            self._on_event(Event(EventKind.RECORDING_STOPPED, self._clock_ns(), text=text))
