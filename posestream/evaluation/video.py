"""Measures on videos without truth: steadiness, skate, and people counted by hand where given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.errors import PosestreamError
from posestream.evaluation import hand_counts
from posestream.evaluation import video_measures as measures
from posestream.evaluation.mupots_figures import Figures, mean_of
from posestream.pipeline import Pipeline, StepDetails
from posestream.settings import Settings
from posestream.skeleton.humanoid import BONE
from posestream.types import AvatarFrame, TrackState

_ENDS: Final = np.array(
    [BONE[n] for n in ("Head", "LeftHand", "RightHand", "LeftFoot", "RightFoot")]
)
_FEET: Final = np.array([BONE["LeftFoot"], BONE["RightFoot"]])
_HIPS: Final = BONE["Hips"]
_SKATING_M_S: Final = 0.1


@dataclass(slots=True)
class Person:
    """One track's frames in which it was seen."""

    t_s: list[float] = field(default_factory=list)
    before_m: list[F64] = field(default_factory=list)  # (B, 3) bones as retargeted
    after_m: list[F64] = field(default_factory=list)  # (B, 3) smoothed, as sent
    joints_m: list[F64] = field(default_factory=list)  # (J, 3) as located
    score: list[F64] = field(default_factory=list)  # (J,)


@dataclass(slots=True)
class Watched:
    """Everything kept of one video."""

    people: dict[int, Person] = field(default_factory=dict)
    live: dict[int, tuple[F64, list[int]]] = field(default_factory=dict)  # boxes, ids by frame
    frames: int = 0
    seen: int = 0
    held: int = 0

    def add(self, details: StepDetails, avatars: AvatarFrame) -> None:
        """Take one frame into account."""
        self.frames += 1
        self.live[details.frame.index] = live_tracks(details)
        seen = details.tracks.state == TrackState.TRACKED
        self.seen += int(seen.sum())
        self.held += int((details.tracks.state == TrackState.HELD).sum())
        for row in np.flatnonzero(seen).tolist():
            person = self.people.setdefault(int(details.tracks.track_id[row]), Person())
            person.t_s.append(details.frame.t_capture_ns * 1e-9)
            person.before_m.append(details.pose.position_world_m[row])
            person.after_m.append(avatars.position_world_m[row])
            person.joints_m.append(details.tracks.xyz_world_m[row])
            person.score.append(details.tracks.score[row])


def live_tracks(details: StepDetails) -> tuple[F64, list[int]]:
    """Boxes (M, 4) in pixels and ids of the people seen in this frame; held ones are not.

    Boxes are cut at the picture's edge like the hand-drawn ones: back ends guess where
    joints beyond it would be.
    """
    tracks = details.tracks
    seen = (tracks.state == TrackState.TRACKED) & (tracks.detection >= 0)
    xy_px = details.people2d.xy_px[tracks.detection[seen]]
    known: Bool = np.isfinite(xy_px).all(axis=-1).any(axis=-1)
    height, width = details.frame.image.shape[:2]
    boxes_px = np.clip(hand_counts.boxes_of(xy_px[known]), 0.0, [width, height, width, height])
    return boxes_px, tracks.track_id[seen][known].tolist()


def evaluate_videos(
    sources: Sequence[str],
    backend: str,
    counts: Path | None = None,
    settings: Settings | None = None,
) -> Figures:
    """Figures of every source and their means, counts summed; with the settings that users get."""
    if counts is not None and not counts.is_dir():
        raise PosestreamError(f"There is no folder {counts} of people counted by hand.")
    results = {source: _evaluate(source, backend, counts, settings) for source in sources}
    means = mean_of(list(results.values()))
    means["counts"] = hand_counts.total([result["counts"] for result in results.values()])
    return {"backend": backend, **means, "sources": results}


def _evaluate(source: str, backend: str, counts: Path | None, settings: Settings | None) -> Figures:
    return {
        **figures(watched := watch(source, backend, settings)),
        **_counted(watched, source, counts),
    }


def watch(source: str, backend: str, settings: Settings | None = None) -> Watched:
    """Run the whole chain over every frame."""
    from posestream.capture import open_source
    from posestream.capture.base import CaptureSettings
    from posestream.estimate.registry import create

    settings = settings or Settings()
    opened = open_source(source, CaptureSettings(pace="fast"))
    try:
        estimator = create(backend, settings.estimate, opened.name.startswith("synthetic"))
        try:
            pipeline, watched = Pipeline(estimator, settings), Watched()
            while (frame := opened.read()) is not None:
                avatars = pipeline.step(frame)
                assert pipeline.details is not None
                watched.add(pipeline.details, avatars)
        finally:
            estimator.close()
    finally:
        opened.close()
    return watched


def figures(watched: Watched) -> Figures:
    """What can be said without truth. NaN where nobody was long enough in view.

    Jitter is the root mean square distance from a parabola, over half seconds in which a point
    is at rest: of the hips in the world, and of head, hands and feet relative to the hips.
    """
    people = list(watched.people.values())
    hips = [_jitter(p, body=False) for p in people]
    body = [_jitter(p, body=True) for p in people]
    lags = [_lag_ms(p) for p in people]
    skate, skate_smoothed = (
        _joined(_skate(p, smoothed) for p in people) for smoothed in (False, True)
    )
    variation = _joined(
        measures.bone_variations(np.array(p.joints_m), np.array(p.score)) for p in people
    )
    return {
        "frames": watched.frames,
        "people_mean": watched.seen / watched.frames if watched.frames else math.nan,
        "tracks": len(people),
        "held_share": watched.held / max(watched.seen + watched.held, 1),
        "root_jitter_mm": _rms_mm(_joined(before for before, _ in hips)),
        "root_jitter_smoothed_mm": _rms_mm(_joined(after for _, after in hips)),
        "body_jitter_mm": _rms_mm(_joined(before for before, _ in body)),
        "body_jitter_smoothed_mm": _rms_mm(_joined(after for _, after in body)),
        "lag_ms": _median([lag for lag in lags if not math.isnan(lag)]),
        "foot_skate_m_s": _mean(skate),
        "foot_skate_smoothed_m_s": _mean(skate_smoothed),
        "foot_skate_share": _mean((skate > _SKATING_M_S).astype(np.float64)),
        "foot_skate_smoothed_share": _mean((skate_smoothed > _SKATING_M_S).astype(np.float64)),
        "bone_length_variation": _mean(variation),
    }


def _jitter(person: Person, body: bool) -> tuple[F64, F64]:
    """Squared jitter before and after smoothing, in the same windows."""
    t_s = np.array(person.t_s)
    before, after = (_points(v, body) for v in (person.before_m, person.after_m))
    windows, still = measures.rest_windows(t_s, before)
    return (
        measures.squared_jitter(t_s, before, windows, still),
        measures.squared_jitter(t_s, after, windows, still),
    )


def _points(bones_m: list[F64], body: bool) -> F64:
    """(n, K, 3): the hips, or head, hands and feet from the hips."""
    bones = np.array(bones_m)
    return bones[:, _ENDS] - bones[:, [_HIPS]] if body else bones[:, [_HIPS]]


def _lag_ms(person: Person) -> float:
    before, after = (_points(v, body=True) for v in (person.before_m, person.after_m))
    return 1e3 * measures.lag_s(np.array(person.t_s), before, after)


def _skate(person: Person, smoothed: bool) -> F64:
    bones = np.array(person.after_m if smoothed else person.before_m)
    return measures.contact_speeds(np.array(person.t_s), bones[:, _FEET])


def _mean(values: F64) -> float:
    return float(values.mean()) if values.size else math.nan


def _joined(parts: Iterable[F64]) -> F64:
    return np.concatenate([np.zeros(0), *parts])


def _rms_mm(squared_m2: F64) -> float:
    return float(1e3 * np.sqrt(squared_m2.mean())) if squared_m2.size else math.nan


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else math.nan


def _counted(watched: Watched, source: str, counts: Path | None) -> Figures:
    """Against the people counted in this video; nothing counted where nobody has."""
    path = None if counts is None else counts / f"{Path(source).stem}.json"
    sums = hand_counts.Counts() if path is None or not path.is_file() else _sums(watched, path)
    return {
        "counted": sums.people if sums.frames else math.nan,
        "lost_share": sums.lost / sums.people if sums.people else math.nan,
        "extra_per_frame": sums.extra / sums.frames if sums.frames else math.nan,
        "switches": sums.switches if sums.frames else math.nan,
        "counts": sums.as_dict(),
    }


def _sums(watched: Watched, path: Path) -> hand_counts.Counts:
    """Our people against one file of counted people; in a frame not delivered all are lost."""
    sums = hand_counts.Counts()
    try:
        people = hand_counts.read(path)
        for index in sorted(people):
            sums.add(people[index], *watched.live.get(index, (np.zeros((0, 4)), [])))
    except (ValueError, KeyError, TypeError) as error:
        raise PosestreamError(f"{path} is not a file of counted people: {error}.") from None
    return sums
