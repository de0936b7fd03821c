"""A person's proportions and true size from a T-pose or a few seconds of movement."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, Bool
from posestream.calibrate.advice import Advice
from posestream.errors import CaptureError
from posestream.retarget.body import NUM_GROUPS, measured_ratios, stature_m
from posestream.retarget.observe import observe
from posestream.types import People2D, PeopleRoot

HEIGHT_M: Final = (0.4, 2.6)
_SCALE: Final = (0.6, 1.6)  # of estimated bodies: beyond it the height was mistyped
_WANTED: Final = 90  # pictures in which a part is seen
_FEWEST: Final = 15
_MIN_SCORE: Final = 0.4
_ARMS: Final = (0, 1)
_LEGS: Final = (2, 3)
_TRUNK: Final = (4, 5, 6)
_WORST_SPREAD: Final = 0.2  # of lengths that should always be the same
_NEEDED: Final = (*_ARMS, *_LEGS, *_TRUNK)


class BodyFit(NamedTuple):
    """One person's proportions as the back end sees them, and what makes them true."""

    ratios: tuple[float, ...]  # of bone lengths to our skeleton's, as estimated
    estimated_m: float  # stature by them
    scale: float  # true by estimated; 1 where the true height is not known
    samples: int


class BodyGuide:
    """Watches one person: the one who is seen largest."""

    def __init__(self) -> None:
        self._ratio: list[F64] = []
        self._known: list[Bool] = []

    def offer(self, people: People2D, root3d: PeopleRoot) -> Advice:
        """Learn from one picture's people. The arrays' rows are the same people."""
        row = _largest(people)
        if row is None:
            return self._advice("Step into the picture, far enough away to be seen whole.", False)
        # bone lengths are the same in every frame of reference
        one = slice(row, row + 1)
        seen = observe(root3d.xyz_root_m[one], people.score[one], _MIN_SCORE)
        ratio, known = measured_ratios(seen)
        self._ratio.append(ratio[0])
        self._known.append(known[0])
        return self._advice(self._next(), bool(known.any()))

    def finish(self, height_m: float | None = None) -> BodyFit:
        """Proportions, and the size that makes the person ``height_m`` tall.

        Raises CaptureError where too little of the body was seen or it never looked the same,
        and where that height cannot be this person's.
        """
        count = self._counts()
        missing = [group for group in _NEEDED if count[group] < _FEWEST]
        if missing:
            raise CaptureError(
                f"{_unseen(missing)}: step back and stand in a T-pose in good light."
            )
        known = np.array(self._known)
        values = np.where(known, np.array(self._ratio), np.nan)
        middle = np.array(
            [np.nanmedian(values[:, g]) if count[g] else 1.0 for g in range(NUM_GROUPS)]
        )
        off = np.nanmedian(np.abs(values[:, _NEEDED] / middle[list(_NEEDED)] - 1.0), axis=0)
        if off.max() > _WORST_SPREAD:
            raise CaptureError(
                "The body looks different in every picture: let one person alone be in the "
                "picture, and move slowly."
            )
        estimated_m = float(stature_m(middle[None], np.minimum(count, 1.0)[None])[0])
        full = np.where(count > 0, middle, middle[list(_NEEDED)].mean())
        scale = 1.0 if height_m is None else _true_scale(height_m, estimated_m)
        return BodyFit(tuple(full.tolist()), estimated_m, scale, len(self._ratio))

    def _counts(self) -> F64:
        """(G,) in how many pictures each part was seen."""
        if not self._known:
            return np.zeros(NUM_GROUPS)
        return np.asarray(np.array(self._known).sum(axis=0), dtype=np.float64)

    def _next(self) -> str:
        count = self._counts()
        if count[list(_LEGS)].min() < 0.5 * len(self._known):
            return "Step back until your feet are in the picture."
        if count[list(_ARMS)].min() < 0.5 * len(self._known):
            return "Stretch both arms out to the sides, as in a T."
        return "Good: stay in the T-pose, or turn and walk slowly."

    def _advice(self, text: str, seen: bool) -> Advice:
        share = min(float(self._counts()[list(_NEEDED)].min()) / _WANTED, 1.0)
        return Advice("That is enough." if share == 1.0 else text, share, share == 1.0, seen)


def check_height(height_m: float) -> float:
    """A person's height in metres. Raises CaptureError where nobody is so tall."""
    if not HEIGHT_M[0] <= height_m <= HEIGHT_M[1]:
        raise CaptureError(
            f"A height of {height_m:g} m is nobody's: give it in metres, such as --height 1.72."
        )
    return height_m


def _true_scale(height_m: float, estimated_m: float) -> float:
    scale = check_height(height_m) / estimated_m
    if not _SCALE[0] <= scale <= _SCALE[1]:
        raise CaptureError(
            f"The person looks {estimated_m:.2f} m tall, which cannot be {height_m:.2f} m: check "
            "the height, and that the right person stands in front."
        )
    return scale


def _largest(people: People2D) -> int | None:
    if not len(people):
        return None
    known = np.isfinite(people.xy_px).all(axis=-1) & (people.score >= _MIN_SCORE)
    y = people.xy_px[..., 1]
    low, high = np.where(known, y, np.inf).min(axis=1), np.where(known, y, -np.inf).max(axis=1)
    tall = np.where(known.any(axis=1), high - low, -1.0)
    return int(np.argmax(tall)) if tall.max() > 0.0 else None


def _unseen(groups: list[int]) -> str:
    if any(group in _LEGS for group in groups):
        return "The legs were not seen for long enough"
    if any(group in _ARMS for group in groups):
        return "The arms were not seen for long enough"
    return "Nobody's body was seen for long enough"
