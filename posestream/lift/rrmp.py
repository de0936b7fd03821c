"""3D poses from location maps: RRMP's read-out (eq. 1, 2) with 2D validation (eq. 5).

Every joint's 3D is stored at neck and pelvis and along the joint's limb. First all joints are
read at the neck, else the pelvis; then each limb is read again at its outermost *valid* joint,
so that a hidden wrist is read at elbow, shoulder, neck or pelvis. A joint is valid for a limb
if it is confident enough and no other person's places of that limb lie nearby. All people at
once, in numpy.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.geometry.cells import px_to_cells
from posestream.skeleton.network import NetworkSkeleton
from posestream.types import People2D, PeopleRoot, PoseMaps

_NOWHERE = 1e6  # cells; beyond every map, where joints are put that are missing


class LiftSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How 3D is read from location maps."""

    min_joint: Annotated[
        float, msgspec.Meta(ge=0.0, le=1.0, description="Joints less sure are not read at (t_J).")
    ] = 0.15
    min_distance_cells: Annotated[
        float, msgspec.Meta(ge=0.0, description="Others' places must be this far away (t_D).")
    ] = 1.75
    reading: Annotated[
        Literal["limb", "joint"],
        msgspec.Meta(description="Read whole limbs at one place, or each joint at its own."),
    ] = "limb"
    validate_2d: Annotated[
        bool, msgspec.Meta(description="Avoid places where other people's limbs lie (eq. 5).")
    ] = True


class ReadOut(NamedTuple):
    """3D joints and where each was read."""

    xyz_root_m: F64  # (N, J, 3), NaN where there was no place to read
    place: I64  # (N, J) the joint at whose position it was read, -1 nowhere
    valid: Bool  # (N, J) whether that place is valid by eq. 5


def lift(
    people: People2D,
    maps: PoseMaps,
    skeleton: NetworkSkeleton,
    settings: LiftSettings | None = None,
) -> PeopleRoot:
    """Root-relative 3D of people in pixels of the picture that the maps cover."""
    xy = px_to_cells(skeleton.from_body(people.xy_px), maps.stride_px)
    out = read_out(maps.locations, xy, skeleton.from_body(people.score), skeleton, settings)
    return PeopleRoot(skeleton.to_body(out.xyz_root_m))


def read_out(
    locations: NDArray[np.float32],
    xy_cells: F64,
    score: F64,
    skeleton: NetworkSkeleton,
    settings: LiftSettings | None = None,
) -> ReadOut:
    """3D from location maps (3J, h, w) for people (N, J, 2) in cells with scores (N, J)."""
    s = settings or LiftSettings()
    seen = (score > s.min_joint) & np.isfinite(xy_cells).all(axis=-1)
    clearance = _clearance(xy_cells, seen, skeleton)  # (N, G+1, J)
    valid = seen[:, None] & ((clearance >= s.min_distance_cells) | (not s.validate_2d))
    place = _places(seen, valid, clearance, skeleton, s.reading)
    xyz = _read(locations, xy_cells, place)
    xyz[:, skeleton.pelvis] = np.where(place[:, skeleton.pelvis, None] >= 0, 0.0, np.nan)
    group = skeleton.group_of
    people = np.arange(len(place))[:, None]
    return ReadOut(xyz, place, valid[people, group[None], place] & (place >= 0))


def _clearance(xy: F64, seen: Bool, skeleton: NetworkSkeleton) -> F64:
    """(N, G+1, J) from each joint to the nearest place where others store a limb's 3D (eq. 5).

    The last of the G+1 groups is the trunk, stored at neck and pelvis only.
    """
    n, j = seen.shape
    known = np.isfinite(xy).all(axis=-1)
    stored = _stored(skeleton)
    there = (known & seen.any(axis=1)[:, None])[..., None]
    mine = np.where(known[..., None], xy, _NOWHERE).reshape(-1, 2)
    theirs = np.where(there, xy, -_NOWHERE).take(stored.joints, 1).reshape(-1, 2)
    squared, y = (mine[:, k, None] - theirs[:, k] for k in (0, 1))
    squared *= squared
    y *= y
    squared += y
    squared = squared.reshape(n, j, n, len(stored.joints))
    squared[np.arange(n), :, np.arange(n)] = np.inf
    nearest = squared.min(axis=2, initial=np.inf)  # (N, J mine, joints of theirs)
    out = np.minimum.reduceat(nearest, stored.starts, axis=2).transpose(0, 2, 1)
    np.minimum(out, out[:, -1:], out=out)
    return np.where(out < _NOWHERE**2, np.sqrt(out), np.inf)


class _Stored(NamedTuple):
    """Which joints' places hold the 3D of each limb, and last of the trunk: one after another."""

    joints: I64
    starts: I64  # (G+1,) where each group begins


@cache
def _stored(skeleton: NetworkSkeleton) -> _Stored:
    groups = [*skeleton.groups, (skeleton.neck, skeleton.pelvis)]
    sizes = [len(group) for group in groups]
    joints = [joint for group in groups for joint in group]
    return _Stored(np.array(joints), np.cumsum([0, *sizes[:-1]]))


def _places(
    seen: Bool, valid: Bool, clearance: F64, skeleton: NetworkSkeleton, reading: str
) -> I64:
    """(N, J) the joint at which each joint is read, -1 if there is none.

    Where no place is valid, the one farthest from other people's serves.
    """
    n, j = seen.shape
    place = np.empty((n, j), dtype=np.int64)
    core = [skeleton.neck, skeleton.pelvis]
    place[:, skeleton.group_of < 0] = _first(core, seen, valid[:, -1], clearance[:, -1])[:, None]
    for number, members in enumerate(skeleton.groups):
        inward = [*reversed(members), *core]
        arguments = seen, valid[:, number], clearance[:, number]
        if reading == "limb":
            place[:, list(members)] = _first(inward, *arguments)[:, None]
            continue
        for k, joint in enumerate(members):
            place[:, joint] = _first([*members[k::-1], *members[k + 1 :], *core], *arguments)
    return place


def _first(order: list[int], seen: Bool, valid: Bool, clearance: F64) -> I64:
    """(N,) the first valid joint in this order; else the clearest seen one; else -1."""
    columns = np.array(order)
    ok = valid[:, columns]
    rest = np.where(seen[:, columns], clearance[:, columns], -1.0)
    best = np.where(ok.any(axis=1), ok.argmax(axis=1), rest.argmax(axis=1))
    return np.where(seen[:, columns].any(axis=1), columns[best], -1)


def _read(locations: NDArray[np.float32], xy: F64, place: I64) -> F64:
    """(N, J, 3) the location map of every joint at the cell of its place."""
    h, w = locations.shape[1:]
    n, j = place.shape
    cell = np.nan_to_num(xy[np.arange(n)[:, None], place])
    column = np.clip(np.rint(cell[..., 0]).astype(np.intp), 0, w - 1)
    row = np.clip(np.rint(cell[..., 1]).astype(np.intp), 0, h - 1)
    values = locations.reshape(j, 3, h, w)[np.arange(j), :, row, column].astype(np.float64)
    return np.where((place >= 0)[..., None], values, np.nan)
