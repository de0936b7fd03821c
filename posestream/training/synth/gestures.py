"""Arm poses by name, and channels that glide from one keyed value to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation
from posestream.training.synth.gait import smoother

# Left arm in the chest's axes (x left, y up, z forward): upper arm, forearm, palm normal.
ARM_POSES: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "rest": ((0.17, -0.98, -0.03), (0.10, -0.96, 0.26), (-1.0, 0.0, 0.15)),
    "wave_in": ((0.80, -0.42, 0.40), (0.02, 0.97, 0.25), (0.0, 0.15, 1.0)),
    "wave_out": ((0.80, -0.38, 0.40), (0.72, 0.68, 0.25), (0.0, 0.15, 1.0)),
    "up": ((0.34, 0.93, 0.12), (0.12, 0.97, 0.20), (-0.9, 0.0, 0.4)),
    "side": ((0.98, -0.05, 0.12), (0.97, 0.05, 0.22), (0.0, -1.0, 0.1)),
    "front": ((0.18, 0.15, 0.96), (0.02, 0.32, 0.95), (-0.3, -1.0, 0.0)),
    "open": ((0.62, -0.72, 0.30), (0.62, -0.05, 0.78), (-0.2, 0.9, 0.4)),
    "hip": ((0.62, -0.74, -0.26), (-0.66, -0.52, 0.54), (-0.6, -0.3, -0.7)),
}


@dataclass(frozen=True, slots=True)
class Key:
    """From ``t_s`` on, glide to ``value`` within ``over_s``."""

    t_s: float
    over_s: float
    value: float | str


def arm_pose(name: str, side: str) -> F64:
    """(3, 4): upper arm in the chest, forearm in the upper arm, hand in the forearm."""
    mirror = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
    sign = mirror[0]
    upper, fore, palm = (rotation.normalize(np.array(v) * mirror) for v in ARM_POSES[name])
    up = -sign * rotation.cross(upper, fore)
    q_upper, q_fore = _frame(sign * upper, up), _frame(sign * fore, up)
    q_hand = _frame(sign * fore, -palm)
    return np.stack(
        [
            q_upper,
            rotation.multiply(rotation.inverse(q_upper), q_fore),
            rotation.multiply(rotation.inverse(q_fore), q_hand),
        ]
    )


def _frame(x: F64, y_hint: F64) -> F64:
    z = rotation.normalize(rotation.cross(x, y_hint))
    return rotation.from_axes(x, rotation.cross(z, x), z)


def arm_track(keys: Sequence[Key], side: str, t_s: F64) -> tuple[F64, F64]:
    """Rotations (T, 3, 4) and how much the arm hangs at rest (T,) in [0, 1]."""
    q = np.tile(arm_pose("rest", side), (len(t_s), 1, 1))
    rest = np.ones(len(t_s))
    for key in keys:
        u = smoother((t_s - key.t_s) / key.over_s)
        target = arm_pose(str(key.value), side)
        q = rotation.slerp(q, np.broadcast_to(target, q.shape), u[:, None])
        rest += u * (float(key.value == "rest") - rest)
    return q, rest


def number_track(keys: Sequence[Key], t_s: F64) -> F64:
    """A number over time (T,), 0 before the first key."""
    value = np.zeros(len(t_s))
    for key in keys:
        value += smoother((t_s - key.t_s) / key.over_s) * (float(key.value) - value)
    return value
