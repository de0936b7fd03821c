"""Headless rendering with moderngl over EGL: many shadowed lights, supersampled.

Pixel centres lie at integers, as in ``geometry.camera``, so the truth's projection and the
picture agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, Image
from posestream.training.synth.clip_space import camera_matrix, depth_from_window, light_matrix
from posestream.training.synth.figure import Figure, Part
from posestream.training.synth.scene import Light, Surface
from posestream.training.synth.shaders import FRAGMENT, SHADOW_FRAGMENT, VERTEX
from posestream.types import Camera

_NEAR_M: Final = 0.2
_FAR_M: Final = 20.0
_STAGE_CENTRE_M: Final[F64] = np.array([0.0, 1.0, -3.4])
_STAGE_RADIUS_M: Final = 3.4
_WRAP: Final = {"skin": 0.25, "cloth": 0.12, "hair": 0.3, "eye": 0.1}
_GLOSS: Final = {"skin": 0.05, "cloth": 0.01, "hair": 0.05, "eye": 0.35}


@dataclass(slots=True)
class _Mesh:
    """A mesh on the GPU."""

    buffer: Any
    draw: Any  # vertex array of the lit pass
    cast: Any  # vertex array of the shadow pass
    texture: Any
    kind: str
    casts: bool


class Renderer:
    """Draws one static room and any number of skinned figures."""

    def __init__(
        self,
        camera: Camera,
        surfaces: Sequence[Surface],
        figures: Sequence[Figure],
        lights: Sequence[Light],
        oversample: int = 2,
        shadow_px: int = 1024,
    ) -> None:
        import moderngl

        self._gl = moderngl
        self._context = moderngl.create_context(standalone=True, backend="egl")
        self._camera, self._lights, self._oversample = camera, lights, oversample
        self._lit = self._context.program(VERTEX, FRAGMENT % len(lights))
        self._cast = self._context.program(VERTEX, SHADOW_FRAGMENT)
        self._room = [self._surface(s) for s in surfaces]
        self._figures = [[self._part(p) for p in f.parts] for f in figures]
        self._source = [f.parts for f in figures]
        self._make_targets(shadow_px)
        self._set_constants()

    def _surface(self, surface: Surface) -> _Mesh:
        data = np.hstack([surface.vertex_m, surface.normal, surface.uv])
        mesh = self._mesh(data, surface.triangle, surface.texture, "wall", surface.casts)
        mesh.texture.repeat_x = mesh.texture.repeat_y = True
        return mesh

    def _part(self, part: Part) -> _Mesh:
        data = np.hstack([part.vertex_m, part.normal, part.uv])
        return self._mesh(data, part.triangle, part.texture, part.kind, True)

    def _mesh(
        self, data: F64, triangle: NDArray[np.int64], texture: Image, kind: str, casts: bool
    ) -> _Mesh:
        context = self._context
        buffer = context.buffer(data.astype("f4").tobytes())
        index = context.buffer(triangle.astype("i4").tobytes())
        image = context.texture(
            (texture.shape[1], texture.shape[0]), 4, np.ascontiguousarray(texture[::-1]).tobytes()
        )
        image.build_mipmaps()
        image.filter = (self._gl.LINEAR_MIPMAP_LINEAR, self._gl.LINEAR)
        image.anisotropy = 8.0
        draw = context.vertex_array(
            self._lit, [(buffer, "3f 3f 2f", "position", "normal", "uv")], index
        )
        cast = context.vertex_array(self._cast, [(buffer, "3f 12x 2f", "position", "uv")], index)
        return _Mesh(buffer, draw, cast, image, kind, casts)

    def _make_targets(self, shadow_px: int) -> None:
        context, k = self._context, self._oversample
        width, height = self._camera.size_px
        size = (width * k, height * k)
        self._colour = context.texture(size, 4)
        self._depth = context.depth_texture(size)
        self._target = context.framebuffer([self._colour], self._depth)
        # depth texture arrays cannot be attached layer by layer, so the lights share an atlas
        self._side = int(np.ceil(np.sqrt(len(self._lights))))
        self._shadow_px = shadow_px
        self._atlas = context.depth_texture((shadow_px * self._side,) * 2)
        self._atlas.compare_func = "<="
        self._shadow_target = context.framebuffer(depth_attachment=self._atlas)

    def _set_constants(self) -> None:
        self._world_to_light = [_light_matrix(light) for light in self._lights]
        lit = self._lit
        lit["world_to_light"].write(
            np.stack([m.T for m in self._world_to_light]).astype("f4").tobytes()
        )
        lit["towards"].write(np.array([x.towards for x in self._lights], "f4").tobytes())
        lit["light_rgb"].write(np.array([x.rgb for x in self._lights], "f4").tobytes())
        lit["eye"].value = tuple(self._camera.T_world_cam[:3, 3])
        lit["side"].value = self._side
        lit["picture"].value, lit["shadow"].value = 0, 1
        lit["world_to_clip"].write(_camera_matrix(self._camera).T.astype("f4").tobytes())

    def draw(self, transforms: Sequence[F64]) -> tuple[Image, NDArray[np.float32]]:
        """Picture (H, W, 3) BGR and depth (H, W) m of the figures under bone transforms.

        ``transforms`` has (K, 4, 4) of each figure.
        """
        for meshes, parts, T in zip(self._figures, self._source, transforms, strict=True):
            for mesh, part in zip(meshes, parts, strict=True):
                mesh.buffer.write(skin(part, T).tobytes())
        self._draw_shadows()
        self._draw_scene()
        return self._read_picture(), self._read_depth()

    def _draw_shadows(self) -> None:
        gl, context, px = self._gl, self._context, self._shadow_px
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        context.enable_only(gl.DEPTH_TEST)
        casting = [m for m in self._room if m.casts]
        casting += [m for figure in self._figures for m in figure if m.kind != "eye"]
        for k, matrix in enumerate(self._world_to_light):
            x, y = k % self._side, k // self._side
            self._shadow_target.viewport = (x * px, y * px, px, px)
            self._cast["world_to_clip"].write(matrix.T.astype("f4").tobytes())
            for mesh in casting:
                self._cast["cut"].value = 0.5 if mesh.kind == "hair" else 0.0
                mesh.texture.use(0)
                mesh.cast.render()

    def _draw_scene(self) -> None:
        gl, context = self._gl, self._context
        self._target.use()
        self._target.clear(0.5, 0.5, 0.5, 1.0, depth=1.0)
        context.enable_only(gl.DEPTH_TEST)
        self._atlas.use(1)
        people = [m for figure in self._figures for m in figure]
        for mesh in people + self._room:  # the room is dear: people first spare what they hide
            self._draw_mesh(mesh, 0.5 if mesh.kind == "hair" else 0.0, 2.0)
        context.enable_only(gl.DEPTH_TEST | gl.BLEND)
        self._target.depth_mask = False
        for mesh in people:
            if mesh.kind == "hair":
                self._draw_mesh(mesh, 0.05, 0.5)
        self._target.depth_mask = True

    def _draw_mesh(self, mesh: _Mesh, low: float, high: float) -> None:
        self._lit["alpha_low"].value, self._lit["alpha_high"].value = low, high
        self._lit["wrap"].value = _WRAP.get(mesh.kind, 0.0)
        self._lit["gloss"].value = _GLOSS.get(mesh.kind, 0.0)
        mesh.texture.use(0)
        mesh.draw.render()

    def _read_picture(self) -> Image:
        import cv2

        width, height = self._colour.size
        raw = np.frombuffer(self._target.read(components=3), np.uint8)
        rgb = raw.reshape(height, width, 3)[::-1, :, ::-1]
        small = cv2.resize(rgb, self._camera.size_px, interpolation=cv2.INTER_AREA)
        return np.asarray(small, dtype=np.uint8)

    def _read_depth(self) -> NDArray[np.float32]:
        k = self._oversample
        width, height = self._colour.size
        raw = np.frombuffer(self._depth.read(), np.float32).reshape(height, width)[::-1]
        window = raw[k // 2 :: k, k // 2 :: k]
        return depth_from_window(window, _NEAR_M, _FAR_M)


def skin(part: Part, T_world_rest: F64) -> NDArray[np.float32]:
    """Linear blend skinning: interleaved position, normal, uv (V, 8)."""
    blend = (part.weight.astype("f4") @ T_world_rest[:, :3].reshape(-1, 12).astype("f4")).reshape(
        -1, 3, 4
    )
    position = np.einsum("vab,vb->va", blend[..., :3], part.vertex_m) + blend[..., 3]
    normal = np.einsum("vab,vb->va", blend[..., :3], part.normal)
    return np.hstack([position, normal, part.uv]).astype(np.float32)


def _camera_matrix(camera: Camera) -> F64:
    return camera_matrix(camera, _NEAR_M, _FAR_M)


def _light_matrix(light: Light) -> F64:
    """A box about the stage, along the light."""
    return light_matrix(np.array(light.towards), _STAGE_CENTRE_M, _STAGE_RADIUS_M)
