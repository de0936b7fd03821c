"""A skinned mesh in the T-pose, tied to the humanoid's bones, and how it travels to the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, Bool
from posestream.preview.packing import Kind, pack
from posestream.skeleton.humanoid import NUM_BONES

BODY_FILE: Final = Path(__file__).resolve().parent.parent / "assets" / "body.npz"

_NO_TEXTURE: Final = -1
_BODY_COLOURS: Final = (
    (0.82, 0.69, 0.60, 1.0),  # skin
    (0.62, 0.66, 0.72, 1.0),  # suit: tinted with the person's colour
    (0.16, 0.17, 0.20, 1.0),  # shoes
    (0.10, 0.10, 0.12, 1.0),  # eyes
)
_SUIT: Final = 1


@dataclass(frozen=True, slots=True)
class Part:
    """Triangles that look alike."""

    first: int  # place of the first index
    count: int  # indices
    colour: tuple[float, float, float, float]
    texture: int = _NO_TEXTURE  # place in the images
    tinted: bool = False  # takes the person's colour
    cutout: bool = False  # texels below half opacity are not drawn
    blended: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SkinMesh:
    """V vertices, F triangles; T-pose, world axes, soles at y = 0, metres."""

    name: str
    position_m: NDArray[np.float32]  # (V, 3)
    normal: NDArray[np.float32]  # (V, 3)
    uv: NDArray[np.float32]  # (V, 2)
    bone: NDArray[np.uint8]  # (V, 4)
    weight: NDArray[np.uint8]  # (V, 4), rows sum to 255
    triangle: NDArray[np.uint32]  # (F, 3)
    parts: tuple[Part, ...]
    images: tuple[bytes, ...]
    bone_m: F64  # (B, 3) places of the bones
    present: Bool  # (B,)
    hip_m: float  # height of the hips
    fits: bool = False  # takes on the person's own proportions


def own_body() -> SkinMesh:
    """The body that ships."""
    with np.load(BODY_FILE, allow_pickle=False) as arrays:
        position = arrays["position_mm10"].astype(np.float32) * np.float32(1e-4)
        triangle = arrays["triangle"].astype(np.uint32)
        material = arrays["material"][triangle].max(axis=1)
        order = np.argsort(material, kind="stable")
        bone_m = arrays["bone_m"].astype(np.float64)
        return SkinMesh(
            "posestream's own", position, normals(position, triangle),
            np.zeros((len(position), 2), np.float32), arrays["bone"], arrays["weight"],
            triangle[order], _body_parts(material), (), bone_m,
            np.ones(NUM_BONES, dtype=np.bool_), float(bone_m[0, 1]), True,
        )  # fmt: skip


def _body_parts(material: NDArray[np.uint8]) -> tuple[Part, ...]:
    counts = 3 * np.bincount(material, minlength=len(_BODY_COLOURS))
    first = np.concatenate([[0], np.cumsum(counts)])
    return tuple(
        Part(int(first[i]), int(counts[i]), colour, tinted=i == _SUIT)
        for i, colour in enumerate(_BODY_COLOURS)
    )


def normals(position: Any, triangle: Any) -> NDArray[np.float32]:
    """Smooth normals (V, 3): sums of the adjacent triangles', weighted by area."""
    a, b, c = (position[triangle[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros((len(position), 3))
    for i in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(
                triangle[:, i], weights=face[:, axis], minlength=len(position)
            )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.maximum(length, 1e-12), dtype=np.float32)


def pack_mesh(mesh: SkinMesh) -> bytes:
    """Arrays in the order of ``SkinMesh``, then the images."""
    head = {
        "name": mesh.name,
        "vertices": len(mesh.position_m),
        "triangles": len(mesh.triangle),
        "parts": [
            {
                "first": p.first, "count": p.count, "colour": p.colour, "texture": p.texture,
                "tinted": p.tinted, "cutout": p.cutout, "blended": p.blended,
            }
            for p in mesh.parts
        ],
        "images": [len(image) for image in mesh.images],
        "bone_m": np.round(mesh.bone_m, 5).tolist(),
        "present": mesh.present.tolist(),
        "hip_m": mesh.hip_m,
        "fits": mesh.fits,
    }  # fmt: skip
    arrays = (
        mesh.position_m.astype("<f4"), mesh.normal.astype("<f4"), mesh.uv.astype("<f4"),
        mesh.bone, mesh.weight, mesh.triangle.astype("<u4"),
    )  # fmt: skip
    return pack(Kind.MESH, head, (*(np.ascontiguousarray(a).tobytes() for a in arrays),
                                  *mesh.images))  # fmt: skip
