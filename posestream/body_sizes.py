"""How large the person in each slot is, applied before identities are known.

Distance needs the size, identity needs the distance: so people are first recognised by where
the last frame's people were in the picture, and newcomers get the free slots in order.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.types import People2D, Tracks

_NEAR: Final = 0.5  # of a person's size in the picture: farther is somebody else


class SlotSizes:
    """Known sizes by slot and where everybody was last. Cheap where no size is known."""

    def __init__(self, scales: tuple[float, ...]) -> None:
        self._scales = scales
        self._middle_px = np.zeros((0, 2))
        self._slot: list[int] = []

    def of(self, people: People2D) -> F64 | None:
        """(N,) true sizes by the estimated ones; None where none is known."""
        if not self._scales:
            return None
        scale = np.ones(len(people))
        middle, size = _places(people)
        slots = self._recognised(middle, size)
        taken = {slot for slot in slots if slot is not None}
        free = (slot for slot in range(len(people) + len(self._scales)) if slot not in taken)
        for row, slot in enumerate(slots):
            place = next(free) if slot is None else slot
            scale[row] = self._scales[place] if place < len(self._scales) else 1.0
        return scale

    def remember(self, people: People2D, tracks: Tracks) -> None:
        """Who turned out to be whom."""
        if not self._scales:
            return
        middle, _ = _places(people)
        seen = tracks.detection >= 0
        self._middle_px = middle[tracks.detection[seen]]
        self._slot = tracks.slot[seen].tolist()

    def _recognised(self, middle: F64, size: F64) -> list[int | None]:
        """Slots, nearest pairs first."""
        slots: list[int | None] = [None] * len(middle)
        apart = np.linalg.norm(middle[:, None] - self._middle_px, axis=-1)
        apart = np.nan_to_num(apart / np.maximum(size, 1.0)[:, None], nan=np.inf)
        while apart.size and apart.min() < _NEAR:
            row, known = np.unravel_index(np.argmin(apart), apart.shape)
            slots[int(row)] = self._slot[int(known)]
            apart[row, :] = apart[:, known] = np.inf
        return slots


def _places(people: People2D) -> tuple[F64, F64]:
    """(N, 2) middle and (N,) longer side of the box of everybody's joints; NaN without any."""
    known = np.isfinite(people.xy_px).all(axis=-1)[..., None]
    low = np.where(known, people.xy_px, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known, people.xy_px, -np.inf).max(axis=1, initial=-np.inf)
    seen = known.any(axis=1)
    box = np.where(seen, high, np.nan), np.where(seen, low, np.nan)
    return 0.5 * (box[0] + box[1]), np.asarray((box[0] - box[1]).max(axis=-1, initial=0.0))
