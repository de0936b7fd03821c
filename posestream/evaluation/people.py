"""What a back end and the geometric root make of single pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import BackendError
from posestream.estimate.base import EstimateSettings, Estimator
from posestream.estimate.registry import create
from posestream.locate.geometric import locate, place
from posestream.skeleton.joints import NUM_JOINTS
from posestream.types import Camera, Estimate, Frame

MakeEstimator = Callable[[], Estimator]


class People(NamedTuple):
    """N people in one picture, body joints ``skeleton.joints.BODY``; unknown ones are NaN."""

    xy_px: F64  # (N, J, 2)
    xyz_root_m: F64  # (N, J, 3)
    root_cam_m: F64  # (N, 3)
    score: F64  # (N,)


def maker(backend: str) -> MakeEstimator:
    """Makes fresh estimators, which know no earlier picture. Raises BackendError when called."""
    return lambda: create(backend, EstimateSettings())


def find(estimator: Estimator, image: Image, camera: Camera, index: int, fps: float) -> People:
    """Estimate one picture and place its people. Raises BackendError if the engine fails."""
    frame = Frame(index, round(index / fps * 1e9), image, camera)
    return located(estimator.estimate(frame), camera, estimator.name)


def located(estimate: Estimate, camera: Camera, name: str) -> People:
    """People with roots: the back end's own, or by scale fit."""
    people2d, root3d = estimate.people2d, estimate.root3d
    if root3d is None:
        raise BackendError(f"The back end {name} delivers no 3D joints.")
    if estimate.root_cam_m is not None:
        cam = place(people2d, root3d, estimate.root_cam_m)
    else:
        cam = locate(people2d, root3d, camera)
    return People(
        np.where(people2d.score[..., None] > 0.0, people2d.xy_px, np.nan),
        root3d.xyz_root_m,
        cam.root_cam_m,
        people2d.person_score,
    )


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
