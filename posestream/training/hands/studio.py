"""Renders hands whose pose is known exactly.

Needs the packages anny and moderngl, and OpenGL without a window.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, I64, Image
from posestream.geometry import rigid
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, NUM_BONES
from posestream.training.hands.people import Owner
from posestream.training.hands.poses import Shot
from posestream.training.synth import scene
from posestream.training.synth.assets import AssetFolder
from posestream.training.synth.bodies import NUM_SKIN_VERTICES, Body, BodyFactory
from posestream.training.synth.figure import Figure, Garment, Part, dress
from posestream.training.synth.render import Renderer
from posestream.training.synth.rig import bone_transforms, build_rig
from posestream.types import Camera

SIZE_PX: Final = (480, 480)
FOCAL_PX: Final = 600.0
_LIGHTS: Final = 3
_SHADOW_PX: Final = 256
_FINGERS: Final = ("Thumb", "Index", "Middle", "Ring", "Little")
_PHALANGES: Final = ("Proximal", "Intermediate", "Distal")
_TIP_WEIGHT: Final = 0.6
_TIP_NEAR_M: Final = 0.006
_TIP_REACH: Final = 0.95
_ARM: Final = ("upperarm", "lowerarm", "wrist", "metacarpal", "finger")
_BROWS: Final = (Garment("eyebrows/eyebrow001/eyebrow001", (60, 42, 32)),)


class Taken(NamedTuple):
    """A picture of a hand and where its points are."""

    picture: Image  # (H, W, 3) BGR
    xyz_cam_m: F64  # (21, 3)


class HandStudio:
    """One owner's hands before a camera and a wall."""

    def __init__(self, owner: Owner, seed: int, factory: BodyFactory, assets: AssetFolder) -> None:
        rng = np.random.default_rng(seed)
        self._body = factory.make(**owner.phenotype)
        self._rig = build_rig(self._body)
        self._points = {side: _Points(self._body, side) for side in ("left", "right")}
        figure = _arms_only(dress(self._body, owner.skin, _BROWS, assets), owner.tint)
        self._renderer = _renderer(figure, rng)

    def take(self, shot: Shot) -> Taken:
        """Picture and points of a shot."""
        T = bone_transforms(self._rig, np.zeros(3), _pose(shot))
        points = self._points[shot.side].under(T)
        turn = rot.to_matrix(np.array(shot.turn_xyzw))
        place = np.array([0.0, 0.0, -shot.away_m]) - turn @ points.mean(axis=0)
        held = rigid.make(turn, place)
        picture, _ = self._renderer.draw([held @ T])
        xyz_world = points @ turn.T + place
        return Taken(picture, xyz_world * np.array([1.0, -1.0, -1.0]))


def _pose(shot: Shot) -> F64:
    quat = rot.identity(NUM_BONES)
    side = shot.side.capitalize()
    rows = [BONE[f"{side}{finger}{phalanx}"] for finger in _FINGERS for phalanx in _PHALANGES]
    quat[rows] = np.array(shot.finger_xyzw)
    return quat


class _Points:
    """The 21 points of one hand of a body."""

    def __init__(self, body: Body, side: str) -> None:
        s = side[0].upper()
        names = [f"wrist.{s}"]
        at = [body.head_m(names[0])]
        for finger in range(1, 6):
            for joint in range(1, 4):
                names.append(f"finger{finger}-{joint}.{s}")
                at.append(body.head_m(names[-1]))
            names.append(f"finger{finger}-3.{s}")
            at.append(_tip(body, names[-1]))
        self._bone: I64 = np.array([body.bone(name) for name in names])
        self._rest_m = np.stack(at)

    def under(self, T: F64) -> F64:
        """(21, 3) under bone transforms."""
        moved = np.einsum("jab,jb->ja", T[self._bone, :3, :3], self._rest_m)
        return np.asarray(moved + T[self._bone, :3, 3])


def _tip(body: Body, bone: str) -> F64:
    """The pulp at the end of a finger: just inside the farthest skin."""
    index = body.bone(bone)
    head = body.bone_head_m[index]
    own = body.dense_weights()[:NUM_SKIN_VERTICES, index] > _TIP_WEIGHT
    skin = body.vertex_m[:NUM_SKIN_VERTICES][own]
    end = skin[np.argmax(((skin - head) ** 2).sum(axis=1))]
    near = skin[((skin - end) ** 2).sum(axis=1) < _TIP_NEAR_M**2].mean(axis=0)
    return np.asarray(head + _TIP_REACH * (near - head))


def _arms_only(figure: Figure, tint: float) -> Figure:
    """Skin of the arms alone: nothing else gets in the picture's way."""
    skin = figure.parts[0]
    ours = [k for k, name in enumerate(figure.body.bone_name) if name.startswith(_ARM)]
    own = skin.weight[:, ours].sum(axis=1) > 0.5
    texture = skin.texture.astype(np.float64)
    texture[..., :3] = np.clip(texture[..., :3] * tint, 0.0, 255.0)
    part = _some(replace(skin, texture=texture.astype(np.uint8)), own[skin.triangle].all(axis=1))
    return replace(figure, parts=(part,))


def _some(part: Part, keep: F64) -> Part:
    """A part with some of its triangles, and only their vertices."""
    vertex, triangle = np.unique(part.triangle[keep.astype(bool)], return_inverse=True)
    return replace(
        part, vertex_m=part.vertex_m[vertex], normal=part.normal[vertex], uv=part.uv[vertex],
        weight=part.weight[vertex], triangle=triangle.reshape(-1, 3),
    )  # fmt: skip


def _renderer(figure: Figure, rng: np.random.Generator) -> Renderer:
    middle = 0.5 * (SIZE_PX[0] - 1)
    K_px = np.array([[FOCAL_PX, 0.0, middle], [0.0, FOCAL_PX, middle], [0.0, 0.0, 1.0]])
    camera = Camera(K_px, SIZE_PX, T_world_cam=np.diag([1.0, -1.0, -1.0, 1.0]))
    grey = int(rng.uniform(60, 220))
    plaster = scene.plaster(rng, (grey, grey, int(rng.uniform(60, 220))))
    corner, along, up = np.array([-3.0, -2.0, -2.0]), np.array([6.0, 0, 0]), np.array([0, 4.0, 0])
    wall = scene.quad(corner, along, up, plaster, 2.0, False)
    lights = scene.soft_light(int(rng.integers(1000)), _LIGHTS)
    return Renderer(camera, [wall], [figure], lights, oversample=1, shadow_px=_SHADOW_PX)
