"""A network of one hidden layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posestream.arrays import F64


@dataclass(frozen=True, slots=True, eq=False)
class SmallNetwork:
    """tanh(x W₁ + b₁) W₂ + b₂."""

    w1: F64  # (F, H)
    b1: F64  # (H,)
    w2: F64  # (H, E)
    b2: F64  # (E,)

    def __call__(self, x: F64) -> F64:
        """(..., E) of inputs (..., F)."""
        return np.asarray(np.tanh(x @ self.w1 + self.b1) @ self.w2 + self.b2)
