"""Smoothing of motion that is known from end to end: nothing lags, nothing is predicted.

Each signal x is the one that minimises the sum of its weighted distance from what was measured
and of its bending, ``∫ w |x - y|² + τ⁴ |x''|² dt``: a low pass of second order, run as well
backwards as forwards. Its cut-off 1 / (2 π τ) rises with speed, as that of the One Euro filter
does, but with the speed before and after. Measurements of little weight are bridged.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.smooth.one_euro import OneEuro

_SPEED_HZ: Final = 1.5
"""Cut-off of the motion whose speed opens the filter."""
_AROUND_S: Final = 0.15
"""So long before and after a moment does its speed matter."""
_LEAST_WEIGHT: Final = 1e-3
_KNOB: Final = np.array([0.0, 0.5, 1.0])
# At the knob's marks, as in the live filter: just above 0, 0.5 and 1.
_ROOT_CUTOFF_HZ: Final = np.array([5.0, 1.5, 0.5])
_ROOT_BETA: Final = np.array([4.0, 1.5, 0.5])
_ROTATION_CUTOFF_HZ: Final = np.array([5.0, 0.4, 0.1])
_ROTATION_BETA: Final = np.array([15.0, 5.0, 1.5])
_ROOT_QUIET: Final = 0.1
_ROTATION_QUIET: Final = 1.2


def root_filter(smoothness: float) -> OneEuro:
    """How roots are calmed at the user's knob, 0 to 1."""
    return OneEuro(_at(smoothness, _ROOT_CUTOFF_HZ), _at(smoothness, _ROOT_BETA), _ROOT_QUIET)


def rotation_filter(smoothness: float) -> OneEuro:
    """How rotations are calmed at the user's knob, 0 to 1."""
    return OneEuro(
        _at(smoothness, _ROTATION_CUTOFF_HZ), _at(smoothness, _ROTATION_BETA), _ROTATION_QUIET
    )


def _at(smoothness: float, marks: F64) -> float:
    return float(np.exp(np.interp(smoothness, _KNOB, np.log(marks))))


def smooth_vectors(t_s: F64, x: F64, weight: F64, knobs: OneEuro) -> F64:
    """Smoothed signals (T, M, D).

    Args:
        t_s: (T,) rising times.
        x: (T, M, D) measured.
        weight: (T, M) how sure each measurement is, up to 1.
        knobs: of the filter.
    """
    if len(t_s) < 3:
        return x.copy()
    slow = _solve(t_s, x, weight, np.full(weight.shape, _SPEED_HZ))
    speed = rot.norm(np.gradient(slow, t_s, axis=0))
    return _solve(t_s, x, weight, knobs.cutoff_hz(_around(t_s, speed)))


def smooth_rotations(t_s: F64, q_xyzw: F64, weight: F64, knobs: OneEuro) -> F64:
    """The same for unit quaternions (T, M, 4) whose signs do not jump."""
    # halves of angles: a quaternion turns half as far as what it rotates
    half = OneEuro(knobs.min_cutoff_hz, 2.0 * knobs.beta, 0.5 * knobs.quiet)
    return rot.normalize(smooth_vectors(t_s, q_xyzw, weight, half))


def _around(t_s: F64, speed: F64) -> F64:
    """Speeds (T, M) averaged over the moments before and after."""
    dt_s = np.diff(t_s, prepend=t_s[0])
    before, after = speed.copy(), speed.copy()
    for i in range(1, len(t_s)):
        before[i] += np.exp(-dt_s[i] / _AROUND_S) * (before[i - 1] - before[i])
    for i in range(len(t_s) - 2, -1, -1):
        after[i] += np.exp(-dt_s[i + 1] / _AROUND_S) * (after[i + 1] - after[i])
    return np.asarray(0.5 * (before + after))


def _solve(t_s: F64, x: F64, weight: F64, cutoff_hz: F64) -> F64:
    """The minimum: one banded system of equations per signal, all solved at once."""
    step = np.diff(t_s)
    h0, h1 = step[:-1, None], step[1:, None]
    bend = np.stack(
        [2.0 / (h0 * (h0 + h1)), -2.0 / (h0 * h1), 2.0 / (h1 * (h0 + h1))]
    )  # of x'' on three neighbours
    stiff = (2.0 * np.pi * cutoff_hz[1:-1]) ** -4 * 0.5 * (h0 + h1)
    share = np.maximum(weight, _LEAST_WEIGHT) * np.gradient(t_s)[:, None]
    main, next_1, next_2 = share.copy(), np.zeros_like(share), np.zeros_like(share)
    for k in range(3):
        rows = slice(k, len(t_s) - 2 + k)
        main[rows] += stiff * bend[k] ** 2
        if k < 2:
            next_1[rows] += stiff * bend[k] * bend[k + 1]
    next_2[:-2] = stiff * bend[0] * bend[2]
    return _banded(main, next_1, next_2, share[..., None] * x)


def _banded(main: F64, next_1: F64, next_2: F64, right: F64) -> F64:
    """Solve symmetric systems with two bands beside the diagonal, by Cholesky's L D Lᵀ.

    Args:
        main: (T, M) diagonals.
        next_1: (T, M) elements at (i, i + 1).
        next_2: (T, M) elements at (i, i + 2).
        right: (T, M, D).
    """
    count = len(main)
    d, low_1, low_2 = main.copy(), np.zeros_like(main), np.zeros_like(main)
    y = right.copy()
    for i in range(count):
        if i >= 1:
            d[i] -= low_1[i - 1] ** 2 * d[i - 1]
            y[i] -= low_1[i - 1, :, None] * y[i - 1]
        if i >= 2:
            d[i] -= low_2[i - 2] ** 2 * d[i - 2]
            y[i] -= low_2[i - 2, :, None] * y[i - 2]
        cross = low_1[i - 1] * d[i - 1] * low_2[i - 1] if i >= 1 else 0.0
        low_1[i] = (next_1[i] - cross) / d[i]
        low_2[i] = next_2[i] / d[i]
    y /= d[..., None]
    for i in range(count - 2, -1, -1):
        y[i] -= low_1[i, :, None] * y[i + 1]
        if i < count - 2:
            y[i] -= low_2[i, :, None] * y[i + 2]
    return y
