"""What one picture shows, and what a renderer makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, Image
from posestream.types import Camera

IDENTITY: Final[F64] = np.eye(3)


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """A fixed mesh with a texture of the renderer's store."""

    vertex: NDArray[np.float32]  # (V, 8) position, normal, texture coordinates
    triangle: NDArray[np.int32]  # (F, 3)
    texture: int
    recolour: F64 = field(default_factory=lambda: IDENTITY)
    catches: float = 0.0  # above 0: only shows shadows, this dark
    casts: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Lighting:
    """Linear colours and unit directions from the scene."""

    sun_towards: F64  # (3,)
    sun_rgb: F64
    sky_towards: F64
    sky_rgb: F64
    ground_rgb: F64
    fill_towards: F64
    fill_rgb: F64
    sun_blur: float
    exposure: float


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """A person of the renderer's cast in a pose; one recolouring (3, 3) per piece."""

    number: int
    T_world_rest: F64  # (K, 4, 4)
    recolour: Sequence[F64]
    pixel_m: float  # how much of the nearest part of the body one pixel shows


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """All that one picture shows."""

    camera: Camera
    players: Sequence[Player]
    things: Sequence[Thing]
    lighting: Lighting
    backdrop: Image  # (h, w, 3) BGR, stretched over the picture
    centre_m: F64  # (3,) of the ball that casts shadows
    radius_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A picture and what lies under its pixels."""

    picture: Image  # (H, W, 3) BGR
    owner: NDArray[np.uint8]  # (H, W) 0 nobody, n + 1 player n
    depth_m: NDArray[np.float32]  # (H, W)
