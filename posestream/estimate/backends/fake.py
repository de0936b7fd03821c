"""The truth that the source itself carries: for tests, and to run without any model."""

from __future__ import annotations

from dataclasses import dataclass

from posestream.errors import BackendError
from posestream.estimate.base import EstimateSettings
from posestream.types import Estimate, Frame


@dataclass(slots=True)
class FakeEstimator:
    """Hands on ``frame.truth``."""

    settings: EstimateSettings
    name: str = "fake"

    def estimate(self, frame: Frame) -> Estimate:
        """The frame's own people. Raises BackendError if it knows none."""
        if frame.truth is None:
            raise BackendError(
                "The fake back end needs a source that knows its people, such as synthetic: — "
                "choose --backend mediapipe for pictures."
            )
        return frame.truth

    def close(self) -> None:
        """Nothing to release."""
