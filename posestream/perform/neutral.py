"""The performer's own neutral face: learnt from the first calm moments, or when asked to."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.perform.expressions import Neutral, mouth
from posestream.perform.face_features import features, opening
from posestream.perform.face_frame import PlacedFace

_FRONTAL_RAD: Final = float(np.radians(35.0))
_CALM: Final = 0.02
"""Features that differ by less in their mean deviation are calm; speech differs by more."""
_OPEN: Final = 0.12
"""Eyes that are open less are closed, and no neutral face."""
_LEAST: Final = 6  # looks
_GIVE_UP: Final = 4.0
"""After so many times the calm seconds the calmest face is taken, however lively it was."""


class NeutralFace:
    """Collects faces until it knows the neutral one."""

    def __init__(self, calm_s: float) -> None:
        self.calm_s = calm_s
        self.face: Neutral | None = None
        self._recent: deque[tuple[float, F64, F64, float]] = deque()
        self._since_s: float | None = None

    def learn_again(self) -> None:
        """Forget the neutral face; the next calm moments decide."""
        self.face, self._since_s = None, None
        self._recent.clear()

    def see(self, t_s: float, face: PlacedFace, values: F64) -> None:
        """One look at a face with its features (F,); does nothing once the neutral is known."""
        turn = face.turn_xyzw
        if self.face is not None or rot.angle_between(turn, rot.IDENTITY) > _FRONTAL_RAD:
            return
        if opening(values) < _OPEN:  # a blink is no change of the neutral face
            return
        if self._since_s is None:
            self._since_s = t_s
        self._recent.append((t_s, values, turn, mouth(face.point)[0]))
        while t_s - self._recent[0][0] > self.calm_s:
            self._recent.popleft()
        if t_s - self._since_s >= 0.9 * self.calm_s and len(self._recent) >= _LEAST:
            self._decide(t_s - self._since_s > _GIVE_UP * self.calm_s)

    def _decide(self, at_any_rate: bool) -> None:
        seen = np.stack([values for _, values, _, _ in self._recent])
        middle = np.median(seen, axis=0)
        if np.abs(seen - middle).mean(axis=0).max() > _CALM and not at_any_rate:
            return
        turns = np.stack([turn for _, _, turn, _ in self._recent])
        mean = rot.normalize(rot.same_hemisphere(turns, turns[0]).mean(axis=0))
        width = float(np.median([entry[3] for entry in self._recent]))
        self.face = Neutral(middle, mean, width)
        self._recent.clear()


def neutral_of(face: PlacedFace) -> Neutral:
    """One face taken as the neutral one."""
    return Neutral(features(face.point), face.turn_xyzw, mouth(face.point)[0])
