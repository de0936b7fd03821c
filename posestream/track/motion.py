"""Where people are and how they move: constant velocity, surer across the line of sight.

Each person has two small Kalman filters with one gain each: one across the ray from the
camera and one along it, because distance is measured far less well than direction.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry.fast import clamp, dot, unit

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
    std = np.empty((len(depth_std_m), 2))
    std[:, LATERAL] = _LATERAL_STD_M
    std[:, DEPTH] = clamp(depth_std_m, _MIN_DEPTH_STD_M, _MAX_DEPTH_STD_M)
    return std * std


def first_covariance(measured_var: F64) -> F64:
    """(D, 2, 3) of somebody seen once: variance of place, covariance, variance of speed."""
    still = np.zeros_like(measured_var)
    return np.stack([measured_var, still, still + _START_SPEED_VAR], axis=-1)


def damped_s(away_s: F64) -> F64:
    """Seconds (N,) at full speed that lead as far as ``away_s`` seconds of slowing down."""
    return np.asarray(-_DAMPING_S * np.expm1(-away_s / _DAMPING_S))


def grown(covariance: F64, dt_s: F64) -> F64:
    """Covariance (N, 2, 3) after ``dt_s`` (N, 1) without a measurement."""
    place, mixed, speed = covariance[..., 0], covariance[..., 1], covariance[..., 2]
    q, dt = _ACCELERATION, dt_s
    out = np.empty_like(covariance)
    out[..., 0] = place + dt * (2.0 * mixed + dt * (speed + dt * (q / 3.0)))
    out[..., 1] = mixed + dt * (speed + dt * (0.5 * q))
    out[..., 2] = speed + q * dt
    return out


def rays(place_m: F64, camera_m: F64) -> F64:
    """(N, 3) unit directions from the camera to each place."""
    return unit(place_m - camera_m)[0]


def split(offset: F64, ray: F64) -> tuple[F64, F64]:
    """Offsets (..., 3) as the part across the ray (..., 3) and the length along it (...)."""
    along = dot(offset, ray)
    return offset - along[..., None] * ray, along


def correct(
    state: tuple[F64, F64, F64], across: F64, along: F64, var: F64, ray: F64
) -> tuple[F64, F64, F64]:
    """Place, velocity and covariance after a measurement that differs by what ``split`` says.

    ``var`` (N, 2) is the measurement's variance, ``ray`` (N, 3) the line of sight.
    """
    place, velocity, covariance = state
    p, c = covariance[..., 0], covariance[..., 1]
    total = p + var
    gain, speed_gain = p / total, c / total
    line = along[:, None] * ray
    place = place + gain[:, :1] * across + gain[:, 1:] * line
    velocity = velocity + speed_gain[:, :1] * across + speed_gain[:, 1:] * line
    left = np.empty_like(covariance)
    left[..., 0] = (1.0 - gain) * p
    left[..., 1] = (1.0 - gain) * c
    left[..., 2] = covariance[..., 2] - speed_gain * c
    return place, velocity, left
