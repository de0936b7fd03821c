"""Labels and pictures of a dataset's folder, read with clear words where they are damaged."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import TrainingError

MAX_SIDE_PX: Final = 512
_MAX_FILE_BYTES: Final = 64 * 2**20
_PALETTED: Final = b"\x03"  # a PNG's colour types
_GREY: Final = b"\x00"


class Pictures:
    """The files of some zips, by name. Raises TrainingError if one cannot be opened or read."""

    def __init__(self, *paths: Path) -> None:
        self._home: dict[str, zipfile.ZipFile] = {}
        for path in paths:
            try:
                archive = zipfile.ZipFile(path)
            except (OSError, zipfile.BadZipFile) as error:
                raise TrainingError(f"{path} is missing or no zip file: fetch it anew.") from error
            self._home.update(dict.fromkeys(archive.namelist(), archive))

    @property
    def names(self) -> list[str]:
        """All files, sorted."""
        return sorted(self._home)

    def colour(self, name: str) -> Image:
        """(H, W, 3) BGR."""
        return self._decoded(name, self._read(name), cv2.IMREAD_COLOR)

    def indices(self, name: str) -> Image:
        """(H, W) values of a grey or paletted PNG."""
        data = _without_palette(self._read(name), name)
        return self._decoded(name, data, cv2.IMREAD_GRAYSCALE)

    def _read(self, name: str) -> bytes:
        try:
            archive = self._home[name]
            if archive.getinfo(name).file_size > _MAX_FILE_BYTES:
                raise _damaged(name)
            return archive.read(name)
        except (KeyError, OSError, zipfile.BadZipFile) as error:
            raise _damaged(name) from error

    def _decoded(self, name: str, data: bytes, flags: int) -> Image:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
        if image is None:
            raise _damaged(name)
        return np.asarray(image, dtype=np.uint8)


def _without_palette(png: bytes, name: str) -> bytes:
    """The same PNG with its palette's indices as grey levels, which OpenCV leaves alone."""
    out, place = [png[:8]], 8
    while place + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length
        if kind == b"IHDR" and content[9:10] == _PALETTED:
            if content[8] != 8:
                raise _damaged(name)
            content = content[:9] + _GREY + content[10:]
        if kind not in (b"PLTE", b"tRNS"):
            check = zlib.crc32(kind + content)
            out.append(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check))
    return b"".join(out)


def _damaged(name: str) -> TrainingError:
    return TrainingError(f"The picture {name} is missing or damaged: fetch its archive anew.")


def read_labels(path: Path, **shapes: tuple[int | None, ...]) -> dict[str, Any]:
    """The named arrays of an npz file, each of the given shape (None: any length).

    Raises TrainingError if the file or one of them is missing or of another shape.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in shapes}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path} is missing or damaged ({error}): fetch it anew.") from error
    for name, shape in shapes.items():
        found = arrays[name].shape
        fits = len(found) == len(shape) and all(
            w in (None, f) for f, w in zip(found, shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if w is None else str(w) for w in shape)
            raise TrainingError(f"{name} in {path} has shape {found}, wanted ({wanted}).")
    return arrays


def same_length(path: Path, arrays: dict[str, Any], *names: str) -> None:
    """Raises TrainingError unless the named arrays tell of equally many things."""
    counts = {name: len(arrays[name]) for name in names}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise TrainingError(f"{path} holds {told}: its labels do not belong together.")


def shrink_factor(picture: Image) -> float:
    """What a picture's sides are multiplied with to be no longer than ``MAX_SIDE_PX``."""
    return min(1.0, MAX_SIDE_PX / max(picture.shape[:2]))


def shrunk(picture: Image, factor: float, labels: bool = False) -> Image:
    """The picture with its sides multiplied; index pictures keep their values."""
    if factor == 1.0:
        return picture
    size = tuple(max(round(side * factor), 1) for side in picture.shape[1::-1])
    how = cv2.INTER_NEAREST if labels else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, size, interpolation=how), dtype=np.uint8)


def moved(xy_px: F64, factor: float) -> F64:
    """Places (..., 2) in the shrunken picture; pixel centres at integers."""
    return xy_px * factor + 0.5 * (factor - 1.0)
