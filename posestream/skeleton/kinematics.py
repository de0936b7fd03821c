"""Forward kinematics of the 55-bone humanoid in normalised rotations, batched over people.

A bone's position is its root plus the rotated rest vectors of all its ancestors, so once
the world rotations are known all positions follow from one product with a constant matrix.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.geometry import fast
from posestream.skeleton.humanoid import NUM_BONES, ORDER, PARENT


def _levels() -> tuple[tuple[I64, I64], ...]:
    depth: list[int] = [0] * NUM_BONES
    for bone in ORDER:
        if PARENT[bone] >= 0:
            depth[bone] = depth[PARENT[bone]] + 1
    by_level = [
        np.flatnonzero(np.array(depth) == d).astype(np.int64) for d in range(1, max(depth) + 1)
    ]
    return tuple((bones, np.array(PARENT)[bones]) for bones in by_level)


def _paths() -> F64:
    paths = np.eye(NUM_BONES)
    for bone in ORDER:
        if PARENT[bone] >= 0:
            paths[bone] += paths[PARENT[bone]]
    paths[:, 0] = 0.0  # the root's own place is added, not its rest offset
    paths.setflags(write=False)
    return paths


LEVELS: Final = _levels()
"""(bones, their parents) for each depth below the Hips."""

PATHS: Final = _paths()
"""(B, B): row b marks the bones whose offsets lead from the Hips to b."""

PARENT_INDEX: Final = np.array([max(p, 0) for p in PARENT])
"""(B,): parent of each bone; the Hips name themselves."""


def world_rotations(quat_local_xyzw: F64) -> F64:
    """Local normalised rotations (..., B, 4) to world ones; row 0 is the world rotation already."""
    world = np.array(quat_local_xyzw, dtype=np.float64)
    for bones, parents in LEVELS:
        world[..., bones, :] = fast.mul(world[..., parents, :], world[..., bones, :])
    return world


def local_rotations(quat_world_xyzw: F64) -> F64:
    """World normalised rotations (..., B, 4) to local ones; the Hips keep their world rotation."""
    parents = fast.inv(quat_world_xyzw[..., PARENT_INDEX, :])
    local = fast.mul(parents, quat_world_xyzw)
    local[..., 0, :] = quat_world_xyzw[..., 0, :]
    return local


def positions(root_world_m: F64, quat_world_xyzw: F64, offset_m: F64) -> F64:
    """Bone positions (..., B, 3).

    Args:
        root_world_m: (..., 3) of the Hips.
        quat_world_xyzw: (..., B, 4) normalised world rotations.
        offset_m: (..., B, 3) T-pose vector from each bone's parent, world axes; row 0 unused.
    """
    vectors = fast.rotate(quat_world_xyzw[..., PARENT_INDEX, :], offset_m)
    return np.asarray(root_world_m[..., None, :] + PATHS @ vectors)
