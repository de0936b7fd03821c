"""From a layout to a shot: light, room or photo behind, furniture, things in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Image
from posestream.geometry import rigid, rotation
from posestream.skeleton.joints import JOINT, ROOT
from posestream.training.synth import furniture, textures
from posestream.training.synth.furniture import Pile
from posestream.training.synth.person import Person
from posestream.training.synth.shot import Lighting, Player, Shot, Thing
from posestream.training.synth.staging import Layout, Placed
from posestream.types import Camera

_HIPS: Final = [JOINT["left_hip"], JOINT["right_hip"]]
_WRISTS: Final = [JOINT["left_wrist"], JOINT["right_wrist"]]
_PHOTO_TILT_RAD: Final = 0.2  # photos of rooms are taken level
_UP: Final[F64] = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """Textures of things, by use, as they lie in the renderer's store; and photos of rooms."""

    pictures: Sequence[Image]  # RGBA
    surfaces: int  # the first so many are for walls and furniture
    floors: int  # then so many for floors; the rest are pictures for walls
    photos: Sequence[Image]  # BGR; none when only free material may be shown

    @property
    def art(self) -> range:
        """Numbers of the pictures for walls."""
        return range(self.surfaces + self.floors, len(self.pictures))


def make_store(rng: np.random.Generator, photos: Sequence[Image]) -> Store:
    """New textures; some walls have photos on them if there are any."""
    surfaces = [textures.surface(rng) for _ in range(16)]
    floors = [textures.floor(rng) for _ in range(5)]
    art = [textures.artwork(rng) for _ in range(6)]
    chosen = rng.choice(len(photos), min(6, len(photos)), replace=False)
    art += [textures.opaque(photos[int(k)][..., ::-1].astype(np.float64)) for k in chosen]
    return Store([*surfaces, *floors, *art], len(surfaces), len(floors), photos)


def set_up(rng: np.random.Generator, layout: Layout, cast: Sequence[Person], store: Store) -> Shot:
    """Everything round the people of a layout."""
    camera = layout.camera
    pile = Pile(rng, store.surfaces)
    for placed in layout.people:
        _furnish(pile, layout, placed, cast[placed.number].height_m / 1.7)
    _put_in_front(pile, layout)
    xyz = np.concatenate([p.posed.xyz_world_m for p in layout.people])
    centre = 0.5 * (xyz.min(axis=0) + xyz.max(axis=0))
    radius = float(np.clip(np.linalg.norm(xyz - centre, axis=1).max() + 0.6, 1.2, 7.0))
    things: list[Thing] = []
    share = 0.3 if len(store.photos) else 0.75
    if _tilt(camera) > _PHOTO_TILT_RAD or rng.random() < share:
        _room(pile, layout, store)
        backdrop = np.full((4, 4, 3), 90, dtype=np.uint8)
    else:
        backdrop = _backdrop(rng, store, camera.size_px)
        things.append(furniture.shadow_floor(radius + 2.0, centre, float(rng.uniform(0.3, 0.9))))
    players = [
        Player(
            p.number, p.posed.T_world_rest,
            [_recolour(rng, piece.recolour) for piece in cast[p.number].pieces],
            _pixel_m(camera, p.posed.xyz_world_m),
        )
        for p in layout.people
    ]  # fmt: skip
    return Shot(
        camera, players, [*pile.things(), *things], _light(rng, camera), backdrop, centre, radius
    )


def _pixel_m(camera: Camera, xyz_world_m: F64) -> float:
    nearest = rigid.apply(rigid.inverse(camera.T_world_cam), xyz_world_m)[:, 2].min()
    return float(nearest / camera.K_px[0, 0])


def _tilt(camera: Camera) -> float:
    return abs(float(np.arcsin(camera.T_world_cam[1, 2])))


def _furnish(pile: Pile, layout: Layout, placed: Placed, scale: float) -> None:
    rng, xyz = pile.rng, placed.posed.xyz_world_m
    pelvis = xyz[ROOT]
    forward = np.array([np.sin(placed.yaw_rad), 0.0, np.cos(placed.yaw_rad)])
    if placed.seat == "chair":
        under = float(xyz[_HIPS, 1].min()) - 0.10 * scale
        furniture.chair(pile, pelvis * [1, 0, 1] + _UP * under, placed.yaw_rad, scale)
    wants = {
        "chair": 0.65 if layout.kind == "desk" else 0.3,
        "stand": 0.3 * (layout.kind == "desk"),
    }
    if rng.random() < wants.get(placed.seat or "", 0.0):
        top = float(pelvis[1]) + rng.uniform(0.19, 0.34) * scale
        before = (xyz[_WRISTS] - pelvis) @ forward > 0.2 * scale
        low = xyz[_WRISTS, 1][before]
        if len(low):
            top = min(top, float(low.min()) - 0.035 * scale)
        top = max(top, float(pelvis[1]) + 0.14 * scale)
        edge = pelvis + forward * rng.uniform(0.20, 0.36) * scale
        furniture.desk(pile, edge, top, placed.yaw_rad, _desk_depth(rng, layout, edge))


def _desk_depth(rng: np.random.Generator, layout: Layout, edge: F64) -> float:
    """A desk ends before the next person."""
    others = [float(np.linalg.norm((p.posed.xyz_world_m[ROOT] - edge) * [1, 0, 1]))
              for p in layout.people]  # fmt: skip
    free = sorted(others)[1] - 0.2 if len(others) > 1 else 1.0
    return float(np.clip(rng.uniform(0.45, 0.9), 0.3, max(free, 0.3)))


def _put_in_front(pile: Pile, layout: Layout) -> None:
    """Things between the camera and the people, and beside them."""
    rng = pile.rng
    if rng.random() > 0.4:
        return
    floor = np.array([p.posed.xyz_world_m[ROOT] * [1, 0, 1] for p in layout.people])
    half_fov = float(np.arctan(0.5 * layout.camera.size_px[0] / layout.camera.K_px[0, 0]))
    for _ in range(int(rng.integers(1, 4))):
        reach = float(np.linalg.norm(floor[0])) * rng.uniform(0.4, 1.3)
        angle = rng.uniform(-1.0, 1.0) * half_fov
        at = reach * np.array([np.sin(angle), 0.0, -np.cos(angle)])
        if reach > 0.9 and np.linalg.norm(floor - at, axis=1).min() > 0.7:
            furniture.clutter(pile, at, rng.uniform(-np.pi, np.pi))


def _room(pile: Pile, layout: Layout, store: Store) -> None:
    xyz = np.concatenate([p.posed.xyz_world_m for p in layout.people])
    floor = store.surfaces + int(pile.rng.integers(store.floors))
    tall = max(2.35, float(layout.camera.T_world_cam[1, 3]) + 0.15, float(xyz[:, 1].max()) + 0.1)
    back = -float(xyz[:, 2].min()) + float(np.exp(pile.rng.uniform(np.log(0.35), np.log(5.0))))
    furniture.room(pile, floor, store.art, float(np.abs(xyz[:, 0]).max()), back, tall)


def _backdrop(rng: np.random.Generator, store: Store, size_px: tuple[int, int]) -> Image:
    """Part of a photo of a room, or shapes."""
    import cv2

    if len(store.photos) == 0 or rng.random() < 0.08:
        picture = textures.cluttered(rng, size_px)[..., :3]
        return np.ascontiguousarray(picture)
    photo = store.photos[int(rng.integers(len(store.photos)))]
    height, width = photo.shape[:2]
    aspect = size_px[0] / size_px[1]
    w = min(width, height * aspect) * rng.uniform(0.6, 1.0)
    h = w / aspect
    x, y = rng.uniform(0.0, width - w), rng.uniform(0.0, height - h)
    part = photo[int(y) : int(y + h) + 1, int(x) : int(x + w) + 1]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    if rng.random() < 0.3:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), float(rng.uniform(0.5, 4.0))), np.uint8)
    toned = part * np.exp(rng.normal(0.0, 0.15)) * np.exp(rng.normal(0.0, 0.05, 3))
    return np.ascontiguousarray(np.clip(toned, 0, 255).astype(np.uint8))


def _recolour(rng: np.random.Generator, free: bool) -> F64:
    """A colour matrix (3, 3): turned hue, other saturation, lighter or darker."""
    if not free:
        return np.diag(rng.uniform(0.92, 1.06, 3))
    if rng.random() < 0.25:
        return np.eye(3) * rng.uniform(0.7, 1.2)
    axis = np.ones(3) / np.sqrt(3.0)
    hue = rotation.to_matrix(rotation.from_rotvec(axis * rng.uniform(-np.pi, np.pi)))
    grey = np.full((3, 3), 1.0 / 3.0)
    saturation = rng.uniform(0.2, 1.4)
    return np.asarray((grey + saturation * (np.eye(3) - grey)) @ hue * rng.uniform(0.45, 1.5))


def _light(rng: np.random.Generator, camera: Camera) -> Lighting:
    """Daylight, lamps, a bright window behind, or a dim room with a screen."""
    kind = rng.choice(["even", "sun", "back", "dim"], p=[0.35, 0.35, 0.15, 0.15])
    yaw = rng.uniform(-np.pi, np.pi)
    if kind == "back":
        yaw = np.pi + rng.normal(0.0, 0.5)
    up = rng.uniform(0.35, 0.95)
    flat = np.sqrt(1.0 - up * up)
    sun = np.array([flat * np.sin(yaw), up, flat * np.cos(yaw)])
    strength, sky = {"even": (0.35, 0.85), "sun": (1.1, 0.5), "back": (1.2, 0.3),
                     "dim": (0.25, 0.25)}[str(kind)]  # fmt: skip
    warm = np.exp(rng.normal(0.0, 0.12) * np.array([1.0, 0.0, -1.0]))
    cool = np.exp(rng.normal(0.0, 0.10) * np.array([1.0, 0.0, -1.0]))
    lean = rng.normal(0.0, 0.25, 3) * [1, 0, 1] + _UP
    towards_eye = camera.T_world_cam[:3, 2] * -1.0
    fill = rng.uniform(0.0, 0.35) * np.array([0.9, 1.0, 1.1])
    exposure = float(np.exp(rng.normal(0.0, 0.22))) * (0.75 if kind == "dim" else 1.0)
    sky_rgb = sky * rng.uniform(0.7, 1.3) * cool
    return Lighting(
        sun, strength * rng.uniform(0.6, 1.3) * warm, lean / np.linalg.norm(lean), sky_rgb,
        sky_rgb * rng.uniform(0.35, 0.8), towards_eye, fill,
        float(np.exp(rng.uniform(np.log(0.003), np.log(0.03)))), 1.25 * exposure,
    )  # fmt: skip
