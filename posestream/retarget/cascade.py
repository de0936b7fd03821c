"""From wanted world rotations to local ones, down the skeleton: hold, return, limit.

Each bone is limited before its children are solved, so that a child still meets its own
direction where its parent could not.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.retarget.fast import from_rotvec, inv, mul, rotvec, unit
from posestream.retarget.limits import Limiter
from posestream.retarget.memory import State
from posestream.retarget.settings import RetargetSettings
from posestream.skeleton.humanoid import BONE, NUM_BONES, PARENT
from posestream.skeleton.kinematics import PARENT_INDEX

_LEVEL_NAMES: Final = (
    ("Spine", "LeftUpperLeg", "RightUpperLeg"),
    ("Chest", "LeftLowerLeg", "RightLowerLeg"),
    ("UpperChest", "LeftFoot", "RightFoot"),
    ("Neck", "LeftShoulder", "RightShoulder"),
    ("Head", "LeftUpperArm", "RightUpperArm"),
    ("LeftLowerArm", "RightLowerArm"),
    ("LeftHand", "RightHand"),
)
LEVELS: Final = tuple(np.array([BONE[name] for name in names]) for names in _LEVEL_NAMES)
SOLVED: Final = np.concatenate([np.array([0]), *LEVELS])
"""The bones that body joints say anything about; all others stay at rest on their parents."""


def _carrier() -> I64:
    """The solved bone whose world rotation each bone shares or, if solved, its own."""
    carrier = np.arange(NUM_BONES)
    for bone in range(NUM_BONES):
        while carrier[bone] not in SOLVED:
            carrier[bone] = PARENT[carrier[bone]]
    return carrier


_CARRIER: Final = _carrier()


class Cascade:
    """Walks the levels of the skeleton."""

    def __init__(self, settings: RetargetSettings, rest: F64) -> None:
        """``rest`` (B, 4): where bones sink that are not seen."""
        self._settings, self._rest = settings, rest
        self._limiters = [Limiter(bones) for bones in LEVELS]

    def run(
        self, wanted: F64, measured: Bool, state: State, dt_s: F64, fresh: Bool
    ) -> tuple[F64, F64]:
        """Local and world rotations (N, B, 4); ``state`` is brought up to date.

        Args:
            wanted: (N, B, 4) world rotations of the solved bones.
            measured: (N, B) which of them this frame's joints tell.
            state: memory of these people.
            dt_s: (N,) since their last frame.
            fresh: (N,) people seen for the first time.
        """
        share = self._shares(measured, state, dt_s, fresh)
        local = np.tile(self._rest, (len(wanted), 1, 1))
        world = self._down(wanted, share, measured, state, dt_s, local)
        state.local = local
        return local, world[:, _CARRIER]

    def _shares(self, measured: Bool, state: State, dt_s: F64, fresh: Bool) -> F64:
        """How far (N, B) each hidden bone sinks towards rest in this frame."""
        state.age_s = np.where(measured, 0.0, state.age_s + dt_s[:, None])
        state.returning = (state.returning | ~measured) & ~fresh[:, None]
        sink = 1.0 - np.exp(-dt_s / self._settings.ease_s)
        return np.where(state.age_s > self._settings.hold_s, sink[:, None], 0.0)

    def _down(
        self, wanted: F64, sink: F64, measured: Bool, state: State, dt_s: F64, local: F64
    ) -> F64:
        world = np.empty_like(local)
        largest = np.radians(self._settings.return_deg_per_s) * dt_s
        hips = np.zeros(1, dtype=np.int64)
        goal = np.where(measured[:, hips, None], wanted[:, hips], state.local[:, hips])
        local[:, hips] = self._eased(goal, hips, sink, measured, state, largest)
        world[:, 0] = local[:, 0]
        for bones, limiter in zip(LEVELS, self._limiters, strict=True):
            above = world[:, PARENT_INDEX[bones]]
            goal = np.where(
                measured[:, bones, None], mul(inv(above), wanted[:, bones]), self._rest[bones]
            )
            q = self._eased(goal, bones, sink, measured, state, largest)
            q = limiter.clamp(q) if self._settings.limits else q
            local[:, bones] = unit(q)[0]
            world[:, bones] = mul(above, local[:, bones])
        return world

    def _eased(
        self, goal: F64, bones: I64, sink: F64, measured: Bool, state: State, largest: F64
    ) -> F64:
        """The goal itself where a bone is simply seen; else a bounded step towards it."""
        returning = state.returning[:, bones]
        if not returning.any():
            return goal
        last = state.local[:, bones]
        delta = rotvec(mul(inv(last), goal))
        turn = np.sqrt(np.einsum("nbi,nbi->nb", delta, delta))
        reach = np.minimum(1.0, largest[:, None] / np.maximum(turn, 1e-9))
        seen = measured[:, bones]
        share = np.where(seen, reach, np.minimum(sink[:, bones], reach))
        state.returning[:, bones] = returning & ~(seen & (reach >= 1.0))
        moved = mul(last, from_rotvec(delta * share[..., None]))
        return np.where(returning[..., None], moved, goal)
