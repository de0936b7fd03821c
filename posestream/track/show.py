"""What the other stages see of the tracker's people."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import every
from posestream.track import motion
from posestream.track.people import Known, Sightings, hold_times
from posestream.types import Tracks, TrackState

_GUESSED: Final = 0.5
_TRACKED: Final = int(TrackState.TRACKED)
_LEVEL: Final = np.array([1.0, 0.0, 1.0])


def show(
    known: Known, leaving: Known, seen: Sightings, detection: I64, t_s: float, hold_s: float
) -> Tracks:
    """Shown people, held for up to ``hold_s``, and those who leave now; by slot."""
    shown = np.flatnonzero(known.shown)
    if not len(leaving) and _is_placed(seen, detection[shown]):
        return _all_seen(known, detection, shown)
    people = known if every(known.shown) else known.take(known.shown)
    held_s = np.concatenate([hold_times(people, hold_s), hold_times(leaving, float(np.inf))])
    detection = detection[known.shown]
    lost = np.zeros(len(people) + len(leaving), dtype=np.bool_)
    lost[len(people) :] = True
    if len(leaving):
        people = people.join(leaving)
    found = np.concatenate([detection, np.full(len(leaving), -1)])
    tracked = found >= 0
    fade = _fade(people, t_s, held_s, tracked, lost)
    state = np.where(tracked, TrackState.TRACKED, TrackState.HELD)
    state = np.where(lost, TrackState.LOST, state)
    joint_fade = fade.copy()
    joint_fade[tracked] = np.where(seen.placed[found[tracked]], 1.0, _GUESSED)
    order = np.argsort(people.slot, kind="stable")
    return Tracks(
        track_id=people.track_id[order],
        slot=people.slot[order],
        state=state[order],
        confidence=(people.confidence * fade)[order],
        xyz_world_m=_joints(people, t_s, held_s, tracked)[order],
        score=(people.score * joint_fade[:, None])[order],
        detection=found[order],
    )


def _is_placed(seen: Sightings, detection: I64) -> bool:
    """Whether all are seen in this frame, and where."""
    return every(detection >= 0) and every(seen.placed[detection])


def _all_seen(known: Known, detection: I64, shown: I64) -> Tracks:
    """As ``show``, where all who are shown are seen and placed in this frame."""
    order = shown[np.argsort(known.slot[shown], kind="stable")]
    return Tracks(
        track_id=known.track_id.take(order),
        slot=known.slot.take(order),
        state=np.full(order.size, _TRACKED),
        confidence=known.confidence.take(order),
        xyz_world_m=known.xyz_m.take(order, 0),
        score=known.score.take(order, 0),
        detection=detection.take(order),
    )


def _fade(people: Known, t_s: float, hold_s: F64, tracked: Bool, lost: Bool) -> F64:
    away = np.maximum(t_s - people.seen_s, 0.0)
    fade = 1.0 - np.minimum(away / np.maximum(hold_s, 1e-9), 1.0)
    return np.where(lost, 0.0, np.where(tracked, 1.0, fade))


def _joints(people: Known, t_s: float, hold_s: F64, tracked: Bool) -> F64:
    """Joints as seen; held people drift on with what is left of their speed over the ground."""
    if every(tracked):
        return people.xyz_m
    away = np.where(tracked, 0.0, np.clip(t_s - people.seen_s, 0.0, hold_s))
    drift = people.velocity * _LEVEL * motion.damped_s(away)[:, None]
    return np.asarray(people.xyz_m + drift[:, None])
