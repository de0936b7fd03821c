"""The ground stage: people stand on the floor, and their standing feet stay where they are.

A standing foot has a place on the floor: where the line of sight through it meets the floor, as
far as distance is less sure than height. People are moved to where their feet stand, so that
legs keep their pose; what is left between two feet, the legs themselves make up. Who jumps,
sits, kneels or lies is not pulled to the floor, but nobody sinks into it.
"""

from __future__ import annotations

from math import exp, expm1
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import clamp, dot, every, same, smoothstep, some, unit
from posestream.ground.contacts import Feet, contacts, smoothed, speeds, still_for
from posestream.ground.legs import Body, Legs, body_of, legs_of, reach, with_legs
from posestream.ground.people import FIELDS, People, newcomers
from posestream.ground.settings import GroundSettings

_FOLLOW_S: Final = {"soft": 0.25, "locked": 3.0}  # how fast a standing foot follows what is seen
_ROOT_S: Final = 0.06  # how fast people are moved to where their feet stand
_ROOT_M_S: Final = 1.5
_CALM_M_S: Final = (0.2, 0.7)  # of two feet the calmer one says where people are
_SEATED_S: Final = 1.0  # the same in height, where nobody stands upright
_RETURN_S: Final = 0.5  # from there to where they are measured, while no foot stands
_SETTLE_S: Final = 0.4  # of people who stand though no foot rests
_AIRBORNE_S: Final = 0.9  # nobody jumps longer
_RISE_S: Final = 0.05  # out of the ground
_IN_S, _OUT_S = 0.08, 0.1  # ramps of a foot that stands
_RELEASE_S: Final = 0.1  # how fast a foot is let go
_LETS_GO_M: Final = np.array([0.05, 0.15])  # so far from its place a foot is let go bit by bit
_CALM_LETS_GO_M: Final = np.array([0.24, 0.4])  # the same while hips hardly move
_HIPS_M_S: Final = (0.15, 0.45)  # slower they are calm, faster they are not
_HIPS_S: Final = 0.1  # over which their speed is taken
_RANGE_STD, _UP_STD_M = 0.01, 0.03  # errors of distance, as a share of it, and of height
_UPRIGHT: Final = 0.65  # height of the hips above the lower ankle, of that of who stands straight
_TILT_M: Final = 0.04  # a ball so far from a flat foot's height is noise
_ANKLE_M: Final = 0.04  # half as thick as it is
_THICK_M: Final = np.array([[0.07], [0.04], [_ANKLE_M]])  # likewise hip, knee and ankle
_LONGEST_STEP_S: Final = 0.2


class Grounder:
    """Keeps everybody on the floor; owned by one thread."""

    def __init__(self, settings: GroundSettings | None = None) -> None:
        self._settings = settings or GroundSettings()
        self._people = newcomers(0)
        self._t_s = -np.inf
        self._body: tuple[F64, Body] | None = None

    def configure(self, settings: GroundSettings) -> None:
        """Take over other settings; who stands goes on standing."""
        self._settings = settings

    @property
    def standing(self) -> Bool:
        """(N, 2) whose left and right foot stood in the last frame."""
        return self._people.standing

    def body_of(self, offset_m: F64, hip_height_m: F64) -> Body:
        """``legs.body_of``, kept while the same arrays come in."""
        if self._body is None or self._body[0] is not offset_m:
            self._body = offset_m, body_of(offset_m, hip_height_m)
        return self._body[1]

    def apply(
        self,
        track_id: I64,
        t_s: float,
        root_world_m: F64,
        quat_local_xyzw: F64,
        body: Body,
        known: Bool,
        camera_m: F64,
    ) -> tuple[F64, F64]:
        """Roots (N, 3) and local rotations (N, B, 4) of people whose feet meet the floor.

        Args:
            track_id: (N,) who it is.
            t_s: seconds, any origin.
            root_world_m: (N, 3) measured and smoothed.
            quat_local_xyzw: (N, B, 4) likewise.
            body: lengths of everybody's legs.
            known: (N, 2) whose left and right leg were seen in this frame.
            camera_m: (3,) place of the camera in the world.
        """
        if self._settings.feet == "off" or track_id.size == 0:
            self._people = newcomers(0)
            return root_world_m, quat_local_xyzw
        people = self._align(track_id)
        dt_s = min(max(t_s - self._t_s, 0.0), _LONGEST_STEP_S)
        self._t_s = t_s
        legs = legs_of(root_world_m, quat_local_xyzw, body)
        feet = _look(people, legs, root_world_m, body, known, camera_m)
        _watch(people, feet, dt_s)
        calm = _calm(people, root_world_m, feet, dt_s)
        self._stand(people, feet, calm, dt_s)
        people.shift_m = _shift(people, feet, legs, dt_s)
        solved = reach(legs, *_put(people, feet, calm, body, dt_s), body)
        root = np.asarray(root_world_m + people.shift_m)
        return root, with_legs(quat_local_xyzw, solved)

    def _align(self, track_id: I64) -> People:
        """What is remembered, in the order of ``track_id``."""
        old = self._people
        if same(old.track_id, track_id):
            return old
        row_of = {k: i for i, k in enumerate(old.track_id.tolist())}
        rows = np.array([row_of.get(k, -1) for k in track_id.tolist()], dtype=np.int64)
        people, kept = newcomers(track_id.size), rows >= 0
        people.track_id = track_id.copy()
        for name in FIELDS:
            getattr(people, name)[kept] = getattr(old, name)[rows[kept]]
        self._people = people
        return people

    def _stand(self, people: People, feet: Feet, calm: F64, dt_s: float) -> None:
        """Which feet stand from now on, and where."""
        here = feet.ankle_m + people.shift_m[:, None]
        gap = people.anchor_m - here
        before = people.standing
        doubt = people.doubt_s, calm, dt_s
        people.standing, people.doubt_s = contacts(
            feet, before, people.speed, people.still_s, gap, doubt
        )
        begins = people.standing > before
        if some(begins):
            down = _to_floor(-feet.above_m, feet)
            people.anchor_m = np.where(begins[..., None], here + down, people.anchor_m)
            gap = people.anchor_m - here
        people.anchor_m += expm1(-dt_s / _FOLLOW_S[self._settings.feet]) * gap
        people.anchor_m[..., 1] = feet.rest_m
        ramp = np.where(people.standing, dt_s / _IN_S, -dt_s / _OUT_S)
        people.weight = clamp(people.weight + ramp, 0.0, 1.0)
        loose = ~_either(people.standing)
        people.loose_s = (people.loose_s + dt_s) * loose


def _either(feet: Bool) -> Bool:
    """(N,) whether one foot or the other is so."""
    return np.asarray(feet[:, 0] | feet[:, 1])


def _look(people: People, legs: Legs, hips_m: F64, body: Body, known: Bool, camera_m: F64) -> Feet:
    """What this frame says of everybody's feet."""
    ankle = legs.place_m[:, 2]
    tilt = legs.sole_m[..., 1] + (body.ankle_m - body.ball_m)[:, None]
    rest = body.ankle_m[:, None] + np.maximum(-_TILT_M - tilt, 0.0)
    height = ankle[..., 1]
    above = height + people.shift_m[:, 1:2] - rest
    ray, range_m = unit(ankle - camera_m)
    lower = np.minimum(height[:, 0], height[:, 1])
    stands = hips_m[:, 1] - lower > _UPRIGHT * (body.hips_m - body.ankle_m)
    return Feet(ankle, legs.sole_m, tilt, rest, above, ray, range_m, known, stands)


def _watch(people: People, feet: Feet, dt_s: float) -> None:
    """How fast the feet move. Newcomers who stand are put on the floor at once."""
    moved = feet.ankle_m - people.ankle_m
    new = np.isnan(people.ankle_m[:, 0, 0])
    if some(new):
        moved[new] = 0.0
        down = _lowest_to_floor(feet)
        people.shift_m = np.where((new & feet.stands)[:, None], down, people.shift_m)
        feet.above_m = feet.above_m + np.where(new[:, None], people.shift_m[:, 1:2], 0.0)
    people.ankle_m = feet.ankle_m
    people.speed = smoothed(people.speed, speeds(moved, feet.ray, dt_s), dt_s)
    people.still_s = still_for(people.still_s, people.speed, dt_s)


def _calm(people: People, hips_m: F64, feet: Feet, dt_s: float) -> F64:
    """(N,) 1: the hips rest, 0: they go somewhere. Distance counts less, as with feet."""
    moved = hips_m - people.hips_m
    new = np.isnan(moved[:, 0])
    if some(new):
        moved[new] = 0.0
    people.hips_m = hips_m
    now = speeds(moved, feet.ray[:, 0], dt_s)
    people.hips_m_s = people.hips_m_s + (now - people.hips_m_s) * -expm1(-dt_s / _HIPS_S)
    return np.asarray(1.0 - smoothstep(people.hips_m_s, *_HIPS_M_S))


def _to_floor(up_m: F64, feet: Feet) -> F64:
    """(N, 2, 3) the likeliest way by which to rise by ``up_m`` (N, 2).

    Along the line of sight as far as distance is less sure than height; the rest straight up.
    """
    steep = feet.ray[..., 1]
    var = (_RANGE_STD * feet.range_m) ** 2
    along = up_m * var * steep / (_UP_STD_M**2 + var * steep * steep)
    way = along[..., None] * feet.ray
    way[..., 1] = up_m
    return np.asarray(way)


def _lowest_to_floor(feet: Feet) -> F64:
    """(N, 3) the way of the lower foot."""
    lower = feet.above_m.argmin(axis=1)
    return np.asarray(_to_floor(-feet.above_m, feet)[np.arange(lower.size), lower])


def _shift(people: People, feet: Feet, legs: Legs, dt_s: float) -> F64:
    """(N, 3) from where people are measured to where they are shown, for this frame."""
    held = people.weight * people.standing * (1.001 - smoothstep(people.speed, *_CALM_M_S))
    share = held / np.maximum(held[:, :1] + held[:, 1:], 1e-9)
    wanted = np.matmul(share[:, None], people.anchor_m - feet.ankle_m)[:, 0]
    step = (wanted - people.shift_m) * -expm1(-dt_s / _ROOT_S)
    if not every(feet.stands):
        step[:, 1] *= np.where(feet.stands, 1.0, _ROOT_S / _SEATED_S)
    loose = people.loose_s > 0.0
    if some(loose):
        step = np.where(loose[:, None], _loose_step(people, feet, dt_s), step)
    shift = people.shift_m + _limited(step, _ROOT_M_S * dt_s)
    shift[:, 1] += _sunk_m(feet, legs, shift) * -expm1(-dt_s / _RISE_S)
    return np.asarray(shift)


def _limited(step_m: F64, longest_m: float) -> F64:
    """(N, 3) the same steps, none longer than ``longest_m``."""
    squared = dot(step_m, step_m)
    if not some(squared > longest_m * longest_m):
        return step_m
    share = np.minimum(1.0, longest_m / np.maximum(np.sqrt(squared), 1e-9))
    return np.asarray(step_m * share[:, None])


def _loose_step(people: People, feet: Feet, dt_s: float) -> F64:
    """Back to where people are measured, level; after a while down to the floor, if they stand."""
    step = people.shift_m * expm1(-dt_s / _RETURN_S)
    step[:, 1] = 0.0
    late = feet.stands & (people.loose_s > _AIRBORNE_S) & _either(feet.known)
    down = _lowest_to_floor(feet) * -expm1(-dt_s / _SETTLE_S)
    return np.where(late[:, None], down, step)


def _sunk_m(feet: Feet, legs: Legs, shift: F64) -> F64:
    """(N,) how deep the lowest foot, knee or hip is in the ground."""
    free = legs.place_m[:, :3, :, 1] - _THICK_M
    if some(feet.stands):
        free[:, 2] = np.where(feet.stands[:, None], feet.ankle_m[..., 1] - feet.rest_m, free[:, 2])
    lowest = np.minimum.reduce(free.reshape(-1, 6), axis=1)
    return np.asarray(np.maximum(-(lowest + shift[:, 1]), 0.0))


def _put(people: People, feet: Feet, calm: F64, body: Body, dt_s: float) -> tuple[F64, F64]:
    """Where ankles go (N, 2, 3), and from there to the balls of the feet (N, 2, 3).

    Standing feet go where they stand, none into the ground. Both as seen from where people
    are measured.
    """
    gap = people.anchor_m - feet.ankle_m - people.shift_m[:, None]
    left = people.pull_m * exp(-dt_s / _RELEASE_S)
    hold = _hold(people, gap, calm)[..., None]
    people.pull_m = np.where(people.standing[..., None], gap * hold, left)
    ankle = feet.ankle_m + people.pull_m
    floor = -people.shift_m[:, 1:2]
    lowest = np.where(feet.stands[:, None], body.ankle_m[:, None], _ANKLE_M) + floor
    ankle[..., 1] = np.maximum(ankle[..., 1], lowest)
    return ankle, _soles(people, feet, body, ankle[..., 1] - floor)


def _hold(people: People, gap_m: F64, calm: F64) -> F64:
    """(N, 2) how firmly standing feet are held that are ``gap_m`` from where they stand.

    More firmly while hips hardly move, unless it is above its place that a foot is seen.
    """
    squared = dot(gap_m, gap_m)
    if not some(people.standing & (squared > _LETS_GO_M[0] ** 2)):  # as a rule
        return people.weight
    loose = smoothstep(np.sqrt(squared), *_LETS_GO_M)
    level = smoothstep(np.sqrt(squared - gap_m[..., 1] ** 2), *_CALM_LETS_GO_M)
    calmly = np.maximum(level, smoothstep(np.abs(gap_m[..., 1]), *_LETS_GO_M))
    return np.asarray(people.weight * (1.0 - loose + calm[:, None] * (loose - calmly)))


def _soles(people: People, feet: Feet, body: Body, height_m: F64) -> F64:
    """(N, 2, 3) from ankle to ball: flat where the foot stands, never into the ground.

    ``height_m`` (N, 2) is that of the ankles above the floor.
    """
    fall = feet.fall_m
    drop = fall[..., 1]
    noise = clamp(feet.tilt_m, -_TILT_M, _TILT_M)
    lowest = np.minimum(body.ball_m[:, None] - height_m, 0.0)
    down = np.maximum(drop - people.weight * noise, lowest)
    steepest = 0.99 * body.foot_m
    down = clamp(down, -steepest, steepest)
    squared = body.foot_m * body.foot_m
    level = np.maximum(squared - drop * drop, 1e-9)
    sole = fall * np.sqrt((squared - down * down) / level)[..., None]
    sole[..., 1] = down
    return np.asarray(sole)
