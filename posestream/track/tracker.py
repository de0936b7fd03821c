"""The tracking stage: gives people identities and keeps them.

Everything is measured in seconds and metres, so that frame rates may vary and time may jump.
A newcomer is shown once seen long enough or surely enough; who is not seen is held, fades,
leaves, and is the same again if he soon returns near the same place.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import every, some
from posestream.track.assign import assign, settled
from posestream.track.cost import LIMIT, Expected, expect, match_cost, overlap, return_cost, within
from posestream.track.people import Known, Sightings, hold_times, newcomers, nobody, sightings
from posestream.track.settings import TrackSettings as TrackSettings
from posestream.track.show import show
from posestream.track.update import update, update_look
from posestream.types import People2D, PeopleCam, Tracks

_HELD_COST: Final = 0.05
_UNCONFIRMED_COST: Final = 0.1
_SAME_BODY: Final = 0.7
_MISS_S: Final = 0.1  # a newcomer may be missed for so long before he is shown
_RETURN_S: Final = 0.2  # hidden for so long, somebody may come back elsewhere
_CROWDED_WAIT: Final = 4.0  # doubles of people look like newcomers for a moment
_LOOK_EVERY_S: Final = 0.2  # at least, as long as it is not in doubt who is who
_TIME_SLACK_S: Final = 1e-6
_SMALL_STEP_BACK_S: Final = 0.5


class Tracker:
    """Follows everybody; owned by one thread. The same input gives the same output."""

    def __init__(self, settings: TrackSettings | None = None) -> None:
        self._settings = settings or TrackSettings()
        self._next_id = 0
        self._t_s = -np.inf
        self._known = nobody()
        self._leaving = nobody()  # shown once more, as lost

    def configure(self, settings: TrackSettings) -> None:
        """Take over other settings without losing who is who."""
        self._settings = settings

    def reset(self) -> None:
        """Everybody leaves with the next frame and starts anew; identities go on counting."""
        self._leaving = self._leaving.join(self._known.take(self._known.shown))
        self._known = nobody()

    def update(
        self, people_cam: PeopleCam, people2d: People2D, T_world_cam: F64, t_s: float
    ) -> Tracks:
        """Everybody known at time ``t_s`` (seconds, any origin), by slot.

        Rows of ``people_cam`` and ``people2d`` belong together. ``T_world_cam`` (4, 4) is the
        camera's pose. After a step of more than half a second back everybody starts anew.
        """
        t_s = self._advance(t_s)
        camera_m = T_world_cam[:3, 3]
        seen = sightings(people_cam, people2d, T_world_cam)
        expected = expect(self._known, t_s, camera_m)
        alike = overlap(seen)
        rows, columns, place = self._match(seen, expected, alike)
        update(self._known, rows, seen, columns, expected, place, T_world_cam)
        self._known.seen_s[rows] = t_s
        if seen.looked or some(t_s - self._known.looked_s[rows] >= _LOOK_EVERY_S):
            update_look(self._known, rows, seen.look()[columns], t_s)
        detection = np.full(len(self._known), -1, dtype=np.int64)
        detection[rows] = columns
        born = self._births(seen, columns, alike)
        if born.size:
            self._known = self._known.join(newcomers(seen, born, t_s))
            detection = np.concatenate([detection, born])
        detection = self._identify(seen, detection, t_s, camera_m)
        detection = self._dismiss(detection, t_s)
        tracks = show(self._known, self._leaving, seen, detection, t_s, self._settings.hold_s)
        if len(self._leaving):
            self._leaving = nobody()
        return tracks

    def _advance(self, t_s: float) -> float:
        """The time to use: never before the last, except after a jump back."""
        if t_s < self._t_s - _SMALL_STEP_BACK_S:
            self.reset()
            self._t_s = t_s
        self._t_s = max(self._t_s, t_s)
        return self._t_s

    def _match(self, seen: Sightings, expected: Expected, alike: F64) -> tuple[I64, I64, F64]:
        """Rows of known people, of the sightings that continue them, and how far off these are."""
        held = expected.away_s > _RETURN_S
        extra = _HELD_COST * held + _UNCONFIRMED_COST * ~self._known.shown
        cost = match_cost(self._known, expected, seen, extra)
        barred = self._known.gone[:, None] | (seen.person_score < self._settings.keep_score)
        pairs = settled(np.where(barred, np.inf, cost.least()), cost.span(), LIMIT)
        if pairs is None:
            exact = cost.exact(self._known, seen)
            pairs = assign(np.where(barred, np.inf, exact), LIMIT)
        rows, columns = self._without_doubles(*pairs, expected, alike)
        return rows, columns, cost.place[rows, columns]

    def _without_doubles(
        self, rows: I64, columns: I64, expected: Expected, alike: F64
    ) -> tuple[I64, I64]:
        """Of two people who are matched with one body, who was seen last keeps it."""
        known = self._known
        double = alike[columns[:, None], columns] > _SAME_BODY
        if np.count_nonzero(double) == np.count_nonzero(double.diagonal()):
            return rows, columns
        order = np.lexsort((known.born_s[rows], expected.away_s[rows], ~known.shown[rows]))
        rows, columns = rows[order], columns[order]
        same = np.tril(alike[np.ix_(columns, columns)] > _SAME_BODY, -1)
        single = ~same.any(axis=1)
        return rows[single], columns[single]

    def _births(self, seen: Sightings, taken: I64, alike: F64) -> I64:
        """Sightings of newcomers, surest first: placed, sure enough, on nobody else's body."""
        score = seen.person_score
        fit = seen.placed & (score >= self._settings.birth_score)
        fit[taken] = False
        if not some(fit):
            return np.zeros(0, dtype=np.int64)
        where = seen.root_m
        order = np.lexsort((where[:, 2], where[:, 0], -score))
        bodies = list(taken)
        born = []
        for i in order[fit[order]]:
            if not (alike[i, bodies] > _SAME_BODY).any():
                bodies.append(i)
                born.append(i)
        return np.array(born, dtype=np.int64)

    def _identify(self, seen: Sightings, detection: I64, t_s: float, camera_m: F64) -> I64:
        """Show newcomers who have been seen enough, under their old identity if they had one."""
        known, now = self._known, detection >= 0
        waiting = now & ~known.shown & ~known.gone
        if not some(waiting):
            return detection
        score = np.zeros(len(known))
        score[now] = seen.person_score[detection[now]]
        crowded = np.zeros(len(known), dtype=np.bool_)
        crowded[now] = within(seen, detection[known.shown & now])[detection[now]]
        wait_s = self._settings.confirm_s * np.where(crowded, _CROWDED_WAIT, 1.0)
        sure = (score >= self._settings.sure_score) & ~crowded
        new = np.flatnonzero(waiting & (sure | (t_s - known.born_s >= wait_s - _TIME_SLACK_S)))
        replaced = self._reclaim(new, t_s, camera_m)
        for row in new:
            self._settle(row)
        self._known = known.take(~replaced)
        return detection[~replaced]

    def _reclaim(self, new: I64, t_s: float, camera_m: F64) -> Bool:
        """Give newcomers the identities of people away near them; marks who is thereby replaced."""
        known = self._known
        replaced = np.zeros(len(known), dtype=np.bool_)
        away = np.flatnonzero((known.track_id >= 0) & (t_s - known.seen_s > _RETURN_S))
        if away.size == 0:
            return replaced
        gone = known.take(away)
        cost = return_cost(gone, expect(gone, t_s, camera_m), known.take(new))
        old, back = assign(cost, 1.0)
        known.track_id[new[back]] = gone.track_id[old]
        known.born_s[new[back]] = gone.born_s[old]
        known.slot[new[back]] = np.where(self._slot_is_free(gone, old), gone.slot[old], -1)
        replaced[away[old]] = True
        known.shown[away[old]] = False
        return replaced

    def _slot_is_free(self, gone: Known, old: I64) -> Bool:
        """Whether nobody else has taken the slots of those who return."""
        shown = self._known.shown
        taken = {
            (int(s), int(k))
            for s, k in zip(self._known.slot[shown], self._known.track_id[shown], strict=True)
        }
        return np.array(
            [not any(s == gone.slot[i] and k != gone.track_id[i] for s, k in taken) for i in old],
            dtype=np.bool_,
        )

    def _settle(self, row: int) -> None:
        """Identity and slot of somebody who is shown from now on."""
        known = self._known
        if known.track_id[row] < 0:
            known.track_id[row] = self._next_id
            self._next_id += 1
        if known.slot[row] < 0:
            used = set(known.slot[known.shown].tolist()) | set(self._leaving.slot.tolist())
            known.slot[row] = next(i for i in range(len(used) + 1) if i not in used)
        known.shown[row] = True

    def _dismiss(self, detection: I64, t_s: float) -> I64:
        """Let go of those who were away too long: shown people leave, then are forgotten."""
        known = self._known
        away_s = t_s - known.seen_s
        if not some(away_s > 0.0):
            return detection
        hold_s = hold_times(known, self._settings.hold_s)
        leaves = known.shown & (away_s > hold_s + _TIME_SLACK_S)
        if some(leaves):
            self._leaving = self._leaving.join(known.take(leaves))
            known.shown &= ~leaves
            known.gone |= leaves
        passing = ~known.shown & ~known.gone & (away_s > _MISS_S)
        forgotten = known.gone & (away_s > hold_s + self._settings.remember_s)
        stays = ~(passing | forgotten)
        if every(stays):
            return detection
        self._known = known.take(stays)
        return detection[stays]
