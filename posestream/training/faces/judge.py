"""How a face model does on people it was not fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posestream.perform.expressions import FaceModel
from posestream.training.faces.fit import Sitting, rows
from posestream.types import ARKIT_EXPRESSIONS


def report(model: FaceModel, held_out: Sequence[Sitting]) -> str:
    """A line for each expression, of plain portraits: raw estimates where it is 1, and where 0."""
    found = [rows(sitting, model.canonical, model.weight) for sitting in held_out]
    plain = np.concatenate([r.plain for r in found])
    raw = np.concatenate([r.x for r in found])[plain] @ model.matrix.T
    truth = np.concatenate([r.y for r in found])[plain]
    lines = ["people held out: mean where 1, 95 % of the rest below"]
    for index, name in enumerate(ARKIT_EXPRESSIONS):
        driven, rest = truth[:, index] > 0.99, truth[:, index] == 0.0
        high = float(np.mean(raw[driven, index])) if driven.any() else float("nan")
        low = float(np.percentile(np.abs(raw[rest, index]), 95)) if rest.any() else float("nan")
        lines.append(f"{name:<18} {high:5.2f} {low:5.2f}")
    return "\n".join(lines)
