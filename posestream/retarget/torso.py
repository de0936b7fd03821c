"""Hips, spine and chest from hip axis, shoulder axis and the line between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import rotation as rot
from posestream.geometry.fast import (
    about,
    angle,
    between,
    difference,
    dot,
    every,
    from_rotvec,
    mul,
    pick,
    powers,
    rotate,
    rotvec,
    seen_from,
    some,
    twist_angle,
    unit,
)  # fmt: skip
from posestream.retarget.bones import SPINE
from posestream.retarget.facing import Facing
from posestream.retarget.observe import Observation
from posestream.retarget.rest import (
    CHEST_M,
    HIP_DROP_M,
    NECK_RISE_M,
    REST_TORSO_M,
    SPINE_M,
    UPPER_CHEST_M,
)
from posestream.skeleton.humanoid import BONE

_UP: Final = np.array([0.0, 1.0, 0.0])
_SHARES_SO_FAR: Final = np.array([0.4, 0.7, 1.0])  # of the bend: Spine … UpperChest
_FRONT: Final = np.array([0.0, 0.0, 1.0])
_FOLLOW_S: Final = 2.0
_LEG, _SHOULDER, _CHEST = BONE["LeftUpperLeg"], BONE["LeftShoulder"], BONE["Chest"]
_SPINE: Final = [BONE[name] for name in ("Spine", "Chest", "UpperChest")]
# What leads from the Hips to the hip joints, then to the shoulder joints, and what carries it.
_CARRIED: Final = np.array([_LEG, *_SPINE, _SHOULDER])
_CARRIERS: Final = np.array([0, 0, *range(SPINE.start, SPINE.stop)])
_UNSIDED: Final = np.array([[0.0, 1.0, 1.0], *[[1.0, 1.0, 1.0]] * 3, [0.0, 1.0, 1.0]])
_MAX_LEAN_RAD: Final = np.radians(50.0)
_COS_HALF_MAX_LEAN: Final = np.cos(0.5 * _MAX_LEAN_RAD)

_ABOVE_SPINE_M: Final = np.stack([CHEST_M, UPPER_CHEST_M, NECK_RISE_M])
_LOW_M: Final[F64] = SPINE_M - HIP_DROP_M


@dataclass(slots=True)
class Torso:
    """World rotations wanted of the torso's bones."""

    hips: F64  # (N, 4)
    spine: F64  # (N, 3, 4) Spine, Chest, UpperChest


def solve_torso(
    facing: Facing,
    held_hips: F64,
    follow_s: F64 | None = None,
    fresh: Bool | None = None,
) -> Torso:
    """Torso of each person, whose shoulder joints lie in the direction seen from the hip joints.

    Args:
        facing: rotations of hips and chest where they are seen.
        held_hips: (N, 4) last world rotation, kept where neither axis is seen.
        follow_s: seated people only: (N,) seconds since the last frame; their hips stay
            upright and follow the heading of the chest slowly.
        fresh: seated people only: (N,) whose heading is taken at once.
    """
    hips = pick(facing.hips_ok, facing.hips, held_hips)
    chest = pick(facing.chest_ok, facing.chest, hips)
    if follow_s is not None and fresh is not None:
        hips = _seated_hips(held_hips, chest, follow_s, fresh)
    both = facing.hips_ok & facing.chest_ok
    return Torso(hips, _spread(hips, chest, facing.line, facing.line_ok & both))


def _seated_hips(held: F64, chest: F64, dt_s: F64, fresh: Bool) -> F64:
    """Upright hips whose heading follows the chest's slowly."""
    now = twist_angle(held, _UP)
    ahead = rotate(chest, _FRONT)
    error = rot.arctan2(ahead[:, 0], ahead[:, 2]) - now
    error = (error + np.pi) % (2.0 * np.pi) - np.pi
    share = np.where(fresh, 1.0, 1.0 - np.exp(-dt_s / _FOLLOW_S))
    return about(_UP, now + share * error)


def anchor_hips(seen: Observation, offset_m: F64, last_m: F64, dt_s: F64) -> None:
    """Seated people: the pelvis in ``seen`` stays where it was and follows slowly.

    Args:
        seen: changed in place.
        offset_m: (N, B, 3) body vectors.
        last_m: (N, 3) last place of the Hips, NaN if new.
        dt_s: (N,) since the last frame.
    """
    torso_m = REST_TORSO_M * (offset_m[:, _CHEST, 1] / CHEST_M[1])[:, None]
    pelvis = pick(seen.pelvis_ok, seen.pelvis, seen.neck - torso_m)
    known = seen.pelvis_ok | seen.neck_ok
    before = last_m + offset_m[:, _LEG] * (0.0, 1.0, 1.0)
    share = (1.0 - np.exp(-dt_s / _FOLLOW_S))[:, None]
    new = ~np.isfinite(last_m[:, 0])
    moved = pick(known, before + share * (pelvis - before), before)
    seen.pelvis = pick(new, pelvis, moved)
    seen.pelvis_ok = known | ~new


def hips_place(seen: Observation, world: F64, offset_m: F64, last_m: F64) -> F64:
    """Place of the Hips bone (N, 3): above the hip joints, else below the neck, else the last.

    Args:
        seen: this frame's joints.
        world: (N, S, 4) world rotations of the solved bones.
        offset_m: (N, B, 3) body vectors.
        last_m: (N, 3) NaN if new.
    """
    steps = rotate(world.take(_CARRIERS, 1), offset_m.take(_CARRIED, 1) * _UNSIDED)
    if every(seen.pelvis_ok):
        return seen.pelvis - steps[:, 0]
    place = pick(seen.neck_ok, seen.neck - steps[:, 1:].sum(axis=1), last_m)
    return pick(seen.pelvis_ok, seen.pelvis - steps[:, 0], place)


def _spread(hips: F64, chest: F64, line: F64, line_ok: Bool) -> F64:
    """Share the bend among three bones, then lean them so that the neck lies along ``line``."""
    steps = powers(difference(hips, chest), _SHARES_SO_FAR)  # in the hips' frame
    above = rotate(steps, _ABOVE_SPINE_M)
    lean = _lean(_LOW_M + above[:, 2], above[:, 0] + above[:, 1], seen_from(hips, line))
    lean = pick(line_ok, lean, rot.IDENTITY)
    steps[:, :2] = mul(lean[:, None], steps[:, :2])
    return mul(hips[:, None], steps)


def _lean(fixed: F64, moving: F64, line: F64) -> F64:
    """K such that fixed + K·moving points along the unit ``line``: a triangle is solved."""
    along = dot(fixed, line)
    root = along * along - dot(fixed, fixed) + dot(moving, moving)
    n = len(line)
    sides = np.empty((2 * n, 3))
    sides[:n] = moving
    sides[n:] = (along + np.sqrt(np.maximum(root, 0.0)))[:, None] * line - fixed
    sides = unit(sides)[0]
    K = between(sides[:n], sides[n:])
    if not some(K[..., 3] < _COS_HALF_MAX_LEAN):
        return K
    share = np.minimum(1.0, _MAX_LEAN_RAD / np.maximum(angle(K), 1e-9))
    return from_rotvec(rotvec(K) * share[:, None])
