"""From wanted world rotations to local ones, down the skeleton: hold, return, limit.

Each bone is limited before its children are solved, so that a child still meets its own
direction where its parent could not.
"""

from __future__ import annotations

from math import radians
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import (
    difference,
    every,
    from_rotvec,
    length,
    mul,
    rotvec,
    some,
    unit,
)  # fmt: skip
from posestream.retarget.bones import LEVEL_OF, LEVELS, NUM_SOLVED, PARENTS, SOLVED, on_parents
from posestream.retarget.limits import Limiter, SwingTwist
from posestream.retarget.memory import State
from posestream.retarget.settings import RetargetSettings

_LIMIT_TOLERANCE: Final = 1e-6


class Cascade:
    """Walks the levels of the skeleton."""

    def __init__(self, settings: RetargetSettings, rest: F64) -> None:
        """``rest`` (S, 4): where bones sink that are not seen."""
        self._settings, self._rest = settings, rest
        self._limiters = [Limiter(SOLVED[bones]) for bones in LEVELS]
        self._limiter = Limiter(SOLVED)

    def run(
        self, wanted: F64, measured: Bool, state: State, dt_s: F64, fresh: Bool
    ) -> tuple[F64, F64]:
        """Local and world rotations (N, S, 4) of the solved bones; ``state`` is updated.

        Args:
            wanted: (N, S, 4) world rotations.
            measured: (N, S) which of them this frame's joints tell.
            state: memory of these people.
            dt_s: (N,) since their last frame.
            fresh: (N,) people seen for the first time.
        """
        if every(measured):  # as a rule
            state.age_s.fill(0.0)
        else:
            state.age_s = np.where(measured, 0.0, state.age_s + dt_s[:, None])
            state.returning = (state.returning | ~measured) & ~fresh[:, None]
        walk = _Walk(self._settings, wanted, measured, state, dt_s, self._rest)
        walk.down()
        if self._settings.limits:
            parts = self._limiter.split(walk.local)
            over = self._limiter.over(parts, _LIMIT_TOLERANCE)
            if some(over):  # once more from the first level at which a limit acts
                first = int(LEVEL_OF[np.logical_or.reduce(over).argmax()])
                walk.down_within(first, self._limiters, parts)
        state.local, state.returning = walk.local, walk.returning
        return walk.local, walk.world


class _Walk:
    """One frame's way down; levels may be walked again with limits."""

    def __init__(
        self, settings: RetargetSettings, wanted: F64, measured: Bool, state: State, dt_s: F64,
        rest: F64,
    ) -> None:  # fmt: skip
        self.local = self.world = wanted
        self.returning = state.returning
        self._wanted, self._measured, self._last = wanted, measured, state.local
        self._step_rad = radians(settings.return_deg_per_s) * dt_s
        self._catching_up = state.returning & measured
        self._held = self._last
        if not every(measured):
            self._held = self._sink(settings, state, dt_s, rest)

    def _sink(self, settings: RetargetSettings, state: State, dt_s: F64, rest: F64) -> F64:
        """Local rotations (N, S, 4) of hidden bones: held for a while, then eased to rest."""
        late = state.age_s > settings.hold_s
        late[:, 0] = False  # hips keep their heading for good
        if not some(late):
            return self._last
        return self._towards(rest, late * (1.0 - np.exp(-dt_s / settings.ease_s))[:, None])

    def _towards(self, goal: F64, share: F64) -> F64:
        delta = rotvec(difference(self._last, goal))
        reach = self._step_rad[:, None] / np.maximum(length(delta), 1e-9)
        step = delta * np.minimum(share, reach)[..., None]
        return unit(mul(self._last, from_rotvec(step)))[0]

    def down(self) -> None:
        """Solve all levels without limits."""
        if every(self._measured) and not some(self._catching_up):
            self.local = on_parents(self._wanted)
            return
        self.local, self.world = np.empty_like(self._wanted), np.empty_like(self._wanted)
        self.returning = self.returning.copy()
        self._hips()
        for level in range(self._first_not_seen(), len(LEVELS)):
            self._level(level)

    def down_within(self, first: int, limiters: list[Limiter], parts: SwingTwist) -> None:
        """Solve the levels from ``first`` on again, within limits; ``parts`` are ``local``'s."""
        if self.world is self._wanted:
            self.world = self.world.copy()
        bones = LEVELS[first]  # nothing above them has changed
        q = limiters[first].clamp(self.local[:, bones], parts.of(bones))
        self.local[:, bones] = q
        self.world[:, bones] = mul(self.world.take(PARENTS[bones], 1), q)
        for level in range(first + 1, len(LEVELS)):
            self._level(level, limiters[level])

    def _hips(self) -> None:
        q = np.where(self._measured[:, :1, None], self._wanted[:, :1], self._held[:, :1])
        self.local[:, :1] = self.world[:, :1] = self._caught_up(q, LEVELS[0])

    def _level(self, level: int, limiter: Limiter | None = None) -> None:
        bones = LEVELS[level]
        above = self.world.take(PARENTS[bones], 1)
        q = difference(above, self._wanted[:, bones])
        q = np.where(self._measured[:, bones, None], q, self._held[:, bones])
        q = self._caught_up(q, bones)
        if limiter is not None:
            q = limiter.clamp(q)
        self.local[:, bones] = q
        self.world[:, bones] = mul(above, q)

    def _first_not_seen(self) -> int:
        """Levels simply seen are solved at once; returns the first that is not."""
        plain = (self._measured & ~self._catching_up).all(axis=0)
        if not plain[0]:
            return 1
        hidden = LEVEL_OF[~plain]
        level = int(hidden.min()) if hidden.size else len(LEVELS)
        bones = slice(1, LEVELS[level].start if level < len(LEVELS) else NUM_SOLVED)
        self.world[:, bones] = wanted = self._wanted[:, bones]
        self.local[:, bones] = difference(self.world.take(PARENTS[bones], 1), wanted)
        return level

    def _caught_up(self, q: F64, bones: slice) -> F64:
        """Bones that reappeared turn towards what is seen no faster than allowed."""
        behind = self._catching_up[:, bones]
        if not some(behind):
            return q
        last = self._last[:, bones]
        delta = rotvec(difference(last, q))
        reach = np.minimum(1.0, self._step_rad[:, None] / np.maximum(length(delta), 1e-9))
        settled = ~self.returning[:, PARENTS[bones]] | (bones.start == 0)
        self.returning[:, bones] &= ~(behind & (reach >= 1.0) & settled)
        moved = mul(last, from_rotvec(delta * reach[..., None]))
        return np.where(behind[..., None], moved, q)
