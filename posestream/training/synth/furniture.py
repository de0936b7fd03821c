"""Plain things to sit on, to sit at, to stand before and to be hidden by. Boxes, mostly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.training.synth.shot import Thing

_CORNERS: Final[F64] = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float)
_SIDES: Final = ((0, 1, 2, 1), (0, 1, 2, -1), (1, 2, 0, 1), (1, 2, 0, -1), (2, 0, 1, 1), (2, 0, 1, -1))  # fmt: skip  # noqa: E501


@dataclass(slots=True)
class Pile:
    """Things gathered by texture, so that each texture is drawn once."""

    rng: np.random.Generator
    num_textures: int
    parts: dict[tuple[int, bool], list[F64]] = field(default_factory=dict)

    def material(self) -> int:
        """Some texture."""
        return int(self.rng.integers(self.num_textures))

    def add(self, vertex: F64, texture: int, casts: bool = True) -> None:
        """Quads as vertices (4Q, 8)."""
        self.parts.setdefault((texture, casts), []).append(vertex)

    def box(
        self, size_m: Sequence[float] | F64, centre_m: F64, yaw_rad: float, texture: int,
        tilt_rad: float = 0.0,
    ) -> None:  # fmt: skip
        """A box, leaned back by ``tilt_rad`` and turned about the vertical."""
        self.add(_place(_box(np.array(size_m)), centre_m, yaw_rad, tilt_rad), texture)

    def things(self) -> list[Thing]:
        """Everything, in a fixed order."""
        out = []
        for (texture, casts), parts in sorted(self.parts.items()):
            vertex = np.vstack(parts).astype(np.float32)
            quad = np.arange(len(vertex)).reshape(-1, 4)
            triangle = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]).astype(np.int32)
            out.append(Thing(vertex, triangle, texture, casts=casts))
        return out


def _box(size: F64) -> F64:
    """(24, 8) about the origin; texture coordinates in metres."""
    quads = []
    for axis, u, v, sign in _SIDES:
        vertex = np.zeros((4, 8))
        vertex[:, u] = _CORNERS[:, 0] * size[u] / 2
        vertex[:, v] = _CORNERS[:, 1] * size[v] / 2 * sign
        vertex[:, axis] = sign * size[axis] / 2
        vertex[:, 3 + axis] = sign
        vertex[:, 6:] = 0.5 * _CORNERS * [size[u], size[v]] + 0.13 * axis
        quads.append(vertex)
    return np.vstack(quads)


def _place(vertex: F64, centre: F64, yaw: float, tilt: float = 0.0) -> F64:
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    lean = np.array([[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    R = turn @ lean
    out = vertex.copy()
    out[:, :3] = vertex[:, :3] @ R.T + centre
    out[:, 3:6] = vertex[:, 3:6] @ R.T
    return out


def sheet(origin: F64, along: F64, up: F64, tile_m: float) -> F64:
    """A quad (4, 8) whose normal is along x up."""
    size = np.array([np.linalg.norm(along), np.linalg.norm(up)]) / tile_m
    corner = (_CORNERS + 1.0) / 2.0
    normal = np.cross(along, up)
    vertex = np.zeros((4, 8))
    vertex[:, :3] = origin + corner[:, :1] * along + corner[:, 1:] * up
    vertex[:, 3:6] = normal / np.linalg.norm(normal)
    vertex[:, 6:] = corner * size
    return vertex


def picture_on(origin: F64, along: F64, up: F64) -> F64:
    """A quad that shows its texture once."""
    vertex = sheet(origin, along, up, 1.0)
    vertex[:, 6:] = (_CORNERS + 1.0) / 2.0
    return vertex


def shadow_floor(radius_m: float, centre_m: F64, dark: float) -> Thing:
    """A floor that is not seen but for the shadows on it."""
    low = centre_m * [1.0, 0.0, 1.0] - [radius_m, 0.0, -radius_m]
    vertex = sheet(low, np.array([2 * radius_m, 0, 0]), np.array([0, 0, -2 * radius_m]), 1.0)
    triangle = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    return Thing(vertex.astype(np.float32), triangle, 0, catches=dark, casts=False)


def _raised(at_m: F64, by_m: float) -> F64:
    return np.asarray(at_m + np.array([0.0, by_m, 0.0]))


def chair(pile: Pile, seat_m: F64, yaw: float, scale: float) -> None:
    """Under somebody whose hips' lowest point is ``seat_m`` and who looks along ``yaw``."""
    rng = pile.rng
    cloth, frame = pile.material(), pile.material()
    forward = np.array([np.sin(yaw), 0.0, np.cos(yaw)])
    top = float(seat_m[1])
    thick = float(min(rng.uniform(0.04, 0.12), max(top - 0.02, 0.02)))
    wide, deep = rng.uniform(0.42, 0.60) * scale, rng.uniform(0.42, 0.52) * scale
    middle = seat_m * [1, 0, 1] + forward * 0.10 * scale
    pile.box((wide, thick, deep), _raised(middle, top - thick / 2), yaw, cloth)
    if rng.random() < 0.8:
        tall = rng.uniform(0.35, 0.85) * scale
        at = _raised(seat_m * [1, 0, 1] - forward * 0.22 * scale, top + tall / 2 + 0.05)
        pile.box((wide * rng.uniform(0.8, 1.0), tall, 0.06), at, yaw, cloth, -0.12)
    if rng.random() < 0.4:
        for sign in (-1, 1):
            side = np.array([np.cos(yaw), 0.0, -np.sin(yaw)]) * sign * (wide / 2 + 0.03)
            pile.box((0.05, 0.05, 0.3), _raised(middle + side, top + 0.22), yaw, frame)
    if rng.random() < 0.5:
        pile.box((0.07, top - thick, 0.07), _raised(middle, (top - thick) / 2), yaw, frame)
        pile.box((0.55, 0.05, 0.10), _raised(middle, 0.03), yaw, frame)
        pile.box((0.10, 0.05, 0.55), _raised(middle, 0.03), yaw, frame)
    else:
        _legs(pile, middle, wide, deep, top - thick, yaw, frame)


def _legs(
    pile: Pile, middle: F64, wide: float, deep: float, tall: float, yaw: float, texture: int
) -> None:
    for a in (-1, 1):
        for b in (-1, 1):
            x, z = a * (wide / 2 - 0.03), b * (deep / 2 - 0.03)
            offset = [x * np.cos(yaw) + z * np.sin(yaw), tall / 2,
                      -x * np.sin(yaw) + z * np.cos(yaw)]  # fmt: skip
            pile.box((0.04, tall, 0.04), middle * [1, 0, 1] + offset, yaw, texture)


def desk(pile: Pile, near_edge_m: F64, top_m: float, yaw: float, deep_m: float) -> None:
    """A desk whose edge lies before somebody who looks along ``yaw``, with things on it."""
    rng = pile.rng
    wood, frame = pile.material(), pile.material()
    forward = np.array([np.sin(yaw), 0.0, np.cos(yaw)])
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    wide = float(rng.uniform(0.9, 2.2))
    middle = near_edge_m * [1, 0, 1] + forward * deep_m / 2
    pile.box((wide, 0.035, deep_m), _raised(middle, top_m - 0.018), yaw, wood)
    _legs(pile, middle, wide, deep_m, top_m - 0.03, yaw, frame)
    if rng.random() < 0.3:
        pile.box(
            (wide, 0.5, 0.02), _raised(middle + forward * 0.3 * deep_m, top_m - 0.3), yaw, wood
        )
    for _ in range(int(rng.integers(0, 6))):
        at = (
            middle
            + right * rng.uniform(-0.5, 0.5) * wide
            + forward * rng.uniform(-0.3, 0.5) * deep_m
        )
        size = np.array([rng.uniform(0.03, 0.3), rng.uniform(0.01, 0.22), rng.uniform(0.03, 0.25)])
        if size.prod() > 0.006:
            size[1] = 0.02
        pile.box(size, _raised(at, top_m + size[1] / 2), yaw + rng.normal(0, 0.4), pile.material())
    keyboard = middle - forward * 0.25 * deep_m
    pile.box((0.42, 0.02, 0.14), _raised(keyboard, top_m + 0.01), yaw, frame)
    if rng.random() < 0.3:
        _laptop(pile, _raised(keyboard, top_m), yaw)


def _laptop(pile: Pile, at_m: F64, yaw: float) -> None:
    forward = np.array([np.sin(yaw), 0.0, np.cos(yaw)])
    shell = pile.material()
    pile.box((0.34, 0.02, 0.24), _raised(at_m + forward * 0.1, 0.01), yaw, shell)
    pile.box((0.34, 0.23, 0.012), _raised(at_m + forward * 0.25, 0.12), yaw, shell, 0.25)


def clutter(pile: Pile, at_m: F64, yaw: float) -> None:
    """Something that stands on the floor: a box, a sofa, a plant, a pole, a chair's back."""
    rng = pile.rng
    kind = rng.choice(["box", "sofa", "plant", "pole", "stack"])
    a, b = pile.material(), pile.material()
    if kind == "sofa":
        deep = 0.85
        pile.box((rng.uniform(0.8, 2.2), 0.42, deep), _raised(at_m, 0.21), yaw, a)
        back = np.array([np.sin(yaw), 0.0, np.cos(yaw)]) * 0.36
        pile.box((rng.uniform(0.8, 2.2), 0.5, 0.16), _raised(at_m - back, 0.6), yaw, a, -0.15)
    elif kind == "plant":
        tall = rng.uniform(0.25, 0.6)
        pile.box((0.28, tall, 0.28), _raised(at_m, tall / 2), yaw, a)
        for _ in range(int(rng.integers(8, 24))):
            leaf = (rng.uniform(0.03, 0.08), rng.uniform(0.3, 0.8), 0.004)
            out = rng.normal(0.0, 0.13, 3) * [1, 0, 1]
            pile.box(leaf, _raised(at_m + out, tall + leaf[1] * 0.4), rng.uniform(0, 6.3), b,
                     rng.normal(0, 0.5))  # fmt: skip
    elif kind == "pole":
        tall = rng.uniform(1.0, 2.6)
        pile.box(
            (rng.uniform(0.04, 0.3), tall, rng.uniform(0.04, 0.3)), _raised(at_m, tall / 2), yaw, a
        )
    else:
        low = 0.0
        for _ in range(1 if kind == "box" else int(rng.integers(2, 5))):
            size = rng.uniform(0.15, 0.7, 3) * [1.0, 0.9, 1.0]
            pile.box(
                size, _raised(at_m, low + size[1] / 2), yaw + rng.normal(0, 0.2), pile.material()
            )
            low += float(size[1])


def room(
    pile: Pile, floor: int, art: Sequence[int], half_m: float, back_m: float, tall_m: float
) -> None:
    """Floor, walls and what stands along them, round people at most ``half_m`` to the side."""
    rng = pile.rng
    tall = tall_m + float(rng.uniform(0.0, 0.8))
    left = -half_m - float(rng.uniform(0.6, 3.5))
    right = half_m + float(rng.uniform(0.6, 3.5))
    back, front = -back_m, 4.0
    x, y, z = np.array([right - left, 0, 0]), np.array([0, tall, 0]), np.array([0, 0, front - back])
    wall, side = pile.material(), pile.material()
    pile.add(sheet(np.array([left, 0, front]), x, -z, rng.uniform(0.8, 2.5)), floor, False)
    pile.add(sheet(np.array([left, 0, back]), x, y, rng.uniform(0.6, 3.0)), wall, False)
    pile.add(sheet(np.array([left, 0, front]), -z, y, rng.uniform(0.6, 3.0)), side, False)
    pile.add(sheet(np.array([right, 0, back]), z, y, rng.uniform(0.6, 3.0)), side, False)
    pile.add(sheet(np.array([left, tall, back]), x, z, 2.0), pile.material(), False)
    for _ in range(int(rng.integers(0, 7))):
        w, h = rng.uniform(0.3, 1.6), rng.uniform(0.3, 1.2)
        at = np.array([rng.uniform(left, right - w), rng.uniform(0.7, tall - h), back + 0.02])
        if art:
            texture = int(rng.choice(list(art)))
            pile.add(picture_on(at, np.array([w, 0, 0]), np.array([0, h, 0])), texture, False)
    for _ in range(int(rng.integers(0, 6))):
        size = np.array([rng.uniform(0.3, 2.0), rng.uniform(0.3, 2.1), rng.uniform(0.25, 0.6)])
        at = np.array([rng.uniform(left, right), size[1] / 2, back + size[2] / 2])
        pile.box(size, at, 0.0, pile.material())
        if size[1] < 1.2:
            for _ in range(int(rng.integers(0, 7))):
                small = rng.uniform(0.04, 0.35, 3)
                aside = np.array([rng.uniform(-0.45, 0.45) * size[0], 0.0, 0.0])
                on = _raised(at + aside, size[1] / 2 + small[1] / 2)
                pile.box(small, on, rng.normal(0, 0.3), pile.material())
