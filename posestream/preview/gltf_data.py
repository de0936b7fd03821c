"""Numbers and pictures out of a glTF file's buffers, with every size checked first."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.errors import AvatarError
from posestream.skeleton.gltf import MAX_FILE_BYTES, read_document

_COMPONENTS: Final[dict[int, np.dtype[Any]]] = {
    5120: np.dtype("<i1"), 5121: np.dtype("<u1"), 5122: np.dtype("<i2"),
    5123: np.dtype("<u2"), 5125: np.dtype("<u4"), 5126: np.dtype("<f4"),
}  # fmt: skip
_WIDTH: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_MAX_NUMBERS: Final = 24_000_000
_DATA: Final = "base64,"


@dataclass(frozen=True, slots=True, eq=False)
class GltfData:
    """A document and its buffers."""

    document: dict[str, Any]
    buffers: tuple[bytes, ...]
    name: str

    def accessor(self, index: Any) -> NDArray[Any]:
        """(count, width) numbers as stored. Raises AvatarError, IndexError, KeyError, TypeError."""
        entry = self.document["accessors"][_place(index)]
        dtype, width = _COMPONENTS[entry["componentType"]], _WIDTH[entry["type"]]
        count = _place(entry["count"])
        if "sparse" in entry or "bufferView" not in entry or count * width > _MAX_NUMBERS:
            self._unreadable("has sparse or oversized vertex data")
        view = self.document["bufferViews"][_place(entry["bufferView"])]
        data = self._view(view)
        stride = _place(view.get("byteStride", 0)) or dtype.itemsize * width
        offset = _place(entry.get("byteOffset", 0))
        need = offset + stride * (count - 1) + dtype.itemsize * width if count else offset
        if stride < dtype.itemsize * width or need > len(data):
            self._unreadable("ends before its vertex data")
        shape, strides = (count, width), (stride, dtype.itemsize)
        return np.ndarray(shape, dtype, data, offset, strides)

    def normalised(self, index: Any) -> NDArray[np.float32]:
        """The same as float32; integers as shares of their largest value."""
        stored = self.accessor(index)
        if stored.dtype.kind == "f":
            return stored.astype(np.float32)
        return (stored / np.iinfo(stored.dtype).max).astype(np.float32)

    def image(self, index: Any) -> bytes:
        """An embedded PNG or JPEG."""
        entry = self.document["images"][_place(index)]
        if "bufferView" in entry:
            view = self.document["bufferViews"][_place(entry["bufferView"])]
            return bytes(self._view(view))
        return _embedded(entry.get("uri"), self.name)

    def _view(self, view: dict[str, Any]) -> memoryview:
        buffer = self.buffers[_place(view["buffer"])]
        start, length = _place(view.get("byteOffset", 0)), _place(view["byteLength"])
        if start + length > len(buffer):
            self._unreadable("ends before its vertex data")
        return memoryview(buffer)[start : start + length]

    def _unreadable(self, what: str) -> None:
        raise AvatarError(f"'{self.name}' {what}: export it again as .vrm or .glb.")


def read_data(path: Path) -> GltfData:
    """A .vrm, .glb or .gltf with everything embedded. Raises AvatarError."""
    document = read_document(path)  # checks the file's size and its head
    listed = document.get("buffers", [])
    if not isinstance(listed, list) or not all(isinstance(b, dict) for b in listed):
        raise AvatarError(f"'{path.name}' has no valid buffers: export it again.")
    content = path.read_bytes()[:MAX_FILE_BYTES]
    binary = _binary_chunk(content) if content[:4] == b"glTF" else b""
    buffers = tuple(_embedded(b["uri"], path.name) if "uri" in b else binary for b in listed[:16])
    return GltfData(document, buffers, path.name)


def _binary_chunk(content: bytes) -> bytes:
    start = 20 + int.from_bytes(content[12:16], "little")
    length = int.from_bytes(content[start : start + 4], "little")
    return content[start + 8 : start + 8 + length]


def _embedded(uri: Any, name: str) -> bytes:
    if not isinstance(uri, str) or not uri.startswith("data:") or _DATA not in uri[:100]:
        raise AvatarError(f"'{name}' keeps its data in other files: export it as .vrm or .glb.")
    try:
        return base64.b64decode(uri.partition(_DATA)[2], validate=True)
    except (binascii.Error, ValueError):
        raise AvatarError(f"'{name}' is damaged: copy or export it again.") from None


def _place(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no place in the file")
    return value
