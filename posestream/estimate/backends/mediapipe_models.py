"""MediaPipe's own pose models, prepared once per version in the user's cache folder.

The landmark model also computes a 256 x 256 segmentation mask that nothing here reads and
that takes almost half of its time. A copy without that branch is written from the wheel's
own file, on the user's machine; the graph's calculators need five outputs in fixed places,
so the mask's place is taken by the pose flag, which they never open as a mask.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from posestream.errors import BackendError

INSTALL = "python -m pip install 'posestream[mediapipe]'"
_MODELS = Path("mediapipe/modules")
_DETECTOR = _MODELS / "pose_detection/pose_detection.tflite"
_LANDMARKS = _MODELS / "pose_landmark/pose_landmark_full.tflite"
_MASK_SHAPE = [1, 256, 256, 1]
_FLAG_SHAPE = [1, 1]
_DIGEST = "sha256.txt"


def check() -> tuple[bool, str]:
    """Whether MediaPipe with its model files is installed; if not, what to do. Imports nothing."""
    try:
        distribution = importlib.metadata.distribution("mediapipe")
    except importlib.metadata.PackageNotFoundError:
        return False, f"MediaPipe is not installed: run {INSTALL}."
    for model in (_DETECTOR, _LANDMARKS):
        if not Path(str(distribution.locate_file(model))).is_file():
            return False, (
                f"MediaPipe {distribution.version} ships no pose models (0.10.21 is the last "
                f"that does): run {INSTALL}."
            )
    return True, f"MediaPipe {distribution.version}"


def resource_folder() -> Path:
    """The folder that holds ``mediapipe/modules/...`` with the prepared models.

    Written on first use, atomically; a damaged cache is written anew. Raises BackendError
    if MediaPipe is missing or nothing can be written.
    """
    ok, reason = check()
    if not ok:
        raise BackendError(reason)
    distribution = importlib.metadata.distribution("mediapipe")
    folder = cache_folder() / f"mediapipe-{distribution.version}"
    if not _is_intact(folder):
        _prepare(Path(str(distribution.locate_file("."))), folder)
    return folder


def cache_folder() -> Path:
    """Where this user's caches live: ``POSESTREAM_CACHE`` or the platform's own place.

    Raises BackendError where nobody says what the user's home is, as in some containers.
    """
    if override := os.environ.get("POSESTREAM_CACHE"):
        return Path(override)
    try:
        return _platforms_cache_folder()
    except RuntimeError:
        raise BackendError(
            "The models cannot be prepared because this user has no home folder: name a folder "
            "in the environment variable POSESTREAM_CACHE."
        ) from None


def _platforms_cache_folder() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return Path(base or Path.home() / "AppData/Local") / "posestream" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/posestream"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "posestream"


def _is_intact(folder: Path) -> bool:
    try:
        return (folder / _DIGEST).read_text() == _digest(folder)
    except OSError:
        return False


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for model in (_DETECTOR, _LANDMARKS):
        digest.update((folder / model).read_bytes())
    return digest.hexdigest()


def _prepare(wheel: Path, folder: Path) -> None:
    try:
        contents = {
            _DETECTOR: (wheel / _DETECTOR).read_bytes(),
            _LANDMARKS: without_mask((wheel / _LANDMARKS).read_bytes()),
        }
        for path, data in contents.items():
            _write_atomically(folder / path, data)
        _write_atomically(folder / _DIGEST, _digest(folder).encode())
    except OSError as error:
        raise BackendError(
            f"The models cannot be prepared in {folder} ({error.strerror}): free some space, or "
            "name another folder in the environment variable POSESTREAM_CACHE."
        ) from error


def _write_atomically(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def without_mask(model: bytes) -> bytes:
    """The landmark model (TFLite) without the operators that only its mask needs."""
    import flatbuffers  # type: ignore[import-untyped]
    from mediapipe.tasks.metadata import schema_py_generated as schema

    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    graph = tree.subgraphs[0]
    mask, flag = (_output(graph, shape) for shape in (_MASK_SHAPE, _FLAG_SHAPE))
    kept = [output for output in graph.outputs if output != mask]
    needed = _ancestors(graph, kept)
    graph.operators = [op for op in graph.operators if id(op) in needed]
    graph.outputs = [flag if output == mask else output for output in graph.outputs]
    tree.signatureDefs = None
    builder = flatbuffers.Builder(len(model) + 1024)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _output(graph: Any, shape: list[int]) -> int:
    matching = [o for o in graph.outputs if list(graph.tensors[o].shape) == shape]
    if len(matching) != 1:
        raise BackendError(f"This version of MediaPipe ships an unknown pose model: run {INSTALL}.")
    return int(matching[0])


def _ancestors(graph: Any, tensors: list[int]) -> set[int]:
    maker = {tensor: op for op in graph.operators for tensor in op.outputs}
    needed: set[int] = set()
    waiting = list(tensors)
    while waiting:
        op = maker.get(waiting.pop())
        if op is not None and id(op) not in needed:
            needed.add(id(op))
            waiting.extend(op.inputs)
    return needed
