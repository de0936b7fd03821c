"""How a back end errs, measured on the bundled clip, whose joints are known exactly.

The errors are kept as they came, frame by frame, and laid over other motion: so they are as
large, as slow, and as alike in neighbouring joints as the back end's are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.assets import DEMO_CLIP, DEMO_TRUTH
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.errors import PosestreamError
from posestream.estimate.registry import create
from posestream.geometry import rigid
from posestream.settings import Settings
from posestream.skeleton.joints import NUM_JOINTS, ROOT

_NEAR_PX: Final = 25.0  # a person found so far from a true one is that one
_LEAST_SHARE: Final = 0.5  # of the clip, in which a person must be found


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One person's errors over the clip, T frames."""

    fps: float
    error_cam_m: F64  # (T, J, 3) from the pelvis, camera axes; NaN: joints never given
    score: F64  # (T, J)

    def take(self, frames: int, fps: float, random: np.random.Generator) -> tuple[F64, F64]:
        """Errors (frames, J, 3) and scores (frames, J) from some moment on, to and fro."""
        last = len(self.score) - 1
        at = random.uniform(0.0, last) + np.arange(frames) * self.fps / fps
        at = last - np.abs(at % (2 * last) - last)
        return _between(self.error_cam_m, at), _between(self.score, at)


def measure(backend: str) -> list[Trace]:
    """The errors of ``backend`` on everybody in the bundled clip."""
    with np.load(DEMO_TRUTH) as truth:
        xy_px, world = truth["xy_px"].astype(np.float64), truth["xyz_world_m"].astype(np.float64)
        xyz = rigid.apply(rigid.inverse(truth["T_world_cam"]), world)
        fps = float(truth["fps"])
    xyz -= xyz[:, :, ROOT, None]
    error = np.full((*xyz.shape[:2], NUM_JOINTS, 3), np.nan)
    score = np.full(error.shape[:3], np.nan)
    source = open_source(str(DEMO_CLIP), CaptureSettings(pace="fast"))
    estimator = create(backend, Settings().estimate)
    try:
        while (frame := source.read()) is not None and frame.index < len(error):
            estimate = estimator.estimate(frame)
            if estimate.root3d is None:
                raise PosestreamError(f"The back end {backend} gives no 3D joints to measure.")
            for found, joints in enumerate(estimate.people2d.xy_px):
                off = np.linalg.norm(xy_px[frame.index] - joints, axis=-1)
                who = int(np.argmin(np.nanmedian(off, axis=-1)))
                if np.nanmedian(off[who]) < _NEAR_PX:
                    there = estimate.root3d.xyz_root_m[found]
                    error[frame.index, who] = there - xyz[frame.index, who]
                    score[frame.index, who] = estimate.people2d.score[found]
    finally:
        estimator.close()
        source.close()
    return [_trace(fps, error[:, i], score[:, i]) for i in range(error.shape[1])]


def _trace(fps: float, error: F64, score: F64) -> Trace:
    """Frames in which the person was not found are bridged."""
    found = np.flatnonzero(np.isfinite(score[:, ROOT]))
    if len(found) < _LEAST_SHARE * len(score):
        raise PosestreamError("The back end finds too little of the bundled clip to be measured.")
    every = np.arange(len(score))

    def bridged(values: F64) -> F64:
        columns = values[found].reshape(len(found), -1).T
        whole = [np.interp(every, found, column) for column in columns]
        return np.stack(whole, axis=1).reshape(values.shape)

    return Trace(fps, bridged(error), bridged(score))


def _between(values: F64, at: F64) -> F64:
    below = np.minimum(at.astype(np.int64), len(values) - 2)
    share = (at - below).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[below] * (1.0 - share) + values[below + 1] * share)
