"""A tree of named nodes with world transforms, checked against cycles and hostile numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from posestream.arrays import F64
from posestream.errors import AvatarError
from posestream.geometry import rotation as rot

MAX_DEPTH: Final = 512
_MAX_COORDINATE: Final = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class NodeTree:
    """Nodes in file order; -1 is no parent."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    children: tuple[tuple[int, ...], ...]
    position_m: F64  # (K, 3) world
    quat_xyzw: F64  # (K, 4) world, scale removed
    T_world: F64  # (K, 4, 4) with scale

    def __len__(self) -> int:
        return len(self.names)

    @staticmethod
    def from_gltf(nodes: list[dict[str, Any]], file_name: str) -> NodeTree:
        """World transforms of glTF nodes.

        Raises:
            AvatarError: cycles, a node with two parents, impossible numbers or depth.
        """
        children = tuple(tuple(_index(c, len(nodes)) for c in n.get("children", ())) for n in nodes)
        parents = _parents(children, file_name)
        world: list[F64] = [np.eye(4)] * len(nodes)
        for node in _top_down(parents, children, file_name):
            local = _local_matrix(nodes[node], file_name)
            world[node] = local if parents[node] < 0 else world[parents[node]] @ local
        T = np.stack(world)
        if not np.all(np.abs(T) < _MAX_COORDINATE):
            raise AvatarError(
                f"'{file_name}' has nodes at impossible places: check its scale and export again."
            )
        names = tuple(str(n.get("name", "")) for n in nodes)
        return NodeTree(names, parents, children, T[:, :3, 3].copy(), _rotations(T[:, :3, :3]), T)

    def depth(self, node: int) -> int:
        """Steps up to the root."""
        steps = 0
        while self.parents[node] >= 0:
            node, steps = self.parents[node], steps + 1
        return steps


def split(T: F64) -> tuple[F64, F64, F64]:
    """Place (3,), rotation (4,) and scale (3,) of a matrix (4, 4) without shear."""
    scale = np.linalg.norm(T[:3, :3], axis=0)
    if np.linalg.det(T[:3, :3]) < 0.0:
        scale[2] = -scale[2]
    return T[:3, 3], _rotations(T[:3, :3]), scale


def _index(value: Any, count: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise ValueError(f"child node {value!r} does not exist")
    return value


def _parents(children: tuple[tuple[int, ...], ...], file_name: str) -> tuple[int, ...]:
    parents = [-1] * len(children)
    for node, below in enumerate(children):
        for child in below:
            if parents[child] >= 0 or child == node:
                raise AvatarError(
                    f"'{file_name}' gives node {child} two parents: repair and export it again."
                )
            parents[child] = node
    return tuple(parents)


def _top_down(
    parents: tuple[int, ...], children: tuple[tuple[int, ...], ...], file_name: str
) -> list[int]:
    level = [n for n, p in enumerate(parents) if p < 0]
    order: list[int] = []
    for _ in range(MAX_DEPTH):
        if not level:
            break
        order += level
        level = [c for n in level for c in children[n]]
    if len(order) != len(parents):
        raise AvatarError(
            f"'{file_name}' has nodes in a circle or deeper than {MAX_DEPTH}: repair its hierarchy."
        )
    return order


def _numbers(value: Any, count: int, file_name: str) -> F64:
    plain = isinstance(value, list) and len(value) == count
    if not plain or not all(type(v) in (int, float) and abs(v) < 1e30 for v in value):
        raise AvatarError(
            f"'{file_name}' has a node transform that is not {count} finite numbers: export again."
        )
    return np.array(value, dtype=np.float64)


def _local_matrix(node: dict[str, Any], file_name: str) -> F64:
    if "matrix" in node:
        return _numbers(node["matrix"], 16, file_name).reshape(4, 4).T
    T = np.eye(4)
    q = _numbers(node.get("rotation", [0.0, 0.0, 0.0, 1.0]), 4, file_name)
    scale = _numbers(node.get("scale", [1.0, 1.0, 1.0]), 3, file_name)
    if rot.norm(q) < 1e-6:
        raise AvatarError(f"'{file_name}' has a rotation of length zero: export the avatar again.")
    T[:3, :3] = rot.to_matrix(rot.normalize(q)) * scale
    T[:3, 3] = _numbers(node.get("translation", [0.0, 0.0, 0.0]), 3, file_name)
    return T


def _rotations(M: F64) -> F64:
    """Nearest rotations to matrices with scale (Gram-Schmidt; mirrored axes are set right)."""
    x = rot.normalize(M[..., 0])
    y = rot.normalize(M[..., 1] - rot.dot(x, M[..., 1])[..., None] * x)
    degenerate = (rot.norm(x) < 0.5) | (rot.norm(y) < 0.5)
    q = rot.from_matrix(np.stack([x, y, rot.cross(x, y)], axis=-1))
    return np.where(degenerate[..., None], rot.IDENTITY, q)
