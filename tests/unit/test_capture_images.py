"""A folder of pictures as a source."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.capture.images import ImageFolder
from posestream.capture.live import every_frame
from posestream.errors import CaptureError

FAST = CaptureSettings(pace="fast", fps=20.0)


def _write(folder: Path, name: str, value: int, size: tuple[int, int] = (32, 24)) -> None:
    cv2.imwrite(str(folder / name), np.full((size[1], size[0], 3), value, dtype=np.uint8))


def _values(folder: Path, settings: CaptureSettings = FAST) -> list[int]:
    return [int(f.image[0, 0, 0]) for f in every_frame(ImageFolder(folder, settings))]


def test_pictures_come_in_natural_order_at_the_given_rate(tmp_path: Path) -> None:
    for k in (1, 2, 9, 10, 11, 100):
        _write(tmp_path, f"frame{k}.png", k)
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(f"images:{tmp_path}", FAST)
    frames = list(every_frame(source))
    assert [int(f.image[0, 0, 0]) for f in frames] == [1, 2, 9, 10, 11, 100]
    assert [f.t_capture_ns for f in frames] == [k * 50_000_000 for k in range(6)]
    assert frames[0].camera.size_px == (32, 24)


def test_unreadable_pictures_are_skipped_and_counted_but_take_their_time(tmp_path: Path) -> None:
    _write(tmp_path, "1.png", 1)
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.jpg").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    _write(tmp_path, "4.png", 4)
    source = ImageFolder(tmp_path, FAST)
    assert [(f.index, f.t_capture_ns) for f in every_frame(source)] == [(0, 0), (3, 150_000_000)]
    assert source.counts.broken == 2
    assert source.frame_count == 4


def test_each_picture_has_the_camera_of_its_size(tmp_path: Path) -> None:
    _write(tmp_path, "1.png", 1)
    _write(tmp_path, "2.png", 2, (24, 32))
    sizes = [f.camera.size_px for f in every_frame(ImageFolder(tmp_path, FAST))]
    assert sizes == [(32, 24), (24, 32)]


def test_loop_goes_round(tmp_path: Path) -> None:
    for k in (1, 2, 3):
        _write(tmp_path, f"{k}.png", k)
    source = ImageFolder(tmp_path, CaptureSettings(pace="fast", loop=True))
    frames = [source.read() for _ in range(8)]
    assert [int(f.image[0, 0, 0]) for f in frames if f] == [1, 2, 3, 1, 2, 3, 1, 2]
    assert [f.index for f in frames if f] == list(range(8))


def test_late_pictures_are_passed_over_at_their_own_pace(tmp_path: Path) -> None:
    for k in range(20):
        _write(tmp_path, f"{k}.png", k)
    now_ns = [0]
    source = ImageFolder(
        tmp_path, CaptureSettings(fps=20.0), lambda: now_ns[0], lambda s: _advance(now_ns, s)
    )
    assert source.read() is not None
    now_ns[0] += 500_000_000
    frame = source.read()
    assert frame is not None
    assert frame.index in (9, 10)
    assert source.counts.late == frame.index - 1


def _advance(now_ns: list[int], seconds: float) -> None:
    now_ns[0] += round(seconds * 1e9)


def test_folder_without_pictures_without_readable_ones_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no pictures in"):
        ImageFolder(tmp_path, FAST)
    (tmp_path / "1.png").write_bytes(b"nothing")
    with pytest.raises(CaptureError, match="None of the 1 pictures"):
        ImageFolder(tmp_path, FAST)
    with pytest.raises(CaptureError, match="There is no folder"):
        ImageFolder(tmp_path / "none", FAST)
    with pytest.raises(CaptureError, match="is not a folder"):
        ImageFolder(tmp_path / "1.png", FAST)


def test_a_picture_bomb_is_skipped(tmp_path: Path) -> None:
    """A PNG of a few bytes that claims 60000 x 60000 pixels must not fill the memory."""
    _write(tmp_path, "1.png", 1)
    data = bytearray((tmp_path / "1.png").read_bytes())
    import struct
    import zlib

    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    (tmp_path / "2.png").write_bytes(data)
    source = ImageFolder(tmp_path, FAST)
    assert len(list(every_frame(source))) == 1
    assert source.counts.broken == 1
