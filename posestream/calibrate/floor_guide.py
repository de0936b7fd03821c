"""Where the camera stands, from people who stand or walk, or from a marker on the floor."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.calibrate.advice import Advice
from posestream.calibrate.stored import StoredFloor
from posestream.errors import CaptureError
from posestream.locate.floor import fit_floor, pitch_roll
from posestream.locate.standing import standing_samples
from posestream.types import PeopleCam

_INTERVAL_S: Final = 0.066
_WANTED: Final = 150  # samples: ten seconds of one person
_FEWEST: Final = 15
_MAX_LEAN: Final = np.cos(np.radians(40.0))
_WORST_FOOT_M: Final = 0.15
_WORST_LEAN_DEG: Final = 15.0
_ACROSS_M: Final = 0.5  # feet that lie so far apart tell of the floor's slope by themselves
_MOST: Final = 3000


class FloorFit(NamedTuple):
    """The camera's place and how well what was seen agrees on it."""

    floor: StoredFloor
    samples: int
    off_m: float  # median distance of feet, or of markers' planes, from the floor


class PeopleFloorGuide:
    """Collects where standing people's feet are and how their bodies point."""

    def __init__(self) -> None:
        self._ups: list[F64] = []
        self._feet: list[F64] = []
        self._count = 0
        self._sampled_s = -np.inf

    def offer(self, people: PeopleCam, t_s: float) -> Advice:
        """Learn from everybody in a picture who stands or walks with both legs in view."""
        if not len(people):
            return self._advice("Step into the picture, far enough away to be seen whole.", False)
        ups, feet = standing_samples(people)
        if not len(ups):
            return self._advice("Stand upright, with both feet in the picture.", False)
        if t_s - self._sampled_s >= _INTERVAL_S and self._count < _MOST:
            self._sampled_s = t_s
            self._ups.append(ups)
            self._feet.append(feet)
            self._count += len(ups)
        where = np.concatenate(self._feet).mean(axis=1)
        if self._count > _FEWEST and np.ptp(where, axis=0).max() < _ACROSS_M:
            return self._advice("Walk about: to the left, to the right, nearer and back.", True)
        return self._advice("Good: go on standing or walking about.", True)

    def finish(self) -> FloorFit:
        """The camera's place. Raises CaptureError where nobody stood, or feet contradict it."""
        if self._count < _FEWEST:
            raise CaptureError(
                "Nobody was seen standing with both feet in the picture for long enough: step back "
                "until you are seen whole, and walk about for ten seconds."
            )
        ups, feet = np.concatenate(self._ups), np.concatenate(self._feet)
        up, _ = fit_floor(ups, feet)
        upright = ups @ up > _MAX_LEAN
        up, height_m = fit_floor(ups[upright], feet[upright])
        lower = np.sort(feet[upright] @ up, axis=1)[:, 0]
        off_m = float(np.median(np.abs(lower + height_m)))
        lean_deg = np.degrees(np.arccos(np.clip(ups @ up, -1.0, 1.0)))
        if off_m > _WORST_FOOT_M or float(np.median(lean_deg)) > _WORST_LEAN_DEG:
            raise CaptureError(
                "The feet do not lie on one floor: let the camera stand still, and let people "
                "walk on level ground without steps or chairs."
            )
        return FloorFit(stored_floor(up, height_m), int(upright.sum()), off_m)

    def _advice(self, text: str, seen: bool) -> Advice:
        share = min(self._count / _WANTED, 1.0)
        return Advice("That is enough." if share == 1.0 else text, share, share == 1.0, seen)


def stored_floor(up_cam: F64, height_m: float) -> StoredFloor:
    """The same in the words of the settings. Raises CaptureError where no camera stands so."""
    pitch_deg, roll_deg = np.degrees(pitch_roll(up_cam))
    if not (0.0 <= height_m <= 20.0 and abs(pitch_deg) <= 89.0):
        raise CaptureError(
            f"The camera would stand {height_m:.1f} m above the floor and look {pitch_deg:.0f} "
            "degrees upwards: check its field of view (posestream calibrate camera) and try again."
        )
    return StoredFloor(
        height_m=round(float(height_m), 4),
        pitch_deg=round(float(pitch_deg), 3),
        roll_deg=round(float(roll_deg), 3),
    )
