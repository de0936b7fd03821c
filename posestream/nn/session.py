"""ONNX Runtime sessions. No torch here: what runs live uses this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posestream.errors import BackendError


def open_session(path: Path, threads: int = 2) -> Any:
    """A session on the CPU; ``threads`` 0: as many as there are cores.

    Between runs its threads sleep. By default they would go on spinning for a while and take the
    cores from whatever runs next: a second session, the stages after the network, a game.

    Raises BackendError if ONNX Runtime is not installed or cannot read the file.
    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise BackendError("ONNX Runtime is missing: pip install onnxruntime.") from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise BackendError(f"{path} is not a model that ONNX Runtime can read.") from error
