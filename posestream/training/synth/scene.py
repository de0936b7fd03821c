"""A plain room drawn from nothing: boxes, procedural surfaces, a camera and soft light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Image
from posestream.geometry import rigid, rotation
from posestream.types import Camera

ROOM_X_M: Final = (-3.1, 3.1)
ROOM_Z_M: Final = (-5.0, 1.5)
ROOM_Y_M: Final = 2.7


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A static textured mesh in the world."""

    vertex_m: F64  # (V, 3)
    normal: F64  # (V, 3)
    uv: F64  # (V, 2)
    triangle: I64  # (F, 3)
    texture: Image  # (h, w, 4) RGBA, repeats
    casts: bool = True


@dataclass(frozen=True, slots=True)
class Light:
    """Parallel light with a shadow; many weak ones together are soft."""

    towards: tuple[float, float, float]  # unit, from the scene to the light
    rgb: tuple[float, float, float]  # linear


def pitched_camera(
    size_px: tuple[int, int], focal_px: float, height_m: float, down_rad: float
) -> Camera:
    """A camera over the world's origin that looks along -z and a little down."""
    width, height = size_px
    K = np.array(
        [[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]], dtype=float
    )
    level = np.diag([1.0, -1.0, -1.0])
    down = rotation.to_matrix(
        rotation.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.array(-down_rad))
    )
    return Camera(K, size_px, T_world_cam=rigid.make(level @ down, np.array([0, height_m, 0])))


def quad(origin: F64, along: F64, up: F64, texture: Image, tile_m: float, casts: bool) -> Surface:
    """A rectangle; its normal is along x up; the texture repeats every ``tile_m``."""
    size = np.array([np.linalg.norm(along), np.linalg.norm(up)]) / tile_m
    corner = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float)
    vertex = origin + corner[:, :1] * along + corner[:, 1:] * up
    normal = np.cross(along, up)
    return Surface(
        vertex, np.tile(normal / np.linalg.norm(normal), (4, 1)), corner * size,
        np.array([[0, 1, 2], [0, 2, 3]]), texture, casts,
    )  # fmt: skip


def box(
    low: Sequence[float], high: Sequence[float], texture: Image, tile_m: float
) -> list[Surface]:
    """The six sides of an upright box."""
    a, b = np.array(low, dtype=float), np.array(high, dtype=float)
    d = b - a
    x, y, z = np.diag(d)
    return [
        quad(origin, along, up, texture, tile_m, True)
        for origin, along, up in (
            (a + z, x, y), (b - y, -z, y), (b - y - z, -x, y), (a, z, y), (a + y + z, x, -z),
            (a, x, z),
        )
    ]  # fmt: skip


def room(seed: int) -> list[Surface]:
    """Walls, floor, rug and a few pieces of furniture along the walls."""
    rng = np.random.default_rng(seed)
    (x0, x1), (z0, z1), y1 = ROOM_X_M, ROOM_Z_M, ROOM_Y_M
    wall = plaster(rng, (206, 203, 194))
    side = plaster(rng, (190, 196, 196))
    x, y, z = np.diag([x1 - x0, y1, z1 - z0])
    shell = [
        quad(np.array([x0, 0, z1]), x, -z, planks(rng), 1.6, False),
        quad(np.array([x0, 0, z0]), x, y, wall, 2.0, False),
        quad(np.array([x0, 0, z1]), -z, y, side, 2.0, False),
        quad(np.array([x1, 0, z0]), z, y, side, 2.0, False),
        quad(np.array([x0, y1, z0]), x, z, plaster(rng, (232, 231, 226)), 2.0, False),
        quad(np.array([-1.5, 0.006, -2.35]), np.array([3.0, 0, 0]), np.array([0, 0, -2.1]),
             rug(rng), 3.0, False),
    ]  # fmt: skip
    return [*shell, *_furniture(rng, z0)]


def _furniture(rng: np.random.Generator, back_m: float) -> list[Surface]:
    wood, dark = grain(rng, (150, 112, 76)), grain(rng, (92, 66, 48))
    white, black = plain((228, 226, 220)), plain((36, 36, 38))
    parts: list[Surface] = []
    parts += box((-3.1, 0, back_m), (3.1, 0.09, back_m + 0.02), white, 1.0)
    parts += box((-2.7, 0.12, back_m + 0.02), (-1.1, 0.62, back_m + 0.44), wood, 1.0)
    parts += box((-2.66, 0.16, back_m + 0.44), (-1.92, 0.58, back_m + 0.455), dark, 1.0)
    parts += box((-1.88, 0.16, back_m + 0.44), (-1.14, 0.58, back_m + 0.455), dark, 1.0)
    for x in (-2.62, -1.24):
        parts += box((x, 0, back_m + 0.08), (x + 0.06, 0.12, back_m + 0.38), black, 1.0)
    x = -2.55
    for _ in range(9):
        wide, tall = rng.uniform(0.025, 0.05), rng.uniform(0.17, 0.26)
        tone = tuple(int(v) for v in rng.integers(50, 190, 3))
        parts += box(
            (x, 0.62, back_m + 0.1), (x + wide, 0.62 + tall, back_m + 0.28), plain(tone), 1
        )
        x += wide + 0.003
    parts += _plant(rng, 2.45, back_m + 0.45)
    parts += _picture(rng, (-0.75, 1.25, back_m), (0.60, 0.80))
    parts += _picture(rng, (0.10, 1.25, back_m), (0.60, 0.80))
    return parts


def _plant(rng: np.random.Generator, x_m: float, z_m: float) -> list[Surface]:
    pot, leaf = plain((206, 196, 182)), grain(rng, (62, 98, 58))
    parts = box((x_m - 0.15, 0, z_m - 0.15), (x_m + 0.15, 0.34, z_m + 0.15), pot, 1.0)
    root = np.array([x_m, 0.34, z_m])
    for _ in range(26):
        angle, spread = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.65)
        out = np.array([np.sin(angle), 0.0, np.cos(angle)])
        length, broad = rng.uniform(0.45, 0.85), rng.uniform(0.03, 0.055)
        up = (out * np.sin(spread) + np.array([0, np.cos(spread), 0])) * length
        along = np.cross([0, 1, 0], out) * broad
        parts.append(quad(root - along / 2 + up * 0.15, along, up, leaf, 1.0, True))
        droop = up * 0.35 + out * 0.12 * length
        parts.append(quad(root - along / 2 + up * 1.13, along, droop, leaf, 1.0, True))
    return parts


def _picture(
    rng: np.random.Generator, corner: tuple[float, float, float], size: tuple[float, float]
) -> list[Surface]:
    x, y, z = corner
    w, h = size
    frame = box((x, y, z), (x + w, y + h, z + 0.03), plain((52, 46, 42)), 1.0)
    canvas = quad(
        np.array([x + 0.035, y + 0.035, z + 0.031]), np.array([w - 0.07, 0, 0]),
        np.array([0, h - 0.07, 0]), abstract(rng), 1.0, False,
    )  # fmt: skip
    stretched = canvas.uv / canvas.uv.max(axis=0)
    return [*frame, Surface(canvas.vertex_m, canvas.normal, stretched, canvas.triangle,
                            canvas.texture, False)]  # fmt: skip


def plain(rgb: tuple[int, ...]) -> Image:
    """One colour."""
    return np.full((4, 4, 4), (*rgb, 255), dtype=np.uint8)


def _noise(rng: np.random.Generator, shape: tuple[int, int], cell: tuple[int, int]) -> F64:
    """Smooth noise in about [-1, 1] that tiles."""
    spectrum = np.fft.rfft2(rng.standard_normal(shape))
    fy = np.fft.fftfreq(shape[0])[:, None] * cell[0]
    fx = np.fft.rfftfreq(shape[1])[None, :] * cell[1]
    field = np.fft.irfft2(spectrum * np.exp(-2.0 * (fy**2 + fx**2)), shape)
    return np.asarray(field / (2.0 * field.std()))


def _rgba(rgb: F64) -> Image:
    colour = np.clip(rgb, 0, 255).astype(np.uint8)
    return np.concatenate([colour, np.full((*colour.shape[:2], 1), 255, np.uint8)], axis=-1)


def plaster(rng: np.random.Generator, rgb: tuple[int, int, int]) -> Image:
    """A painted wall with faint unevenness."""
    tone = 3.0 * _noise(rng, (512, 512), (90, 90)) + 1.5 * _noise(rng, (512, 512), (4, 4))
    return _rgba(np.array(rgb, dtype=float) + tone[..., None])


def grain(rng: np.random.Generator, rgb: tuple[int, int, int]) -> Image:
    """Wood, its fibres along u."""
    tone = 12.0 * _noise(rng, (256, 512), (5, 120)) + 6.0 * _noise(rng, (256, 512), (1, 30))
    return _rgba(np.array(rgb, dtype=float) * (1.0 + tone[..., None] / 128.0))


def planks(rng: np.random.Generator) -> Image:
    """A floor of eight boards with staggered joints."""
    rows = []
    for _ in range(8):
        board = grain(rng, (168, 132, 96))[:64, :, :3].astype(float)
        tones = 1.0 + rng.uniform(-0.10, 0.08, 2)
        cut = int(rng.integers(100, 400))
        board *= np.where(np.arange(512) < cut, tones[0], tones[1])[None, :, None]
        board[:, cut - 1 : cut + 1] *= 0.6
        board[:2] *= 0.62
        rows.append(board)
    return _rgba(np.concatenate(rows))


def rug(rng: np.random.Generator) -> Image:
    """A woven rug with a border."""
    y, x = np.mgrid[:512, :512] / 511.0
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y) * 0.7)
    base = np.where((edge > 0.035)[..., None], (128, 134, 140), (92, 98, 108)).astype(float)
    base[(edge > 0.05) & (edge < 0.06)] = (188, 182, 170)
    weave = 7.0 * _noise(rng, (512, 512), (2, 2)) + 5.0 * _noise(rng, (512, 512), (40, 40))
    return _rgba(base + weave[..., None])


def abstract(rng: np.random.Generator) -> Image:
    """A quiet picture of soft shapes."""
    field = _noise(rng, (160, 128), (60, 60)) + np.linspace(-1, 1, 160)[:, None]
    levels = np.digitize(field, [-0.9, -0.3, 0.2, 0.8])
    palette = np.array(
        [(226, 218, 204), (196, 170, 140), (120, 140, 148), (74, 92, 108), (186, 120, 92)], float
    )
    return _rgba(rng.permutation(palette)[levels])


def soft_light(seed: int, count: int = 24) -> list[Light]:
    """A wide window to the front left above, and a bright ceiling and sky all round."""
    phase = float(np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi))
    lights: list[Light] = []
    window = (2 * count) // 3
    for k in range(window):
        # a sunflower disc: even coverage, no rows that would show as copies of a shadow
        r, turn = 0.34 * np.sqrt((k + 0.5) / window), 2.399963 * k
        d = np.array([-0.55, 0.85, 0.80]) + r * np.array([np.cos(turn), np.sin(turn), 0.0])
        lights.append(_light(d, np.array([1.0, 0.95, 0.86]) * 1.15 / window))
    for k in range(count - window):
        turn = phase + 2.399963 * k
        up = 0.30 + 0.65 * (k + 0.5) / (count - window)
        flat = np.sqrt(1.0 - up * up)
        d = np.array([flat * np.cos(turn), up, flat * np.sin(turn)])
        lights.append(_light(d, np.array([0.93, 0.97, 1.0]) * 0.95 / (count - window)))
    return lights


def _light(direction: F64, rgb: F64) -> Light:
    x, y, z = (float(v) for v in direction / np.linalg.norm(direction))
    r, g, b = (float(v) for v in rgb)
    return Light((x, y, z), (r, g, b))
