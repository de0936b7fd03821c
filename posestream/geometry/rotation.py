"""SO(3) as unit quaternions, order x y z w, batched over any leading axes.

Products compose as matrices do: ``multiply(a, b)`` rotates by b first, then by a.
"""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64

IDENTITY: F64 = np.array([0.0, 0.0, 0.0, 1.0])
_TINY = 1e-12


def identity(*shape: int) -> F64:
    """(*shape, 4) identity quaternions."""
    q = np.zeros((*shape, 4))
    q[..., 3] = 1.0
    return q


def cross(a: F64, b: F64) -> F64:
    """Cross product over the last axis; several times faster than ``numpy.cross``."""
    a, b = np.broadcast_arrays(a, b)
    out = np.empty(a.shape)
    out[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    out[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    out[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return out


def arctan2(y: F64, x: F64) -> F64:
    """Angle of (x, y), the same to the last bit wherever the arrays lie in memory.

    numpy takes another code path, which rounds differently, where a strided argument and
    the result happen to be neighbours.
    """
    return np.asarray(np.arctan2(np.asarray(y, order="C"), np.asarray(x, order="C")))


def dot(a: F64, b: F64) -> F64:
    """Inner product over the last axis."""
    return np.asarray(np.einsum("...i,...i->...", a, b))


def norm(v: F64) -> F64:
    """Length over the last axis."""
    return np.asarray(np.sqrt(dot(v, v)))


def normalize(v: F64) -> F64:
    """Unit vectors or quaternions; zero stays zero, NaN stays NaN."""
    return np.asarray(v / np.maximum(norm(v), _TINY)[..., None])


def multiply(a: F64, b: F64) -> F64:
    """Hamilton product a ⊗ b (..., 4)."""
    ax, ay, az, aw = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bx, by, bz, bw = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    out = np.empty(np.broadcast_shapes(a.shape, b.shape))
    out[..., 0] = aw * bx + ax * bw + ay * bz - az * by
    out[..., 1] = aw * by - ax * bz + ay * bw + az * bx
    out[..., 2] = aw * bz + ax * by - ay * bx + az * bw
    out[..., 3] = aw * bw - ax * bx - ay * by - az * bz
    return out


def inverse(q: F64) -> F64:
    """Conjugate; the inverse of a unit quaternion."""
    return np.asarray(q * np.array([-1.0, -1.0, -1.0, 1.0]))


def rotate(q: F64, v: F64) -> F64:
    """Rotate vectors v (..., 3) by q (..., 4)."""
    u = q[..., :3]
    t = 2.0 * cross(u, v)
    return np.asarray(v + q[..., 3:] * t + cross(u, t))


def same_hemisphere(q: F64, reference: F64) -> F64:
    """q or -q, whichever lies nearer to ``reference``."""
    return np.where(dot(q, reference)[..., None] < 0.0, -q, q)


def continuous(q: F64) -> F64:
    """The same rotations (T, ..., 4) over time, of q and -q always the nearer to the one before."""
    turns = dot(q[1:], q[:-1]) < 0.0
    out = q.copy()
    out[1:] *= np.where(np.cumsum(turns, axis=0) % 2, -1.0, 1.0)[..., None]
    return out


def angle_between(a: F64, b: F64) -> F64:
    """Rotation angle from a to b, radians in [0, pi]."""
    d = multiply(inverse(a), b)
    return 2.0 * np.arctan2(norm(d[..., :3]), np.abs(d[..., 3]))


def from_rotvec(rotvec_rad: F64) -> F64:
    """exp: axis times angle (..., 3) to quaternion."""
    angle = norm(rotvec_rad)[..., None]
    # sinc handles the limit at zero: sin(a/2)/a = sinc(a / 2 pi) / 2
    return np.concatenate(
        [rotvec_rad * 0.5 * np.sinc(angle / (2.0 * np.pi)), np.cos(angle / 2.0)], axis=-1
    )


def to_rotvec(q: F64) -> F64:
    """log: quaternion to axis times angle, angle in [0, pi]."""
    q = np.where(q[..., 3:] < 0.0, -q, q)
    s = norm(q[..., :3])
    angle = 2.0 * arctan2(s, q[..., 3])
    scale = np.where(s > 1e-9, angle / np.maximum(s, _TINY), 2.0)
    return np.asarray(q[..., :3] * scale[..., None])


def from_axis_angle(axis: F64, angle_rad: F64) -> F64:
    """Rotation by ``angle_rad`` (...) about the unit ``axis`` (..., 3)."""
    half = 0.5 * np.asarray(angle_rad)[..., None]
    return np.concatenate(
        [np.sin(half) * axis, np.cos(half) * np.ones_like(axis[..., :1])], axis=-1
    )


def between(a: F64, b: F64) -> F64:
    """The shortest rotation that turns unit vector a into unit vector b.

    For opposite vectors, where it is not unique, some half turn perpendicular to a.
    """
    w = 1.0 + dot(a, b)
    q = np.concatenate([cross(a, b), w[..., None]], axis=-1)
    opposite = w < 1e-9
    if np.any(opposite):
        q = np.where(opposite[..., None], _half_turn_across(np.broadcast_to(a, b.shape)), q)
    return normalize(q)


def _half_turn_across(a: F64) -> F64:
    helper = np.where(np.abs(a[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    axis = normalize(cross(a, helper))
    return np.concatenate([axis, np.zeros_like(axis[..., :1])], axis=-1)


def swing_twist(q: F64, axis: F64) -> tuple[F64, F64]:
    """Split q = swing ⊗ twist, twist about the unit ``axis``, swing's axis perpendicular to it."""
    along = dot(q[..., :3], axis)
    twist = np.concatenate([along[..., None] * axis, q[..., 3:]], axis=-1)
    degenerate = norm(twist) < 1e-9
    twist = np.where(degenerate[..., None], IDENTITY, normalize(twist))
    return multiply(q, inverse(twist)), twist


def twist_angle(q: F64, axis: F64) -> F64:
    """Signed angle of the twist of q about ``axis``, radians in (-pi, pi]."""
    angle = 2.0 * arctan2(dot(q[..., :3], axis), q[..., 3])
    return np.asarray((angle + np.pi) % (2.0 * np.pi) - np.pi)


def slerp(a: F64, b: F64, t: F64 | float) -> F64:
    """Shortest-path interpolation; t of shape (...) or a scalar."""
    delta = to_rotvec(multiply(inverse(a), b))
    return multiply(a, from_rotvec(delta * np.asarray(t)[..., None]))


def from_matrix(R: F64) -> F64:
    """Rotation matrices (..., 3, 3) to quaternions (Shepperd's choice of pivot)."""
    m = R.reshape(-1, 3, 3)
    t = np.stack(
        [
            1 + m[:, 0, 0] - m[:, 1, 1] - m[:, 2, 2],
            1 - m[:, 0, 0] + m[:, 1, 1] - m[:, 2, 2],
            1 - m[:, 0, 0] - m[:, 1, 1] + m[:, 2, 2],
            1 + m[:, 0, 0] + m[:, 1, 1] + m[:, 2, 2],
        ],
        axis=-1,
    )
    candidates = np.empty((m.shape[0], 4, 4))
    candidates[:, 0] = _row(
        t[:, 0], m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] - m[:, 1, 2]
    )
    candidates[:, 1] = _row(
        m[:, 0, 1] + m[:, 1, 0], t[:, 1], m[:, 1, 2] + m[:, 2, 1], m[:, 0, 2] - m[:, 2, 0]
    )
    candidates[:, 2] = _row(
        m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1], t[:, 2], m[:, 1, 0] - m[:, 0, 1]
    )
    candidates[:, 3] = _row(
        m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1], t[:, 3]
    )
    best = candidates[np.arange(m.shape[0]), np.argmax(t, axis=-1)]
    return normalize(best).reshape(*R.shape[:-2], 4)


def _row(*columns: F64) -> F64:
    return np.stack(columns, axis=-1)


def to_matrix(q: F64) -> F64:
    """Unit quaternions (..., 4) to rotation matrices (..., 3, 3)."""
    x, y, z, w = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    R = np.empty((*q.shape[:-1], 3, 3))
    R[..., 0, 0] = 1 - 2 * (y * y + z * z)
    R[..., 0, 1] = 2 * (x * y - z * w)
    R[..., 0, 2] = 2 * (x * z + y * w)
    R[..., 1, 0] = 2 * (x * y + z * w)
    R[..., 1, 1] = 1 - 2 * (x * x + z * z)
    R[..., 1, 2] = 2 * (y * z - x * w)
    R[..., 2, 0] = 2 * (x * z - y * w)
    R[..., 2, 1] = 2 * (y * z + x * w)
    R[..., 2, 2] = 1 - 2 * (x * x + y * y)
    return R


def from_axes(x: F64, y: F64, z: F64) -> F64:
    """Quaternion of the frame whose orthonormal axes are x, y, z (each (..., 3))."""
    return from_matrix(np.stack([x, y, z], axis=-1))


def yaw_about_y(q: F64) -> F64:
    """Heading: the twist of q about +Y, radians; 0 faces +Z, positive turns towards +X."""
    return twist_angle(q, np.array([0.0, 1.0, 0.0]))
