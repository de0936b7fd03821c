"""How far people are shown from where they are measured.

Hips are measured far better than feet, whose estimates jump by as much as a step is long. So
people who rest are moved slowly to where their feet stand, and by what is far off no faster than
by what is near; meanwhile legs make up the rest. Fast goes only what hips and standing feet do
alike: that is an error of the distance or of the floor, not theirs. Who goes somewhere is shown
where they are measured.
"""

from __future__ import annotations

from math import expm1
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import clamp, every, some
from posestream.ground.contacts import Feet
from posestream.ground.legs import Legs
from posestream.ground.people import People

_STAND_S: Final = 0.4  # how fast people are moved to where their feet stand
_SEATED_S: Final = 1.0  # the same in height, where nobody stands upright
_FAR_M: Final = np.array([0.08, 0.15, 0.08])  # more counts as this much
_BACK_S: Final = 3.0  # to where they are measured, level, though feet stand and hips rest
_AWAY_M: Final = 0.4  # further from there what hips and feet do alike is believed
_LEVEL: Final = np.array([1.0, 0.0, 1.0])
_RETURN_S: Final = 0.5  # the same while hips go somewhere, or no foot stands
_SETTLE_S: Final = 0.4  # of people who stand though no foot rests
_AIRBORNE_S: Final = 0.9  # nobody jumps longer
_RISE_S: Final = 0.05  # out of the ground
_LIFTED_M: Final = 0.025  # a foot that is deeper is lifted by its leg
_SLOWEST_M2: Final = 1e-15
_RANGE_STD, _UP_STD_M = 0.01, 0.03  # errors of distance, as a share of it, and of height
_THICK_M: Final = np.array([[0.07], [0.04], [0.04]])  # half as thick as hip, knee and ankle are


def shift(people: People, feet: Feet, legs: Legs, calm: F64, dt_s: float) -> F64:
    """(N, 3) from where people are measured to where they are shown, for this frame.

    ``calm`` (N,): from 1, the hips rest, to 0, they go somewhere.
    """
    step = _step(people, feet, 1.0 - calm[:, None], dt_s)
    loose = people.loose_s > 0.0
    if some(loose):
        step = np.where(loose[:, None], _loose_step(people, feet, dt_s), step)
    moved = people.shift_m + step
    moved[:, 1] += _sunk_m(feet, legs, moved) * -expm1(-dt_s / _RISE_S)
    return np.asarray(moved)


def _step(people: People, feet: Feet, going: F64, dt_s: float) -> F64:
    """(N, 3) of people who stand on a foot: to it as far as they rest, back as far as they go."""
    held = people.weight * people.standing
    share = held / np.maximum(held[:, :1] + held[:, 1:], 1e-9)
    wanted = np.matmul(share[:, None], people.anchor_m - feet.ankle_m)[:, 0]
    step = clamp(wanted - people.shift_m, -_FAR_M, _FAR_M) * -expm1(-dt_s / _STAND_S)
    if not every(feet.stands):
        step[:, 1] *= np.where(feet.stands, 1.0, _STAND_S / _SEATED_S)
    step -= _alike(people, feet)
    resting, gone = -expm1(-dt_s / _BACK_S), -expm1(-dt_s / _RETURN_S)
    back = people.shift_m * (resting + (gone - resting) * going)
    return np.asarray(step - _LEVEL * (going * step + back))


def _alike(people: People, feet: Feet) -> F64:
    """(N, 3) by how much hips and standing feet have moved alike.

    Real hips move while feet stand, so of what these share the half is chance.
    """
    moved = feet.moved_m
    along = np.matmul(moved, moved[:, 0, :, None])[..., 0]
    feet_along = np.where(people.standing, along[:, 1:], np.inf)
    least = np.minimum(feet_along[:, 0], feet_along[:, 1])
    share = clamp(2.0 * least / np.maximum(along[:, 0], _SLOWEST_M2) - 1.0, 0.0, 1.0)
    share *= np.hypot(people.shift_m[:, 0], people.shift_m[:, 2]) < _AWAY_M
    return np.asarray(share[:, None] * moved[:, 0])


def _loose_step(people: People, feet: Feet, dt_s: float) -> F64:
    """Back to where people are measured, level; after a while down to the floor, if they stand."""
    step = people.shift_m * (_LEVEL * expm1(-dt_s / _RETURN_S))
    late = feet.stands & (people.loose_s > _AIRBORNE_S) & either(feet.known)
    down = lowest_to_floor(feet) * -expm1(-dt_s / _SETTLE_S)
    return np.where(late[:, None], down, step)


def either(feet: Bool) -> Bool:
    """(N,) whether one foot or the other is so."""
    return np.asarray(feet[:, 0] | feet[:, 1])


def to_floor(up_m: F64, feet: Feet) -> F64:
    """(N, 2, 3) the likeliest way by which to rise by ``up_m`` (N, 2).

    Along the line of sight as far as distance is less sure than height; the rest straight up.
    """
    ray = feet.ray[:, 1:]
    steep = ray[..., 1]
    var = (_RANGE_STD * feet.range_m[:, 1:]) ** 2
    along = up_m * var * steep / (_UP_STD_M**2 + var * steep * steep)
    way = along[..., None] * ray
    way[..., 1] = up_m
    return np.asarray(way)


def lowest_to_floor(feet: Feet) -> F64:
    """(N, 3) the way of the lower foot."""
    lower = feet.above_m.argmin(axis=1)
    return np.asarray(to_floor(-feet.above_m, feet)[np.arange(lower.size), lower])


def _sunk_m(feet: Feet, legs: Legs, shift_m: F64) -> F64:
    """(N,) by how much the hips must rise for the lowest foot, knee or hip in the ground."""
    up = shift_m[:, 1, None, None]
    deep = _THICK_M - up - legs.place_m[:, :3, :, 1]
    if some(feet.stands):
        foot = np.minimum(feet.rest_m - feet.ankle_m[..., 1] - up[:, 0], _LIFTED_M)
        deep[:, 2] = np.where(feet.stands[:, None], foot, deep[:, 2])
    return np.asarray(np.maximum(np.maximum.reduce(deep.reshape(-1, 6), axis=1), 0.0))
