"""Back ends by name. A back end's libraries are imported when it is chosen, never before."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from posestream.errors import BackendError
from posestream.estimate.base import EstimateSettings, Estimator

if TYPE_CHECKING:
    from posestream.estimate.backends.hdnet import PatchEngine


class Availability(NamedTuple):
    """Whether a back end can be used on this machine, and if not, why and what to do."""

    name: str
    ok: bool
    reason: str


def create(name: str, settings: EstimateSettings, source_knows_truth: bool = False) -> Estimator:
    """The back end called ``name``; ``auto`` is ``fake`` for sources that carry the truth.

    With HDNet behind it, if the settings name its weights. Raises BackendError if there is no
    such back end, or its libraries or files are not there.
    """
    name = resolve(name, source_knows_truth)
    if name not in _MAKERS:
        known = ", ".join(["auto", *_MAKERS])
        raise BackendError(f"There is no back end called {name!r}: choose one of {known}.")
    hdnet = _make_hdnet(settings)  # first: it is quicker to refuse
    people = _MAKERS[name](settings)
    if hdnet is None:
        return people
    from posestream.estimate.backends.hdnet import HdnetEstimator

    return HdnetEstimator(people, hdnet, settings.hdnet)


def resolve(name: str, source_knows_truth: bool = False) -> str:
    """The back end that ``auto`` stands for; other names stay."""
    if name != "auto":
        return name
    return "fake" if source_knows_truth else "mediapipe"


def available(settings: EstimateSettings | None = None) -> list[Availability]:
    """Every back end and whether it can be used here with these settings. Loads no model."""
    settings = settings or EstimateSettings()
    return [Availability(name, *check(settings)) for name, check in _CHECKS.items()]


def check_hdnet(settings: EstimateSettings) -> Availability | None:
    """Whether HDNet can be used with these settings; None where it is off. Loads no model."""
    from posestream.estimate import weight_files

    try:
        file = weight_files.find_hdnet(settings.hdnet)
    except BackendError as error:
        return Availability("hdnet", False, str(error))
    if file is None:
        return None
    engine, library = ("torch", "torch") if _is_torch(file) else ("onnxruntime", "ONNX Runtime")
    if find_spec(engine) is None:
        return Availability("hdnet", False, f"{library} is missing: pip install {engine}.")
    return Availability("hdnet", True, str(file))


def _make_hdnet(settings: EstimateSettings) -> PatchEngine | None:
    found = check_hdnet(settings)
    if found is None:
        return None
    if not found.ok:
        raise BackendError(found.reason)
    s, file = settings.hdnet, Path(found.reason)
    if _is_torch(file):
        from posestream.estimate.backends.hdnet_torch import TorchPatches

        return TorchPatches(file, s.device, s.size_px, s.threads)
    from posestream.estimate.backends.hdnet_onnx import OnnxPatches

    return OnnxPatches(file, s.threads)


def _is_torch(file: Path) -> bool:
    return file.suffix == ".pt"


def _make_fake(settings: EstimateSettings) -> Estimator:
    from posestream.estimate.backends.fake import FakeEstimator

    return FakeEstimator(settings)


def _make_mediapipe(settings: EstimateSettings) -> Estimator:
    ok, reason = _check_mediapipe(settings)
    if not ok:
        raise BackendError(reason)
    from posestream.estimate.backends.mediapipe import MediapipeEstimator

    return MediapipeEstimator(settings)


def _make_rrmp(settings: EstimateSettings) -> Estimator:
    from posestream.estimate import weight_files
    from posestream.estimate.backends.onnx import OnnxEngine
    from posestream.estimate.backends.rrmp import RrmpEstimator

    s = settings.rrmp
    files = weight_files.find(s)
    engine = OnnxEngine(files.maps, files.head, s.threads, (s.width_px, s.height_px))
    return RrmpEstimator(engine, s.decode, settings.max_people, latency_goal_ms=s.latency_goal_ms)


def _make_torch(settings: EstimateSettings) -> Estimator:
    ok, reason = _check_torch(settings)
    if not ok:
        raise BackendError(reason)
    from posestream.estimate.backends.rrmp import RrmpEstimator
    from posestream.estimate.backends.torch import TorchEngine

    s = settings.rrmp
    engine = TorchEngine(Path(s.weights), s.device, (s.width_px, s.height_px), s.threads)
    return RrmpEstimator(
        engine, s.decode, settings.max_people, name="torch", latency_goal_ms=s.latency_goal_ms
    )


def _check_fake(_: EstimateSettings) -> tuple[bool, str]:
    return True, "hands on what the source itself knows"


def _check_mediapipe(_: EstimateSettings) -> tuple[bool, str]:
    from posestream.estimate.backends import mediapipe_models

    return mediapipe_models.check()


def _check_rrmp(settings: EstimateSettings) -> tuple[bool, str]:
    from posestream.estimate import weight_files

    if find_spec("onnxruntime") is None:
        return False, "ONNX Runtime is missing: pip install onnxruntime."
    try:
        files = weight_files.find(settings.rrmp)
    except BackendError as error:
        return False, str(error)
    return True, f"{files.maps}{', without distances' if files.head is None else ''}"


def _check_torch(settings: EstimateSettings) -> tuple[bool, str]:
    if find_spec("torch") is None:
        return False, "torch is missing: pip install torch (with CUDA, if you have such a card)."
    if not settings.rrmp.weights:
        return False, (
            "No .pt file is named: say which with --set estimate.rrmp.weights=FILE, or take "
            "--backend mediapipe."
        )
    return True, settings.rrmp.weights


_MAKERS: dict[str, Callable[[EstimateSettings], Estimator]] = {
    "mediapipe": _make_mediapipe,
    "rrmp": _make_rrmp,
    "torch": _make_torch,
    "fake": _make_fake,
}
_CHECKS: dict[str, Callable[[EstimateSettings], tuple[bool, str]]] = {
    "mediapipe": _check_mediapipe,
    "rrmp": _check_rrmp,
    "torch": _check_torch,
    "fake": _check_fake,
}
