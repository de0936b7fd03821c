"""Chooses how large a network's input is, so that a picture takes no longer than wanted."""

from __future__ import annotations

import statistics
from collections import deque
from typing import Final

_SCALES: Final = (1.0, 0.86, 0.72, 0.58)
_MULTIPLE_PX: Final = 32
_NEW: Final = 3  # pictures after a change that are not counted: engines plan anew
_TO_SHRINK: Final = 10  # pictures whose median decides
_TO_GROW, _MOST_TO_GROW = 90, 3600
_AT_A_TIME = 30  # pictures between two thoughts of growing
_SPARE: Final = 0.85  # of the goal that a larger input may be expected to take


class InputSize:
    """Steps between the full size and some 58 % of its sides.

    Shrinks soon and grows late: only when the larger size may be expected to fit with some
    room, and later each time that growing turned out to be too much.

    Args:
        full_px: width and height that are wanted.
        goal_ms: longest time of a picture in the median; 0: the size stays.
    """

    def __init__(self, full_px: tuple[int, int], goal_ms: float) -> None:
        self._sizes = [_scaled(full_px, scale) for scale in _SCALES] if goal_ms else [full_px]
        self._goal_ms = goal_ms
        self._level = 0
        self._new = 0
        self._grew = False
        self._to_grow = _TO_GROW
        self._counted = 0
        self._times_ms: deque[float] = deque(maxlen=_MOST_TO_GROW)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height for the next picture."""
        return self._sizes[self._level]

    def took(self, duration_ms: float) -> None:
        """A picture of ``size_px`` took so long."""
        if len(self._sizes) == 1:
            return
        if self._new:
            self._new -= 1
            return
        self._times_ms.append(duration_ms)
        self._counted += 1
        if self._is_slow():
            self._to_grow = min(self._to_grow * 2, _MOST_TO_GROW) if self._grew else self._to_grow
            self._go(+1)
        elif self._has_room():
            self._go(-1)

    def _is_slow(self) -> bool:
        enough = len(self._times_ms) >= _TO_SHRINK and self._level + 1 < len(self._sizes)
        return enough and self._median(_TO_SHRINK) > self._goal_ms

    def _has_room(self) -> bool:
        if self._level == 0 or self._counted < self._to_grow or self._counted % _AT_A_TIME:
            return False
        dearer = _area(self._sizes[self._level - 1]) / _area(self._sizes[self._level])
        return self._median(self._to_grow) * dearer < _SPARE * self._goal_ms

    def _median(self, count: int) -> float:
        return statistics.median(list(self._times_ms)[-count:])

    def _go(self, steps: int) -> None:
        self._level += steps
        self._grew = steps < 0
        self._new = _NEW
        self._counted = 0
        self._times_ms.clear()


def _scaled(full_px: tuple[int, int], scale: float) -> tuple[int, int]:
    if scale == 1.0:
        return full_px
    width, height = (max(round(n * scale / _MULTIPLE_PX), 2) * _MULTIPLE_PX for n in full_px)
    return min(width, full_px[0]), min(height, full_px[1])


def _area(size_px: tuple[int, int]) -> int:
    return size_px[0] * size_px[1]
