"""GLB files put together from a document and numbers."""

from __future__ import annotations

import json
import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream import __version__
from posestream.arrays import F64

GENERATOR: Final = f"posestream {__version__}"
_COMPONENTS: Final = {"f4": 5126, "u2": 5123, "u1": 5121}
_TYPES: Final = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_VERTICES, _INDICES = 34962, 34963


class Glb:
    """A glTF document that grows; its first buffer is the file's binary part."""

    def __init__(self, document: dict[str, Any] | None = None, binary: bytes = b"") -> None:
        self.document = document or {"asset": {"version": "2.0", "generator": GENERATOR}}
        self._parts = [_padded(binary, b"\0")]
        self._size = len(self._parts[0])

    def add(self, kind: str, entry: dict[str, Any]) -> int:
        """Append to a list of the document, such as "nodes"; returns the place there."""
        entries: list[dict[str, Any]] = self.document.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1

    def floats(self, values: F64, *, vertices: bool = False) -> int:
        """Accessor of float32 numbers (N,), (N, 3), (N, 4) or (N, 16), with their range."""
        stored = np.ascontiguousarray(values, dtype="<f4").reshape(len(values), -1)
        bounds = {"min": stored.min(axis=0).tolist(), "max": stored.max(axis=0).tolist()}
        return self._accessor(stored, _VERTICES if vertices else None, bounds)

    def joints(self, values: NDArray[np.int64]) -> int:
        """Accessor of joint numbers (N, 4)."""
        return self._accessor(np.ascontiguousarray(values, dtype="u1"), _VERTICES)

    def indices(self, values: NDArray[np.int64]) -> int:
        """Accessor of vertex numbers (N,)."""
        return self._accessor(np.ascontiguousarray(values, dtype="<u2")[:, None], _INDICES)

    def _accessor(
        self, stored: NDArray[Any], target: int | None, bounds: dict[str, Any] | None = None
    ) -> int:
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self._size, "byteLength": stored.nbytes}
        if target is not None:
            view["target"] = target
        self._parts.append(_padded(stored.tobytes(), b"\0"))
        self._size += len(self._parts[-1])
        entry = {
            "bufferView": self.add("bufferViews", view),
            "componentType": _COMPONENTS[stored.dtype.str[-2:]],
            "count": len(stored),
            "type": _TYPES[stored.shape[1]],
        }
        return self.add("accessors", entry | (bounds or {}))

    def to_bytes(self) -> bytes:
        """The whole file."""
        document = dict(self.document)
        others = document.get("buffers", [{}])[1:]
        document["buffers"] = [{"byteLength": self._size}, *others]
        text = _padded(json.dumps(document, separators=(",", ":")).encode(), b" ")
        head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + self._size)
        chunks = [struct.pack("<I4s", len(text), b"JSON"), text]
        return b"".join([head, *chunks, struct.pack("<I4s", self._size, b"BIN\0"), *self._parts])


class Animation:
    """Channels that share their times."""

    def __init__(self, glb: Glb, name: str, time_s: F64, extras: dict[str, Any]) -> None:
        self._glb = glb
        self._input = glb.floats(time_s)
        self.entry: dict[str, Any] = {
            "name": name, "channels": [], "samplers": [], "extras": extras,
        }  # fmt: skip

    def rotate(self, node: int, quat_xyzw: F64) -> None:
        """Local rotations (T, 4) of a node."""
        self._channel(node, "rotation", quat_xyzw)

    def move(self, node: int, place_m: F64) -> None:
        """Places (T, 3) of a node in its parent."""
        self._channel(node, "translation", place_m)

    def _channel(self, node: int, path: str, values: F64) -> None:
        sampler = {"input": self._input, "output": self._glb.floats(values)}
        samplers: list[dict[str, Any]] = self.entry["samplers"]
        samplers.append({**sampler, "interpolation": "LINEAR"})
        target = {"node": node, "path": path}
        self.entry["channels"].append({"sampler": len(samplers) - 1, "target": target})


def _padded(data: bytes, filler: bytes) -> bytes:
    return data + filler * (-len(data) % 4)
