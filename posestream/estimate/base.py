"""What every estimation back end offers, and the settings they share."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import msgspec

from posestream.estimate.network_settings import HdnetSettings, RrmpSettings
from posestream.types import Estimate, Frame

BackendName = Literal["auto", "mediapipe", "rrmp", "torch", "fake"]


class EstimateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people are found in a picture."""

    backend: Annotated[
        BackendName,
        msgspec.Meta(description="Engine: auto takes the source's own truth, else MediaPipe."),
    ] = "auto"
    max_people: Annotated[
        int, msgspec.Meta(ge=1, le=16, description="At most this many people are reported.")
    ] = 4
    min_detection: Annotated[
        float,
        msgspec.Meta(ge=0.5, le=1.0, description="Least confidence that a person is there."),
    ] = 0.55
    min_presence: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=1.0, description="Least mean confidence of the joints in view."),
    ] = 0.45
    detect_every: Annotated[
        int,
        msgspec.Meta(ge=1, le=60, description="Look for new people in every n-th frame."),
    ] = 3
    rest_hz: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=60.0, description="Looks per second into empty rooms; 0: all."),
    ] = 5.0
    overlap: Annotated[
        bool,
        msgspec.Meta(description="Estimate the next picture while this one's people are moved."),
    ] = False
    threads: Annotated[
        int, msgspec.Meta(ge=0, le=16, description="People worked on at once; 0: by cores.")
    ] = 0
    rrmp: RrmpSettings = RrmpSettings()
    hdnet: HdnetSettings = HdnetSettings()


class Estimator(Protocol):
    """An engine that finds people. Not thread-safe: one thread owns it."""

    name: str

    def estimate(self, frame: Frame) -> Estimate:
        """Everybody in the picture; nobody is an ordinary answer.

        Raises BackendError if the engine fails.
        """
        ...

    def close(self) -> None:
        """Release models and threads. May be called twice."""
        ...
