"""A dressed person as triangle meshes that a renderer can skin and draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from posestream.arrays import F64, I64, Bool, Image
from posestream.training.synth import clothes
from posestream.training.synth.assets import AssetFolder, parse_wavefront, proper, triangles
from posestream.training.synth.bodies import EYE_VERTICES, NUM_SKIN_VERTICES, Body

Kind = Literal["skin", "cloth", "hair", "eye"]


@dataclass(frozen=True, slots=True)
class Garment:
    """A proxy of the asset folder with a texture; ``tint`` multiplies it, ``hue`` turns it."""

    proxy: str  # "clothes/shoes05/shoes05"
    texture: str | tuple[int, int, int]  # a file name, or a plain colour
    kind: Kind = "cloth"
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    hue_turn: int = 0  # of the picture, in OpenCV's half degrees
    cut_above_m: float = 9.0  # drops what lies higher at rest: a shoe's shaft under trousers


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One textured mesh at rest with its skinning weights."""

    kind: Kind
    vertex_m: F64  # (V, 3)
    normal: F64  # (V, 3)
    uv: F64  # (V, 2)
    weight: F64  # (V, K)
    triangle: I64  # (F, 3)
    texture: Image  # (h, w, 4) RGBA


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A body and what is drawn of it; ``sole_m`` is the thickness of the shoes' soles."""

    body: Body
    parts: tuple[Part, ...]
    sole_m: float


def dress(
    body: Body, skin_texture: str, wardrobe: Sequence[Garment], assets: AssetFolder
) -> Figure:
    """Fit every garment, hide the skin beneath, and gather the parts."""
    hidden = np.zeros(len(body.vertex_m), dtype=np.bool_)
    parts: list[Part] = []
    for garment in wardrobe:
        proxy = clothes.parse_proxy(assets.text(f"{garment.proxy}.mhclo"))
        hidden[proxy.hidden] = True
        parts.append(_garment_part(garment, proxy, body, assets))
    skin = _skin_part(body, hidden, assets.texture(skin_texture))
    lowest = min(float(part.vertex_m[:, 1].min()) for part in parts)
    return Figure(body, (skin, _eye_part(body), *parts), max(0.0, -lowest))


def _garment_part(garment: Garment, proxy: clothes.Proxy, body: Body, assets: AssetFolder) -> Part:
    mesh = parse_wavefront(assets.text(f"{garment.proxy}.obj"))
    vertex = clothes.fit(proxy, body.vertex_m)
    texture = _recolour(_texture(garment, assets), garment)
    weight = clothes.weights(proxy, body)
    keep = (vertex[mesh.face, 1] < garment.cut_above_m).any(axis=1)
    return _part(
        garment.kind, vertex, weight, mesh.face[keep], mesh.uv, mesh.face_uv[keep], texture
    )


def _texture(garment: Garment, assets: AssetFolder) -> Image:
    if isinstance(garment.texture, str):
        return assets.texture(garment.texture)
    return np.full((4, 4, 4), (*garment.texture, 255), dtype=np.uint8)


def _recolour(texture: Image, garment: Garment) -> Image:
    import cv2

    rgb = np.ascontiguousarray(texture[..., :3])
    if garment.hue_turn:
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.int64)
        hsv[..., 0] = (hsv[..., 0] + garment.hue_turn) % 180
        rgb = np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), dtype=np.uint8)
    tinted = np.clip(rgb * np.array(garment.tint), 0, 255).astype(np.uint8)
    return np.concatenate([tinted, texture[..., 3:]], axis=-1)


def _skin_part(body: Body, hidden: Bool, texture: Image) -> Part:
    is_skin = (body.face < NUM_SKIN_VERTICES).all(axis=1)
    keep = is_skin & ~hidden[body.face].all(axis=1)
    return _part(
        "skin", body.vertex_m, body.dense_weights(), body.face[keep], body.uv,
        body.face_uv[keep], texture,
    )  # fmt: skip


def _eye_part(body: Body) -> Part:
    vertex, faces, uv, texture = eye_mesh(body)
    return _part("eye", vertex, body.dense_weights(), faces, uv, faces, texture)


def eye_mesh(body: Body) -> tuple[F64, I64, F64, Image]:
    """Both eyeballs: all vertices, their faces (F, 4), texture coordinates and texture."""
    first, last = EYE_VERTICES["left"].start, EYE_VERTICES["right"].stop
    faces = body.face[((body.face >= first) & (body.face < last)).all(axis=1)]
    uv = np.zeros((len(body.vertex_m), 2))
    for side in EYE_VERTICES.values():
        ball = body.vertex_m[side]
        centre = 0.5 * (ball.min(axis=0) + ball.max(axis=0))
        radius = 0.5 * float(np.ptp(ball[:, 1]))
        uv[side] = 0.5 + 0.5 * (ball - centre)[:, :2] / radius
    return body.vertex_m, faces, uv, _eye_texture()


def _eye_texture(size: int = 128) -> Image:
    y, x = np.mgrid[:size, :size] / (size - 1) * 2.0 - 1.0
    radius = np.hypot(x, y)
    texture = np.full((size, size, 4), (236, 230, 226, 255), dtype=np.uint8)
    texture[radius < 0.50] = (38, 24, 16, 255)
    texture[radius < 0.46] = (96, 62, 38, 255)
    texture[radius < 0.22] = (10, 8, 8, 255)
    texture[np.hypot(x - 0.16, y + 0.16) < 0.08] = (255, 255, 255, 255)
    return texture


def _part(
    kind: Kind, vertex: F64, weight: F64, face: I64, uv: F64, face_uv: I64, texture: Image
) -> Part:
    """Triangulate, and split vertices where their texture coordinates differ."""
    normal = vertex_normals(vertex, triangles(face))
    pairs = np.stack([triangles(face).reshape(-1), triangles(face_uv).reshape(-1)], axis=-1)
    unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
    triangle = inverse.reshape(-1, 3)
    return Part(
        kind, vertex[unique[:, 0]], normal[unique[:, 0]], uv[unique[:, 1]],
        weight[unique[:, 0]], triangle[proper(triangle)], texture,
    )  # fmt: skip


def vertex_normals(vertex: F64, triangle: I64) -> F64:
    """Area-weighted unit normals (V, 3); vertices without a face point up."""
    a, b, c = (vertex[triangle[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(triangle.reshape(-1), np.repeat(across[:, k], 3), minlength=len(vertex))
            for k in range(3)
        ],
        axis=-1,
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 1e-15, total / np.maximum(length, 1e-15), [0.0, 1.0, 0.0])
