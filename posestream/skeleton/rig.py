"""A rig: which humanoid bones an avatar has, how long they are and how they rest.

Everything is in our world axes (right-handed, Y up, facing +Z, left hand at +X, metres).
``rest_*`` describe the rig standing in the T-pose, so that ``q = P^-1 n P r`` (P: parent's
world rest rotation, r: local rest rotation) turns a normalised rotation n into the file's
local rotation q whatever pose the file itself was saved in; ``file_*`` keep that pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from posestream.arrays import F64, Bool
from posestream.errors import AvatarError
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, NUM_BONES, ORDER, PARENT, REST_OFFSET_M
from posestream.skeleton.kinematics import PARENT_INDEX, positions, world_rotations

Generation = Literal["own", "vrm0", "vrm1", "gltf", "bvh"]

_FOLD_UP: Final = (BONE["UpperChest"], BONE["Chest"])
_FOLD_DOWN: Final = tuple(
    (BONE[f"{side}Shoulder"], BONE[f"{side}UpperArm"]) for side in ("Left", "Right")
)


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """A humanoid skeleton. Rows of missing bones: offset 0, rotation and place of the parent."""

    name: str
    bones_present: Bool  # (B,)
    rest_offset_m: F64  # (B, 3) in the frame of the nearest present parent's bone
    rest_quat_local_xyzw: F64  # (B, 4) relative to that parent; Hips: world
    rest_quat_world_xyzw: F64  # (B, 4)
    rest_position_world_m: F64  # (B, 3)
    hip_height_m: float  # of the Hips above the lowest foot or toe bone's ground
    generation: Generation
    file_quat_local_xyzw: F64  # (B, 4) as saved in the file
    file_position_world_m: F64  # (B, 3) as saved in the file


def default_rig() -> Rig:
    """Our own skeleton: every rest rotation is the identity."""
    identity = rot.identity(NUM_BONES)
    place = positions(REST_OFFSET_M[0], identity, REST_OFFSET_M)
    present = np.ones(NUM_BONES, dtype=np.bool_)
    return Rig(
        "posestream", present, np.array(REST_OFFSET_M), identity, identity, place,
        float(place[0, 1]), "own", identity, place,
    )  # fmt: skip


def load_rig(path: Path | str) -> Rig:
    """Read a rig from a .vrm, .vrma, .glb, .gltf or .bvh file.

    Raises:
        AvatarError: the file cannot be read, is damaged or is not a humanoid.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".vrm", ".vrma", ".glb", ".gltf"):
        from posestream.skeleton.gltf import read_gltf_rig

        return read_gltf_rig(path)
    if suffix == ".bvh":
        from posestream.skeleton.bvh import read_bvh_rig

        return read_bvh_rig(path)
    raise AvatarError(
        f"'{path.name}' is not an avatar that can be read: give a .vrm, .glb, .gltf or .bvh file."
    )


def present_parents(present: Bool) -> list[int]:
    """Nearest present ancestor of each bone, -1 for none."""
    parents = [-1] * NUM_BONES
    for bone in ORDER:
        above = PARENT[bone]
        parents[bone] = above if above < 0 or present[above] else parents[above]
    return parents


def fold(present: Bool, quat_local_xyzw: F64) -> F64:
    """Hand the rotations of missing bones to their neighbours, (..., B, 4).

    Chest and UpperChest turn their parent, Shoulder its child; all others are dropped.
    """
    q = np.array(quat_local_xyzw, dtype=np.float64)
    for bone in _FOLD_UP:
        if not present[bone]:
            above = PARENT[bone]
            q[..., above, :] = rot.multiply(q[..., above, :], q[..., bone, :])
    for bone, child in _FOLD_DOWN:
        if not present[bone]:
            q[..., child, :] = rot.multiply(q[..., bone, :], q[..., child, :])
    q[..., ~present, :] = rot.IDENTITY
    return q


def forward(rig: Rig, root_world_m: F64, quat_local_xyzw: F64) -> tuple[F64, F64]:
    """Positions (..., B, 3) and world rotations (..., B, 4) of the rig's own bones.

    Args:
        rig: the skeleton to move.
        root_world_m: (..., 3) place of the Hips.
        quat_local_xyzw: (..., B, 4) normalised local rotations, Hips in the world.
    """
    world = world_rotations(fold(rig.bones_present, quat_local_xyzw))
    place = rig.rest_position_world_m
    vectors = place - place[PARENT_INDEX]
    return positions(root_world_m, world, vectors), rot.multiply(world, rig.rest_quat_world_xyzw)


def raw_from_normalised(rig: Rig, quat_local_xyzw: F64) -> F64:
    """The file's own local rotations (..., B, 4): q = P^-1 n P r, missing bones folded first."""
    n = fold(rig.bones_present, quat_local_xyzw)
    P = _parent_rest(rig)
    return rot.multiply(rot.multiply(rot.inverse(P), rot.multiply(n, P)), rig.rest_quat_local_xyzw)


def normalised_from_raw(rig: Rig, quat_raw_xyzw: F64) -> F64:
    """Inverse of ``raw_from_normalised`` on the bones that the rig has: n = P q r^-1 P^-1."""
    P = _parent_rest(rig)
    delta = rot.multiply(quat_raw_xyzw, rot.inverse(rig.rest_quat_local_xyzw))
    n = rot.multiply(P, rot.multiply(delta, rot.inverse(P)))
    n[..., ~rig.bones_present, :] = rot.IDENTITY
    return n


def _parent_rest(rig: Rig) -> F64:
    P: F64 = rig.rest_quat_world_xyzw[PARENT_INDEX].copy()
    P[0] = rot.IDENTITY
    return P


def build_rig(
    name: str, generation: Generation, present: Bool, position_world_m: F64, quat_world_xyzw: F64
) -> Rig:
    """A rig from the world pose in which its file was saved; works out the T-pose.

    Args:
        name: shown to users.
        generation: kind of file.
        present: (B,) bones that the file has.
        position_world_m: (B, 3), our axes; rows of missing bones are ignored.
        quat_world_xyzw: (B, 4) bone rotations, likewise.
    """
    from posestream.skeleton.tpose import tpose_correction

    parents = np.array([max(p, 0) for p in present_parents(present)])
    place, world = position_world_m.copy(), quat_world_xyzw.copy()
    for bone in ORDER:
        if not present[bone]:
            place[bone], world[bone] = place[parents[bone]], world[parents[bone]]
    offset = rot.rotate(rot.inverse(world[parents]), place - place[parents])
    file_local = rot.multiply(rot.inverse(world[parents]), world)
    offset[0], file_local[0] = place[0], world[0]
    correction = tpose_correction(present, parents, place, whole=generation == "bvh")
    rest_place = positions(
        place[0], correction, np.where(present[:, None], place - place[PARENT_INDEX], 0.0)
    )
    rest_world = rot.multiply(correction, world)
    rest_local = rot.multiply(rot.inverse(rest_world[parents]), rest_world)
    rest_local[0] = rest_world[0]
    return Rig(
        name, present, offset, rest_local, rest_world, rest_place,
        _hip_height(present, rest_place), generation, file_local, place,
    )  # fmt: skip


def _hip_height(present: Bool, place: F64) -> float:
    """Height above the floor where the file stands on one, else above its lowest bone."""
    lowest = float(place[present, 1].min())
    leg_m = float(np.abs(place[BONE["LeftFoot"]] - place[BONE["LeftUpperLeg"]])[1])
    above_floor, above_lowest = float(place[0, 1]), float(place[0, 1]) - lowest
    stands = -0.1 * leg_m < lowest < 0.35 * leg_m
    height = above_floor if stands else above_lowest
    return height if height > 0.5 * leg_m else max(1.1 * leg_m, 1e-3)
