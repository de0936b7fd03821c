"""Avatar frames sorted by person: what every motion file is written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import REST_HIP_HEIGHT_M, REST_OFFSET_M
from posestream.skeleton.kinematics import PARENT_INDEX, world_rotations
from posestream.types import EXPRESSIONS, AvatarFrame, TrackState

_PLAUSIBLE_M = 5.0  # no bone is longer


@dataclass(frozen=True, slots=True, eq=False)
class PersonMotion:
    """One person from the first to the last frame in which they were seen, T frames."""

    number: int  # from 1, in order of appearance
    track_id: int
    start_s: float  # since the first frame of the source
    time_s: F64  # (T,) since ``start_s``, rising
    root_world_m: F64  # (T, 3) Hips
    quat_local_xyzw: F64  # (T, B, 4) normalised; the shorter way from each frame to the next
    hip_height_m: F64  # (T,) standing upright, as believed in each frame
    offset_m: F64  # (B, 3) the person's own T-pose vectors from each bone's parent
    expressions: dict[str, F64]  # (T,) each of those that were ever there

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def fps(self) -> float:
        """Frames per second by the median step; 30 for a single frame."""
        return float(1.0 / np.median(np.diff(self.time_s))) if len(self) > 1 else 30.0


@dataclass(slots=True)
class _Gathered:
    """One person so far; rows are cut off behind the last one that was seen."""

    time_s: list[float] = field(default_factory=list)
    root_m: list[NDArray[np.float32]] = field(default_factory=list)
    quat: list[NDArray[np.float32]] = field(default_factory=list)
    place_m: list[NDArray[np.float32]] = field(default_factory=list)
    hip_height_m: list[float] = field(default_factory=list)
    expressions: list[F64] = field(default_factory=list)
    seen: int = 0  # rows up to the last in which the person was seen


class Gatherer:
    """Sorts frames by person. Memory: 2 kB per person and frame."""

    def __init__(self, expressions: Sequence[str] = EXPRESSIONS) -> None:
        self._names = tuple(expressions)
        self._people: dict[int, _Gathered] = {}
        self._first_ns: int | None = None

    def add(self, frame: AvatarFrame) -> None:
        """Take up a frame; times must not run backwards."""
        if self._first_ns is None:
            self._first_ns = frame.t_capture_ns
        t_s = (frame.t_capture_ns - self._first_ns) * 1e-9
        for row, track_id in enumerate(frame.track_id.tolist()):
            self._add(frame, row, self._people.setdefault(track_id, _Gathered()), t_s)

    def _add(self, frame: AvatarFrame, row: int, person: _Gathered, t_s: float) -> None:
        late = bool(person.time_s) and t_s <= person.time_s[-1]
        quat, root = frame.quat_local_xyzw[row], frame.root_world_m[row]
        if late or not (np.isfinite(quat).all() and np.isfinite(root).all()):
            return
        person.time_s.append(t_s)
        person.root_m.append(root.astype(np.float32))
        person.quat.append(quat.astype(np.float32))
        person.place_m.append(frame.position_world_m[row].astype(np.float32))
        person.hip_height_m.append(float(frame.hip_height_m[row]))
        person.expressions.append(frame.expressions[row])
        if frame.state[row] == TrackState.TRACKED:
            person.seen = len(person.time_s)

    def motions(self, min_s: float = 0.0) -> list[PersonMotion]:
        """Everybody who was in view for ``min_s`` seconds, in order of appearance."""
        long_enough = [
            (track_id, person)
            for track_id, person in self._people.items()
            if person.seen and person.time_s[person.seen - 1] - person.time_s[0] >= min_s
        ]
        return [
            self._motion(number, track_id, person)
            for number, (track_id, person) in enumerate(long_enough, 1)
        ]

    def _motion(self, number: int, track_id: int, person: _Gathered) -> PersonMotion:
        seen = person.seen
        time_s = np.array(person.time_s[:seen])
        root = np.array(person.root_m[:seen], dtype=np.float64)
        quat = rot.normalize(np.array(person.quat[:seen], dtype=np.float64))
        hips = np.array(person.hip_height_m[:seen])
        hips = np.where(np.isfinite(hips) & (hips > 0.0), hips, REST_HIP_HEIGHT_M)
        offset = own_offsets(np.array(person.place_m[:seen], dtype=np.float64), quat)
        offset[0] = (0.0, float(np.median(hips)), 0.0)
        return PersonMotion(
            number, track_id, float(time_s[0]), time_s - time_s[0], root,
            rot.continuous(quat), hips, offset, self._expressions(person, seen),
        )  # fmt: skip

    def _expressions(self, person: _Gathered, seen: int) -> dict[str, F64]:
        width = min((len(row) for row in person.expressions[:seen]), default=0)
        rows = np.array([row[:width] for row in person.expressions[:seen]])
        names = enumerate(self._names[:width])
        return {name: rows[:, i] for i, name in names if rows[:, i].any()}


def own_offsets(place_world_m: F64, quat_local_xyzw: F64) -> F64:
    """A person's own T-pose vectors (B, 3), the median over frames; ours where nothing is known.

    Args:
        place_world_m: (T, B, 3) bones as shown.
        quat_local_xyzw: (T, B, 4) normalised rotations as shown.
    """
    world = world_rotations(quat_local_xyzw)
    way = place_world_m - place_world_m[:, PARENT_INDEX]
    own = np.median(rot.rotate(rot.inverse(world[:, PARENT_INDEX]), way), axis=0)
    known = np.isfinite(own).all(axis=-1) & (np.abs(own).max(axis=-1) < _PLAUSIBLE_M)
    return np.where((known & own.any(axis=-1))[:, None], own, REST_OFFSET_M)
