"""The pose as smoothing sees it: the turns of bones in the world, and how sure each of them is.

Bones are smoothed in the world, not on their parents: hips whose axis flickers do not shake the
legs that hang from them. A limb's turn about itself is known by the plane of elbow or knee
alone, and that of the trunk by the depths of two joints side by side: far worse than where it
points. So joints may leave their limits: they are brought back, and smoothing goes on from there,
or it would lead them out again in every frame.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import mul
from posestream.retarget.bones import NUM_SOLVED, PARENTS, SOLVED, on_parents
from posestream.retarget.within import within_limits
from posestream.skeleton.humanoid import BONES
from posestream.skeleton.kinematics import doublings
from posestream.smooth.chain import SmoothingChain
from posestream.smooth.settings import SmoothingSettings

_ACROSS_X, _ACROSS_Y = 0, 1  # the axis along the bone: of arms x, of all else y
_SURE: Final = {
    "UpperLeg": (_ACROSS_Y, 0.1), "LowerLeg": (_ACROSS_Y, 0.1),
    "UpperArm": (_ACROSS_X, 0.2), "LowerArm": (_ACROSS_X, 0.3),
    "Hips": (_ACROSS_Y, 0.3), "Spine": (_ACROSS_Y, 0.3), "Chest": (_ACROSS_Y, 0.3),
    "UpperChest": (_ACROSS_Y, 0.3),
}  # fmt: skip


def _sureness() -> F64:
    table = np.ones((NUM_SOLVED, 3))
    for row, bone in enumerate(SOLVED):
        part = BONES[bone].removeprefix("Left").removeprefix("Right")
        if part in _SURE:
            axis, share = _SURE[part]
            table[row, axis] = share
    return table


SURENESS: Final = _sureness()
"""(S, 3) of the solved bones' turns about their own axes: how far they are believed."""
_DOUBLINGS: Final = doublings(np.where(np.arange(NUM_SOLVED) > 0, PARENTS, -1))


def in_world(local_xyzw: F64) -> F64:
    """World rotations (N, S, 4) of the solved bones from local ones."""
    world = local_xyzw.copy()
    for rows, above in _DOUBLINGS:
        world[:, rows] = mul(world.take(above, 1), world.take(rows, 1))
    return world


class Calmer:
    """The smoothing chain for whole poses."""

    def __init__(self, settings: SmoothingSettings | None = None, limits: bool = True) -> None:
        """``limits``: joints stay within human range; may be changed at any time."""
        self.limits = limits
        self._chain = SmoothingChain(settings, SURENESS)
        self.configure = self._chain.configure
        self.expect_latency = self._chain.expect_latency

    def apply(
        self,
        track_id: I64,
        t_s: float,
        root_world_m: F64,
        quat_local_xyzw: F64,
        seen: Bool,
        world: F64 | None = None,
    ) -> tuple[F64, F64]:
        """Calmed roots (N, 3) and local rotations (N, B, 4); arguments as of the chain.

        ``world`` (N, S, 4) are the solved bones' rotations in the world, found here where absent.
        """
        if world is None:
            world = in_world(quat_local_xyzw.take(SOLVED, 1))
        root, calm = self._chain.apply(track_id, t_s, root_world_m, world, seen)
        if calm is world:  # nothing is smoothed
            return root, quat_local_xyzw
        quat = quat_local_xyzw.copy()
        quat[:, SOLVED] = self._within(calm) if self.limits else on_parents(calm)
        return root, quat

    def _within(self, calm: F64) -> F64:
        """Local rotations (N, S, 4) within the limits."""
        world, local = within_limits(calm)
        if world is not calm:
            self._chain.go_on_from(world)
        return local
