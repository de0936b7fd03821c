"""Where cut-out people stand before a camera: pure geometry, no pixels.

A cut-out was taken by a far camera that looked straight at the person; one of its pixels is so
many metres. Pasted at another scale it is a person at depth (metres per pixel) x (focal length)
of the composite's camera. Off the optical axis the person's pose is turned by the angle of the
view ray (``turned``), as the camera would have to be turned to look straight at the person. What
is left out is the change of perspective with distance: the joints' projections are off by about
(height in pixels) x (reach along the ray / depth) x (reach across it / height), a few pixels for
people farther away than twice their height.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from posestream.arrays import F64
from posestream.geometry.camera import intrinsics_from_fov

Range = tuple[float, float]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class SceneSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cameras and places."""

    fov_deg: Annotated[Range, msgspec.Meta(description="Of the picture's longer side.")] = (
        25.0,
        70.0,
    )
    mm_per_px: Annotated[
        Range, msgspec.Meta(description="Depth by focal length of most people.")
    ] = (5.0, 30.0)
    wide_mm_per_px: Annotated[Range, msgspec.Meta(description="The same, of the others.")] = (
        1.5,
        40.0,
    )
    wide_share: Share = 0.15
    nearest_m: Annotated[float, msgspec.Meta(gt=0.0, description="No depth is smaller.")] = 2.0
    largest: Annotated[
        float, msgspec.Meta(gt=0.0, description="A standing person, by the picture's height.")
    ] = 2.0
    smallest_px: Annotated[
        float, msgspec.Meta(gt=0.0, description="A standing person is no smaller than this.")
    ] = 32.0
    together_share: Annotated[
        Share, msgspec.Meta(description="Scenes whose people stand side by side, not anywhere.")
    ] = 0.35
    floor_share: Annotated[
        Share, msgspec.Meta(description="Scenes whose people share a floor.")
    ] = 0.7
    camera_height_m: Annotated[Range, msgspec.Meta(description="Over that floor.")] = (0.6, 2.2)
    pitch_deg: Annotated[
        float, msgspec.Meta(ge=0.0, description="Deviation of the camera's pitch.")
    ] = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A camera, and a floor if people share one."""

    size_px: tuple[int, int]
    K_px: F64  # (3, 3)
    floor: bool
    camera_height_m: float
    horizon_px: float
    depth_m: float | None  # about which people stand together

    @property
    def f_px(self) -> float:
        """Focal length."""
        return float(self.K_px[0, 0])


@dataclass(frozen=True, slots=True)
class Outline:
    """A cut-out about its pelvis, in its own pixels: x to the right, y down."""

    left: float
    right: float
    top: float
    bottom: float
    m_per_px: float
    height_m: float
    cut_below: bool  # by the border of its photo


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a cut-out goes: its pelvis, its depth, and what its pixels are multiplied with."""

    pelvis_px: F64  # (2,)
    depth_m: float
    scale: float


def draw_scene(rng: np.random.Generator, size_px: tuple[int, int], s: SceneSettings) -> Scene:
    """A camera for a picture of this width and height."""
    K = intrinsics_from_fov(size_px, rng.uniform(*s.fov_deg))
    pitch = np.radians(rng.normal(0.0, s.pitch_deg))
    horizon = float(K[1, 2] - K[1, 1] * np.tan(pitch))
    floor = bool(rng.random() < s.floor_share)
    height = float(rng.uniform(*s.camera_height_m))
    together = rng.random() < s.together_share
    depth = _draw_depth(rng, s, float(K[0, 0]), size_px[1]) if together else None
    return Scene(size_px, K, floor, height, horizon, depth)


def draw_place(rng: np.random.Generator, scene: Scene, outline: Outline, s: SceneSettings) -> Place:
    """Somewhere where the person is seen; on the floor where there is one and it fits."""
    for _ in range(3):
        depth = _person_depth(rng, scene, s)
        place = Place(np.zeros(2), depth, outline.m_per_px * scene.f_px / depth)
        if not scene.floor:
            break
        foot = scene.horizon_px + scene.f_px * scene.camera_height_m / depth
        v = foot - outline.bottom * place.scale
        if _shows(v, outline, place.scale, scene.size_px[1]) and not outline.cut_below:
            return Place(np.array([_column(rng, scene), v]), depth, place.scale)
    v = _free_row(rng, outline, place.scale, scene.size_px[1])
    return Place(np.array([_column(rng, scene), v]), place.depth_m, place.scale)


def turned(xyz_m: F64, pelvis_px: F64, K_px: F64) -> F64:
    """Poses (..., 3) of a camera that looks at the pelvis, in the axes of the camera K.

    The least turn that takes the optical axis to the pelvis' view ray.
    """
    ray = np.array([*(pelvis_px - K_px[:2, 2]) / [K_px[0, 0], K_px[1, 1]], 1.0])
    x, y, z = ray / np.linalg.norm(ray)
    turn = np.array(
        [
            [1.0 - x * x / (1.0 + z), -x * y / (1.0 + z), x],
            [-x * y / (1.0 + z), 1.0 - y * y / (1.0 + z), y],
            [-x, -y, z],
        ]
    )
    return np.asarray(xyz_m @ turn.T)


def _draw_depth(rng: np.random.Generator, s: SceneSettings, f_px: float, rows: int) -> float:
    low, high = s.wide_mm_per_px if rng.random() < s.wide_share else s.mm_per_px
    mm_per_px = np.exp(rng.uniform(np.log(low), np.log(high)))
    return _bounded(rng, float(mm_per_px) / 1000.0 * f_px, s, f_px, rows)


def _person_depth(rng: np.random.Generator, scene: Scene, s: SceneSettings) -> float:
    if scene.depth_m is None:
        return _draw_depth(rng, s, scene.f_px, scene.size_px[1])
    near = scene.depth_m * float(np.exp(rng.normal(0.0, 0.12)))
    return _bounded(rng, near, s, scene.f_px, scene.size_px[1])


def _bounded(
    rng: np.random.Generator, depth_m: float, s: SceneSettings, f_px: float, rows: int
) -> float:
    """Within the bounds; the lower one is blurred, so that no single depth is common."""
    tall = 1.7 * f_px
    low = max(s.nearest_m, tall / (s.largest * rows)) * rng.uniform(1.0, 1.4)
    return float(np.clip(depth_m, low, max(low, tall / s.smallest_px)))


def _column(rng: np.random.Generator, scene: Scene) -> float:
    """Mostly in the picture; people who stand together keep to its middle."""
    width = scene.size_px[0]
    if scene.depth_m is not None:
        reach = min(0.45 * width, 1.2 * scene.f_px / scene.depth_m)
        return float(0.5 * width + rng.uniform(-reach, reach))
    return float(rng.uniform(-0.02, 1.02) * width)


def _shows(v: float, outline: Outline, scale: float, rows: int) -> bool:
    """Whether at least half of the person's rows, or half of the picture's, are seen."""
    top, bottom = v + outline.top * scale, v + outline.bottom * scale
    seen = min(bottom, rows) - max(top, 0.0)
    return seen >= 0.5 * min(bottom - top, rows) and top > -0.35 * (bottom - top)


def _free_row(rng: np.random.Generator, outline: Outline, scale: float, rows: int) -> float:
    """The pelvis' row: whole people anywhere, large ones with their heads in the picture."""
    top, bottom = outline.top * scale, outline.bottom * scale
    tall = bottom - top
    if outline.cut_below:  # the cut is hidden by the picture's lower border
        return float(max(rng.uniform(0.0, 0.2) * rows - top, rows - bottom))
    if tall < rows and rng.random() < 0.8:
        return float(rng.uniform(0.0, rows - tall) - top)
    if rng.random() < 0.75:
        return float(rng.uniform(0.0, 0.35) * rows - top)
    return float(rng.uniform(-0.3 * tall, rows - 0.4 * tall) - top)
