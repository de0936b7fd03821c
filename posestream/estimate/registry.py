"""Back ends by name. A back end's libraries are imported when it is chosen, never before."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from posestream.errors import BackendError
from posestream.estimate.base import EstimateSettings, Estimator


class Availability(NamedTuple):
    """Whether a back end can be used on this machine, and if not, why and what to do."""

    name: str
    ok: bool
    reason: str


def create(name: str, settings: EstimateSettings, source_knows_truth: bool = False) -> Estimator:
    """The back end called ``name``; ``auto`` is ``fake`` for sources that carry the truth.

    Raises BackendError if there is no such back end, or its libraries are not installed.
    """
    name = resolve(name, source_knows_truth)
    if name not in _MAKERS:
        known = ", ".join(["auto", *_MAKERS])
        raise BackendError(f"There is no back end called {name!r}: choose one of {known}.")
    return _MAKERS[name](settings)


def resolve(name: str, source_knows_truth: bool = False) -> str:
    """The back end that ``auto`` stands for; other names stay."""
    if name != "auto":
        return name
    return "fake" if source_knows_truth else "mediapipe"


def available() -> list[Availability]:
    """Every back end and whether it can be used here. Loads no model."""
    return [Availability(name, *check()) for name, check in _CHECKS.items()]


def _make_fake(settings: EstimateSettings) -> Estimator:
    from posestream.estimate.backends.fake import FakeEstimator

    return FakeEstimator(settings)


def _make_mediapipe(settings: EstimateSettings) -> Estimator:
    ok, reason = _check_mediapipe()
    if not ok:
        raise BackendError(reason)
    from posestream.estimate.backends.mediapipe import MediapipeEstimator

    return MediapipeEstimator(settings)


def _check_fake() -> tuple[bool, str]:
    return True, "hands on what the source itself knows"


def _check_mediapipe() -> tuple[bool, str]:
    from posestream.estimate.backends import mediapipe_models

    return mediapipe_models.check()


_MAKERS: dict[str, Callable[[EstimateSettings], Estimator]] = {
    "mediapipe": _make_mediapipe,
    "fake": _make_fake,
}
_CHECKS: dict[str, Callable[[], tuple[bool, str]]] = {
    "mediapipe": _check_mediapipe,
    "fake": _check_fake,
}
