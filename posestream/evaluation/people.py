"""What a back end makes of single pictures, placed before the camera as the pipeline does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from posestream.arrays import F64, Image
from posestream.estimate.registry import create
from posestream.placing import place_people
from posestream.settings import Settings
from posestream.skeleton.joints import NUM_JOINTS
from posestream.types import Camera, Frame


class People(NamedTuple):
    """N people in one picture, body joints ``skeleton.joints.BODY``; unknown ones are NaN."""

    xy_px: F64  # (N, J, 2)
    xyz_root_m: F64  # (N, J, 3)
    root_cam_m: F64  # (N, 3)
    score: F64  # (N,)


class Finder:
    """A fresh back end, which knows no earlier picture, and what places its people.

    Raises BackendError, when made or used, if the back end fails.
    """

    def __init__(self, backend: str, settings: Settings) -> None:
        self._estimator = create(backend, settings.estimate)
        self._settings = settings

    def find(self, image: Image, camera: Camera, index: int, fps: float) -> People:
        """Estimate one picture and place its people."""
        estimate = self._estimator.estimate(Frame(index, round(index / fps * 1e9), image, camera))
        s = self._settings
        placed = place_people(estimate, camera, self._estimator.name, s.lift, s.locate)
        people2d = estimate.people2d
        return People(
            np.where(people2d.score[..., None] > 0.0, people2d.xy_px, np.nan),
            placed.root3d.xyz_root_m,
            placed.people.root_cam_m,
            people2d.person_score,
        )

    def close(self) -> None:
        """Release the back end."""
        self._estimator.close()


MakeFinder = Callable[[], Finder]


def maker(backend: str, settings: Settings | None = None) -> MakeFinder:
    """What makes fresh finders."""
    return lambda: Finder(backend, settings or Settings())


def stacked(frames: list[People]) -> People:
    """(F, M, …): the frames together, padded with NaN to the largest number of people."""
    most = max((len(people.score) for people in frames), default=0)
    out = People(
        np.full((len(frames), most, NUM_JOINTS, 2), np.nan),
        np.full((len(frames), most, NUM_JOINTS, 3), np.nan),
        np.full((len(frames), most, 3), np.nan),
        np.zeros((len(frames), most)),
    )
    for f, people in enumerate(frames):
        for whole, part in zip(out, people, strict=True):
            whole[f, : len(part)] = part
    return out
