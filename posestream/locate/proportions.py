"""Each person's own proportions, from medians over what was seen of it so far."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64, I64
from posestream.skeleton.joints import JOINT, LIMBS, swap_sides

_MEMORY = 90  # samples kept of each person
_EVERY = 6  # samples between two medians
_LEAST_SCORE = 0.4
_ANKLE_HEIGHT_M = 0.085
_A, _B = (np.array([JOINT[limb[end]] for limb in LIMBS]) for end in (0, 1))
_INDEX = {limb: i for i, limb in enumerate(LIMBS)}
_TWIN = np.array([_INDEX.get((swap_sides(a), swap_sides(b)), i) for i, (a, b) in enumerate(LIMBS)])
"""Each limb's partner on the other side; limbs of the middle are their own."""
_THIGH = _INDEX["left_hip", "left_knee"]
_SHIN = _INDEX["left_knee", "left_ankle"]


class _Person:
    __slots__ = ("count", "lengths", "median")

    def __init__(self) -> None:
        self.lengths = np.full((_MEMORY, len(LIMBS)), np.nan)
        self.median = np.full(len(LIMBS), np.nan)
        self.count = 0


class Proportions:
    """Running lengths of ``skeleton.joints.LIMBS``, the same left and right. Memory is bounded
    per person; ``forget`` who has left."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}

    def __len__(self) -> int:
        return len(self._people)

    def update(self, track_id: I64, xyz_m: F64, score: F64) -> None:
        """Learn from joints (N, J, 3) in any rigid frame; limbs less sure than 0.4 are skipped."""
        lengths = np.linalg.norm(xyz_m[:, _A] - xyz_m[:, _B], axis=-1)
        sure = np.minimum(score[:, _A], score[:, _B]) >= _LEAST_SCORE
        lengths = np.where(sure, lengths, np.nan)
        for key, row in zip(track_id.tolist(), lengths, strict=True):
            person = self._people.setdefault(key, _Person())
            person.lengths[person.count % _MEMORY] = row
            person.count += 1
            if person.count <= 3 or person.count % _EVERY == 0:
                person.median = _symmetric_median(person.lengths[: person.count])

    def lengths_m(self, track_id: I64) -> F64:
        """(N, len(LIMBS)) metres; NaN for limbs never surely seen and people unknown."""
        unknown = np.full(len(LIMBS), np.nan)
        known = [
            self._people[k].median if k in self._people else unknown for k in track_id.tolist()
        ]
        return np.array(known).reshape(-1, len(LIMBS))

    def hip_height_m(self, track_id: I64, default_m: float = 0.92) -> F64:
        """(N,) height of the hips of each person standing upright, also if it has only sat."""
        lengths = self.lengths_m(track_id)
        height = lengths[:, _THIGH] + lengths[:, _SHIN] + _ANKLE_HEIGHT_M
        return np.where(np.isfinite(height), height, default_m)

    def forget(self, track_id: I64) -> None:
        """Drop what is known of these people."""
        for key in track_id.tolist():
            self._people.pop(key, None)


def _symmetric_median(lengths: F64) -> F64:
    """(L,) medians over both sides' samples together; NaN where there are none."""
    both = np.concatenate([lengths, lengths[:, _TWIN]])
    known = np.isfinite(both)
    count = known.sum(axis=0)
    ordered = np.sort(np.where(known, both, np.inf), axis=0)
    columns = np.arange(both.shape[1])
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, len(both) - 1)
    with np.errstate(invalid="ignore"):
        median = 0.5 * (ordered[low, columns] + ordered[high, columns])
    return np.where(count > 0, median, np.nan)
