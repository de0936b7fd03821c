"""Steps of scripted people: feet that stand still, then swing; a pelvis within their reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as so3
from posestream.skeleton.scripted_paths import Paths, smoothstep

LEG_M: Final = (0.41, 0.39)
ANKLE_M: Final = 0.08
HIP_HALF_M: Final = 0.09
_STRIDE_S: Final = 1.0
_STANCE: Final = 0.55  # share of a stride in which a foot stands
_REACH: Final = 0.985  # a leg is never quite straight: the knee's direction stays defined
_SQUAT_M: Final = 0.32
_LIFT_M: Final = 0.10
_SOLE_M: Final = np.array([[0.0, -ANKLE_M, 0.15], [0.0, -ANKLE_M, -0.05]])
_SHIFT: Final = np.array([[0.0], [0.5]])  # left, right: when in the stride a foot lands
_SIDE: Final = np.array([[1.0], [-1.0]])
_X: Final = np.array([1.0, 0.0, 0.0])
_Y: Final = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class Legs:
    """The lower bodies at one instant."""

    pelvis_m: F64  # (N, 3)
    heading: F64  # (N, 4)
    ankle_m: F64  # (2, N, 3) left, right
    foot: F64  # (2, N, 4) left, right
    swing: F64  # (N,) in [-1, 1]: 1 when the left foot is foremost
    effort: F64  # (N,) in [0, 1]: how fast they walk


class Gait:
    """Places the feet along the paths, and the pelvis above them."""

    def __init__(self, paths: Paths, scale: F64) -> None:
        self._paths, self._scale = paths, scale

    def at(self, t_s: float) -> Legs:
        """Everybody's legs at ``t_s``."""
        t = np.full_like(self._scale, t_s)
        ankles, feet = self._feet(t)
        heading = _yaw(self._paths.heading_rad(t))
        speed = np.linalg.norm(self._paths.place(t + 0.05) - self._paths.place(t - 0.05), axis=-1)
        phase = 2.0 * np.pi * (t_s / _STRIDE_S - 0.5 * _STANCE)
        return Legs(
            pelvis_m=self._pelvis(t, heading, ankles),
            heading=heading,
            ankle_m=ankles,
            foot=feet,
            swing=np.full_like(t, -np.sin(phase)),
            effort=np.clip(speed / 0.1, 0.0, 1.0),
        )

    def _feet(self, t: F64) -> tuple[F64, F64]:
        """Ankles (2, N, 3) and rotations (2, N, 4) of both feet."""
        cycles = t / _STRIDE_S - _SHIFT
        stride = np.floor(cycles)
        u = (cycles - stride - _STANCE) / (1.0 - _STANCE)  # below 0 while it stands
        here, here_yaw = self._stand(stride)
        there, there_yaw = self._stand(stride + 1.0)
        s = smoothstep(u)
        turn = (there_yaw - here_yaw + np.pi) % (2.0 * np.pi) - np.pi
        step_m = np.linalg.norm(there - here, axis=-1) + 0.15 * np.abs(turn)
        high = np.sin(np.pi * np.clip(u, 0.0, 1.0)) ** 2 * np.minimum(1.0, 3.0 * step_m)
        pitch = 0.5 * high * np.sin(2.0 * np.pi * np.clip(0.75 * u + 0.1, 0.0, 1.0))
        foot = so3.multiply(_yaw(here_yaw + s * turn), so3.from_axis_angle(_X, pitch))
        place = here + s[..., None] * (there - here)
        return self._on_floor(place, foot, _LIFT_M * high), foot

    def _stand(self, stride: F64) -> tuple[F64, F64]:
        """Where (x, z) and how turned a foot stands: under the hip in the middle of its stance."""
        t = (stride + _SHIFT + 0.5 * _STANCE) * _STRIDE_S
        yaw = self._paths.heading_rad(t)
        aside = _SIDE * HIP_HALF_M * self._scale
        offset = np.stack([aside * np.cos(yaw), -aside * np.sin(yaw)], axis=-1)
        return self._paths.place(t) + offset, yaw

    def _on_floor(self, place: F64, foot: F64, lift_m: F64) -> F64:
        """The ankle such that the lowest point of the sole is ``lift_m`` high."""
        soles = so3.rotate(foot[..., None, :], _SOLE_M)[..., 1].min(axis=-1)
        return np.stack([place[..., 0], lift_m - soles * self._scale, place[..., 1]], axis=-1)

    def _pelvis(self, t: F64, heading: F64, ankles: F64) -> F64:
        """(N, 3): as high as squatting and the reach of both legs allow."""
        reach_m = _REACH * sum(LEG_M) * self._scale
        squat_m = _SQUAT_M * self._scale * self._paths.squat(t)
        place = self._paths.place(t)
        aside = so3.rotate(heading, _X * HIP_HALF_M * self._scale[:, None])
        hips = place + _SIDE[..., None] * aside[:, [0, 2]]
        across2 = ((hips - ankles[..., [0, 2]]) ** 2).sum(axis=-1)
        highest = ankles[..., 1] + np.sqrt(np.maximum(reach_m**2 - across2, 0.0))
        height = np.minimum(reach_m + ANKLE_M * self._scale - squat_m, highest.min(axis=0))
        return np.stack([place[:, 0], height, place[:, 1]], axis=-1)


def knee(hip: F64, ankle: F64, heading: F64, scale: F64) -> F64:
    """Knees (..., N, 3) between hips and ankles, bent forwards."""
    thigh, shank = LEG_M[0] * scale, LEG_M[1] * scale
    span = ankle - hip
    length = so3.norm(span)
    down = span / length[..., None]
    along = (thigh**2 - shank**2 + length**2) / (2.0 * length)
    out = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    forward = so3.rotate(heading, np.broadcast_to([0.0, 0.0, 1.0], hip.shape))
    forward = so3.normalize(forward - so3.dot(forward, down)[..., None] * down)
    return np.asarray(hip + along[..., None] * down + out[..., None] * forward)


def _yaw(angle_rad: F64) -> F64:
    return so3.from_axis_angle(_Y, angle_rad)
