"""The skin of a user's avatar: a VRM's or glTF's meshes brought into the T-pose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.errors import AvatarError
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.preview.gltf_data import GltfData, read_data
from posestream.preview.mesh import Part, SkinMesh, normals
from posestream.skeleton.gltf import facing_turn, humanoid_nodes
from posestream.skeleton.humanoid import BONE
from posestream.skeleton.kinematics import world_rotations
from posestream.skeleton.nodes import NodeTree
from posestream.skeleton.rig import Rig

MAX_VERTICES: Final = 1_000_000
MAX_TRIANGLES: Final = 2_000_000
_MAX_PRIMITIVES: Final = 1000
_MAX_IMAGE_BYTES: Final = 96 << 20
_TRIANGLES: Final = 4
_INFLUENCES: Final = 4


@dataclass(slots=True)
class _Piece:
    position_m: F64
    uv: Any
    bone: I64
    weight: F64
    triangle: I64
    material: int


def read_mesh(path: Path, rig: Rig) -> SkinMesh:
    """The mesh of the file that ``rig`` was read from.

    Raises:
        AvatarError: there is none, it is damaged, compressed or too large.
    """
    data = read_data(path)
    try:
        return _Reader(data, rig).mesh()
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise AvatarError(
            f"The mesh of '{path.name}' cannot be read ({error}): export the avatar again."
        ) from None


class _Reader:
    def __init__(self, data: GltfData, rig: Rig) -> None:
        self._data, self._rig = data, rig
        self._nodes = data.document["nodes"]
        self._tree = NodeTree.from_gltf(self._nodes, data.name)
        self._bone_of = self._bones()
        self._T = self._tree.T_world
        self._images: list[int] = []

    def mesh(self) -> SkinMesh:
        pieces = [piece for node in range(len(self._nodes)) for piece in self._of_node(node)]
        if not pieces:
            raise AvatarError(f"'{self._data.name}' holds no mesh: only its skeleton can be shown.")
        pieces.sort(key=lambda p: self._part(p.material, 0, 0).blended)
        first = np.cumsum([0, *(len(p.position_m) for p in pieces)])
        triangle = np.concatenate([p.triangle + first[i] for i, p in enumerate(pieces)])
        bone = np.concatenate([p.bone for p in pieces])
        weight = np.concatenate([p.weight for p in pieces])
        position = self._in_tpose(np.concatenate([p.position_m for p in pieces]), bone, weight)
        rig = self._rig
        lift = np.array([0.0, rig.hip_height_m - rig.rest_position_world_m[0, 1], 0.0])
        position += lift
        return SkinMesh(
            rig.name, position.astype(np.float32), normals(position, triangle),
            np.concatenate([p.uv for p in pieces]), bone.astype(np.uint8), _bytes(weight),
            triangle.astype(np.uint32), self._parts(pieces), self._pictures(),
            rig.rest_position_world_m + lift, rig.bones_present, rig.hip_height_m,
        )  # fmt: skip

    def _bones(self) -> I64:
        """(K,) the humanoid bone that carries each node: its own, or the next above."""
        named = {node: BONE[name] for name, node in humanoid_nodes(self._data.document,
                 self._tree, self._data.name).items()}  # fmt: skip
        carried = np.zeros(len(self._tree), dtype=np.int64)
        for node in range(len(self._tree)):
            above = node
            while above >= 0 and above not in named:
                above = self._tree.parents[above]
            carried[node] = named.get(above, 0)
        return carried

    def _of_node(self, node: int) -> list[_Piece]:
        entry = self._nodes[node]
        if "mesh" not in entry:
            return []
        primitives = self._data.document["meshes"][entry["mesh"]]["primitives"]
        if len(primitives) > _MAX_PRIMITIVES:
            raise ValueError("too many parts")
        wanted = [p for p in primitives if p.get("mode", _TRIANGLES) == _TRIANGLES]
        return [self._piece(primitive, node, entry.get("skin")) for primitive in wanted]

    def _piece(self, primitive: dict[str, Any], node: int, skin: int | None) -> _Piece:
        if "KHR_draco_mesh_compression" in primitive.get("extensions", {}):
            raise AvatarError(f"'{self._data.name}' is compressed: export it without Draco.")
        attributes = primitive["attributes"]
        position = self._data.accessor(attributes["POSITION"]).astype(np.float64)
        n = len(position)
        if skin is None:
            place = position @ self._T[node, :3, :3].T + self._T[node, :3, 3]
            bone = np.zeros((n, _INFLUENCES), dtype=np.int64) + self._bone_of[node]
            weight = np.tile(np.eye(1, _INFLUENCES), (n, 1))
        else:
            place, bone, weight = self._skinned(position, attributes, skin)
        uv = np.zeros((n, 2), np.float32)
        if "TEXCOORD_0" in attributes:
            uv[:] = self._data.normalised(attributes["TEXCOORD_0"])
        return _Piece(place, uv, bone, weight, self._triangles(primitive, n),
                      int(primitive.get("material", -1)))  # fmt: skip

    def _skinned(
        self, position: F64, attributes: dict[str, Any], skin: int
    ) -> tuple[F64, I64, F64]:
        entry = self._data.document["skins"][skin]
        joints = np.array(entry["joints"], dtype=np.int64)
        T = self._T[joints]
        if "inverseBindMatrices" in entry:
            stored = self._data.accessor(entry["inverseBindMatrices"])[: len(joints)]
            T = T @ stored.reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
        which = self._data.accessor(attributes["JOINTS_0"]).astype(np.int64)
        weight = self._data.normalised(attributes["WEIGHTS_0"]).astype(np.float64)
        weight = np.clip(np.nan_to_num(weight), 0.0, 1.0)
        weight[weight.sum(axis=1) <= 0.0, 0] = 1.0
        weight /= weight.sum(axis=1, keepdims=True)
        return _blend(position, T[:, :3], which, weight), self._bone_of[joints[which]], weight

    def _triangles(self, primitive: dict[str, Any], vertices: int) -> I64:
        if "indices" in primitive:
            index = self._data.accessor(primitive["indices"])[:, 0].astype(np.int64)
        else:
            index = np.arange(vertices)
        index = index[: len(index) // 3 * 3].reshape(-1, 3)
        if vertices > MAX_VERTICES or len(index) > MAX_TRIANGLES or (index >= vertices).any():
            raise ValueError("its triangles are too many or name vertices that do not exist")
        return index

    def _in_tpose(self, place_m: F64, bone: I64, weight: F64) -> F64:
        """From the pose in which the file was saved, its axes, to the T-pose in ours."""
        rig = self._rig
        if rig.generation == "vrm0":
            place_m = frames.world_from_vrm0_position(place_m)
        elif rig.generation == "gltf":
            place_m = rot.rotate(self._facing(), place_m)
        turn = rot.multiply(
            rig.rest_quat_world_xyzw, rot.inverse(world_rotations(rig.file_quat_local_xyzw))
        )
        T = np.zeros((len(turn), 3, 4))
        T[:, :, :3] = rot.to_matrix(turn)
        moved = np.einsum("bij,bj->bi", T[:, :, :3], rig.file_position_world_m)
        T[:, :, 3] = rig.rest_position_world_m - moved
        result = _blend(place_m, T, bone, weight)
        if not (np.abs(result) < 1e3).all():
            raise ValueError("it has vertices at impossible places")
        return result

    def _facing(self) -> F64:
        place = np.zeros((len(BONE), 3))
        nodes = humanoid_nodes(self._data.document, self._tree, self._data.name)
        for name, node in nodes.items():
            place[BONE[name]] = self._tree.position_m[node]
        return facing_turn(place)

    def _parts(self, pieces: list[_Piece]) -> tuple[Part, ...]:
        parts, first = [], 0
        for piece in pieces:
            parts.append(self._part(piece.material, first, piece.triangle.size))
            first += piece.triangle.size
        return tuple(parts)

    def _part(self, material: int, first: int, count: int) -> Part:
        if material < 0:
            return Part(first, count, (0.8, 0.8, 0.8, 1.0))
        entry = self._data.document["materials"][material]
        look = entry.get("pbrMetallicRoughness", {})
        r, g, b, a = (float(v) for v in look.get("baseColorFactor", (1.0, 1.0, 1.0, 1.0)))
        texture = self._texture(look.get("baseColorTexture"))
        mode = entry.get("alphaMode", "OPAQUE")
        return Part(first, count, (r, g, b, a), texture, False, mode == "MASK", mode == "BLEND")

    def _texture(self, named: dict[str, Any] | None) -> int:
        if named is None:
            return -1
        source = self._data.document["textures"][named["index"]].get("source")
        if source is None:
            return -1
        if source not in self._images:
            self._images.append(source)
        return self._images.index(source)

    def _pictures(self) -> tuple[bytes, ...]:
        pictures = tuple(self._data.image(i) for i in self._images)
        if sum(map(len, pictures)) > _MAX_IMAGE_BYTES:
            raise AvatarError(f"The textures of '{self._data.name}' are too large to show.")
        return pictures


def _blend(place_m: F64, T: F64, which: I64, weight: F64) -> F64:
    """Linear blend skinning: T (K, 3, 4), which and weight (V, 4)."""
    result = np.zeros_like(place_m)
    for i in range(which.shape[1]):
        t = T[which[:, i]]
        moved = np.einsum("vij,vj->vi", t[:, :, :3], place_m) + t[:, :, 3]
        result += weight[:, i : i + 1] * moved
    return result


def _bytes(weight: F64) -> Any:
    share = np.round(255.0 * weight).astype(np.int64)
    share[:, 0] += 255 - share.sum(axis=1)
    return np.clip(share, 0, 255).astype(np.uint8)
