"""Conversions between the named frames.

world: right-handed, Y up, metres, a person who faces the camera faces +Z (glTF, VRM 1.0).
unity: left-handed, Y up. VRM 0.x: right-handed, Y up, facing -Z.
"""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64

_UNITY_P: F64 = np.array([-1.0, 1.0, 1.0])
_UNITY_Q: F64 = np.array([1.0, -1.0, -1.0, 1.0])
_VRM0_P: F64 = np.array([-1.0, 1.0, -1.0])
_VRM0_Q: F64 = np.array([-1.0, 1.0, -1.0, 1.0])


def unity_from_world_position(p: F64) -> F64:
    """(..., 3): x is mirrored. Its own inverse."""
    return p * _UNITY_P


def unity_from_world_quat(q_xyzw: F64) -> F64:
    """(..., 4): the mirror's effect on a rotation. Its own inverse."""
    return q_xyzw * _UNITY_Q


def world_from_vrm0_position(p: F64) -> F64:
    """(..., 3): VRM 0.x faces -Z; half a turn about Y. Its own inverse."""
    return p * _VRM0_P


def world_from_vrm0_quat(q_xyzw: F64) -> F64:
    """(..., 4): conjugation by half a turn about Y. Its own inverse."""
    return q_xyzw * _VRM0_Q


def mirror_position(p: F64) -> F64:
    """Reflect in the plane x = 0 of the world."""
    return p * _UNITY_P


def mirror_quat(q_xyzw: F64) -> F64:
    """A rotation seen in the mirror x = 0; swap left and right bones as well."""
    return q_xyzw * _UNITY_Q
