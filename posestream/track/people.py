"""Everybody seen in this frame, and everybody remembered, as rows of arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry import rigid
from posestream.geometry.fast import clamp, dot, every
from posestream.skeleton.joints import NUM_JOINTS
from posestream.track import likeness, motion
from posestream.types import People2D, PeopleCam

_SHORTEST_HOLD_S: Final = 0.2
_ONES: Final = np.ones(3)


@dataclass(slots=True)
class Sightings:
    """The D people of one frame."""

    root_m: F64  # (D, 3) world; NaN where the distance is unknown
    var: F64  # (D, 2) across and along the ray
    xyz_m: F64  # (D, J, 3) world
    score: F64  # (D, J)
    px: F64  # (D, 13, 2) joints that are compared
    low_px: F64  # (D, 2) of the box round them
    high_px: F64  # (D, 2)
    size_px: F64  # (D,) its diagonal
    person_score: F64  # (D,)
    pose_m: F64  # (D, 13, 3) relative to the root
    build: F64  # (D, S)
    placed: Bool  # (D,) distance known
    find_look: Callable[[], F64]
    found_look: F64 | None = None  # (D, L) once somebody wanted to know

    def __len__(self) -> int:
        return int(self.root_m.shape[0])

    def look(self) -> F64:
        """(D, L) what clothes look like; found out when asked for the first time."""
        if self.found_look is None:
            self.found_look = self.find_look()
        return self.found_look

    @property
    def looked(self) -> bool:
        """Whether ``look`` was asked for."""
        return self.found_look is not None


def sightings(people_cam: PeopleCam, people2d: People2D, T_world_cam: F64) -> Sightings:
    """What the tracker needs of a frame's people."""
    root = rigid.apply(T_world_cam, people_cam.root_cam_m)
    xyz = rigid.apply(T_world_cam, people_cam.xyz_cam_m)
    placed = np.isfinite(dot(root, _ONES)) & (people_cam.depth_score > 0.0)
    px = likeness.compared(people2d.xy_px, people2d.score)
    low, high = likeness.box_px(px)
    return Sightings(
        root_m=root if every(placed) else np.where(placed[:, None], root, np.nan),
        var=motion.measurement_var(people_cam.depth_std_m),
        xyz_m=xyz,
        score=people_cam.score,
        px=px,
        low_px=low,
        high_px=high,
        size_px=likeness.size_px(low, high),
        person_score=np.fmin(np.fmax(people2d.person_score, 0.0), 1.0),
        pose_m=xyz.take(likeness.MAJOR, 1) - root[:, None],
        build=likeness.build(xyz),
        placed=placed,
        find_look=likeness.looks(people2d),
    )


@dataclass(slots=True)
class Known:
    """The N people of whom something is known."""

    track_id: I64  # (N,) -1 until confirmed
    slot: I64  # (N,) -1 while not shown
    born_s: F64  # (N,)
    seen_s: F64  # (N,)
    shown: Bool  # (N,) confirmed and not gone
    gone: Bool  # (N,) left, but may come back
    confidence: F64  # (N,) smoothed person score
    root_m: F64  # (N, 3) believed place
    velocity: F64  # (N, 3) when last seen
    covariance: F64  # (N, 2, 3)
    xyz_m: F64  # (N, J, 3) last joints
    anchor_m: F64  # (N, 3) the root that belongs to them
    score: F64  # (N, J)
    px: F64  # (N, 13, 2)
    px_velocity: F64  # (N, 2)
    m_per_px: F64  # (N,) when last placed; NaN until it is needed
    pose_m: F64  # (N, 13, 3)
    build: F64  # (N, S) smoothed
    look: F64  # (N, L) smoothed
    looked_s: F64  # (N,)

    def __len__(self) -> int:
        return int(self.track_id.shape[0])

    def take(self, rows: I64 | Bool) -> Self:
        """These rows only, copied."""
        return type(self)(*(getattr(self, name)[rows] for name in FIELDS))

    def join(self, other: Self) -> Self:
        """These rows, then the other's."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in FIELDS)
        return type(self)(*(np.concatenate(pair) for pair in pairs))


FIELDS: Final = tuple(Known.__dataclass_fields__)


def nobody() -> Known:
    """No rows."""
    ints, reals, no = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.bool_)
    joints = likeness.MAJOR.size
    return Known(
        ints, ints, reals, reals, no, no, reals, np.zeros((0, 3)), np.zeros((0, 3)),
        np.zeros((0, 2, 3)), np.zeros((0, NUM_JOINTS, 3)), np.zeros((0, 3)),
        np.zeros((0, NUM_JOINTS)), np.zeros((0, joints, 2)), np.zeros((0, 2)), reals,
        np.zeros((0, joints, 3)), np.zeros((0, likeness.NUM_SEGMENTS)),
        np.zeros((0, likeness.LOOK_SIZE)), reals,
    )  # fmt: skip


def newcomers(seen: Sightings, rows: I64, t_s: float) -> Known:
    """Rows for people seen for the first time, not yet confirmed."""
    n = rows.size
    unset, no = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    root = seen.root_m[rows]
    return Known(
        track_id=unset, slot=unset.copy(), born_s=np.full(n, t_s), seen_s=np.full(n, t_s),
        shown=no, gone=no.copy(), confidence=seen.person_score[rows], root_m=root,
        velocity=np.zeros((n, 3)), covariance=motion.first_covariance(seen.var[rows]),
        xyz_m=seen.xyz_m[rows], anchor_m=root.copy(), score=seen.score[rows],
        px=seen.px[rows], px_velocity=np.zeros((n, 2)), m_per_px=np.full(n, np.nan),
        pose_m=seen.pose_m[rows], build=seen.build[rows], look=seen.look()[rows],
        looked_s=np.full(n, t_s),
    )  # fmt: skip


def hold_times(known: Known, hold_s: float) -> F64:
    """(N,) how long each is held when not seen: no longer than he was seen before."""
    life_s = known.seen_s - known.born_s
    return clamp(life_s, min(_SHORTEST_HOLD_S, hold_s), hold_s)


def metres_per_pixel(pose: F64, px: F64) -> F64:
    """(N,) at each person's distance: spread of joints in space (N, K, 3) and picture (N, K, 2)."""
    known = np.isfinite(pose).all(axis=-1) & np.isfinite(px).all(axis=-1)
    count = np.maximum(known.sum(axis=1), 1)
    metres = _spread(pose, known, count)
    pixels = np.maximum(_spread(px, known, count), 1.0)
    return np.asarray(metres / pixels)


def _spread(points: F64, known: Bool, count: I64) -> F64:
    """(N,) root mean square distance of the known points from their mean."""
    inside = np.where(known[..., None], points, 0.0)
    mean = inside.sum(axis=1) / count[:, None]
    squared = np.einsum("njk,njk->n", inside, inside) / count
    return np.asarray(np.sqrt(np.maximum(squared - dot(mean, mean), 0.0)))
