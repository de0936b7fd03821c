"""Drawn pictures in a folder, numbered in order: what the makers of small models learn from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from posestream.arrays import Image
from posestream.errors import TrainingError


def folder_of(pictures: Path, person: int) -> Path:
    """Where a person's pictures and marks are."""
    return pictures / f"{person:02d}"


def write_picture(folder: Path, index: int, picture: Image, quality: int) -> None:
    """Keep one picture as JPEG. Raises TrainingError if it cannot be written."""
    import cv2

    path = folder / _file(index)
    if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, quality]):
        raise TrainingError(f"{path} cannot be written: is the disk full?")


def read_pictures(folder: Path, count: int) -> Iterator[Image]:
    """The pictures (H, W, 3) BGR, in order. Raises TrainingError for a broken one."""
    import cv2

    for index in range(count):
        picture = cv2.imread(str(folder / _file(index)))
        if picture is None:
            raise TrainingError(f"{folder / _file(index)} cannot be read: draw anew.")
        yield picture  # type: ignore[misc]


def _file(index: int) -> str:
    return f"{index:03d}.jpg"
