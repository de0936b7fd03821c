"""What happens when a frame cannot be worked on: people are held, models made anew, or the end.

A network that fails once (a driver hiccup, a picture that it cannot take) costs one frame.
One that goes on failing is loaded again, because a lost GPU or a broken session does not come
back by itself. If that does not help either, the run ends and says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from posestream.errors import BackendError, PosestreamError
from posestream.estimate.base import Estimator
from posestream.pipeline import Look, Pipeline
from posestream.types import AvatarFrame, Estimate, Frame

log = logging.getLogger(__name__)

_RENEW_AFTER: Final = 3
_GIVE_UP_AFTER: Final = 10


class RenewableEstimator:
    """Another estimator that is made anew each time it has failed several times in a row."""

    def __init__(self, make: Callable[[], Estimator]) -> None:
        self._make = make
        self._inner: Estimator | None = make()
        self._failures = 0
        self.name = self._inner.name

    @property
    def input_px(self) -> tuple[int, int] | None:
        """Width and height of what the network gets, where that may change."""
        return getattr(self._inner, "input_px", None)

    def estimate(self, frame: Frame) -> Estimate:
        """Everybody in the picture. Raises what the engine raises."""
        try:
            if self._inner is None:
                self._inner = self._make()
            estimate = self._inner.estimate(frame)
        except Exception:
            self._failures += 1
            if self._failures % _RENEW_AFTER == 0:
                self.close()
            raise
        self._failures = 0
        return estimate

    def close(self) -> None:
        """Release models and threads. May be called twice."""
        inner, self._inner = self._inner, None
        if inner is not None:
            with suppress(Exception):  # what is broken already may also fail to close
                inner.close()


class StepGuard:
    """Takes frames through a pipeline; ``on_failure`` hears a sentence when failures begin."""

    def __init__(self, pipeline: Pipeline, on_failure: Callable[[str], None]) -> None:
        self._pipeline = pipeline
        self._on_failure = on_failure
        self._in_a_row = 0
        self.failures = 0

    def step(self, frame: Frame, look: Callable[[], Look] | None = None) -> AvatarFrame:
        """Everybody's avatar; where the frame cannot be worked on, everybody is held.

        ``look`` gives or raises what came of the frame's estimation, where that ran ahead.
        Raises PosestreamError after many failures in a row.
        """
        try:
            if look is None:
                avatars = self._pipeline.step(frame)
            else:
                avatars = self._pipeline.follow(frame, look())
        except Exception as error:
            self._failed(error)
            return self._pipeline.coast(frame)
        if self._in_a_row:
            log.warning("The pipeline works again after %d failed frames.", self._in_a_row)
            self._in_a_row = 0
        return avatars

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self._in_a_row += 1
        if self._in_a_row >= _GIVE_UP_AFTER:
            raise _final(error) from error
        if self._in_a_row == 1:
            log.info("a frame failed", exc_info=error)
            self._on_failure(f"A frame could not be worked on ({_said(error)}); trying on.")


def _said(error: Exception) -> str:
    return str(error).rstrip(".") if isinstance(error, PosestreamError) else repr(error)


def _final(error: Exception) -> PosestreamError:
    if isinstance(error, PosestreamError):
        return error
    return BackendError(
        f"{_GIVE_UP_AFTER} frames in a row could not be worked on ({error!r}): start again with "
        "-v and report what it prints, or choose another --backend."
    )
