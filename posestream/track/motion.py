"""Where people are and how they move: constant velocity, surer across the line of sight.

Each person has two small Kalman filters with one gain each: one across the ray from the
camera and one along it, because distance is measured far less well than direction.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as so3

LATERAL: Final = 0
DEPTH: Final = 1
_ACCELERATION: Final = 2.0  # power of the random acceleration, m^2/s^3
_START_SPEED_VAR: Final = 0.5  # (m/s)^2
_DAMPING_S: Final = 0.8
_LATERAL_STD_M: Final = 0.03
_MIN_DEPTH_STD_M: Final = 1e-3
_MAX_DEPTH_STD_M: Final = 3.0


def measurement_var(depth_std_m: F64) -> F64:
    """(D, 2) variances across and along the ray."""
    depth = np.clip(depth_std_m, _MIN_DEPTH_STD_M, _MAX_DEPTH_STD_M)
    return np.stack([np.full_like(depth, _LATERAL_STD_M), depth], axis=-1) ** 2


def first_covariance(measured_var: F64) -> F64:
    """(D, 2, 3) of somebody seen once: variance of place, covariance, variance of speed."""
    still = np.zeros_like(measured_var)
    return np.stack([measured_var, still, still + _START_SPEED_VAR], axis=-1)


def damped_step(velocity: F64, from_s: F64, to_s: F64) -> F64:
    """Way made between ``from_s`` and ``to_s`` (N,) after the last sight, slowing down."""
    share = np.exp(-from_s / _DAMPING_S) - np.exp(-to_s / _DAMPING_S)
    return np.asarray(velocity * (_DAMPING_S * share)[:, None])


def grown(covariance: F64, dt_s: F64) -> F64:
    """Covariance (N, 2, 3) after ``dt_s`` (N, 1) without a measurement."""
    place, mixed, speed = np.moveaxis(covariance, -1, 0)
    q, dt = _ACCELERATION, dt_s
    return np.stack(
        [
            place + 2.0 * mixed * dt + speed * dt**2 + q * dt**3 / 3.0,
            mixed + speed * dt + q * dt**2 / 2.0,
            speed + q * dt,
        ],
        axis=-1,
    )


def rays(place_m: F64, camera_m: F64) -> F64:
    """(N, 3) unit directions from the camera to each place."""
    return so3.normalize(place_m - camera_m)


def split(offset: F64, ray: F64) -> tuple[F64, F64]:
    """Offsets (..., 3) as the part across the ray (..., 3) and the length along it (...)."""
    along = so3.dot(offset, ray)
    return offset - along[..., None] * ray, along


def correct(
    place: F64, velocity: F64, covariance: F64, measured: F64, var: F64, ray: F64
) -> tuple[F64, F64, F64]:
    """Place, velocity and covariance after measuring ``measured`` (N, 3) with ``var`` (N, 2)."""
    across, along = split(measured - place, ray)
    total = covariance[..., 0] + var
    gain, speed_gain = covariance[..., 0] / total, covariance[..., 1] / total
    line = along[:, None] * ray
    place = place + gain[:, :1] * across + gain[:, 1:] * line
    velocity = velocity + speed_gain[:, :1] * across + speed_gain[:, 1:] * line
    p, c, v = np.moveaxis(covariance, -1, 0)
    left = np.stack([(1.0 - gain) * p, (1.0 - gain) * c, v - speed_gain * c], axis=-1)
    return place, velocity, left
