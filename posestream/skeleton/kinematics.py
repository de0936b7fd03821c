"""Forward kinematics of the 55-bone humanoid in normalised rotations, batched over people.

World rotations are a running product down the skeleton, found by doubling: four products in
which every bone takes up what its ancestor 1, 2, 4 and 8 steps above has gathered. A bone's
position is its root plus the rotated rest vectors of all its ancestors, so once the world
rotations are known all positions follow from one product with a constant matrix.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.geometry import fast
from posestream.geometry.rotation import multiply
from posestream.skeleton.humanoid import NUM_BONES, ORDER, PARENT


def _depths() -> list[int]:
    depth = [0] * NUM_BONES
    for bone in ORDER:
        if PARENT[bone] >= 0:
            depth[bone] = depth[PARENT[bone]] + 1
    return depth


def doublings(parent: I64) -> tuple[tuple[I64, I64], ...]:
    """For k = 0, 1, …: the bones with an ancestor 2^k above, and those ancestors.

    ``parent`` (K,) is each bone's parent, -1 of the first.
    """
    above, steps = parent, []
    while (above >= 0).any():
        rows = np.flatnonzero(above >= 0)
        steps.append((rows, above[rows]))
        above = np.where(above >= 0, above[above], -1)
    return tuple(steps)


def _by_depth() -> tuple[tuple[int, I64], ...]:
    """``doublings`` in order of depth: there the bones are all from a first one on."""
    parent = np.array([_IN_PLACE[PARENT[b]] if PARENT[b] >= 0 else -1 for b in _BY_DEPTH])
    return tuple((int(rows[0]), above) for rows, above in doublings(parent))


def _paths() -> F64:
    paths = np.eye(NUM_BONES)
    for bone in ORDER:
        if PARENT[bone] >= 0:
            paths[bone] += paths[PARENT[bone]]
    paths[:, 0] = 0.0  # the root's own place is added, not its rest offset
    paths.setflags(write=False)
    return paths


_BY_DEPTH: Final = np.argsort(_depths(), kind="stable")
_IN_PLACE: Final = np.argsort(_BY_DEPTH)
_DOUBLINGS: Final = _by_depth()
# (4, 16): component k of the product of basis elements i and j stands in column 4 i + j
_PRODUCT: Final = multiply(np.eye(4)[:, None], np.eye(4)[None]).reshape(16, 4).T.copy()

PATHS: Final = _paths()
"""(B, B): row b marks the bones whose offsets lead from the Hips to b."""

PARENT_INDEX: Final = np.array([max(p, 0) for p in PARENT])
"""(B,): parent of each bone; the Hips name themselves."""


def world_rotations(quat_local_xyzw: F64) -> F64:
    """Local normalised rotations (..., B, 4) to world ones; row 0 is the world rotation already."""
    local = quat_local_xyzw.reshape(-1, NUM_BONES, 4)
    world = local.transpose(2, 1, 0).take(_BY_DEPTH, 1)  # (4, B, N): fast to multiply
    for first, above in _DOUBLINGS:
        outer = world.take(above, 1)[:, None] * world[:, first:]
        size = (4, NUM_BONES - first, len(local))
        world[:, first:] = (_PRODUCT @ outer.reshape(16, size[1] * size[2])).reshape(size)
    return world.take(_IN_PLACE, 1).transpose(2, 1, 0).reshape(quat_local_xyzw.shape)


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
    turn = fast.matrix(quat_world_xyzw).take(PARENT_INDEX, -3)
    vectors = np.matmul(turn, offset_m[..., None])[..., 0]
    return np.asarray(root_world_m[..., None, :] + PATHS @ vectors)
