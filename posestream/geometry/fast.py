"""Rotation kernels for small batches.

For a handful of people the cost of numpy is the number of calls, not of multiplications:
bilinear products are therefore two matrix products with a constant, three to six times
faster than the written-out formulas of ``geometry.rotation``, whose results they share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry import rotation as rot

_TINY: Final = 1e-12
_NEXT_TO_NOTHING: Final = 1e-100
"""Keeps sin(x) / x and its like finite at zero, without touching any other value."""
_OPPOSITE: Final = 1e-9
_CONJUGATE: Final = np.array([-1.0, -1.0, -1.0, 1.0])


_ZERO, _ONE, _THREE = np.array(0.0), np.array(1.0), np.array(3.0)  # cheaper than Python's
_ONES: Final = {n: np.ones((n, n)) for n in (2, 3, 4)}


def _bilinear(size: int, product: Callable[[F64, F64], F64]) -> F64:
    table = np.zeros((size, size, size))
    eye = np.eye(size)
    for i in range(size):
        for k in range(size):
            table[i, :, k] = product(eye[i], eye[k])
    return table.reshape(size, size * size)


def _of_outer(a: F64, b: F64, product: Callable[[F64, F64], F64]) -> F64:
    """(size², K): ``product`` of rows of a and b as a matrix that acts on their outer product."""
    return np.stack([product(x, y) for x in a for y in b])


def _half_way(a: F64, b: F64) -> F64:
    return np.append(rot.cross(a, b), a @ b)


def _turned_axes(p: F64, q: F64) -> F64:
    """(9,) the vector part of p ⊗ axis ⊗ q⁻¹ for each axis: a rotation matrix if p is q."""
    axes = rot.multiply(rot.multiply(p, np.eye(4)[:3]), rot.inverse(q))
    return np.asarray(axes[:, :3].T.ravel())


_PRODUCT: Final = _bilinear(4, rot.multiply)
_CROSS: Final = _of_outer(np.eye(3), np.eye(3), rot.cross)
_HALF_WAY: Final = _of_outer(np.eye(3), np.eye(3), _half_way)
_MATRIX: Final = _of_outer(np.eye(4), np.eye(4), _turned_axes)


def mul(a: F64, b: F64) -> F64:
    """Quaternion product a ⊗ b (..., 4)."""
    left = a.reshape(-1, 4).dot(_PRODUCT).reshape(*a.shape[:-1], 4, 4)
    return np.asarray(np.matmul(left, b[..., None])[..., 0])


def inv(q: F64) -> F64:
    """Conjugate."""
    return np.asarray(q * _CONJUGATE)


def cross(a: F64, b: F64) -> F64:
    """Vector product (..., 3)."""
    outer = a[..., None] * b[..., None, :]
    return np.asarray(outer.reshape(-1, 9).dot(_CROSS).reshape(outer.shape[:-1]))


def dot(a: F64, b: F64) -> F64:
    """Inner product over the last axis."""
    return np.asarray((a * b) @ _ONES[a.shape[-1]][0])


def length(v: F64) -> F64:
    """Length over the last axis."""
    return np.asarray(np.sqrt(dot(v, v)))


def matrix(q: F64) -> F64:
    """Rotation matrices (..., 3, 3) of unit quaternions."""
    outer = q[..., None] * q[..., None, :]
    return np.asarray(outer.reshape(-1, 16).dot(_MATRIX).reshape(*q.shape[:-1], 3, 3))


def rotate(q: F64, v: F64) -> F64:
    """Rotate v (..., 3) by unit q (..., 4)."""
    return np.asarray(np.matmul(matrix(q), v[..., None])[..., 0])


def unit(v: F64) -> tuple[F64, F64]:
    """Unit vectors and lengths; zero stays zero."""
    n = v.shape[-1]
    size = np.sqrt((v * v).reshape(-1, n).dot(_ONES[n])).reshape(v.shape)  # n times each
    return v / np.maximum(size, _TINY), size[..., 0]


def between(a: F64, b: F64) -> F64:
    """Shortest rotation from unit a to unit b; some half turn where they are opposite."""
    outer = a[..., None] * b[..., None, :]
    q = outer.reshape(-1, 9).dot(_HALF_WAY) + rot.IDENTITY
    if np.count_nonzero(q[:, 3] < _OPPOSITE):
        shape = outer.shape[:-1]
        return rot.between(np.broadcast_to(a, shape), np.broadcast_to(b, shape))
    q /= np.sqrt((q * q).dot(_ONES[4]))
    return np.asarray(q.reshape(*outer.shape[:-2], 4))


def about(axis: F64, angle_rad: F64) -> F64:
    """Rotation by angle (...) about a unit axis (..., 3)."""
    half = 0.5 * angle_rad
    v = np.sin(half)[..., None] * axis
    q = np.empty((*v.shape[:-1], 4))
    q[..., :3], q[..., 3] = v, np.cos(half)
    return q


def rotvec(q: F64) -> F64:
    """Axis times angle (..., 3), angle in [0, pi]."""
    v, w = q[..., :3], q[..., 3]
    sine = np.maximum(length(v), _NEXT_TO_NOTHING)
    scale = 2.0 * np.arctan2(sine, np.abs(w)) / sine
    return np.asarray(v * np.copysign(scale, w)[..., None])


def from_rotvec(v: F64) -> F64:
    """Inverse of ``rotvec``."""
    half = np.maximum(0.5 * length(v), _NEXT_TO_NOTHING)
    q = np.empty((*v.shape[:-1], 4))
    q[..., :3] = v * (0.5 * np.sin(half) / half)[..., None]
    q[..., 3] = np.cos(half)
    return q


def angle(q: F64) -> F64:
    """Rotation angle in [0, pi]."""
    return np.asarray(2.0 * rot.arctan2(length(q[..., :3]), np.abs(q[..., 3])))


def slerp(a: F64, b: F64, t: F64 | float) -> F64:
    """Shortest way from a to b; t (...) or a scalar."""
    return mul(a, from_rotvec(rotvec(mul(inv(a), b)) * np.asarray(t)[..., None]))


def signed_angle(a: F64, b: F64, axis: F64) -> F64:
    """Angle about the unit ``axis`` from a, perpendicular to it, to the side of b, radians."""
    return rot.arctan2(dot(cross(axis, a), b), dot(a, b))


def aim(rest_a: F64, rest_b: F64, a: F64, b: F64) -> F64:
    """The rotation that takes unit ``rest_a`` to a and ``rest_b``, across it, to the side of b."""
    q = between(rest_a, a)
    side = rotate(q, rest_b)
    return mul(about(a, signed_angle(side, b, a)), q)


def twist_angle(q: F64, axis: F64) -> F64:
    """Signed twist of q about ``axis`` in [-pi, pi]."""
    w = q[..., 3]
    along = dot(q[..., :3], axis) * np.copysign(1.0, w)
    return np.asarray(2.0 * np.arctan2(along, np.abs(w)))


def clamp(x: F64, low: F64 | float, high: F64 | float) -> F64:
    """``np.clip`` without its overhead."""
    return np.asarray(np.minimum(np.maximum(x, low), high))


def smoothstep(x: F64, low: F64 | float, high: F64 | float) -> F64:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.minimum(np.maximum((x - low) / (high - low), _ZERO), _ONE)
    return np.asarray(t * t * (_THREE - (t + t)))


def pick(condition: Bool, a: F64, b: F64) -> F64:
    """``np.where`` with the condition (...) spread over the last axis."""
    return np.where(condition[..., None], a, b)


def same(a: I64, b: I64) -> bool:
    """``np.array_equal`` of identities at a tenth of its cost."""
    return a.tobytes() == b.tobytes()


def every(condition: Bool) -> bool:
    """``condition.all()`` at a third of its cost."""
    return np.count_nonzero(condition) == condition.size


def some(condition: Bool | F64) -> bool:
    """``condition.any()`` at a third of its cost."""
    return np.count_nonzero(condition) > 0
