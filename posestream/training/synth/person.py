"""A dressed body as a renderer wants it: pieces with textures, bones and levels of detail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Image
from posestream.training.synth import clothes
from posestream.training.synth.assets import proper, triangles
from posestream.training.synth.bodies import Body
from posestream.training.synth.figure import vertex_normals
from posestream.training.synth.rig import Rig

Kind = Literal["skin", "cloth", "hair", "eye"]
LEVELS_M: Final = (0.0, 0.004, 0.008, 0.016, 0.032)
"""Size of the cells within which vertices are one, from all detail to the least."""
_BONES_PER_VERTEX: Final = 4
_SEAM: Final = 24  # vertices farther apart in the texture than 1/24 are never one


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One textured, skinned mesh; ``recolour`` says that its colour may be changed per picture."""

    kind: Kind
    vertex: NDArray[np.float32]  # (V, 8) position, normal, texture coordinates
    bone: NDArray[np.uint8]  # (V, 4)
    weight: NDArray[np.uint8]  # (V, 4), rows sum to 255
    levels: tuple[NDArray[np.int32], ...]  # triangles (F, 3), one set for each of LEVELS_M
    texture: Image  # (h, w, 4) RGBA
    recolour: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody to be posed and drawn."""

    rig: Rig
    pieces: tuple[Piece, ...]
    height_m: float
    sole_m: float


def only(bone: int, count: int) -> tuple[I64, F64]:
    """Weights of vertices that all move with one bone."""
    return np.full((count, 1), bone), np.ones((count, 1))


def strongest(body: Body) -> tuple[I64, F64]:
    """The four bones (V, 4) that move each vertex most, and their weights."""
    return _top(body.weight_bone, body.weight)


def _top(bone: I64, weight: F64) -> tuple[I64, F64]:
    order = np.argsort(-weight, axis=1, kind="stable")[:, :_BONES_PER_VERTEX]
    kept = np.take_along_axis(weight, order, axis=1)
    return np.take_along_axis(bone, order, axis=1), kept / kept.sum(axis=1, keepdims=True)


def proxy_weights(proxy: clothes.Proxy, body: Body) -> tuple[I64, F64]:
    """The four bones (V, 4) that move each vertex of a garment most, and their weights."""
    share = np.clip(proxy.weight, 0.0, None)
    share /= share.sum(axis=1, keepdims=True)
    dense = np.zeros((len(share), len(body.bone_name)))
    row = np.arange(len(share))[:, None]
    for corner in range(3):
        vertex = proxy.reference[:, corner]
        np.add.at(dense, (row, body.weight_bone[vertex]),
                  body.weight[vertex] * share[:, corner, None])  # fmt: skip
    return _top(np.broadcast_to(np.arange(dense.shape[1]), dense.shape), dense)


def make_piece(
    kind: Kind,
    vertex: F64,
    weight: tuple[I64, F64],
    face: I64,
    uv: F64,
    face_uv: I64,
    texture: Image,
    recolour: bool = False,
    normal_face: I64 | None = None,
) -> Piece:
    """Triangulate, and split vertices where their texture coordinates differ."""
    normal = vertex_normals(vertex, triangles(face if normal_face is None else normal_face))
    corner = triangles(face).reshape(-1) * len(uv) + triangles(face_uv).reshape(-1)
    unique, inverse = np.unique(corner, return_inverse=True)
    v, t = np.divmod(unique, len(uv))
    triangle = inverse.reshape(-1, 3)
    data = np.hstack([vertex[v], normal[v], uv[t]]).astype(np.float32)
    bone, amount = np.zeros((2, len(v), _BONES_PER_VERTEX))
    columns = weight[0].shape[1]
    bone[:, :columns], amount[:, :columns] = weight[0][v], weight[1][v]
    parts = np.rint(amount * 255.0)
    parts[:, 0] += 255.0 - parts.sum(axis=1)
    triangle = triangle[proper(triangle)]
    levels = tuple(_coarser(data, triangle, cell) for cell in LEVELS_M)
    return Piece(
        kind, data, bone.astype(np.uint8), parts.astype(np.uint8), levels, texture, recolour
    )  # fmt: skip


def _coarser(data: NDArray[np.float32], triangle: I64, cell_m: float) -> NDArray[np.int32]:
    """Triangles after vertices (V, 8) of one cell were made one."""
    if cell_m == 0.0 or len(triangle) == 0:
        return triangle.astype(np.int32)
    place = np.floor(data[:, [0, 1, 2, 6, 7]] / ([cell_m] * 3 + [1.0 / _SEAM] * 2))
    place = (place - place.min(axis=0)).astype(np.int64)
    size = place.max(axis=0) + 1
    code = np.ravel_multi_index(tuple(place.T), tuple(size.tolist()))
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    merged = first[inverse][triangle]
    return np.asarray(merged[proper(merged)], dtype=np.int32)
