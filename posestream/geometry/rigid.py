"""SE(3) as 4 x 4 matrices. ``T_a_b`` maps points of b to a."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64


def make(R: F64, t: F64) -> F64:
    """(4, 4) from rotation (3, 3) and translation (3,)."""
    T = np.eye(4)
    T[:3, :3] = R
    T[:3, 3] = t
    return T


def inverse(T: F64) -> F64:
    """Inverse of a rigid transform (4, 4)."""
    R_T = T[:3, :3].T
    return make(R_T, -R_T @ T[:3, 3])


def apply(T: F64, points: F64) -> F64:
    """Transform points (..., 3)."""
    turned: F64 = points.reshape(-1, 3).dot(T[:3, :3].T) + T[:3, 3]
    return turned.reshape(points.shape)


def apply_direction(T: F64, directions: F64) -> F64:
    """Rotate directions (..., 3) without translating them."""
    return np.asarray(directions @ T[:3, :3].T)
