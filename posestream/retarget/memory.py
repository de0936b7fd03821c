"""What is remembered of each person between frames, as rows of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import clamp, every
from posestream.retarget.body import NUM_GROUPS
from posestream.retarget.bones import NUM_SOLVED

_FORGET_S: Final = 10.0
_LONGEST_STEP_S: Final = 0.5
_START_ROWS: Final = 8


@dataclass(slots=True)
class State:
    """One row per person, in the order of the frame's tracks."""

    local: F64  # (N, S, 4) last local rotations of the solved bones, Hips in the world
    age_s: F64  # (N, S) since the bone was last measured
    returning: Bool  # (N, S) catching up with a measurement after a gap
    limb: F64  # (N, 4, 4) limbs relative to their parents, before limits
    twist_rad: F64  # (N, 2) of the forearms
    root_m: F64  # (N, 3) last place of the Hips
    ratio: F64  # (N, G) of bone lengths to our own skeleton's
    ratio_count: F64  # (N, G) observations behind it
    t_s: F64  # (N,) last seen


def _blank(rows: int, rest: F64, limb_rest: F64) -> State:
    return State(
        np.tile(rest, (rows, 1, 1)), np.zeros((rows, NUM_SOLVED)),
        np.zeros((rows, NUM_SOLVED), dtype=np.bool_), np.tile(limb_rest, (rows, 1, 1)),
        np.zeros((rows, 2)), np.full((rows, 3), np.nan), np.ones((rows, NUM_GROUPS)),
        np.zeros((rows, NUM_GROUPS)), np.full(rows, -np.inf),
    )  # fmt: skip


_FIELDS: Final = tuple(State.__dataclass_fields__)


class Memory:
    """Rows by track id. A person away for long, or a new id, starts fresh.

    While the same people stay, one state is handed out again and again; only when they
    change is it put away by row.
    """

    def __init__(self, rest: F64, limb_rest: F64) -> None:
        """``rest`` (S, 4) and ``limb_rest`` (4, 4): pose of who was never seen."""
        self._blank = _blank(1, rest, limb_rest)
        self._state = _blank(_START_ROWS, rest, limb_rest)
        self._row: dict[int, int] = {}
        self._free = list(range(_START_ROWS))
        self._open: tuple[list[int], I64, State] | None = None  # ids, their rows, their state

    def recall(self, track_id: I64, t_s: float) -> State:
        """The state of these people, to be changed in place; unknown ones get a blank row."""
        ids = track_id.tolist()
        if self._open is not None:
            same, _, state = self._open
            if same == ids and every(np.abs(t_s - state.t_s) <= _FORGET_S):
                return state
        self._put_away()
        self._forget(t_s)
        rows = np.array([self._row_of(i) for i in ids], dtype=np.int64)
        state = State(*(getattr(self._state, name)[rows] for name in _FIELDS))
        self._open = ids, rows, state
        return state

    def _put_away(self) -> None:
        if self._open is not None:
            _, rows, state = self._open
            for name in _FIELDS:
                getattr(self._state, name)[rows] = getattr(state, name)
        self._open = None

    def _row_of(self, track: int) -> int:
        if track not in self._row:
            if not self._free:
                self._grow()
            row = self._row[track] = self._free.pop()
            for name in _FIELDS:
                getattr(self._state, name)[row] = getattr(self._blank, name)[0]
        return self._row[track]

    def _grow(self) -> None:
        rows = len(self._state.t_s)
        for name in _FIELDS:
            old, blank = getattr(self._state, name), getattr(self._blank, name)
            setattr(self._state, name, np.concatenate([old, np.repeat(blank, rows, axis=0)]))
        self._free = list(range(rows, 2 * rows))

    def _forget(self, t_s: float) -> None:
        gone = [i for i, row in self._row.items() if abs(t_s - self._state.t_s[row]) > _FORGET_S]
        self._free += [self._row.pop(i) for i in gone]


def step_s(state: State, t_s: float) -> tuple[F64, Bool]:
    """Seconds since each person's last frame (bounded), and who is new."""
    dt_s = t_s - state.t_s  # infinite for new people
    fresh = dt_s == np.inf
    return np.where(fresh, 0.0, clamp(dt_s, 0.0, _LONGEST_STEP_S)), fresh
