"""Who stands where before which camera: scenes drawn at random, as webcams see people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rigid, rotation
from posestream.geometry.camera import project
from posestream.skeleton.joints import JOINT, ROOT
from posestream.training.synth.everyday import Seat, draw_hands, draw_pose
from posestream.training.synth.limbs import Hands, Limbs
from posestream.training.synth.mocap import Clip
from posestream.training.synth.person import Person
from posestream.training.synth.posing import Posed, pose_body
from posestream.types import Camera

Kind = Literal["desk", "room", "contact", "crowd"]
REFERENCE_WIDTH_PX: Final = 448
_PACK_SHARE: Final = {"h36m": 0.6, "bandai": 0.2, "deepmimic": 0.2}
_NEAREST_M: Final = 0.32
_SCENE: Final[dict[Kind, tuple[float, tuple[float, float], float, float]]] = {
    # share, millimetres of distance per pixel of focal length, share of captured motion, of chairs
    "desk": (0.36, (1.1, 5.0), 0.0, 0.75),
    "room": (0.34, (4.5, 17.0), 0.45, 0.25),
    "contact": (0.13, (3.5, 15.0), 0.30, 0.25),
    "crowd": (0.17, (7.0, 38.0), 0.45, 0.12),
}
_PEOPLE: Final[dict[Kind, tuple[int, int]]] = {
    "desk": (1, 2), "room": (1, 4), "contact": (2, 4), "crowd": (3, 10),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Somebody in the scene."""

    number: int  # of the cast
    posed: Posed
    seat: Seat | None  # None: captured motion
    yaw_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A camera and the people before it."""

    kind: Kind
    camera: Camera
    people: Sequence[Placed]


@dataclass(frozen=True, slots=True, eq=False)
class Troupe:
    """Who can play, and what captured motion there is."""

    people: Sequence[Person]
    clips: Sequence[Clip]
    size_px: tuple[int, int]
    least: int
    most: int

    def layout(self, rng: np.random.Generator) -> Layout:
        """Draw scenes until one shows enough of somebody."""
        while True:
            found = self._try(rng)
            if found is not None and len(found.people) >= self.least:
                return found

    def _try(self, rng: np.random.Generator) -> Layout | None:
        kinds = [k for k in _SCENE if _PEOPLE[k][0] <= self.most and _PEOPLE[k][1] >= self.least]
        share = np.array([_SCENE[k][0] for k in kinds])
        kind = kinds[int(rng.choice(len(kinds), p=share / share.sum()))]
        low, high = _PEOPLE[kind]
        count = int(rng.integers(max(low, self.least), min(high, self.most) + 1))
        if kind == "desk" and count > 1 and self.least < 2 and rng.random() < 0.5:
            count = 1
        focal = self._focal(rng)
        near, far = np.log(_SCENE[kind][1])
        distance = float(np.exp(rng.uniform(near, far))) * focal / 1000.0
        distance = distance * REFERENCE_WIDTH_PX / self.size_px[0]
        distance = float(np.clip(distance, 0.42, 30.0))
        half_fov = float(np.arctan(0.5 * self.size_px[0] / focal))
        places = _places(rng, kind, count, distance, half_fov)
        numbers = rng.choice(len(self.people), len(places), replace=False)
        people = [
            self._person(rng, kind, int(n), at) for n, at in zip(numbers, places, strict=True)
        ]
        camera = self._camera(rng, kind, focal, people[0])
        seen = [p for p in people if self._shows(camera, p)]
        return Layout(kind, camera, seen) if people[0] in seen else None

    def _focal(self, rng: np.random.Generator) -> float:
        wide = rng.uniform(50.0, 82.0) if rng.random() < 0.75 else rng.uniform(28.0, 100.0)
        return float(0.5 * self.size_px[0] / np.tan(np.radians(wide) / 2.0))

    def _person(self, rng: np.random.Generator, kind: Kind, number: int, at_m: F64) -> Placed:
        limbs, hands, seat = self._pose(rng, kind)
        towards = float(np.arctan2(-at_m[0], -at_m[2]))
        if kind == "desk":
            yaw = towards + rng.normal(0.0, 0.45)
        elif rng.random() < 0.6:
            yaw = towards + rng.normal(0.0, 0.7)
        else:
            yaw = rng.uniform(-np.pi, np.pi)
        if seat is None:  # captured motion faces its own way
            yaw -= float(rotation.yaw_about_y(limbs.hips))
        person = self.people[number]
        posed = pose_body(person.rig, person.height_m, person.sole_m, limbs, hands, float(yaw))
        facing = rotation.rotate(
            rotation.multiply(rotation.from_rotvec(np.array([0.0, yaw, 0.0])), limbs.hips),
            np.array([0.0, 0.0, 1.0]),
        )
        return Placed(number, posed.moved(at_m), seat, float(np.arctan2(facing[0], facing[2])))

    def _pose(self, rng: np.random.Generator, kind: Kind) -> tuple[Limbs, Hands, Seat | None]:
        _, _, captured, chairs = _SCENE[kind]
        packs = sorted({clip.pack for clip in self.clips})
        if len(packs) == 1:
            captured *= 0.5  # a few clips alone would be seen too often
        if packs and rng.random() < captured:
            share = np.array([_PACK_SHARE[p] for p in packs])
            pack = packs[int(rng.choice(len(packs), p=share / share.sum()))]
            clips = [clip for clip in self.clips if clip.pack == pack]
            clip = clips[int(rng.integers(len(clips)))]
            limbs = clip.pose(int(rng.integers(clip.num_frames)))
            return limbs, draw_hands(rng), None
        draw = rng.random()
        seat: Seat = "chair" if draw < chairs else "floor" if draw > 0.95 else "stand"
        pose = draw_pose(rng, seat)
        return pose.limbs, pose.hands, seat

    def _camera(self, rng: np.random.Generator, kind: Kind, focal: float, first: Placed) -> Camera:
        """Height and tilt that show something of the first person's trunk or head."""
        xyz = first.posed.xyz_world_m
        head, pelvis = xyz[JOINT["head"]], xyz[ROOT]
        if kind == "desk":
            height = float(head[1]) + rng.normal(-0.05, 0.22)
            aim, row = pelvis + (head - pelvis) * rng.uniform(0.55, 1.0), rng.uniform(0.22, 0.55)
        else:
            height = rng.normal(1.4, 0.35) if rng.random() < 0.6 else rng.uniform(0.3, 3.0)
            aim, row = pelvis + (head - pelvis) * rng.uniform(-0.2, 0.8), rng.uniform(0.25, 0.7)
        height = float(np.clip(height, 0.3, 3.0))
        level = float(np.arctan2(height - aim[1], np.hypot(aim[0], aim[2])))
        offset = float(np.arctan((row - 0.5) * self.size_px[1] / focal))
        down = float(np.clip(level - offset, -np.pi / 6, np.pi / 6))
        roll = rng.normal(0.0, 0.03) if rng.random() < 0.8 else rng.normal(0.0, 0.12)
        return make_camera(self.size_px, focal, height, down, float(roll))

    def _shows(self, camera: Camera, person: Placed) -> bool:
        """Whether the person is before the camera and a fair part of them in the picture."""
        xyz = rigid.apply(rigid.inverse(camera.T_world_cam), person.posed.xyz_world_m)
        if xyz[:, 2].min() < 0.12:
            return False
        xy = project(xyz, camera.K_px)
        inside = ((xy >= 0.0) & (xy <= np.array(self.size_px) - 1.0)).all(axis=-1)
        return bool(inside.sum() >= 3)


def make_camera(
    size_px: tuple[int, int], focal_px: float, height_m: float, down_rad: float, roll_rad: float
) -> Camera:
    """A camera over the world's origin that looks along -z."""
    width, height = size_px
    K = np.array(
        [[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]], dtype=float
    )
    tilt = rotation.from_rotvec(np.array([-down_rad, 0.0, 0.0]))
    roll = rotation.from_rotvec(np.array([0.0, 0.0, roll_rad]))
    R = np.diag([1.0, -1.0, -1.0]) @ rotation.to_matrix(rotation.multiply(tilt, roll))
    return Camera(K, size_px, T_world_cam=rigid.make(R, np.array([0.0, height_m, 0.0])))


def _places(
    rng: np.random.Generator, kind: Kind, count: int, distance: float, half_fov: float
) -> list[F64]:
    """Floor points (3,); the first is the one the camera looks at."""
    side = rng.uniform(-0.4, 0.4) if kind == "desk" else rng.uniform(-0.7, 0.7)
    places = [_at(distance, side * half_fov)]
    for _ in range(count - 1):
        for _ in range(12):
            place = _next_place(rng, kind, places, distance, half_fov)
            gap = min(float(np.linalg.norm(place - other)) for other in places)
            least = _NEAREST_M if kind == "contact" else 0.42
            if gap > least and np.linalg.norm(place) > 0.42:
                places.append(place)
                break
    return places


def _next_place(
    rng: np.random.Generator, kind: Kind, places: list[F64], distance: float, half_fov: float
) -> F64:
    if kind in ("contact", "desk"):
        beside = places[int(rng.integers(len(places)))]
        away = rng.uniform(_NEAREST_M, 0.6) if kind == "contact" else rng.uniform(0.45, 0.9)
        angle = rng.normal(0.0, 0.5) + np.pi * float(rng.integers(2))
        return beside + away * np.array([np.cos(angle), 0.0, np.sin(angle)])
    deep = distance * float(np.exp(rng.normal(0.0, 0.30)))
    return _at(max(deep, 0.6), rng.uniform(-0.95, 0.95) * half_fov)


def _at(distance: float, angle: float) -> F64:
    return distance * np.array([np.sin(angle), 0.0, -np.cos(angle)])
