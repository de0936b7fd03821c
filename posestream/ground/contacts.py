"""Which feet stand: slow, low and seen, with hysteresis.

Distance is what one camera measures worst, so a foot's speed along the line of sight counts
for less than across it: a foot that stays at its place in the picture stands, however the
distance of its person flickers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import dot

_SPEED_S: Final = np.array([0.1, 0.03, 0.03])  # over which those of hips and feet are taken
_ALONG: Final = 0.2  # how much of the speed along the line of sight counts
_RISING: Final = np.array([1.0, 1.9, 1.0])  # who jumps is to leave the floor at once
_ENTER_M_S, _LEAVE_M_S = 1.2, 1.5
_ENTER_ABOVE_M, _LEAVE_ABOVE_M = 0.05, 0.07  # above the lower foot
_NEAR_FLOOR_M: Final = 0.06
_STILL_S, _STILL_CALM_S = 0.02, 0.1
_STILL_HIGH_S: Final = 0.2  # at the top of a jump feet rest for less than 0.1 s
_LOST_M: Final = np.array([0.15, 0.4])  # so far from its place a foot no longer stands there
_PATIENCE_S: Final = 0.4
"""Estimates of feet jump and drift by as much as a step is long. Where hips hardly move, a foot
that is not raised is let go only once it has been seen to leave for so long."""


@dataclass(slots=True)
class Feet:
    """What this frame says of N people's feet, left and right."""

    moved_m: F64  # (N, 3, 3) of hips, left and right ankle since the last frame, as measured
    ankle_m: F64  # (N, 2, 3) as measured
    fall_m: F64  # (N, 2, 3) from ankle to ball of the foot
    tilt_m: F64  # (N, 2) how much higher the ball is than a flat foot's
    rest_m: F64  # (N, 2) height of the ankle while the foot is on the floor
    above_m: F64  # (N, 2) of the foot above the floor, as last shown
    ray: F64  # (N, 3, 3) unit, from the camera to hips, left and right ankle
    range_m: F64  # (N, 3) from the camera
    known: Bool  # (N, 2) seen in this frame
    stands: Bool  # (N,) upright on stretched legs


def speeds(moved_m: F64, ray: F64, dt_s: float) -> F64:
    """(N, 3) m/s, what is along the line of sight counting less, upright more."""
    return np.asarray(np.sqrt(_squared(moved_m * _RISING, ray)) * (1.0 / max(dt_s, 1e-3)))


def _squared(moved_m: F64, ray: F64) -> F64:
    along = dot(moved_m, ray)
    return np.asarray(dot(moved_m, moved_m) - (1.0 - _ALONG**2) * along * along)


def smoothed(old: F64, new: F64, dt_s: float) -> F64:
    """Speeds (N, 3) over the last moments."""
    return np.asarray(new + (old - new) * np.exp(-dt_s / _SPEED_S))


def still_for(still_s: F64, speed: F64, dt_s: float) -> F64:
    """(N, 2) seconds for which each foot has been slow."""
    return np.where(speed < _ENTER_M_S, still_s + dt_s, 0.0)


def _wait_s(calm: F64) -> F64:
    """(N,) for which a foot near the floor is slow until it stands: runners stand for 0.1 s."""
    return np.asarray(_STILL_S + (_STILL_CALM_S - _STILL_S) * calm)


def contacts(
    feet: Feet, before: Bool, speed: F64, still_s: F64, gap_m: F64, doubt: tuple[F64, F64, float]
) -> tuple[Bool, F64]:
    """(N, 2) which feet stand, and (N, 2) for how long they have seemed to leave.

    Args:
        feet: of this frame.
        before: (N, 2) which stood in the last frame.
        speed: (N, 2) m/s.
        still_s: (N, 2) how long each foot has been slow.
        gap_m: (N, 2, 3) from where a foot is to the place where it stood.
        doubt: (N, 2) seconds for which feet have seemed to leave, (N,) how calm hips are, from 0
            to 1, and the seconds since the last frame.
    """
    doubt_s, calm, dt_s = doubt
    raised = feet.above_m - feet.above_m[:, ::-1]  # less than nothing: the lower foot
    near = np.abs(feet.above_m) < _NEAR_FLOOR_M
    wait_s = np.where(near, _wait_s(calm)[:, None], _STILL_HIGH_S)
    begins = (still_s >= wait_s) & (raised < _ENTER_ABOVE_M) & (near | feet.stands[:, None])
    lost_m = (_LOST_M[0] + (_LOST_M[1] - _LOST_M[0]) * calm)[:, None]
    near = _squared(gap_m, feet.ray[:, 1:]) < lost_m * lost_m
    doubt_s = np.where(speed < _LEAVE_M_S, 0.0, doubt_s + dt_s)
    stays = doubt_s <= (_PATIENCE_S * calm)[:, None]
    goes_on = stays & (raised < _LEAVE_ABOVE_M) & near
    return np.asarray(feet.known & np.where(before, goes_on, begins)), doubt_s
