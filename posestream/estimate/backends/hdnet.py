"""Any back end with HDNet behind it: a patch per person, all of a picture at once, distances.

Who is there and their joints stay the back end's; HDNet says only how far away they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from posestream.arrays import F64, Bool
from posestream.estimate.backends.engine import F32
from posestream.estimate.base import Estimator
from posestream.estimate.network_settings import HdnetSettings
from posestream.estimate.patches import Squares, box_masks, cut, squares
from posestream.geometry.depth_bins import DepthBins, depth_from_logits, focal_px
from posestream.skeleton.network import JointSetName, network_skeleton
from posestream.types import Camera, Estimate, Frame, People2D

_REGRESSION_STD = 0.1  # of the distance, where a network without bins cannot tell


class PatchFacts(NamedTuple):
    """What must be known of an HDNet."""

    joints: JointSetName
    size_px: int  # side of its patches
    bins: DepthBins | None  # None: it gives d/f itself


class PatchEngine(Protocol):
    """Runs one HDNet. Not thread-safe."""

    facts: PatchFacts

    def depth(self, image: F32, mask: F32) -> F32:
        """Bin logits (M, N_B), or d/f (M, 1) in mm/px, of M ≥ 1 patches (M, 3, S, S).

        ``mask`` (M, 1, S/4, S/4) is 1 in each person's box. Raises BackendError if it fails.
        """
        ...

    def close(self) -> None:
        """Release the network. May be called twice."""
        ...


class HdnetEstimator:
    """The people of another estimator, at distances of HDNet's."""

    def __init__(self, people: Estimator, engine: PatchEngine, settings: HdnetSettings) -> None:
        self.name = people.name
        self._people = people
        self._engine = engine
        self._settings = settings
        self._skeleton = network_skeleton(engine.facts.joints)

    @property
    def input_px(self) -> tuple[int, int] | None:
        """Of what finds people; None where it has no such thing."""
        return getattr(self._people, "input_px", None)

    def estimate(self, frame: Frame) -> Estimate:
        """Everybody, with distances. Raises BackendError if either engine fails."""
        found = self._people.estimate(frame)
        depth_m, std_m = self._distances(frame, found.people2d)
        return replace(found, root_cam_m=None, depth_m=depth_m, depth_std_m=std_m)

    def close(self) -> None:
        """Release both."""
        self._people.close()
        self._engine.close()

    def _distances(self, frame: Frame, people: People2D) -> tuple[F64, F64]:
        """(N,) and how sure; NaN of whom hardly a joint is in the picture."""
        seen = self._seen(people, frame)
        fixed_px = self._settings.fixed_px if self._settings.patch == "fixed" else None
        where = squares(people.xy_px, seen, fixed_px)
        depth_m, std_m = np.full(len(people), np.nan), np.full(len(people), np.nan)
        if len(where.row):
            size = self._engine.facts.size_px
            joints = self._skeleton.body_index
            mask = box_masks(
                people.xy_px[where.row][:, joints], seen[where.row][:, joints], where, size
            )
            answer = self._engine.depth(cut(frame.image, where, size), mask)
            depth_m[where.row], std_m[where.row] = self._read(
                answer.astype(np.float64), self._focal_px(frame.camera, where)
            )
        known = np.isfinite(depth_m) & np.isfinite(std_m) & (depth_m > 0.0)
        return np.where(known, depth_m, np.nan), np.where(known, std_m, np.nan)

    def _seen(self, people: People2D, frame: Frame) -> Bool:
        size = np.array(frame.image.shape[1::-1])
        with np.errstate(invalid="ignore"):
            inside = ((people.xy_px >= -0.5) & (people.xy_px < size - 0.5)).all(axis=-1)
        return np.asarray(inside & (people.score >= self._settings.min_joint_score))

    def _focal_px(self, camera: Camera, where: Squares) -> F64:
        """(M,) the f that divides distances: the patch's, or that of the whole picture."""
        f_px = np.full(len(where.row), focal_px(camera.K_px))
        if self._settings.patch == "fixed":
            return f_px
        return np.asarray(f_px * self._engine.facts.size_px / where.side_px)

    def _read(self, answer: F64, f_px: F64) -> tuple[F64, F64]:
        bins = self._engine.facts.bins
        if bins is not None:
            return depth_from_logits(answer, f_px, bins)
        depth_m = answer[:, 0] * f_px / 1000.0
        return depth_m, _REGRESSION_STD * depth_m
