"""The default back end finds the people of the bundled clip."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import posestream
from posestream.arrays import F64
from posestream.estimate.base import EstimateSettings
from posestream.estimate.registry import create
from posestream.skeleton.joints import JOINT
from posestream.types import Camera, Frame

ASSETS = Path(posestream.__file__).parent / "assets"
MAIN = [JOINT["neck"]] + [
    JOINT[f"{side}_{name}"]
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
]
NEAR = 0.35  # mean joint distance that counts as found, in heights of the person


def found(xy_px: F64, truth_px: F64) -> int:
    """How many of the people (N, J, 2) are found, one to one."""
    if len(xy_px) == 0:
        return 0
    height = np.ptp(truth_px[..., 1], axis=1)
    gap = np.linalg.norm(xy_px[None][:, :, MAIN] - truth_px[:, None][:, :, MAIN], axis=-1)
    cost = np.nanmean(gap, axis=-1) / height[:, None]
    rows, columns = linear_sum_assignment(np.where(cost <= NEAR, cost, 10.0))
    return int((cost[rows, columns] <= NEAR).sum())


@pytest.mark.mediapipe
@pytest.mark.slow
def test_nearly_every_person_is_found_in_nearly_every_frame() -> None:
    pytest.importorskip("mediapipe")
    with np.load(ASSETS / "demo_truth.npz") as truth:
        xy_px, K_px = truth["xy_px"].astype(np.float64), truth["K_px"]
        size_px = (int(truth["size_px"][0]), int(truth["size_px"][1]))
        camera = Camera(K_px, size_px, T_world_cam=truth["T_world_cam"])
    video = cv2.VideoCapture(str(ASSETS / "demo.mp4"))
    estimator = create("mediapipe", EstimateSettings())
    hits = 0
    for index, people in enumerate(xy_px):
        ok, picture = video.read()
        assert ok
        frame = Frame(index, index * 33_333_333, np.asarray(picture, np.uint8), camera)
        hits += found(estimator.estimate(frame).people2d.xy_px, people)
    estimator.close()
    assert hits / (xy_px.shape[0] * xy_px.shape[1]) >= 0.95
