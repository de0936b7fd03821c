"""Quaternions as columns: arrays (4, M), rotation vectors (3, M), for many rotations at once.

The same algebra as ``geometry.rotation``, with components first: a product of 200
quaternions is one multiplication and one small matrix product instead of thirty calls.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry.rotation import inverse, multiply

_EYE: Final = np.eye(4)
_ONES: Final = {n: np.ones(n) for n in (1, 2, 3, 4)}
_NEXT_TO_NOTHING: Final = 1e-100
# (4, 16): component k of the product of basis elements i and j stands in column 4 i + j.
_PRODUCT: Final = multiply(_EYE[:, None], _EYE[None]).reshape(16, 4).T.copy()
_DIFFERENCE: Final = multiply(inverse(_EYE)[:, None], _EYE[None]).reshape(16, 4).T.copy()


def product(a: F64, b: F64) -> F64:
    """a ⊗ b (4, M)."""
    return np.asarray(_PRODUCT.dot((a[:, None] * b).reshape(16, -1)))  # dot: half of @'s cost


def difference(a: F64, b: F64) -> F64:
    """a⁻¹ ⊗ b (4, M): the rotation from a to b, seen from a."""
    return np.asarray(_DIFFERENCE.dot((a[:, None] * b).reshape(16, -1)))


def length(v: F64) -> F64:
    """(M,) length of each column."""
    return np.asarray(np.sqrt(_ONES[len(v)].dot(v * v)))


def log(q: F64) -> F64:
    """(3, M) axis times angle, the short way round."""
    sine = np.maximum(length(q[:3]), _NEXT_TO_NOTHING)
    scale = 2.0 * np.arctan2(sine, np.abs(q[3])) / sine
    return np.asarray(q[:3] * np.copysign(scale, q[3]))


def exp(rotvec_rad: F64) -> F64:
    """(4, M) quaternion of axis times angle."""
    half = np.maximum(0.5 * length(rotvec_rad), _NEXT_TO_NOTHING)
    q = np.empty((4, half.size))
    np.multiply(rotvec_rad, 0.5 * np.sin(half) / half, out=q[:3])
    np.cos(half, out=q[3])
    return q


def unit(q: F64) -> F64:
    """Columns of length one."""
    return np.asarray(q / np.maximum(length(q), 1e-12))
