"""Labelled pictures in tar files: written once and in order, read at random.

A shard is an ordinary tar. Of each sample it holds ``KEY.jpg`` (the picture), ``KEY.png`` (the
owner of each pixel, if known) and ``KEY.msgpack`` (the labels as float32).
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

import cv2
import msgspec
import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import TrainingError
from posestream.training.sample import Sample

_FLOATS: Final = ("xy_px", "xyz_root_m", "depth_m", "height_m")
_JPEG_QUALITY: Final = 92


class _Labels(msgspec.Struct, forbid_unknown_fields=True):
    """A sample without its pictures; arrays as (shape, float32 bytes)."""

    xy_px: tuple[list[int], bytes]
    xyz_root_m: tuple[list[int], bytes]
    depth_m: tuple[list[int], bytes]
    height_m: tuple[list[int], bytes]
    visible: tuple[list[int], bytes]
    K_px: tuple[list[int], bytes] | None
    source: str


class ShardWriter:
    """Writes ``NAME-00000.tar`` (or from ``first_shard``) and on, none larger than ``max_bytes``.

    A shard gets its name only when it is complete, so that a torn one is never read. Use as a
    context manager. Raises TrainingError if the disk does not take it.
    """

    def __init__(
        self, folder: Path, name: str, max_bytes: int = 50 * 2**20, first_shard: int = 0
    ) -> None:
        self._folder, self._name, self._max_bytes = folder, name, max_bytes
        self._tar: tarfile.TarFile | None = None
        self._shard, self._count = first_shard, 0
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, sample: Sample) -> None:
        """Append one sample."""
        parts = encode(sample)
        size = sum(len(p) + 1024 for p in parts.values())
        try:
            if self._tar is not None and self._tar.offset + size + 10240 > self._max_bytes:
                self.finish_shard()
            if self._tar is None:
                path = self._path(".tmp")
                self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
            for suffix, data in parts.items():
                info = tarfile.TarInfo(f"{self._count:07d}{suffix}")
                info.size = len(data)
                self._tar.addfile(info, io.BytesIO(data))
        except OSError as error:
            raise TrainingError(f"{self._folder} cannot be written ({error.strerror}).") from error
        self._count += 1

    def finish_shard(self) -> None:
        """Close the current shard and give it its name."""
        if self._tar is None:
            return
        self._tar.close()
        self._path(".tmp").replace(self._path(""))
        self._tar, self._shard = None, self._shard + 1

    def _path(self, suffix: str) -> Path:
        return self._folder / f"{self._name}-{self._shard:05d}.tar{suffix}"

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish_shard()
        elif self._tar is not None:
            self._tar.close()
            self._path(".tmp").unlink(missing_ok=True)


class ShardSet(Sequence[Sample]):
    """The samples of some shards in the shards' order; may be sent to other processes."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        self._places: list[dict[str, tuple[int, int, int]]] = []
        for number, path in enumerate(self.paths):
            self._places += _index(path, number)
        self._files: dict[int, BinaryIO] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """One sample. Raises TrainingError naming shard and number if it is damaged."""
        parts = {suffix: self._read(*place) for suffix, place in self._places[index].items()}
        try:
            return decode(parts)
        except (ValueError, KeyError, msgspec.MsgspecError, cv2.error) as error:
            shard = self.paths[next(iter(self._places[index].values()))[0]]
            raise TrainingError(f"Sample {index} in {shard} is damaged: {error}.") from error

    def _read(self, shard: int, offset: int, size: int) -> bytes:
        if shard not in self._files:
            self._files[shard] = self.paths[shard].open("rb")
        self._files[shard].seek(offset)
        return self._files[shard].read(size)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_files": {}}

    def __del__(self) -> None:
        for file in getattr(self, "_files", {}).values():
            file.close()


def find_shards(folder: Path, name: str = "*") -> list[Path]:
    """Complete shards in a folder, sorted. Raises TrainingError if there is none."""
    paths = sorted(folder.glob(f"{name}-[0-9][0-9][0-9][0-9][0-9].tar"))
    if not paths:
        raise TrainingError(f"There is no shard {name}-*.tar in {folder}: make one first.")
    return paths


def encode(sample: Sample) -> dict[str, bytes]:
    """A sample's members, by suffix."""
    ok, jpeg = cv2.imencode(".jpg", sample.picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not ok:
        raise TrainingError("A picture could not be written as JPEG.")
    arrays = {name: _pack(getattr(sample, name)) for name in (*_FLOATS, "visible")}
    K_px = None if sample.K_px is None else _pack(sample.K_px)
    labels = _Labels(**arrays, K_px=K_px, source=sample.source)
    parts = {".jpg": jpeg.tobytes(), ".msgpack": msgspec.msgpack.encode(labels)}
    if sample.owner is not None:
        parts[".png"] = cv2.imencode(".png", sample.owner)[1].tobytes()
    return parts


def decode(parts: dict[str, bytes]) -> Sample:
    """A sample from its members. Raises ValueError, KeyError or MsgspecError if it is damaged."""
    labels = msgspec.msgpack.decode(parts[".msgpack"], type=_Labels)
    picture = _image(parts[".jpg"], cv2.IMREAD_COLOR)
    owner = _image(parts[".png"], cv2.IMREAD_GRAYSCALE) if ".png" in parts else None
    arrays = {name: _unpack(getattr(labels, name)) for name in (*_FLOATS, "visible")}
    visible = arrays.pop("visible") > 0.0
    K_px = None if labels.K_px is None else _unpack(labels.K_px)
    return Sample(picture, visible=visible, K_px=K_px, owner=owner, source=labels.source, **arrays)


def _image(data: bytes, flags: int) -> Image:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None:
        raise ValueError("a picture cannot be decoded")
    return np.asarray(image, dtype=np.uint8)


def _pack(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> tuple[list[int], bytes]:
    return list(array.shape), np.ascontiguousarray(array, dtype="<f4").tobytes()


def _unpack(packed: tuple[list[int], bytes]) -> F64:
    shape, data = packed
    return np.frombuffer(data, dtype="<f4").reshape(shape).astype(np.float64)


def _index(path: Path, number: int) -> list[dict[str, tuple[int, int, int]]]:
    """Where every member of every sample lies: (shard, offset, size) by suffix."""
    samples: dict[str, dict[str, tuple[int, int, int]]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                key, _, suffix = member.name.partition(".")
                samples.setdefault(key, {})[f".{suffix}"] = (
                    number,
                    member.offset_data,
                    member.size,
                )
    except (OSError, tarfile.TarError) as error:
        raise TrainingError(f"{path} is not a readable shard: make it anew.") from error
    return list(samples.values())
