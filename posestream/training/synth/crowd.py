"""A renderer for many different pictures: any people, any things, any camera, one context.

One soft-edged sun, one sky that darkens what is near other things, and a fill light. Beside the
picture it gives who owns each pixel and how far it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from posestream.arrays import F64, Image
from posestream.training.synth import crowd_shaders as shaders
from posestream.training.synth.clip_space import camera_matrix, depth_from_window, light_matrix
from posestream.training.synth.opengl import open_context, rgba, set_uniform
from posestream.training.synth.person import LEVELS_M, Person, Piece
from posestream.training.synth.shaders import SHADOW_FRAGMENT
from posestream.training.synth.shot import Player, Rendered, Shot, Thing

_NEAR_M: Final = 0.08
_FAR_M: Final = 80.0
_SHADOW_PX: Final = 768
_SAMPLES: Final = 4
_WRAP: Final = {"skin": 0.3, "cloth": 0.15, "hair": 0.35, "eye": 0.1}
_GLOSS: Final = {"skin": 0.06, "cloth": 0.0, "hair": 0.05, "eye": 0.4}
_IDENTITY: Final = np.eye(3)
_CELL_PER_PIXEL: Final = 1.1  # how much coarser than the pixels a mesh may be


@dataclass(slots=True)
class _Mesh:
    kind: str
    draw: Any
    cast: Any
    own: Any
    texture: Any
    held: list[Any]
    ranges: Sequence[tuple[int, int]]  # first index and count, fine to coarse

    def release(self) -> None:
        for item in (self.draw, self.cast, self.own, *self.held):
            item.release()


class CrowdRenderer:
    """Draws shots of ``size_px``; people and textures are stored once and used often."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        self._context = context = open_context()
        import moderngl

        self._gl = moderngl
        self._size_px = size_px
        self._skinned = context.program(shaders.SKINNED, shaders.LIT)
        self._fixed = context.program(shaders.FIXED, shaders.LIT)
        self._catcher = context.program(shaders.FIXED, shaders.CATCHER)
        self._skinned_cast = context.program(shaders.SKINNED, SHADOW_FRAGMENT)
        self._fixed_cast = context.program(shaders.FIXED, SHADOW_FRAGMENT)
        self._skinned_owner = context.program(shaders.SKINNED, shaders.OWNER)
        self._fixed_owner = context.program(shaders.FIXED, shaders.OWNER)
        self._behind = context.program(shaders.BACKDROP_VERTEX, shaders.BACKDROP)
        self._pose = context.buffer(reserve=shaders.MAX_BONES * 48)
        self._pose.bind_to_uniform_block(0)
        corners = np.array([-1, -1, 1, -1, -1, 1, 1, 1], "f4")
        self._corners = context.vertex_array(self._behind, context.buffer(corners), "corner")
        self._make_targets()
        self._cast: list[list[_Mesh]] = []
        self._textures: list[Any] = []
        for program in (self._skinned, self._fixed, self._catcher):
            for unit, name in enumerate(("picture", "sun_map", "sky_map", "folds")):
                set_uniform(program, name, unit)

    def _make_targets(self) -> None:
        context, size = self._context, self._size_px
        samples = min(_SAMPLES, int(context.max_samples))
        self._smooth = context.framebuffer(
            [context.renderbuffer(size, 4, samples=samples)],
            context.depth_renderbuffer(size, samples=samples),
        )
        self._picture = context.framebuffer([context.renderbuffer(size, 4)])
        self._depth = context.depth_texture(size)
        self._owners = context.framebuffer([context.texture(size, 1)], self._depth)
        self._maps = [context.depth_texture((_SHADOW_PX, _SHADOW_PX)) for _ in range(2)]
        for shadow in self._maps:
            shadow.compare_func = "<="
            shadow.repeat_x = shadow.repeat_y = False
            shadow.filter = (self._gl.LINEAR, self._gl.LINEAR)
        self._map_targets = [context.framebuffer(depth_attachment=m) for m in self._maps]

    def store(self, people: Sequence[Person], textures: Sequence[Image], folds: Image) -> None:
        """Replace the cast and the textures of things."""
        for mesh in (m for meshes in self._cast for m in meshes):
            mesh.release()
        for texture in self._textures:
            texture.release()
        self._textures = [self._texture(t) for t in [*textures, folds]]
        self._textures[-1].use(3)
        self._cast = [[self._piece(p) for p in person.pieces] for person in people]

    def _texture(self, rgba: Image) -> Any:
        image = self._context.texture(
            (rgba.shape[1], rgba.shape[0]), 4, np.ascontiguousarray(rgba[::-1]).tobytes()
        )
        image.build_mipmaps()
        image.filter = (self._gl.LINEAR_MIPMAP_NEAREST, self._gl.LINEAR)
        return image

    def _piece(self, piece: Piece) -> _Mesh:
        context = self._context
        vertex = context.buffer(np.ascontiguousarray(piece.vertex).tobytes())
        bone = context.buffer(piece.bone.tobytes())
        weight = context.buffer(piece.weight.tobytes())
        index = context.buffer(np.concatenate(piece.levels).tobytes())
        ends = np.cumsum([3 * len(level) for level in piece.levels])
        ranges = [
            (int(end) - 3 * len(level), 3 * len(level))
            for end, level in zip(ends, piece.levels, strict=True)
        ]
        skin = [(bone, "4u1", "bone"), (weight, "4f1", "weight")]
        whole = (vertex, "3f 3f 2f", "position", "normal", "uv")
        bare = (vertex, "3f 12x 2f", "position", "uv")
        texture = self._texture(piece.texture)
        return _Mesh(
            piece.kind,
            context.vertex_array(self._skinned, [whole, *skin], index),
            context.vertex_array(self._skinned_cast, [bare, *skin], index),
            context.vertex_array(self._skinned_owner, [bare, *skin], index),
            texture, [vertex, bone, weight, index, texture], ranges,
        )  # fmt: skip

    def _thing(self, thing: Thing) -> _Mesh:
        context = self._context
        vertex = context.buffer(np.ascontiguousarray(thing.vertex).tobytes())
        index = context.buffer(thing.triangle.tobytes())
        whole = (vertex, "3f 3f 2f", "position", "normal", "uv")
        bare = (vertex, "3f 20x", "position")
        return _Mesh(
            "thing",
            context.vertex_array(self._catcher if thing.catches else self._fixed, [whole], index),
            context.vertex_array(self._fixed_cast, [bare], index),
            context.vertex_array(self._fixed_owner, [bare], index),
            self._textures[thing.texture], [vertex, index], [(0, thing.triangle.size)],
        )  # fmt: skip

    def render(self, shot: Shot) -> Rendered:
        """Draw a shot."""
        things = [self._thing(thing) for thing in shot.things]
        backdrop = self._texture(rgba(shot.backdrop))
        light = shot.lighting
        matrices = [
            light_matrix(t, shot.centre_m, shot.radius_m)
            for t in (light.sun_towards, light.sky_towards)
        ]
        for matrix, target in zip(matrices, self._map_targets, strict=True):
            self._draw_shadows(shot, things, matrix, target)
        self._set_lights(shot, matrices)
        self._draw_scene(shot, things, backdrop)
        self._draw_owners(shot, things)
        rendered = self._read()
        for mesh in things:
            mesh.release()
        backdrop.release()
        return rendered

    def _draw_shadows(self, shot: Shot, things: list[_Mesh], matrix: F64, target: Any) -> None:
        target.use()
        target.clear(depth=1.0)
        self._context.enable_only(self._gl.DEPTH_TEST)
        for program in (self._skinned_cast, self._fixed_cast):
            program["world_to_clip"].write(matrix.T.astype("f4").tobytes())
            program["cut"].value = 0.0
        for mesh, thing in zip(things, shot.things, strict=True):
            if thing.casts:
                mesh.texture.use(0)
                mesh.cast.render()
        for player in shot.players:
            level = self._set_pose(player)
            for mesh in self._cast[player.number]:
                if mesh.kind != "eye":
                    self._skinned_cast["cut"].value = 0.5 if mesh.kind == "hair" else 0.0
                    self._cull(mesh)
                    mesh.texture.use(0)
                    _draw_range(mesh.cast, mesh, level + 1)

    def _set_pose(self, player: Player) -> int:
        """Send a pose; returns how coarse the person may be drawn."""
        self._pose.write(player.T_world_rest[:, :3].astype("f4").tobytes())
        cell = player.pixel_m * _CELL_PER_PIXEL
        return int(np.searchsorted(LEVELS_M, cell, side="right")) - 1

    def _cull(self, mesh: _Mesh) -> None:
        """Skin is closed: half of it need not be drawn."""
        if mesh.kind == "skin":
            self._context.enable(self._gl.CULL_FACE)
        else:
            self._context.disable(self._gl.CULL_FACE)

    def _set_lights(self, shot: Shot, matrices: list[F64]) -> None:
        light = shot.lighting
        self._maps[0].use(1)
        self._maps[1].use(2)
        clip = camera_matrix(shot.camera, _NEAR_M, _FAR_M)
        for program in (self._skinned, self._fixed, self._catcher):
            program["world_to_clip"].write(clip.T.astype("f4").tobytes())
            program["world_to_sun"].write(matrices[0].T.astype("f4").tobytes())
            program["world_to_sky"].write(matrices[1].T.astype("f4").tobytes())
            program["eye"].value = tuple(shot.camera.T_world_cam[:3, 3])
            for name in ("sun_towards", "sun_rgb", "sky_rgb", "ground_rgb", "fill_towards",
                         "fill_rgb"):  # fmt: skip
                set_uniform(program, name, tuple(float(v) for v in getattr(light, name)))
            set_uniform(program, "sun_blur", light.sun_blur)
            set_uniform(program, "exposure", light.exposure)

    def _draw_scene(self, shot: Shot, things: list[_Mesh], backdrop: Any) -> None:
        gl, context = self._gl, self._context
        self._smooth.use()
        self._smooth.clear(0.0, 0.0, 0.0, 1.0, depth=1.0)
        context.enable_only(gl.NOTHING)
        backdrop.use(0)
        self._corners.render(gl.TRIANGLE_STRIP)
        self._draw_catchers(shot, things)
        context.enable_only(gl.DEPTH_TEST)
        for player in shot.players:
            level = self._set_pose(player)
            for mesh, colour in zip(self._cast[player.number], player.recolour, strict=True):
                low = 0.5 if mesh.kind == "hair" else 0.0
                self._draw(self._skinned, mesh, colour, low, 2.0, level)
        for mesh, thing in zip(things, shot.things, strict=True):
            if thing.catches == 0.0:
                mesh.texture.repeat_x = mesh.texture.repeat_y = True
                self._draw(self._fixed, mesh, thing.recolour, 0.0, 2.0)
        self._draw_fine_hair(shot)

    def _draw_catchers(self, shot: Shot, things: list[_Mesh]) -> None:
        self._context.enable_only(self._gl.BLEND)
        for name, value in (("alpha_low", 0.0), ("alpha_high", 2.0), ("wrap", 0.0), ("bump", 0.0)):
            set_uniform(self._catcher, name, value)
        for mesh, thing in zip(things, shot.things, strict=True):
            if thing.catches > 0.0:
                self._catcher["catcher"].value = thing.catches
                mesh.texture.use(0)
                mesh.draw.render()

    def _draw_owners(self, shot: Shot, things: list[_Mesh]) -> None:
        """Who owns each pixel's centre, and its depth."""
        self._owners.use()
        self._owners.clear(0.0, 0.0, 0.0, 1.0, depth=1.0)
        self._context.enable_only(self._gl.DEPTH_TEST)
        clip = camera_matrix(shot.camera, _NEAR_M, _FAR_M).T.astype("f4").tobytes()
        for program in (self._skinned_owner, self._fixed_owner):
            program["world_to_clip"].write(clip)
            program["cut"].value = program["owner"].value = 0.0
        for mesh, thing in zip(things, shot.things, strict=True):
            if thing.catches == 0.0:
                mesh.own.render()
        for number, player in enumerate(shot.players):
            level = self._set_pose(player)
            self._skinned_owner["owner"].value = (number + 1) / 255.0
            for mesh in self._cast[player.number]:
                self._skinned_owner["cut"].value = 0.4 if mesh.kind == "hair" else 0.0
                self._cull(mesh)
                mesh.texture.use(0)
                _draw_range(mesh.own, mesh, level)

    def _draw_fine_hair(self, shot: Shot) -> None:
        self._context.enable_only(self._gl.DEPTH_TEST | self._gl.BLEND)
        self._smooth.depth_mask = False
        for player in shot.players:
            level = self._set_pose(player)
            for mesh, colour in zip(self._cast[player.number], player.recolour, strict=True):
                if mesh.kind == "hair":
                    self._draw(self._skinned, mesh, colour, 0.1, 0.5, level)
        self._smooth.depth_mask = True

    def _draw(
        self, program: Any, mesh: _Mesh, recolour: F64, low: float, high: float, level: int = 0
    ) -> None:
        self._cull(mesh)
        program["alpha_low"].value, program["alpha_high"].value = low, high
        program["recolour"].write(recolour.T.astype("f4").tobytes())
        program["wrap"].value = _WRAP.get(mesh.kind, 0.0)
        program["gloss"].value = _GLOSS.get(mesh.kind, 0.0)
        program["bump"].value = 0.55 if mesh.kind == "cloth" else 0.0
        mesh.texture.use(0)
        _draw_range(mesh.draw, mesh, level)

    def _read(self) -> Rendered:
        width, height = self._size_px
        self._context.copy_framebuffer(self._picture, self._smooth)
        bgr = np.frombuffer(self._picture.read(components=3, alignment=1), np.uint8)
        owner = np.frombuffer(self._owners.read(components=1, alignment=1), np.uint8)
        window = np.frombuffer(self._depth.read(alignment=1), np.float32)
        depth = depth_from_window(window.reshape(height, width)[::-1], _NEAR_M, _FAR_M)
        return Rendered(
            np.ascontiguousarray(bgr.reshape(height, width, 3)[::-1, :, ::-1]),
            np.ascontiguousarray(owner.reshape(height, width)[::-1]),
            np.asarray(depth, dtype=np.float32),
        )


def _draw_range(array: Any, mesh: _Mesh, level: int) -> None:
    first, count = mesh.ranges[min(level, len(mesh.ranges) - 1)]
    array.render(vertices=count, first=first)
