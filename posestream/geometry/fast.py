"""Rotation kernels for small batches.

For a handful of people the cost of numpy is the number of calls, not of multiplications, and
a call is cheap only where all arrays are contiguous and of one shape. Bilinear products are
therefore matrix products with constants: both sides are repeated until each pair of their
components meets, multiplied, and summed. That is three to six times faster than the written-out
formulas of ``geometry.rotation``, whose results these share. All of this is done with rows, so
arrays (M, n) are faster than those of more axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry import rotation as rot

_TINY: Final = np.array(1e-12)
_NEXT_TO_NOTHING: Final = 1e-100
"""Keeps sin(x) / x and its like finite at zero, without touching any other value."""
_OPPOSITE: Final = 1e-9
_FEW: Final = 100
"""Numbers that numpy sums faster in any shape than it changes their shape."""
_CONJUGATE: Final = np.array([-1.0, -1.0, -1.0, 1.0])


# Cheaper than Python's numbers.
_ZERO, _HALF, _ONE, _THREE = np.array(0.0), np.array(0.5), np.array(1.0), np.array(3.0)
_SUM: Final = {n: np.ones(n) for n in (2, 3, 4)}
_SUMS: Final = {n: np.ones((n, n)) for n in (2, 3, 4)}


def _of_outer(a: F64, b: F64, product: Callable[[F64, F64], F64]) -> F64:
    """(size², K): ``product`` of rows of a and b as a matrix that acts on their outer product."""
    return np.stack([product(x, y) for x in a for y in b])


def _half_way(a: F64, b: F64) -> F64:
    return np.append(rot.cross(a, b), a @ b)


def _turned_axes(p: F64, q: F64) -> F64:
    """(9,) the vector part of p ⊗ axis ⊗ q⁻¹ for each axis: a rotation matrix if p is q."""
    axes = rot.multiply(rot.multiply(p, np.eye(4)[:3]), rot.inverse(q))
    return np.asarray(axes[:, :3].T.ravel())


# The outer product of a and b is a @ _EACH times b @ _AGAIN; _SQUARES holds those of q with
# itself of which the other products are copies.
_EACH: Final = {n: np.repeat(np.eye(n), n, axis=1) for n in (3, 4)}
_AGAIN: Final = {n: np.tile(np.eye(n), n) for n in (3, 4)}
_SQUARES: Final = [np.eye(4)[:, index] for index in np.triu_indices(4)]
PRODUCT: Final = _of_outer(np.eye(4), np.eye(4), rot.multiply)
"""(16, 4): what acts on the outer product of two quaternions for their product."""
_DIFFERENCE: Final = _of_outer(rot.inverse(np.eye(4)), np.eye(4), rot.multiply)
_CROSS: Final = _of_outer(np.eye(3), np.eye(3), rot.cross)
HALF_WAY: Final = _of_outer(np.eye(3), np.eye(3), _half_way)
"""(9, 4): likewise of two unit vectors, for what ``whole`` makes the rotation between them."""


def _of_squares(table: F64) -> F64:
    """(10, K): what acts on an outer product of q with itself, for its squares alone."""
    square = table.reshape(4, 4, -1)
    both = square + square.transpose(1, 0, 2)
    both[np.diag_indices(4)] *= 0.5
    return np.asarray(both[np.triu_indices(4)])


_MATRIX: Final = _of_squares(_of_outer(np.eye(4), np.eye(4), _turned_axes))
_ROTATED: Final = np.repeat(np.eye(3), 3, axis=0)
_SEEN: Final = np.tile(np.eye(3), (3, 1))


def _bilinear(a: F64, b: F64, table: F64) -> F64:
    """(..., K) ``table`` (n², K) of the outer products of a and b (..., n)."""
    n = a.shape[-1]
    if a.ndim == 2 and a.shape == b.shape:
        return np.asarray((a.dot(_EACH[n]) * b.dot(_AGAIN[n])).dot(table))
    left, right = a.reshape(-1, n).dot(_EACH[n]), b.reshape(-1, n).dot(_AGAIN[n])
    if a.shape == b.shape:
        out: F64 = (left * right).dot(table)
        return out.reshape(*a.shape[:-1], table.shape[1])
    outer = left.reshape(*a.shape[:-1], n * n) * right.reshape(*b.shape[:-1], n * n)
    out = outer.reshape(-1, n * n).dot(table)
    return out.reshape(*outer.shape[:-1], table.shape[1])


def mul(a: F64, b: F64) -> F64:
    """Quaternion product a ⊗ b (..., 4)."""
    return _bilinear(a, b, PRODUCT)


def difference(a: F64, b: F64) -> F64:
    """a⁻¹ ⊗ b (..., 4): the rotation from a to b, seen from a."""
    return _bilinear(a, b, _DIFFERENCE)


def inv(q: F64) -> F64:
    """Conjugate."""
    return np.asarray(q * _CONJUGATE)


def cross(a: F64, b: F64) -> F64:
    """Vector product (..., 3)."""
    return _bilinear(a, b, _CROSS)


def dot(a: F64, b: F64) -> F64:
    """Inner product over the last axis."""
    product = a * b
    n = product.shape[-1]
    if product.size < _FEW:
        return np.asarray(product.dot(_SUM[n]))
    out: F64 = product.reshape(-1, n).dot(_SUM[n])
    return out.reshape(product.shape[:-1])


def length(v: F64) -> F64:
    """Length over the last axis."""
    return np.asarray(np.sqrt(dot(v, v)))


def matrix(q: F64) -> F64:
    """Rotation matrices (..., 3, 3) of unit quaternions."""
    return _rows(q).reshape(*q.shape[:-1], 3, 3)


def _rows(q: F64) -> F64:
    flat = q if q.ndim == 2 else q.reshape(-1, 4)
    out: F64 = (flat.dot(_SQUARES[0]) * flat.dot(_SQUARES[1])).dot(_MATRIX)
    return out


def rotate(q: F64, v: F64) -> F64:
    """Rotate v (..., 3) by unit q (..., 4)."""
    if q.shape[:-1] != v.shape[:-1]:
        return np.asarray(np.matmul(matrix(q), v[..., None])[..., 0])
    if q.ndim == 2:
        return np.asarray((_rows(q) * v.dot(_AGAIN[3])).dot(_ROTATED))
    out: F64 = (_rows(q) * v.reshape(-1, 3).dot(_AGAIN[3])).dot(_ROTATED)
    return out.reshape(v.shape)


def seen_from(q: F64, v: F64) -> F64:
    """Vectors v (..., 3) in the axes of unit q (..., 4)."""
    if q.ndim == 2 and q.shape[:-1] == v.shape[:-1]:
        return np.asarray((_rows(q) * v.dot(_EACH[3])).dot(_SEEN))
    return np.asarray(np.matmul(v[..., None, :], matrix(q))[..., 0, :])


def unit(v: F64) -> tuple[F64, F64]:
    """Unit vectors and lengths; zero stays zero."""
    n = v.shape[-1]
    if v.ndim == 2:
        size = np.sqrt((v * v).dot(_SUMS[n]))
        return v / np.maximum(size, _TINY), size[:, 0]
    size = np.sqrt((v * v).reshape(-1, n).dot(_SUMS[n])).reshape(v.shape)  # n times each
    return v / np.maximum(size, _TINY), size[..., 0]


def between(a: F64, b: F64) -> F64:
    """Shortest rotation from unit a to unit b; some half turn where they are opposite."""
    q = _bilinear(a, b, HALF_WAY)
    turn = whole(q)
    if turn is None:
        shape = (*q.shape[:-1], 3)
        return rot.between(np.broadcast_to(a, shape), np.broadcast_to(b, shape))
    return turn


def whole(q: F64) -> F64 | None:
    """The rotation by twice what turns half-way, whose scalar is one too low; None: half a turn."""
    flat = q.reshape(-1, 4)
    w = flat[:, 3]
    w += _ONE
    if some(w < _OPPOSITE):
        return None
    flat /= np.sqrt((flat * flat).dot(_SUMS[4]))
    return flat.reshape(q.shape)


def about(axis: F64, angle_rad: F64) -> F64:
    """Rotation by angle (...) about a unit axis (..., 3)."""
    half = _HALF * angle_rad
    q = np.empty((*half.shape, 4))
    np.multiply(np.sin(half)[..., None], axis, out=q[..., :3])
    np.cos(half, out=q[..., 3])
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


def powers(q: F64, shares: F64) -> F64:
    """(..., K, 4) the rotations by ``shares`` (K,) of q's angle (..., 4), the short way round."""
    v, w = q[..., :3], q[..., 3]
    sine = np.maximum(length(v), _NEXT_TO_NOTHING)
    half = np.arctan2(sine, np.abs(w))[..., None] * shares
    scale = np.sin(half) / np.copysign(sine, w)[..., None]
    out = np.empty((*half.shape, 4))
    np.multiply(v[..., None, :], scale[..., None], out=out[..., :3])
    np.cos(half, out=out[..., 3])
    return out


def angle(q: F64) -> F64:
    """Rotation angle in [0, pi]."""
    return np.asarray(2.0 * rot.arctan2(length(q[..., :3]), np.abs(q[..., 3])))


def slerp(a: F64, b: F64, t: F64 | float) -> F64:
    """Shortest way from a to b; t (...) or a scalar."""
    return mul(a, from_rotvec(rotvec(difference(a, b)) * np.asarray(t)[..., None]))


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
    """``np.where`` with the condition (...) spread over the last axis; ``a`` itself if it holds."""
    if a.ndim > condition.ndim and every(condition):  # as a rule
        return a
    return np.where(condition[..., None], a, b)


def same(a: I64, b: I64) -> bool:
    """``np.array_equal`` of identities at a tenth of its cost."""
    return a.tobytes() == b.tobytes()


def every(condition: Bool) -> bool:
    """``condition.all()`` at a tenth of its cost."""
    return 0 not in condition.tobytes()


def some(condition: Bool) -> bool:
    """``condition.any()`` at a tenth of its cost."""
    return 1 in condition.tobytes()
