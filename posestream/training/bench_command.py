"""``posestream bench --networks``: prints the figures."""

from __future__ import annotations

import json

from posestream.errors import BackendError


def bench_networks(*, as_json: bool) -> int:
    """Measure and print. Raises BackendError where torch or onnx is missing."""
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise BackendError(
            'Measuring networks needs torch and onnx: pip install "posestream[train]".'
        ) from error
    from posestream.evaluation.bench_chain import machine
    from posestream.training import bench_networks as networks

    result = {"machine": machine(), **networks.bench_networks()}
    print(json.dumps(result, indent=2) if as_json else networks.as_text(result))
    return 0
