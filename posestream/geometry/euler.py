"""Rotations as angles about Z, X and Y, the order that motion files are commonly written in."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as rot

_LOCKED = 1e-6  # cosine of the middle angle below which the outer two turn about one axis


def zxy_from_quat(q_xyzw: F64) -> F64:
    """Angles (T, K, 3) in radians, about Z, X and Y: R = Rz Rx Ry, without jumps over time.

    Args:
        q_xyzw: (T, K, 4) unit quaternions of K joints over T frames.
    """
    R = rot.to_matrix(q_xyzw)
    angles: F64 = np.stack(
        [
            rot.arctan2(-R[..., 0, 1], R[..., 1, 1]),
            np.arcsin(np.clip(R[..., 2, 1], -1.0, 1.0)),
            rot.arctan2(-R[..., 2, 0], R[..., 2, 2]),
        ],
        axis=-1,
    )
    locked = np.hypot(R[..., 0, 1], R[..., 1, 1]) < _LOCKED
    free = rot.arctan2(R[..., 1, 0], R[..., 0, 0])
    before = np.zeros(angles.shape[1:])
    for t in range(len(angles)):
        angles[t] = _unlocked(angles[t], locked[t], free[t], before)
        angles[t] = before = _nearest(angles[t], before)
    return angles


def quat_from_zxy(angles_rad: F64) -> F64:
    """(..., 4) from angles (..., 3) about Z, X and Y. The inverse of ``zxy_from_quat``."""
    x, y, z = np.eye(3)
    turn_z, turn_x, turn_y = (
        rot.from_axis_angle(np.broadcast_to(axis, angles_rad.shape), angles_rad[..., i])
        for i, axis in enumerate((z, x, y))
    )
    return rot.multiply(turn_z, rot.multiply(turn_x, turn_y))


def _unlocked(angles: F64, locked: F64, free: F64, before: F64) -> F64:
    """Where only the sum or difference of the outer angles is known, the last one stays."""
    if not locked.any():
        return angles
    last = before[:, 2]
    first = free - np.sign(angles[:, 1]) * last
    held = np.stack([first, angles[:, 1], last], axis=-1)
    return np.where(locked[:, None], held, angles)


def _nearest(angles: F64, before: F64) -> F64:
    """Of the two ways to write each rotation, and of all turns, those nearest to the last."""
    other = np.stack([angles[:, 0] + np.pi, np.pi - angles[:, 1], angles[:, 2] + np.pi], axis=-1)
    ways = np.stack([angles, other])
    ways = ways - 2.0 * np.pi * np.round((ways - before) / (2.0 * np.pi))
    far = np.abs(ways - before).sum(axis=-1)
    return np.asarray(np.where((far[1] < far[0])[:, None], ways[1], ways[0]))
