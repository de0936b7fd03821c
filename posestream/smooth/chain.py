"""The smoothing stage: One Euro on root and rotations, then prediction.

Everything is remembered by track id. A new person starts unfiltered; somebody who was hidden
starts anew where he is seen again and is led there from his held pose; who leaves is
forgotten. Nothing passes from one person to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import every, same, some
from posestream.smooth import tangent
from posestream.smooth.blend import Blend, no_blend
from posestream.smooth.one_euro import FilterState, filter_rotations, filter_vectors, start
from posestream.smooth.predict import predict_rotations, predict_vectors
from posestream.smooth.settings import SmoothingSettings as SmoothingSettings

_GAP_S: Final = 0.1  # hidden for longer: what was filtered before says nothing any more
_LONGEST_STEP_S: Final = 1.0
_LATENCY_SHARE: Final = 0.05  # of the newest measured latency in the one that is believed


@dataclass(slots=True)
class _People:
    """What is remembered; columns run over people, or over people and their bones."""

    track_id: I64  # (N,)
    seen_s: F64  # (N,) when last seen
    root: FilterState
    quat: FilterState
    out: tuple[F64, F64]  # last root (3, N) and quaternions (4, N B)
    blend: Blend


class SmoothingChain:
    """Smooths everybody's pose, frame by frame."""

    def __init__(
        self, settings: SmoothingSettings | None = None, sureness: F64 | None = None
    ) -> None:
        """``sureness`` (B, 3): how sure turns of each bone about its own axes are, 1 at most."""
        self._sureness = sureness
        self._sure: F64 | None = None  # of everybody's bones
        self._people: _People | None = None
        self._t_s = -np.inf
        self._latency_s = 0.0
        self._use(settings or SmoothingSettings())

    def configure(self, settings: SmoothingSettings) -> None:
        """Take over other settings; the motion goes on from where it is."""
        self._use(settings)
        self._changed = True

    def expect_latency(self, latency_s: float) -> None:
        """How long after the picture was taken its people are sent; used if the settings say so."""
        self._latency_s += _LATENCY_SHARE * (latency_s - self._latency_s)
        self._predict_s = self._settings.ahead_s(self._latency_s)

    def go_on_from(self, quat_xyzw: F64) -> None:
        """These rotations (N, B, 4) were shown instead of those that ``apply`` just gave."""
        people = self._people
        if people is None:
            return
        root, shown = people.out
        corrected = quat_xyzw.reshape(-1, 4).T.copy()
        if shown is people.quat.value:
            people.quat.value = corrected
        else:  # predicted or led back: what is filtered is turned as far
            apart = tangent.difference(shown, people.quat.value)
            people.quat.value = tangent.product(corrected, apart)
        people.out = root, corrected

    def reset(self) -> None:
        """Forget everybody."""
        self._people = None

    def apply(
        self,
        track_id: I64,
        t_s: float,
        root_world_m: F64,
        quat_local_xyzw: F64,
        fresh: Bool,
    ) -> tuple[F64, F64]:
        """Smoothed roots (N, 3) and unit quaternions (N, B, 4) at time ``t_s`` (seconds).

        ``fresh`` (N,) says who was seen in this frame. A person with NaN keeps the last
        pose, or NaN where there is none yet. With smoothness 0 the arguments come back.
        """
        n, bones = quat_local_xyzw.shape[:2]
        if n == 0:
            self._people = None
            return root_world_m, quat_local_xyzw
        x, q, usable = _columns(root_world_m, quat_local_xyzw)
        people, known = self._align(track_id, bones)
        x, q, started = self._prepare(people, x, q, usable)
        back = ~started & self._returns(people, fresh, t_s)
        dt_s = min(max(t_s - self._t_s, 0.0), _LONGEST_STEP_S)
        self._t_s = t_s
        new = self._filter(people, x, q, dt_s, started | back)
        self._blend(people, new, started, back, dt_s)
        people.seen_s = np.where(fresh | ~known, t_s, people.seen_s)
        self._people = people
        if self._off and not people.blend.active:
            return root_world_m, quat_local_xyzw
        return people.out[0].T.copy(), people.out[1].T.reshape(n, bones, 4).copy()

    def _use(self, settings: SmoothingSettings) -> None:
        self._settings = settings
        self._off = settings.off
        self._predict_s = settings.ahead_s(self._latency_s)
        self._root_filter = settings.root_filter()
        self._rotation_filter = settings.rotation_filter()
        self._changed = False

    def _align(self, track_id: I64, bones: int) -> tuple[_People, Bool]:
        """What is remembered, in the order of ``track_id``, and of whom anything is."""
        old = self._people
        if old is not None and same(old.track_id, track_id):
            return old, np.ones(track_id.size, dtype=np.bool_)
        row_of = {} if old is None else {int(k): i for i, k in enumerate(old.track_id)}
        rows = np.array([row_of.get(int(k), -1) for k in track_id])
        return _taken(old, track_id, rows, bones), rows >= 0

    def _prepare(self, people: _People, x: F64, q: F64, usable: Bool) -> tuple[F64, F64, Bool]:
        """Inputs with the last pose in place of unusable ones, and who starts with this frame."""
        blank = ~np.isfinite(people.root.raw[0])
        if every(usable):
            return x, q, blank
        bones = q.shape[1] // usable.size
        keep = np.repeat(usable, bones)
        return (
            np.where(usable, x, people.root.raw),
            np.where(keep, q, people.quat.raw),
            blank,
        )

    def _returns(self, people: _People, fresh: Bool, t_s: float) -> Bool:
        """Who is seen again after a gap, in time or in sight."""
        if not 0.0 <= t_s - self._t_s <= _LONGEST_STEP_S:
            return np.ones(fresh.size, dtype=np.bool_)
        return fresh & (people.seen_s < self._t_s) & (t_s - people.seen_s > _GAP_S)

    def _filter(self, people: _People, x: F64, q: F64, dt_s: float, anew: Bool) -> tuple[F64, F64]:
        """Step the filters; returns what they predict."""
        if self._off:
            people.root, people.quat = start(x), start(q)
            return x, q
        root = filter_vectors(people.root, x, dt_s, self._root_filter)
        quat = filter_rotations(people.quat, q, dt_s, self._rotation_filter, self._sure_of(x))
        if some(anew):
            _restart(root, anew)
            _restart(quat, np.repeat(anew, q.shape[1] // anew.size))
        people.root, people.quat = root, quat
        return (
            predict_vectors(root.value, root.flow, self._predict_s),
            predict_rotations(quat.value, quat.flow, self._predict_s),
        )

    def _sure_of(self, root: F64) -> F64 | None:
        """(3, N B) of the people whose roots these are."""
        if self._sureness is None:
            return None
        columns = root.shape[1] * len(self._sureness)
        if self._sure is None or self._sure.shape[1] != columns:
            self._sure = np.tile(self._sureness.T, root.shape[1])
        return self._sure

    def _blend(
        self, people: _People, new: tuple[F64, F64], started: Bool, back: Bool, dt_s: float
    ) -> None:
        """Set the output: ``new``, led there from the old output where it would jump."""
        jumps = ~started if self._changed else back & (not self._off)
        self._changed = False
        people.blend.clear(started)
        if some(jumps):
            people.blend.capture(jumps, people.out, new, dt_s)
        people.out = people.blend.apply(*new, dt_s) if people.blend.active else new


def _columns(root_m: F64, quat_xyzw: F64) -> tuple[F64, F64, Bool]:
    """Inputs as columns, unit quaternions; unusable people as NaN; who is usable (N,)."""
    x = root_m.T.copy()
    q = quat_xyzw.reshape(-1, 4).T.copy()
    size = tangent.length(q)
    sound, placed = (size > 1e-6) & (size < np.inf), np.isfinite(x)
    if every(sound) and every(placed):
        return x, q / size, np.ones(x.shape[1], dtype=np.bool_)
    usable = sound.reshape(x.shape[1], -1).all(axis=1) & placed.all(axis=0)
    x[:, ~usable] = np.nan
    q[:, np.repeat(~usable, quat_xyzw.shape[1])] = np.nan
    return x, tangent.unit(q), usable


def _restart(state: FilterState, columns: Bool) -> None:
    state.value[:, columns] = state.raw[:, columns]
    state.rate[:, columns] = 0.0
    state.flow[:, columns] = 0.0
    state.pace[:, columns] = 0.0


def _taken(old: _People | None, track_id: I64, rows: I64, bones: int) -> _People:
    """Memory with ``rows`` of the old one; -1 gives a blank row."""
    n = track_id.size
    if old is None or not (rows >= 0).any():
        return _People(
            track_id.copy(), np.full(n, -np.inf), start(np.full((3, n), np.nan)),
            start(np.full((4, n * bones), np.nan)),
            (np.full((3, n), np.nan), np.full((4, n * bones), np.nan)), no_blend(n, bones),
        )  # fmt: skip
    columns = (np.maximum(rows, 0)[:, None] * bones + np.arange(bones)).ravel()
    rows_or_0, new = np.maximum(rows, 0), rows < 0
    taken = _People(
        track_id.copy(), old.seen_s[rows_or_0], old.root.take(rows_or_0),
        old.quat.take(columns), (old.out[0][:, rows_or_0], old.out[1][:, columns]),
        old.blend.take(rows_or_0, columns),
    )  # fmt: skip
    taken.root.raw[:, new] = np.nan
    taken.quat.raw[:, np.repeat(new, bones)] = np.nan
    taken.seen_s[new] = -np.inf
    return taken
