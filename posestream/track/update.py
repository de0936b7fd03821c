"""What a sighting changes in what is known of a person."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import dot, every, some
from posestream.track import motion
from posestream.track.cost import Expected
from posestream.track.people import Known, Sightings, metres_per_pixel

_CONFIDENCE_S: Final = 0.2
_BUILD_S: Final = 1.0
_LOOK_S: Final = 2.0
_PX_VELOCITY_S: Final = 0.1
_PER_S: Final = -1.0 / np.array([_PX_VELOCITY_S, _CONFIDENCE_S, _BUILD_S])

Rows = I64 | slice


def update(
    known: Known,
    rows: I64,
    seen: Sightings,
    columns: I64,
    expected: Expected,
    place: F64,
    T_world_cam: F64,
) -> None:
    """Continue people ``rows`` with sightings ``columns``; ``seen_s`` is left to the caller.

    ``place`` (n,) is how far each is from where it was expected, in shares of the gate.
    """
    placed = seen.placed[columns]
    who, what = _compact(rows, len(known)), _compact(columns, len(seen))
    away = np.maximum(expected.away_s[who], 1e-3)
    share = -np.expm1(away[:, None] * _PER_S)
    jumped = place > 1.0
    moved_px = _moved_px(known, who, seen, what)
    if every(placed):
        _measure(known, who, seen, what, expected, jumped, share[:, 2:])
    else:
        _follow(known, rows[~placed], moved_px[~placed], T_world_cam)
        far, mix = jumped[placed], share[placed, 2:]
        _measure(known, rows[placed], seen, columns[placed], expected, far, mix)
    _picture(known, who, seen, what, moved_px / away[:, None], share)


def _compact(rows: I64, count: int) -> Rows:
    """A slice where all ``count`` rows are meant, in order: several times faster to apply."""
    everybody = rows.size == count and rows.tolist() == list(range(count))
    return slice(None) if everybody else rows


def update_look(known: Known, rows: I64, look: F64, t_s: float) -> None:
    """What people ``rows`` look like now (n, L) is mixed with what they looked like before."""
    share = -np.expm1((known.looked_s[rows] - t_s) / _LOOK_S)[:, None]
    known.look[rows] = _mixed(known.look[rows], look, share)
    known.looked_s[rows] = t_s


def _picture(
    known: Known, rows: Rows, seen: Sightings, columns: Rows, px_per_s: F64, share: F64
) -> None:
    """What is seen without knowing the distance."""
    known.px_velocity[rows] += share[:, :1] * (px_per_s - known.px_velocity[rows])
    known.px[rows] = seen.px[columns]
    score = seen.person_score[columns]
    known.confidence[rows] += share[:, 1] * (score - known.confidence[rows])


def _measure(
    known: Known,
    rows: Rows,
    seen: Sightings,
    columns: Rows,
    expected: Expected,
    jumped: Bool,
    mix: F64,
) -> None:
    """Take over joints; the believed distance replaces the noisier measured one.

    Who ``jumped`` (n,) was not to be expected there.
    """
    measured, var, ray = seen.root_m[columns], seen.var[columns], expected.ray[rows]
    before = expected.root_m[rows], known.velocity[rows], expected.covariance[rows]
    offset = motion.split(measured - before[0], ray)
    place, velocity, covariance = motion.correct(before, *offset, var, ray)
    if some(jumped):
        place[jumped], velocity[jumped] = measured[jumped], 0.0
        covariance[jumped] = motion.first_covariance(var[jumped])
    known.root_m[rows], known.velocity[rows] = place, velocity
    known.covariance[rows] = covariance
    shift = dot(place - measured, ray)[:, None] * ray
    known.anchor_m[rows] = measured + shift
    known.xyz_m[rows] = seen.xyz_m[columns] + shift[:, None]
    known.score[rows] = seen.score[columns]
    known.pose_m[rows] = seen.pose_m[columns]
    known.m_per_px[rows] = np.nan
    known.build[rows] = _mixed(known.build[rows], seen.build[columns], mix)


def _follow(known: Known, rows: I64, moved_px: F64, T_world_cam: F64) -> None:
    """Distance unknown: the last pose moves as the person moves in the picture."""
    stale = rows[np.isnan(known.m_per_px[rows])]
    known.m_per_px[stale] = metres_per_pixel(known.pose_m[stale], known.px[stale])
    step = moved_px * known.m_per_px[rows, None] @ T_world_cam[:3, :2].T
    known.root_m[rows] += step
    known.anchor_m[rows] += step
    known.xyz_m[rows] += step[:, None]
    known.velocity[rows] = 0.0


def _moved_px(known: Known, rows: Rows, seen: Sightings, columns: Rows) -> F64:
    """(n, 2) mean way of the joints known before and now; 0 where there are none."""
    apart = seen.px[columns] - known.px[rows]
    total = apart.sum(axis=1)
    if every(np.isfinite(total)):  # as a rule all are
        return np.asarray(total / apart.shape[1])
    shared = np.isfinite(apart[..., 0])
    total = np.where(shared[..., None], apart, 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(shared.sum(axis=1), 1)[:, None])


def _mixed(old: F64, new: F64, share: F64) -> F64:
    mixed = old + share * (new - old)
    if every(np.isfinite(mixed)):
        return mixed
    return np.where(np.isfinite(mixed), mixed, np.where(np.isfinite(old), old, new))
