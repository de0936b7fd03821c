"""Where scripted people go and what they do when: places and timetables, all smooth in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64

# Centre x, z and radii of an ellipse round it (metres), and the time for one round (seconds).
_CIRCLES: Final = ((-0.55, -4.6, 1.0, 0.8, 9.0), (0.55, -4.6, 1.0, 0.8, -10.0))
_PLACES: Final = ((1.45, -3.9), (-1.6, -3.9), (0.1, -3.6), (2.2, -5.2), (-2.3, -5.3), (0.9, -6.2))
_TO_AND_FRO: Final = (0.0, -5.9, 5.4, 0.35, 36.0)

_TIMETABLE_S: Final = 16.0
_WAVE_S: Final = (1.0, 5.0)
_SQUAT_S: Final = (6.5, 10.0)
_TURN_S: Final = (10.5, 15.5)
_EASE_S: Final = 0.8


@dataclass(frozen=True, slots=True)
class Paths:
    """Everybody's way over the floor; arrays are (N,)."""

    centre_m: F64  # (N, 2) x, z
    radius_m: F64  # (N, 2); zero for those who stand
    rate_rad_s: F64
    phase: F64
    performs: F64  # 1 for those who follow the timetable, else 0

    def place(self, t_s: F64) -> F64:
        """(N, 2) x and z on the floor at times ``t_s`` (N,)."""
        a = self.phase + self.rate_rad_s * t_s
        return np.asarray(self.centre_m + self.radius_m * np.stack([np.cos(a), np.sin(a)], -1))

    def heading_rad(self, t_s: F64) -> F64:
        """(N,) yaw: along the way for walkers; for those who stand, as the timetable says."""
        a = self.phase + self.rate_rad_s * t_s
        sign = np.where(self.rate_rad_s < 0.0, -1.0, 1.0)
        dx, dz = -self.radius_m[:, 0] * np.sin(a) * sign, self.radius_m[:, 1] * np.cos(a) * sign
        walking = self.radius_m[:, 0] > 0.0
        along = np.arctan2(np.where(walking, dx, 0.0), np.where(walking, dz, 1.0))
        return np.asarray(along + self.performs * 2.0 * np.pi * _once(self._time(t_s), *_TURN_S))

    def wave(self, t_s: F64) -> F64:
        """(N,) in [0, 1]: how far the right arm is raised to wave."""
        return self.performs * _during(self._time(t_s), *_WAVE_S)

    def squat(self, t_s: F64) -> F64:
        """(N,) in [0, 1]: how deep the knees are bent."""
        return self.performs * _during(self._time(t_s), *_SQUAT_S)

    def _time(self, t_s: F64) -> F64:
        """Each performer's time of day, so that not everybody does the same at once."""
        return np.asarray((t_s + self.phase * 2.0) % _TIMETABLE_S)


def make_paths(n: int, rng: np.random.Generator) -> Paths:
    """Two walkers on crossing circles, then people who stand; the last walks to and fro."""
    ways = np.zeros((n, 5))
    performs = np.zeros(n)
    for i in range(n):
        if i == n - 1:
            ways[i] = _TO_AND_FRO
        elif i % 4 < 2:
            ways[i] = _CIRCLES[i % 4]
            ways[i, 1] -= 1.6 * (i // 4)
        else:
            x, z = _PLACES[(i - i // 4 * 2 - 2) % len(_PLACES)]
            ways[i] = (x, z, 0.0, 0.0, np.inf)
            performs[i] = 1.0
    phase = rng.uniform(0.0, 0.8, n) + np.arange(n) * 1.1
    phase[-1:] = -0.5 * np.pi  # in the middle of its way at first
    return Paths(ways[:, :2], ways[:, 2:4], 2.0 * np.pi / ways[:, 4], phase, performs)


def smoothstep(x: F64) -> F64:
    """0 below 0, 1 above 1, level at both ends, in acceleration too."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * x * (x * (6.0 * x - 15.0) + 10.0))


def _during(t_s: F64, begin_s: float, end_s: float) -> F64:
    return smoothstep((t_s - begin_s) / _EASE_S) * smoothstep((end_s - t_s) / _EASE_S)


def _once(t_s: F64, begin_s: float, end_s: float) -> F64:
    return smoothstep((t_s - begin_s) / (end_s - begin_s))
