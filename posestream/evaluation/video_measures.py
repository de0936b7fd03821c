"""How steadily one person moves, measured without truth. n samples in time, K points."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, Bool
from posestream.skeleton.joints import JOINT, LIMBS

_WINDOW_S: Final = 0.5
_REST_M_S: Final = 0.1
_REST_SWING_M: Final = 0.05
_LAGS_S: F64 = np.arange(-0.1, 0.3001, 0.005)
_LEAST_LAG_S: Final = 1.0  # of motion, to measure a lag by
_LEAST_PATH_M: Final = 0.1
_CONTACT_M: Final = 0.05
_FLOOR_PERCENTILE: Final = 5.0
_LEAST_SCORE: Final = 0.5
_LEAST_SAMPLES: Final = 10
_A, _B = (np.array([JOINT[limb[end]] for limb in LIMBS]) for end in (0, 1))


def rest_windows(t_s: F64, xyz_m: F64) -> tuple[list[slice], Bool]:
    """Windows of half a second, and (W, K) which points stand still there on the whole.

    Still: slower than 0.1 m/s, and not swinging out and back by more than 5 cm.
    """
    windows = _windows(t_s)
    fits = [_fit(t_s[w], xyz_m[w]) for w in windows]
    shape = (-1, xyz_m.shape[1])
    speed = np.array([np.linalg.norm(f.velocity, axis=-1) for f in fits]).reshape(shape)
    swing = np.array([np.linalg.norm(f.swing, axis=-1) for f in fits]).reshape(shape)
    return windows, (speed < _REST_M_S) & (swing < _REST_SWING_M)


def squared_jitter(t_s: F64, xyz_m: F64, windows: list[slice], still: Bool) -> F64:
    """(M,) mean square distance (m²) from a parabola, of each still point and window.

    Corrected for what the parabola takes: independent noise of standard deviation s per axis
    gives 3 s² on average.
    """
    squared = np.array([_fit(t_s[w], xyz_m[w]).squared for w in windows])
    squared = squared.reshape(-1, xyz_m.shape[1])
    return np.asarray(squared[still & np.isfinite(squared)])


def _windows(t_s: F64) -> list[slice]:
    """Consecutive windows with at least five samples and without gaps."""
    if len(t_s) < 5:
        return []
    number = np.floor((t_s - t_s[0]) / _WINDOW_S + 1e-9).astype(np.int64)
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    ends = np.append(starts[1:], len(t_s))
    step = float(np.median(np.diff(t_s)))
    return [
        slice(a, b)
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
        if b - a >= 5 and np.diff(t_s[a:b]).max() < 1.5 * step
    ]


class _Fit(NamedTuple):
    velocity: F64  # (K, 3) m/s
    swing: F64  # (K, 3) m, of the parabola's middle from the line through its ends
    squared: F64  # (K,) mean square distance from it


def _fit(t_s: F64, xyz_m: F64) -> _Fit:
    """A parabola through each point's n positions."""
    span_s = t_s[-1] - t_s[0]
    u = 2.0 * (t_s - t_s[0]) / span_s - 1.0  # from -1 to 1
    basis = np.stack([np.ones_like(u), u, u**2], axis=1)
    values = xyz_m.reshape(len(u), -1)
    coefficients = np.linalg.lstsq(basis, values, rcond=None)[0]
    residual = (values - basis @ coefficients).reshape(xyz_m.shape)
    _, slope, bow = coefficients.reshape(3, *xyz_m.shape[1:])
    squared = np.asarray((residual**2).sum(axis=(0, 2)) / (len(u) - 3))
    return _Fit(slope * 2.0 / span_s, bow, squared)


def lag_s(t_s: F64, before_m: F64, after_m: F64) -> float:
    """By how much ``after`` trails ``before`` (n, K, 3); negative if it runs ahead.

    The shift that makes them most alike; NaN if there is too little motion to tell.
    """
    if len(t_s) < _LEAST_SAMPLES or t_s[-1] - t_s[0] < _LEAST_LAG_S:
        return float("nan")
    calm = _binomial(before_m)
    path_m = np.linalg.norm(np.ptp(calm, axis=0), axis=-1).max()
    inner = (t_s >= t_s[0] + _LAGS_S[-1]) & (t_s <= t_s[-1] + _LAGS_S[0])
    if path_m < _LEAST_PATH_M or inner.sum() < _LEAST_SAMPLES:
        return float("nan")
    wanted = after_m[inner].reshape(inner.sum(), -1)
    signal = calm.reshape(len(t_s), -1)
    errors = [float(((_at(t_s, signal, t_s[inner] - s) - wanted) ** 2).sum()) for s in _LAGS_S]
    return float(_LAGS_S[int(np.argmin(errors))])


def _binomial(signal: F64) -> F64:
    """Smoothed over five samples without delay, so that interpolation adds no advantage."""
    padded = np.pad(signal, ((2, 2), *[(0, 0)] * (signal.ndim - 1)), mode="edge")
    n = len(signal)
    taps = zip((1.0, 4.0, 6.0, 4.0, 1.0), range(5), strict=True)
    return np.asarray(sum(w * padded[i : i + n] for w, i in taps) / 16.0)


def _at(t_s: F64, signal: F64, when_s: F64) -> F64:
    return np.stack([np.interp(when_s, t_s, column) for column in signal.T], axis=1)


def contact_speeds(t_s: F64, feet_m: F64) -> F64:
    """(M,) horizontal speeds (m/s) of the supporting foot of (n, 2, 3), Y up, frame to frame.

    Supporting: the lower one in both frames, within 5 cm of the person's own floor, which is
    the fifth percentile of its feet's heights. It should not move: its speed is skate.
    """
    if len(t_s) < 2:
        return np.zeros(0)
    floor_m = np.percentile(feet_m[..., 1], _FLOOR_PERCENTILE)
    height_m = feet_m[..., 1]
    low = (height_m < floor_m + _CONTACT_M) & (height_m <= height_m[:, ::-1])
    dt_s = np.diff(t_s)
    speed = np.linalg.norm(np.diff(feet_m[..., [0, 2]], axis=0), axis=-1) / dt_s[:, None]
    return np.asarray(speed[low[1:] & low[:-1] & (dt_s < 1.5 * np.median(dt_s))[:, None]])


def bone_variations(joints_m: F64, score: F64) -> F64:
    """(M,) standard deviation over mean of each limb's length, from joints (n, J, 3).

    Limbs seen surely fewer than ten times are left out.
    """
    length = np.linalg.norm(joints_m[:, _A] - joints_m[:, _B], axis=-1)
    sure = np.minimum(score[:, _A], score[:, _B]) >= _LEAST_SCORE
    sure &= np.isfinite(length)
    columns = [length[sure[:, limb], limb] for limb in range(len(LIMBS))]
    return np.array([c.std() / c.mean() for c in columns if len(c) >= _LEAST_SAMPLES])
