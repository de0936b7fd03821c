"""Writes rigs and poses with what Python's forward kinematics make of them, for the C# tests.

Little-endian float32 in Unity's axes: number of rigs i32, poses i32; per rig: present (55
bytes), hip height, rest positions (55, 3), rest rotations (55, 4); then all roots (P, 3), all
normalised rotations (P, 55, 4); per rig: expected bone positions (P, 55, 3), expected world
rotations (P, 55, 4).
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, NUM_BONES, ORDER, PARENT, REST_OFFSET_M
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.skeleton.rig import Rig, build_rig, forward, load_rig

MIRROR_P = np.array([-1.0, 1.0, 1.0])
MIRROR_Q = np.array([1.0, -1.0, -1.0, 1.0])
EVERYTHING = np.ones(NUM_BONES, dtype=np.bool_)


def turned(bones: dict[str, tuple[float, float, float]]) -> F64:
    """Local rotations (B, 4) with some bones turned by rotation vectors."""
    rotvec = np.zeros((NUM_BONES, 3))
    for name, value in bones.items():
        rotvec[BONE[name]] = value
    return rot.from_rotvec(rotvec)


@dataclass(frozen=True)
class Saved:
    """A rig and how its file stands: places (B, 3), rotations (B, 4), all in the world."""

    rig: Rig
    place_m: F64
    quat_world_xyzw: F64
    pose_world_xyzw: F64 | None  # (B, 4) that turned the T-pose into it, where bones can tell


def made(name: str, present: np.ndarray, pose: F64, axes: F64, *, ambiguous: bool = False) -> Saved:
    """A rig that rests in a pose, its bones' own axes turned arbitrarily."""
    world = world_rotations(pose)
    place = positions(REST_OFFSET_M[0], world, REST_OFFSET_M)
    own = rot.multiply(world, axes)
    return Saved(
        build_rig(name, "gltf", present, place, own), place, own, None if ambiguous else world
    )


def made_up_rigs() -> list[Saved]:
    """Rests that real avatars have: plain, slanted, with axes of their own, with bones missing."""
    rng = np.random.default_rng(3)
    identity = rot.identity(NUM_BONES)
    axes = rot.normalize(rng.normal(size=(NUM_BONES, 4)))
    a_pose = turned({
        "LeftUpperArm": (0, 0, -0.8), "RightUpperArm": (0, 0, 0.8), "LeftLowerArm": (0, 0.3, 0),
        "LeftUpperLeg": (0, 0, 0.08), "RightUpperLeg": (0, 0, -0.08),
    })  # fmt: skip
    flat = a_pose.copy()
    flat[[BONE["LeftFoot"], BONE["RightFoot"]]] = rot.inverse(
        a_pose[[BONE["LeftUpperLeg"], BONE["RightUpperLeg"]]]
    )
    raised = flat.copy()  # by a little: so may the avatar's shoulders be in its T-pose
    raised[BONE["LeftShoulder"]] = rot.from_rotvec(np.array([0.0, 0.0, -0.2]))
    few = EVERYTHING.copy()
    for bone in ("UpperChest", "LeftShoulder", "RightShoulder", "LeftToes", "RightToes", "Jaw"):
        few[BONE[bone]] = False
    fewer = few.copy()
    fewer[BONE["Chest"]] = False
    return [
        made("identity", EVERYTHING, identity, identity),
        made("A-pose", EVERYTHING, flat, identity),
        made("arbitrary axes", EVERYTHING, identity, axes),
        made("A-pose, arbitrary axes, bones missing", few, a_pose, axes),
        made("no chest", fewer, identity, axes),
        made("A-pose, a shoulder raised", EVERYTHING, raised, axes, ambiguous=True),
    ]


def rigs(avatars: Path | None) -> list[tuple[Rig, F64, F64]]:
    """(rig, positions, rotations in which the file was saved)."""
    table = [(made.rig, made.place_m, made.quat_world_xyzw) for made in made_up_rigs()]
    if avatars is not None:
        table += [third_party(avatars / name) for name in ("cryptovoxels.vrm", "debug_robot.vrm")]
    return table


def third_party(path: Path) -> tuple[Rig, F64, F64]:
    """A VRM of somebody else."""
    rig = load_rig(path)
    saved = world_of(rig)
    return rig, rig.file_position_world_m, saved


def world_of(rig: Rig) -> F64:
    """World rotations (B, 4) in which the file was saved."""
    world = rot.identity(NUM_BONES)
    for bone in ORDER:
        parent = PARENT[bone]
        while parent >= 0 and not rig.bones_present[parent]:
            parent = PARENT[parent]
        above = rot.IDENTITY if parent < 0 else world[parent]
        world[bone] = rot.multiply(above, rig.file_quat_local_xyzw[bone])
    return world


def poses(count: int) -> tuple[F64, F64]:
    """Roots (P, 3) and normalised rotations (P, B, 4)."""
    rng = np.random.default_rng(9)
    angles = rng.normal(scale=0.6, size=(count, NUM_BONES, 3))
    return rng.normal(size=(count, 3)), rot.from_rotvec(angles)


def floats(*arrays: F64) -> bytes:
    return b"".join(np.ascontiguousarray(a, dtype="<f4").tobytes() for a in arrays)


def write(path: Path, avatars: Path | None, count: int = 500) -> int:
    """Write the file; returns the number of rigs."""
    table = rigs(avatars)
    root, pose = poses(count)
    parts = [struct.pack("<ii", len(table), count)]
    for rig, place, saved in table:
        parts.append(rig.bones_present.astype(np.uint8).tobytes())
        parts.append(floats(np.array([rig.hip_height_m]), place * MIRROR_P, saved * MIRROR_Q))
    parts.append(floats(root * MIRROR_P, pose * MIRROR_Q))
    for rig, _, _ in table:
        where, how = forward(rig, root, pose)
        parts.append(floats(where * MIRROR_P, how * MIRROR_Q))
    path.write_bytes(b"".join(parts))
    return len(table)


if __name__ == "__main__":
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    print(write(Path(sys.argv[1]), folder))
