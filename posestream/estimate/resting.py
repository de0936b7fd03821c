"""Looks less often while nobody is there and the picture does not change.

A room that stands empty would otherwise cost as much as one full of people. Whoever steps in
changes the picture, and is looked for in that very frame; a change too faint to be noticed
waits for the next regular look.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import Image
from posestream.estimate.base import Estimator
from posestream.types import Estimate, Frame

REST_AFTER_S: Final = 2.0
"""Nobody for so long before it rests: who was lost is looked for at full rate."""

_ROWS, _COLUMNS = 18, 32
_LINES = 240  # or more, of the shorter side, that are looked at
_NOTICED: Final = 4.0  # levels of 255 of a block's mean; a camera's noise is below 1


class RestingEstimator:
    """Another estimator, asked ``rest_hz`` times a second while nothing is to be seen.

    Goes by the frames' own times, so that the same frames give the same answers.
    """

    def __init__(self, inner: Estimator, rest_hz: float) -> None:
        self._inner = inner
        self._period_ns = int(1e9 / rest_hz)
        self._nobody: Estimate | None = None  # the last answer, where it was nobody
        self._alone_since_ns = self._looked_ns = 0
        self._blocks: NDArray[np.float32] | None = None  # of the picture that was looked at last
        self.name = inner.name
        self.rested = 0  # frames that were not looked at

    @property
    def input_px(self) -> tuple[int, int] | None:
        """See the inner one."""
        return getattr(self._inner, "input_px", None)

    def estimate(self, frame: Frame) -> Estimate:
        """Everybody in the picture. Raises what the engine raises."""
        if self._nobody is not None and self._may_rest(frame):
            self.rested += 1
            return self._nobody
        estimate = self._inner.estimate(frame)
        self._looked(frame, estimate)
        return estimate

    def close(self) -> None:
        """Release the inner one. May be called twice."""
        self._inner.close()

    def _may_rest(self, frame: Frame) -> bool:
        now_ns = frame.t_capture_ns
        tired = now_ns - self._alone_since_ns >= REST_AFTER_S * 1e9
        if not (tired and 0 <= now_ns - self._looked_ns < self._period_ns):
            return False
        blocks = block_means(frame.image)
        if self._blocks is None:  # the first one to compare with
            self._blocks = blocks
            return False
        return bool(np.abs(blocks - self._blocks).max() < _NOTICED)

    def _looked(self, frame: Frame, estimate: Estimate) -> None:
        if len(estimate.people2d):
            self._nobody = None
            return
        alone = self._nobody is not None and frame.t_capture_ns >= self._looked_ns
        if not alone:
            self._alone_since_ns = frame.t_capture_ns
        self._nobody, self._looked_ns = estimate, frame.t_capture_ns
        resting = frame.t_capture_ns - self._alone_since_ns >= REST_AFTER_S * 1e9
        self._blocks = block_means(frame.image) if resting else None


def block_means(picture: Image) -> NDArray[np.float32]:
    """Mean colour (18, 32, 3) of blocks of the picture, or of fewer where it is smaller."""
    every = max(min(picture.shape[:2]) // _LINES, 1)
    some = picture[::every, ::every]
    rows, columns = min(_ROWS, some.shape[0]), min(_COLUMNS, some.shape[1])
    high, wide = some.shape[0] // rows, some.shape[1] // columns
    whole = some[: rows * high, : columns * wide]
    blocks = whole.reshape(rows, high, columns, wide, -1)
    means: NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return means
