"""The truth that the source itself carries: for tests, and to run without any model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posestream.errors import BackendError
from posestream.estimate.base import EstimateSettings
from posestream.skeleton.joints import ROOT
from posestream.types import Estimate, Frame, People2D, PeopleRoot

_DEFAULTS = EstimateSettings()


@dataclass(slots=True)
class FakeEstimator:
    """Hands on ``frame.truth``, the first ``settings.max_people`` of it, worsened as asked.

    The errors depend on ``seed`` and the frame's index alone, so any frame gives the same
    answer whenever it is asked.

    Args:
        noise_px: standard deviation of 2D joints, pixels.
        noise_m: standard deviation of root-relative 3D joints and of the root, metres.
        dropout: probability that a joint is missing in 2D and 3D.
        miss: probability that a person is not found.
    """

    settings: EstimateSettings = _DEFAULTS
    noise_px: float = 0.0
    noise_m: float = 0.0
    dropout: float = 0.0
    miss: float = 0.0
    seed: int = 0
    name: str = "fake"

    def estimate(self, frame: Frame) -> Estimate:
        """The frame's own people. Raises BackendError if it knows none."""
        if frame.truth is None:
            raise BackendError(
                "The fake back end needs a source that knows its people, such as synthetic: or the "
                "bundled clip, which has its labels beside it — choose --backend mediapipe."
            )
        truth = frame.truth
        if len(truth.people2d) > self.settings.max_people:
            truth = _chosen(truth, np.arange(self.settings.max_people))
        exact = not (self.noise_px or self.noise_m or self.dropout or self.miss)
        return truth if exact else self._worsened(truth, frame.index)

    def close(self) -> None:
        """Nothing to release."""

    def _worsened(self, truth: Estimate, index: int) -> Estimate:
        rng = np.random.default_rng((self.seed, index))
        truth = _chosen(truth, np.flatnonzero(rng.random(len(truth.people2d)) >= self.miss))
        people = truth.people2d
        lost = rng.random(people.score.shape) < self.dropout
        xy_px = people.xy_px + rng.normal(0.0, self.noise_px, people.xy_px.shape)
        xy_px[lost] = np.nan
        score = np.where(lost, 0.0, people.score)
        root3d, root_cam_m = truth.root3d, truth.root_cam_m
        if root3d is not None:
            noise_m = rng.normal(0.0, self.noise_m, root3d.xyz_root_m.shape)
            noise_m[:, ROOT] = 0.0
            lost[:, ROOT] = False  # the origin of the others
            root3d = PeopleRoot(np.where(lost[..., None], np.nan, root3d.xyz_root_m + noise_m))
        if root_cam_m is not None:
            root_cam_m = root_cam_m + rng.normal(0.0, self.noise_m, root_cam_m.shape)
        return Estimate(
            People2D(xy_px, score, people.person_score), root3d=root3d, root_cam_m=root_cam_m
        )


def _chosen(truth: Estimate, rows: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Estimate:
    people = truth.people2d
    return Estimate(
        People2D(people.xy_px[rows], people.score[rows], people.person_score[rows]),
        root3d=None if truth.root3d is None else PeopleRoot(truth.root3d.xyz_root_m[rows]),
        root_cam_m=None if truth.root_cam_m is None else truth.root_cam_m[rows],
    )
