"""The ground stage: people stand on the floor, and their standing feet stay where they are.

A standing foot has a place on the floor: where the line of sight through it meets the floor, as
far as distance is less sure than height. Legs reach for it; people are moved to where their
feet stand, slowly. Who jumps, sits, kneels or lies is not pulled to the floor, but nobody sinks
into it.
"""

from __future__ import annotations

from functools import partial
from math import exp, expm1
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import clamp, same, smoothstep, some, unit
from posestream.ground.contacts import Feet, contacts, smoothed, speeds, still_for
from posestream.ground.legs import Body, Legs, body_of, legs_of, reach, with_legs
from posestream.ground.people import FIELDS, People, newcomers
from posestream.ground.settings import GroundSettings
from posestream.ground.shift import either, lowest_to_floor, shift, to_floor

_FOLLOW_S: Final = {"soft": 0.25, "locked": 3.0}  # how fast a standing foot follows what is seen
_IN_S, _OUT_S = 0.08, 0.1  # ramps of a foot that stands
_RELEASE_S: Final = 0.1  # how fast a foot is let go
_LETS_GO_M: Final = (0.15, 0.35)  # so far from its place a foot is let go bit by bit
_CALMLY_M: Final = 0.1  # the farther, level, while hips hardly move
_HIPS_M_S: Final = (0.15, 0.45)  # slower they are calm, faster they are not
_UPRIGHT: Final = 0.65  # height of the hips above the lower ankle, of that of who stands straight
_TILT_M: Final = 0.04  # a ball so far from a flat foot's height is noise
_ANKLE_M: Final = 0.04  # half as thick as it is
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
        calm = 1.0 - smoothstep(people.speed[:, 0], *_HIPS_M_S)
        self._stand(people, feet, calm, dt_s)
        people.shift_m = shift(people, feet, legs, calm, dt_s)
        ankle = _put(people, feet, calm, body, dt_s)
        soles = partial(_soles, people, feet, body)
        solved, people.knee_rad = reach(legs, ankle, soles, body, people.knee_rad, dt_s)
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
            feet, before, people.speed[:, 1:], people.still_s, gap, doubt
        )
        begins = people.standing > before
        if some(begins):
            down = to_floor(-feet.above_m, feet)
            people.anchor_m = np.where(begins[..., None], here + down, people.anchor_m)
            gap = people.anchor_m - here
        people.anchor_m += expm1(-dt_s / _FOLLOW_S[self._settings.feet]) * gap
        people.anchor_m[..., 1] = feet.rest_m
        ramp = np.where(people.standing, dt_s / _IN_S, -dt_s / _OUT_S)
        people.weight = clamp(people.weight + ramp, 0.0, 1.0)
        loose = ~either(people.standing)
        people.loose_s = (people.loose_s + dt_s) * loose


def _look(people: People, legs: Legs, hips_m: F64, body: Body, known: Bool, camera_m: F64) -> Feet:
    """What this frame says of everybody's feet."""
    ankle = legs.place_m[:, 2]
    tilt = legs.sole_m[..., 1] + (body.ankle_m - body.ball_m)[:, None]
    rest = body.ankle_m[:, None] + np.maximum(-_TILT_M - tilt, 0.0)
    height = ankle[..., 1]
    above = height + people.shift_m[:, 1:2] - rest
    lower = np.minimum(height[:, 0], height[:, 1])
    stands = hips_m[:, 1] - lower > _UPRIGHT * (body.hips_m - body.ankle_m)
    here = np.concatenate([hips_m[:, None], ankle], axis=1)
    moved, people.place_m = here - people.place_m, here
    ray, range_m = unit(here - camera_m)
    return Feet(moved, ankle, legs.sole_m, tilt, rest, above, ray, range_m, known, stands)


def _watch(people: People, feet: Feet, dt_s: float) -> None:
    """How fast hips and feet move. Newcomers who stand are put on the floor at once."""
    new = np.isnan(feet.moved_m[:, 0, 0])
    if some(new):
        feet.moved_m[new] = 0.0
        down = lowest_to_floor(feet)
        people.shift_m = np.where((new & feet.stands)[:, None], down, people.shift_m)
        feet.above_m = feet.above_m + np.where(new[:, None], people.shift_m[:, 1:2], 0.0)
    now = speeds(feet.moved_m, feet.ray, dt_s)
    people.speed = smoothed(people.speed, now, dt_s)
    slow = np.minimum(people.speed[:, 1:], now[:, 1:])
    people.still_s = still_for(people.still_s, slow, dt_s)


def _put(people: People, feet: Feet, calm: F64, body: Body, dt_s: float) -> F64:
    """(N, 2, 3) where ankles go, as seen from where people are measured.

    Standing feet go where they stand, none into the ground.
    """
    gap = people.anchor_m - feet.ankle_m - people.shift_m[:, None]
    left = people.pull_m * exp(-dt_s / _RELEASE_S)
    hold = _hold(people, gap, calm)[..., None]
    people.pull_m = np.where(people.standing[..., None], gap * hold, left)
    ankle = feet.ankle_m + people.pull_m
    lowest = np.where(feet.stands[:, None], body.ankle_m[:, None], _ANKLE_M)
    ankle[..., 1] = np.maximum(ankle[..., 1], lowest - people.shift_m[:, 1:2])
    return np.asarray(ankle)


def _hold(people: People, gap_m: F64, calm: F64) -> F64:
    """(N, 2) how firmly standing feet are held that are ``gap_m`` from where they stand.

    More firmly while hips hardly move, unless it is above its place that a foot is seen.
    """
    level = np.hypot(gap_m[..., 0], gap_m[..., 2]) - (_CALMLY_M * calm)[:, None]
    off = np.maximum(level, np.abs(gap_m[..., 1]))
    return np.asarray(people.weight * (1.0 - smoothstep(off, *_LETS_GO_M)))


def _soles(people: People, feet: Feet, body: Body, ankle_m: F64) -> F64:
    """(N, 2, 3) from ankles at these places, as ``_put`` gives them, to the balls of the feet.

    Flat where the foot stands, never into the ground.
    """
    height = ankle_m[..., 1] + people.shift_m[:, 1:2]
    fall = feet.fall_m
    drop = fall[..., 1]
    noise = clamp(feet.tilt_m, -_TILT_M, _TILT_M)
    lowest = np.minimum(body.ball_m[:, None] - height, 0.0)
    down = np.maximum(drop - people.weight * noise, lowest)
    steepest = 0.99 * body.foot_m
    down = clamp(down, -steepest, steepest)
    squared = body.foot_m * body.foot_m
    level = np.maximum(squared - drop * drop, 1e-9)
    sole = fall * np.sqrt((squared - down * down) / level)[..., None]
    sole[..., 1] = down
    return np.asarray(sole)
