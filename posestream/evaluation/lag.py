"""Error, lag and calm of smoothing, on motion capture with the errors of a real back end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.calming import Calmer
from posestream.evaluation import video_measures as measures
from posestream.evaluation.noise import Trace
from posestream.ground.settings import GroundSettings
from posestream.hindsight import Hindsight
from posestream.retarget.pose import Pose
from posestream.retarget.solve import Retargeter
from posestream.settings import Settings
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.humanoid import BONE
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.smooth.chain import SmoothingChain
from posestream.smooth.one_euro import OneEuro
from posestream.smooth.outliers import OutlierGate
from posestream.smooth.settings import SmoothingSettings
from posestream.types import AvatarFrame, Tracks

_ENDS: Final = np.array(
    [BONE[n] for n in ("Head", "LeftHand", "RightHand", "LeftFoot", "RightFoot")]
)
CAMERA_M: Final = np.array([0.0, 1.4, 4.0])
ONE: Final = np.zeros(1, dtype=np.int64)
_LEAST_S: Final = 2.0
_SETTLED_S: Final = 0.5
_TO_WORLD: Final = np.array([1.0, -1.0, -1.0])  # of a level camera that looks along -z


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One motion, exact and as a back end would see it."""

    t_s: F64  # (T,)
    joints_m: F64  # (T, J, 3) exact
    noisy_m: F64  # (T, J, 3)
    score: F64  # (T, J)


class LagFigures(NamedTuple):
    """Of head, hands and feet relative to the hips; means over clips."""

    lag_ms: float  # behind the exact motion
    error_mm: float  # from the exact motion at the same instant
    moving_error_mm: float  # likewise, while they move
    jitter_mm: float  # about a parabola over half a second, at rest


def clips(folder: Path, traces: Sequence[Trace], seed: int = 0) -> list[Clip]:
    """Every BVH file of a folder that lasts two seconds or more, with errors laid over it."""
    random, result = np.random.default_rng(seed), []
    for path in sorted(folder.glob("*.bvh")):
        motion = read_bvh(path)
        joints = motion.body_joints()
        if len(joints) < _LEAST_S * motion.fps:
            continue
        trace = traces[int(random.integers(len(traces)))]
        error, score = trace.take(len(joints), motion.fps, random)
        noisy = joints + error * _TO_WORLD
        known = np.isfinite(noisy).all(axis=-1)
        t_s = np.arange(len(joints)) / motion.fps
        result.append(Clip(t_s, joints, noisy, np.where(known, score, 0.0)))
    return result


class PlainOneEuro(SmoothingSettings, frozen=True, kw_only=True):
    """The filter as its authors describe it: nothing quiet, nothing predicted, no gate."""

    def rotation_filter(self) -> OneEuro:
        """The paper's own cut-off law."""
        return OneEuro(self.rotation_cutoff_hz or 1.0, self.rotation_beta or 0.0, 1e-6)


def chain_of(settings: SmoothingSettings) -> Calmer | SmoothingChain:
    """What calms poses: bones on their parents if it is the authors' own filter."""
    return SmoothingChain(settings) if isinstance(settings, PlainOneEuro) else Calmer(settings)


def play(clip: Clip, settings: SmoothingSettings, exact: bool = False) -> F64:
    """Places (T, 5, 3) of head, hands and feet relative to the hips, metres."""
    chain = chain_of(settings)
    places = []
    for t_s, _, pose in poses(clip, settings, exact):
        _, quat = chain.apply(ONE, t_s, pose.root_world_m, pose.quat_local_xyzw, ONE == 0)
        place = positions(np.zeros((1, 3)), world_rotations(quat), pose.offset_m)
        places.append(place[0, _ENDS])
    return np.array(places)


def play_with_hindsight(clip: Clip, settings: SmoothingSettings) -> F64:
    """The same, smoothed both ways in time, as ``posestream process`` does."""
    shown = [
        f.position_world_m[0] for f in with_hindsight(clip, settings, GroundSettings(feet="off"))
    ]
    return np.array([place[_ENDS] - place[0] for place in shown])


def with_hindsight(
    clip: Clip, settings: SmoothingSettings, ground: GroundSettings
) -> Iterator[AvatarFrame]:
    """What ``posestream process`` makes of a clip."""
    hindsight = Hindsight(Settings(smooth=settings, ground=ground))
    for t_s, tracks, pose in poses(clip, settings, exact=False):
        frame = replace(
            AvatarFrame.empty(0, round(t_s * 1e9)),
            **{name: getattr(tracks, name) for name in ("slot", "track_id", "state", "confidence")},
            root_world_m=pose.root_world_m, root_quat_world_xyzw=pose.quat_local_xyzw[:, 0],
            quat_local_xyzw=pose.quat_local_xyzw, places=pose.position_world_m,
            bone_valid=pose.bone_valid, hip_height_m=pose.hip_height_m,
            expressions=np.zeros((1, 0)),
        )  # fmt: skip
        hindsight.add(frame, tracks, pose, CAMERA_M)
    return hindsight.frames()


def poses(
    clip: Clip, settings: SmoothingSettings, exact: bool
) -> Iterator[tuple[float, Tracks, Pose]]:
    """Each instant of a clip, who is seen then, and their pose before all smoothing."""
    gate, retargeter, one = OutlierGate(settings.gates), Retargeter(), ONE
    for i, t_s in enumerate(clip.t_s.tolist()):
        joints = (clip.joints_m if exact else clip.noisy_m)[i][None]
        known = np.isfinite(joints).all(axis=-1)
        score = known.astype(np.float64) if exact else clip.score[i][None]
        tracks = gate.apply(Tracks(one, one, one, np.ones(1), joints, score, one), t_s)
        yield t_s, tracks, retargeter.solve(tracks, t_s)


def figures(
    motions: Sequence[Clip],
    settings: SmoothingSettings,
    truth: Sequence[F64],
    player: Callable[[Clip, SmoothingSettings], F64] = play,
) -> LagFigures:
    """Of these settings on these clips; ``truth`` is ``exact_places`` of the clips."""
    rows = [
        _figures(c, player(c, settings), exact) for c, exact in zip(motions, truth, strict=True)
    ]
    return LagFigures(*(float(np.nanmean(column)) for column in zip(*rows, strict=True)))


def exact_places(motions: Sequence[Clip]) -> list[F64]:
    """What would be shown if nothing erred and nothing was smoothed."""
    return [play(clip, SmoothingSettings(smoothness=0.0), exact=True) for clip in motions]


def _figures(clip: Clip, shown: F64, exact: F64) -> tuple[float, float, float, float]:
    after = clip.t_s >= _SETTLED_S
    t_s = clip.t_s[after]
    shown, exact = shown[after], exact[after]
    shown = shown - (shown - exact).mean(axis=0)  # what errs for good is not smoothing's part
    off = np.linalg.norm(shown - exact, axis=-1)
    speed = np.linalg.norm(np.gradient(exact, t_s, axis=0), axis=-1)
    moving = speed > _MOVING_M_S
    windows, still = measures.rest_windows(t_s, exact)
    jitter = measures.squared_jitter(t_s, shown, windows, still)
    return (
        1e3 * measures.lag_s(t_s, exact, shown),
        1e3 * float(np.sqrt((off**2).mean())),
        1e3 * float(np.sqrt((off[moving] ** 2).mean())) if moving.any() else np.nan,
        1e3 * float(np.sqrt(jitter.mean())) if jitter.size else np.nan,
    )


_MOVING_M_S: Final = 0.5
Variant = Callable[[float], SmoothingSettings]
