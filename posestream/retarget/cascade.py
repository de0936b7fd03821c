"""From wanted world rotations to local ones, down the skeleton: hold, return, limit.

Each bone is limited before its children are solved, so that a child still meets its own
direction where its parent could not.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import dot, from_rotvec, inv, mul, rotvec, unit
from posestream.retarget.limits import Limiter
from posestream.retarget.memory import State
from posestream.retarget.settings import RetargetSettings
from posestream.skeleton.humanoid import BONE, NUM_BONES, PARENT
from posestream.skeleton.kinematics import PARENT_INDEX

_LEVEL_NAMES: Final = (
    ("Spine",),
    ("Chest",),
    ("UpperChest",),
    ("Neck", "LeftShoulder", "RightShoulder"),
    ("LeftUpperArm", "RightUpperArm", "LeftUpperLeg", "RightUpperLeg"),
    ("Head", "LeftLowerArm", "RightLowerArm", "LeftLowerLeg", "RightLowerLeg"),
    ("LeftHand", "RightHand", "LeftFoot", "RightFoot"),
)
LEVELS: Final = tuple(np.array([BONE[name] for name in names]) for names in _LEVEL_NAMES)
SOLVED: Final = np.concatenate([np.array([0]), *LEVELS])
"""The bones that body joints say anything about; all others stay at rest on their parents."""


_LEVEL_OF_SOLVED: Final = np.repeat(np.arange(len(LEVELS)), [len(b) for b in LEVELS])
LIMIT_TOLERANCE_RAD: Final = 1e-6


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
        self._limiter = Limiter(SOLVED[1:])

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
        state.age_s = np.where(measured, 0.0, state.age_s + dt_s[:, None])
        state.returning = (state.returning | ~measured) & ~fresh[:, None]
        walk = _Walk(self._settings, wanted, measured, state, dt_s, self._rest)
        walk.down(0, None)
        if self._settings.limits:
            excess = self._limiter.excess_rad(walk.local[:, SOLVED[1:]])
            over = (excess > LIMIT_TOLERANCE_RAD).any(axis=0)
            if over.any():  # once more from the first level at which a limit acts
                walk.down(int(_LEVEL_OF_SOLVED[over].min()), self._limiters)
        state.local, state.returning = walk.local, walk.returning
        return walk.local, walk.world[:, _CARRIER]


class _Walk:
    """One frame's way down; levels may be walked again with limits."""

    def __init__(
        self, settings: RetargetSettings, wanted: F64, measured: Bool, state: State, dt_s: F64,
        rest: F64,
    ) -> None:  # fmt: skip
        self.local = np.tile(rest, (len(wanted), 1, 1))
        self.world = np.empty_like(self.local)
        self.returning = state.returning.copy()
        self._wanted, self._measured, self._last = wanted, measured, state.local
        self._step_rad = np.radians(settings.return_deg_per_s) * dt_s
        self._catching_up = state.returning & measured
        self._held = self._sink(settings, state, dt_s, rest)
        self._hips()

    def _sink(self, settings: RetargetSettings, state: State, dt_s: F64, rest: F64) -> F64:
        """Local rotations (N, B, 4) of hidden bones: held for a while, then eased to rest."""
        late = (state.age_s > settings.hold_s) & ~self._measured
        late[:, 0] = False  # hips keep their heading for good
        if not late[:, SOLVED].any():
            return self._last
        share = np.where(late, (1.0 - np.exp(-dt_s / settings.ease_s))[:, None], 0.0)
        return self._towards(rest, SOLVED, share[:, SOLVED])

    def _towards(self, goal: F64, bones: I64, share: F64) -> F64:
        out = self._last.copy()
        delta = rotvec(mul(inv(out[:, bones]), goal[bones]))
        turn = np.sqrt(dot(delta, delta))
        reach = self._step_rad[:, None] / np.maximum(turn, 1e-9)
        share = np.minimum(share, reach)
        out[:, bones] = unit(mul(out[:, bones], from_rotvec(delta * share[..., None])))[0]
        return out

    def _hips(self) -> None:
        bones = np.zeros(1, dtype=np.int64)
        q = np.where(self._measured[:, bones, None], self._wanted[:, bones], self._held[:, bones])
        self.local[:, bones] = self.world[:, bones] = self._caught_up(q, bones)

    def down(self, first: int, limiters: list[Limiter] | None) -> None:
        """Solve the levels from ``first`` on."""
        if limiters is None:
            first = self._all_seen()
        for level in range(first, len(LEVELS)):
            bones = LEVELS[level]
            above = self.world[:, PARENT_INDEX[bones]]
            q = mul(inv(above), self._wanted[:, bones])
            q = np.where(self._measured[:, bones, None], q, self._held[:, bones])
            q = self._caught_up(q, bones)
            if limiters is not None:
                q = limiters[level].clamp(q)
            self.local[:, bones] = q
            self.world[:, bones] = mul(above, q)

    def _all_seen(self) -> int:
        """Levels simply seen are solved at once; returns the first that is not."""
        plain = (self._measured & ~self._catching_up)[:, SOLVED].all(axis=0)
        if not plain[0]:
            return 0
        hidden = _LEVEL_OF_SOLVED[~plain[1:]]
        level = int(hidden.min()) if hidden.size else len(LEVELS)
        bones = SOLVED[1:][level > _LEVEL_OF_SOLVED]
        self.world[:, bones] = wanted = self._wanted[:, bones]
        self.local[:, bones] = mul(inv(self.world[:, PARENT_INDEX[bones]]), wanted)
        return level

    def _caught_up(self, q: F64, bones: I64) -> F64:
        """Bones that reappeared turn towards what is seen no faster than allowed."""
        behind = self._catching_up[:, bones]
        if not behind.any():
            return q
        last = self._last[:, bones]
        delta = rotvec(mul(inv(last), q))
        turn = np.sqrt(dot(delta, delta))
        reach = np.minimum(1.0, self._step_rad[:, None] / np.maximum(turn, 1e-9))
        settled = ~self.returning[:, PARENT_INDEX[bones]] | (bones == 0)
        self.returning[:, bones] &= ~(behind & (reach >= 1.0) & settled)
        moved = mul(last, from_rotvec(delta * reach[..., None]))
        return np.where(behind[..., None], moved, q)
