"""Read access to a folder of MakeHuman assets: ``geometry.zip`` and ``textures/``."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Image
from posestream.errors import CaptureError


@dataclass(frozen=True, slots=True, eq=False)
class Wavefront:
    """A polygon mesh as an OBJ file has it: positions and texture coordinates apart."""

    vertex: F64  # (V, 3) file units
    uv: F64  # (U, 2), v upwards
    face: I64  # (F, 4) vertex indices; triangles repeat their last corner
    face_uv: I64  # (F, 4) indices into uv


@dataclass(frozen=True, slots=True)
class AssetFolder:
    """The assets' folder; every method reads from disk when called."""

    root: Path

    def __post_init__(self) -> None:
        if not (self.root / "geometry.zip").is_file():
            raise CaptureError(
                f"{self.root} has no geometry.zip: give the folder of MakeHuman assets."
            )

    def text(self, name: str) -> str:
        """One text file of the geometry archive, such as ``clothes/shoes05/shoes05.mhclo``."""
        with zipfile.ZipFile(self.root / "geometry.zip") as archive:
            try:
                return archive.read(name).decode("utf-8")
            except KeyError:
                raise CaptureError(f"The geometry archive has no file {name}.") from None

    def texture(self, name: str) -> Image:
        """A texture (H, W, 4) uint8 RGBA, by its file name."""
        import cv2

        raw = np.fromfile(self.root / "textures" / name, dtype=np.uint8)
        bgr = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
        if bgr is None:
            raise CaptureError(f"The texture {name} cannot be decoded.")
        to_rgba = cv2.COLOR_BGRA2RGBA if bgr.shape[2] == 4 else cv2.COLOR_BGR2RGBA
        return np.asarray(cv2.cvtColor(bgr, to_rgba), dtype=np.uint8)


def parse_wavefront(text: str) -> Wavefront:
    """Positions, texture coordinates and faces (3 or 4 corners) of an OBJ text."""
    vertex: list[list[float]] = []
    uv: list[list[float]] = []
    corners: list[list[list[int]]] = []
    for line in text.splitlines():
        word = line.split()
        if not word:
            continue
        if word[0] == "v":
            vertex.append([float(x) for x in word[1:4]])
        elif word[0] == "vt":
            uv.append([float(x) for x in word[1:3]])
        elif word[0] == "f":
            corners.append(_face(word[1:]))
    index = np.array(corners, dtype=np.int64)
    return Wavefront(np.array(vertex), np.array(uv), index[..., 0], index[..., 1])


def _face(words: list[str]) -> list[list[int]]:
    parts = [[int(x) - 1 for x in word.split("/")[:2]] for word in words]
    return parts + [parts[-1]] * (4 - len(parts))


def triangles(quad: I64) -> I64:
    """Quads (F, 4) to triangles (2F, 3); the second of a repeated corner is degenerate."""
    return np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])


def proper(triangle: I64) -> NDArray[np.bool_]:
    """Which triangles (F, 3) have three different corners."""
    a, b, c = triangle.T
    return np.asarray((a != b) & (b != c) & (c != a))
