"""Recording and replay: exact, cut-off files, full disks, hostile files."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posestream.capture.replay import ReplayReader
from posestream.errors import RecordingError
from posestream.publish.load import scripted_frame
from posestream.publish.recorder import RawFile, RecorderSink, open_new
from posestream.types import AvatarFrame, Camera
from posestream.wire import codec, recording
from posestream.wire.messages import Event, EventKind, Hello, StampedFrame
from posestream.wire.schema import FRAME

HELLO = Hello("1.0", Camera(np.eye(3) * 400.0, (640, 480)), 30.0)


async def record(path: Path, frames: list[AvatarFrame], **options: object) -> RecorderSink:
    sink = RecorderSink(path, HELLO, **options)  # type: ignore[arg-type]
    await sink.start()
    for frame in frames:
        sink.publish(frame)
    await sink.close()
    return sink


def frames(count: int, people: int = 2) -> list[AvatarFrame]:
    return [scripted_frame(i, people if i % 3 else 0, 10**9 + i * 33_000_000) for i in range(count)]


def frame_messages(path: Path) -> list[bytes]:
    return [data for data in ReplayReader(path).payloads() if data[3] == FRAME.kind]


async def test_a_replay_has_every_frame_exactly_at_float32(tmp_path: Path) -> None:
    path = tmp_path / "a.psrec"
    sent = frames(20)
    sink = await record(path, sent)
    assert sink.stats().messages == 20 and sink.stats().dropped == 0
    reader = ReplayReader(path)
    assert (reader.complete, reader.frame_count) == (True, 20)
    assert reader.hello.daemon_version == "1.0" and reader.hello.camera.size_px == (640, 480)
    for a, b in zip(sent, reader, strict=True):
        assert (a.index, a.t_capture_ns) == (b.index, b.t_capture_ns)
        for name in ("quat_local_xyzw", "position_world_m", "root_world_m", "hip_height_m"):
            exact = getattr(a, name).astype(np.float32)
            np.testing.assert_array_equal(getattr(b, name), exact.astype(np.float64))


async def test_recording_a_replay_gives_the_same_frame_messages(tmp_path: Path) -> None:
    await record(tmp_path / "a.psrec", frames(30))
    await record(tmp_path / "b.psrec", list(ReplayReader(tmp_path / "a.psrec")))
    first, second = frame_messages(tmp_path / "a.psrec"), frame_messages(tmp_path / "b.psrec")
    assert first == second and len(first) == 30


async def test_rebased_frames_start_now_and_keep_their_distances(tmp_path: Path) -> None:
    await record(tmp_path / "a.psrec", frames(5))
    reader = ReplayReader(tmp_path / "a.psrec", rebase=True, clock_ns=lambda: 77)
    shifted = list(reader)
    assert [f.t_capture_ns for f in shifted] == [77 + i * 33_000_000 for i in range(5)]
    assert not any(isinstance(f, StampedFrame) for f in shifted)


async def test_events_and_hellos_are_recorded_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.psrec"
    sink = RecorderSink(path, HELLO)
    await sink.start()
    event = Event(EventKind.SOURCE_LOST, 5, text="unplugged")
    sink.announce(event)
    sink.publish(frames(2)[1])
    sink.describe(replace(HELLO, daemon_version="2"))
    await sink.close()
    kinds = [type(message) for message in ReplayReader(path).messages()]
    assert kinds == [Hello, Event, StampedFrame, Hello]


async def test_an_empty_recording_is_complete(tmp_path: Path) -> None:
    await record(tmp_path / "a.psrec", [])
    reader = ReplayReader(tmp_path / "a.psrec")
    assert reader.complete and list(reader) == [] and reader.fps == 30.0


async def test_cut_anywhere_only_the_tail_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    whole, cut = tmp_path / "a.psrec", tmp_path / "cut.psrec"
    await record(whole, frames(3, people=1))
    data = whole.read_bytes()
    index = ReplayReader(whole).index
    assert index is not None
    ends = [*index[1:, 1].tolist(), _index_offset(data)]
    first_frame = int(index[0, 1])
    cut.write_bytes(data)
    for length in reversed(range(len(data))):
        os.truncate(cut, length)
        if length < first_frame:
            with pytest.raises(RecordingError, match=r"cut\.psrec"):
                ReplayReader(cut)
            continue
        reader = ReplayReader(cut)
        assert not reader.complete
        assert [f.index for f in reader] == list(range(sum(end <= length for end in ends)))


def _index_offset(data: bytes) -> int:
    offset = recording.unpack_trailer(data[-recording.TRAILER_BYTES :])
    assert offset is not None
    return offset


async def test_damage_anywhere_is_refused_or_ends_the_replay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    whole, bad = tmp_path / "a.psrec", tmp_path / "bad.psrec"
    await record(whole, frames(6, people=1))
    data = whole.read_bytes()
    originals = [f.index for f in ReplayReader(whole)]
    rng = np.random.default_rng(3)
    for _ in range(500):
        hurt = bytearray(data)
        hurt[rng.integers(len(hurt))] ^= 1 << int(rng.integers(8))
        bad.write_bytes(hurt)
        try:
            got = [f.index for f in ReplayReader(bad)]
        except RecordingError:
            continue
        assert got == originals[: len(got)]


def test_files_that_are_no_recordings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.psrec"
    huge = recording.pack_header(0) + (2**32 - 1).to_bytes(4, "little") + bytes(12)
    lying = recording.pack_header(0) + recording.pack_entry(0, b"PS not a message")
    for data in (b"", b"RIFF", os.urandom(4096), huge, lying):
        path.write_bytes(data)
        with pytest.raises(RecordingError, match=r"x\.psrec"):
            ReplayReader(path)
    with pytest.raises(RecordingError, match=r"gone\.psrec"):
        ReplayReader(tmp_path / "gone.psrec")
    with pytest.raises(RecordingError, match="directory"):
        ReplayReader(tmp_path)


def test_a_newer_format_asks_for_an_update(tmp_path: Path) -> None:
    path = tmp_path / "x.psrec"
    head = bytearray(recording.pack_header(0)[:-4])
    head[8] = 2
    path.write_bytes(head + zlib.crc32(head).to_bytes(4, "little"))
    with pytest.raises(RecordingError, match="update posestream"):
        ReplayReader(path)


async def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.psrec"
    path.write_text("precious")
    with pytest.raises(RecordingError, match="exists already"):
        await record(path, [])
    assert path.read_text() == "precious"
    with pytest.raises(RecordingError, match="cannot be written"):
        await record(tmp_path / "no" / "folder.psrec", [])


class SmallDisk:
    """A real file on a disk with so many bytes; writes short at first, then fails."""

    def __init__(self, path: Path, room: int) -> None:
        self._file = open_new(path)
        self._room = room

    def write(self, data: bytes, /) -> int | None:
        if self._room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._file.write(data[: self._room])
        assert written is not None
        self._room -= written
        return written

    def truncate(self, size: int, /) -> int:
        return self._file.truncate(size)

    def close(self) -> None:
        self._file.close()


async def test_a_full_disk_stops_the_recording_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.psrec"
    events: list[Event] = []

    def small(path: Path) -> RawFile:
        return SmallDisk(path, 20_000)

    sink = RecorderSink(path, HELLO, on_event=events.append, open_file=small)
    await sink.start()
    with caplog.at_level(logging.WARNING):
        for frame in frames(200):
            sink.publish(frame)
            await asyncio.sleep(0)
        await sink.close()
    assert not sink.recording
    assert [event.kind for event in events] == [EventKind.RECORDING_STOPPED]
    assert "the disk is full" in events[0].text and str(path) in events[0].text
    assert len([r for r in caplog.records if "stopped" in r.message]) == 1
    reader = ReplayReader(path)
    kept = [f.index for f in reader]
    assert kept == list(range(len(kept))) and 1 < len(kept) == sink.stats().messages
    assert path.stat().st_size <= 20_000


FULL_DEVICE = Path("/dev/full")


@pytest.mark.skipif(not FULL_DEVICE.exists(), reason="this platform has no /dev/full")
async def test_a_disk_that_is_full_from_the_start_is_said_at_the_start(tmp_path: Path) -> None:
    sink = RecorderSink(
        tmp_path / "a", HELLO, open_file=lambda path: FULL_DEVICE.open("wb", buffering=0)
    )
    with pytest.raises(RecordingError, match="disk is full"):
        await sink.start()
    await sink.close()


class StuckDisk(SmallDisk):
    """A disk that does not answer until it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, 1 << 30)
        self.writes = 0
        self.gate = threading.Event()

    def write(self, data: bytes, /) -> int | None:
        self.writes += 1
        if self.writes > 2:  # header and hello
            self.gate.wait()
        return super().write(data)


async def test_a_stuck_disk_blocks_nobody_and_frames_are_counted(tmp_path: Path) -> None:
    disks: list[StuckDisk] = []

    def stuck(path: Path) -> RawFile:
        disks.append(StuckDisk(path))
        return disks[0]

    path = tmp_path / "a.psrec"
    sink = RecorderSink(path, HELLO, open_file=stuck)
    await sink.start()
    for frame in frames(1000):
        sink.publish(frame)
    assert sink.stats().dropped > 500
    disks[0].gate.set()
    await sink.close()
    assert sink.stats().messages + sink.stats().dropped == 1000
    assert len(frame_messages(path)) == sink.stats().messages


async def test_closing_twice_and_without_start(tmp_path: Path) -> None:
    sink = RecorderSink(tmp_path / "a.psrec", HELLO)
    sink.publish(frames(1)[0])
    await sink.close()
    await sink.start()
    await sink.close()
    await sink.close()
    assert ReplayReader(sink.path).frame_count == 0


def test_entries_carry_their_time_under_the_checksum() -> None:
    entry = recording.pack_entry(5, b"payload")
    header = recording.unpack_entry_header(entry[: recording.ENTRY_HEADER_BYTES])
    assert header.t_ns == 5 and header.covers(b"payload")
    assert not replace(header, t_ns=6).covers(b"payload") and not header.covers(b"payloae")


async def test_the_recorded_messages_are_ordinary_ones(tmp_path: Path) -> None:
    await record(tmp_path / "a.psrec", frames(3))
    for payload in ReplayReader(tmp_path / "a.psrec").payloads():
        assert isinstance(codec.decode(payload), Hello | StampedFrame)
