"""What the ground stage remembers of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool


@dataclass(slots=True)
class People:
    """What is remembered; one row per person, one column per foot."""

    track_id: I64  # (N,)
    place_m: F64  # (N, 3, 3) hips, left and right ankle as measured; NaN: new
    speed: F64  # (N, 3) of the same
    still_s: F64  # (N, 2)
    standing: Bool  # (N, 2)
    weight: F64  # (N, 2) of the lock
    anchor_m: F64  # (N, 2, 3) where the ankles stand
    pull_m: F64  # (N, 2, 3) by which legs reach for that place, and let go of it
    shift_m: F64  # (N, 3) from where people are measured to where they are shown
    loose_s: F64  # (N,) since a foot stood
    doubt_s: F64  # (N, 2) for which feet have seemed to leave
    knee_rad: F64  # (N, 2) by which legs that reach are bent more than as measured


FIELDS: Final = tuple(name for name in People.__slots__ if name != "track_id")
"""All but who it is."""


def newcomers(count: int) -> People:
    """Nothing is known of anybody yet."""
    return People(
        np.zeros(count, dtype=np.int64), np.full((count, 3, 3), np.nan), np.zeros((count, 3)),
        np.zeros((count, 2)), np.zeros((count, 2), dtype=np.bool_), np.zeros((count, 2)),
        np.zeros((count, 2, 3)), np.zeros((count, 2, 3)), np.zeros((count, 3)), np.zeros(count),
        np.zeros((count, 2)), np.zeros((count, 2)),
    )  # fmt: skip
