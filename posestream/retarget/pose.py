"""The result of retargeting."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import frames
from posestream.skeleton.humanoid import BONE, BONES, NUM_BONES
from posestream.skeleton.joints import swap_sides
from posestream.skeleton.kinematics import positions, world_rotations

_FEET = np.array([BONE[s + n] for s in ("Left", "Right") for n in ("Foot", "Toes")])
_SWAP = np.array([BONE[swap_sides(name)] for name in BONES])


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Everybody's humanoid at one instant, world axes, metres."""

    root_world_m: F64  # (N, 3) Hips
    quat_local_xyzw: F64  # (N, B, 4) normalised; the Hips' row is their world rotation
    bone_valid: Bool  # (N, B) measured in this frame, not held or resting
    hip_height_m: F64  # (N,) of this person standing upright
    offset_m: F64  # (N, B, 3) the person's own T-pose vectors from each bone's parent
    solved_world_xyzw: F64 | None = None  # (N, S, 4) in the world, where they are known already

    @property
    def position_world_m(self) -> F64:
        """(N, B, 3) of each bone, with the person's own proportions; found anew at each call."""
        return positions(self.root_world_m, world_rotations(self.quat_local_xyzw), self.offset_m)

    def __len__(self) -> int:
        return int(self.root_world_m.shape[0])

    @staticmethod
    def empty() -> Pose:
        """Nobody."""
        bones = np.zeros((0, NUM_BONES, 3))
        valid = np.zeros((0, NUM_BONES), dtype=np.bool_)
        quat = np.zeros((0, NUM_BONES, 4))
        return Pose(np.zeros((0, 3)), quat, valid, np.zeros(0), bones)


def mirrored(pose: Pose) -> Pose:
    """The pose seen in the mirror x = 0: reflected, left and right swapped. Its own inverse."""
    return Pose(
        frames.mirror_position(pose.root_world_m),
        frames.mirror_quat(pose.quat_local_xyzw[:, _SWAP]),
        pose.bone_valid[:, _SWAP],
        pose.hip_height_m,
        frames.mirror_position(pose.offset_m[:, _SWAP]),
    )


def feet_on_floor(pose: Pose) -> Pose:
    """The pose at the height where its lowest foot or toe touches the floor."""
    lowest_m = pose.position_world_m[:, _FEET, 1].min(axis=1)
    root = pose.root_world_m.copy()
    root[:, 1] -= lowest_m
    return replace(pose, root_world_m=root)
