"""Prediction: where people will be a moment later, from their smoothed velocity.

Bounded, so that a wild velocity cannot throw anybody; zero seconds change nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.smooth import tangent

_MAX_M: Final = 0.15
_MAX_RAD: Final = 0.35


def predict_vectors(x: F64, velocity: F64, predict_s: float) -> F64:
    """x (3, M) after ``predict_s`` at velocity (3, M), at most 15 cm away."""
    if predict_s == 0.0:
        return x
    return np.asarray(x + _bounded(velocity * predict_s, _MAX_M))


def predict_rotations(q: F64, velocity: F64, predict_s: float) -> F64:
    """q (4, M) after ``predict_s`` at velocity (3, M) in its own axes, at most 20° away."""
    if predict_s == 0.0:
        return q
    return tangent.product(q, tangent.exp(_bounded(velocity * predict_s, _MAX_RAD)))


def _bounded(step: F64, limit: float) -> F64:
    """Shortened softly: small steps stay, no step is longer than ``limit``."""
    return np.asarray(step / np.sqrt(1.0 + (tangent.length(step) / limit) ** 2))
