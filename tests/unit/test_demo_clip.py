"""The bundled clip and its truth agree with each other and with a walking human body."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import posestream
from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.skeleton.joints import BODY, JOINT, ROOT

ASSETS = Path(posestream.__file__).parent / "assets"
RIGID = (
    ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"),
    ("ankle", "heel"), ("wrist", "index"),
)  # fmt: skip

Truth = dict[str, NDArray[np.generic]]


@pytest.fixture(scope="module")
def truth() -> Truth:
    with np.load(ASSETS / "demo_truth.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def test_clip_opens_and_matches_the_truth(truth: Truth) -> None:
    video = cv2.VideoCapture(str(ASSETS / "demo.mp4"))
    assert video.isOpened()
    frames = 0
    while True:
        ok, picture = video.read()
        if not ok:
            break
        frames += 1
        assert picture.shape[1::-1] == tuple(truth["size_px"])
    assert frames == len(truth["xyz_world_m"])
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(float(truth["fps"]))


def test_files_are_small() -> None:
    assert (ASSETS / "demo.mp4").stat().st_size < 3_000_000
    assert (ASSETS / "demo_truth.npz").stat().st_size < 500_000


def test_truth_has_two_people_with_all_joints(truth: Truth) -> None:
    assert tuple(truth["joints"]) == BODY
    assert truth["xyz_world_m"].shape[1:] == (2, len(BODY), 3)
    assert truth["xy_px"].shape[1:] == (2, len(BODY), 2)
    assert np.isfinite(truth["xyz_world_m"]).all()
    assert list(truth["person_id"]) == [0, 1]


def test_truth_reprojects(truth: Truth) -> None:
    T_cam_world = rigid.inverse(truth["T_world_cam"])
    xyz_cam = rigid.apply(T_cam_world, truth["xyz_world_m"].astype(np.float64))
    assert np.abs(project(xyz_cam, truth["K_px"]) - truth["xy_px"]).max() < 0.1
    assert np.abs(xyz_cam[:, :, ROOT] - truth["root_cam_m"]).max() < 1e-4


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("inner", "outer"), RIGID)
def test_bones_keep_their_length(truth: Truth, side: str, inner: str, outer: str) -> None:
    xyz = truth["xyz_world_m"].astype(np.float64)
    bone = xyz[:, :, JOINT[f"{side}_{inner}"]] - xyz[:, :, JOINT[f"{side}_{outer}"]]
    length = np.linalg.norm(bone, axis=-1)
    assert np.abs(length / np.median(length, axis=0) - 1.0).max() < 0.01


def test_limbs_have_human_lengths(truth: Truth) -> None:
    xyz = truth["xyz_world_m"].astype(np.float64)
    stature = xyz[:, :, JOINT["head_top"], 1].max(axis=0)
    assert ((stature > 1.5) & (stature < 2.0)).all()
    left = np.linalg.norm(xyz[:, :, JOINT["left_hip"]] - xyz[:, :, JOINT["left_knee"]], axis=-1)
    right = np.linalg.norm(xyz[:, :, JOINT["right_hip"]] - xyz[:, :, JOINT["right_knee"]], axis=-1)
    assert np.abs(left - right).max() < 0.01


def test_feet_stay_above_the_floor_and_never_slide(truth: Truth) -> None:
    xyz = truth["xyz_world_m"].astype(np.float64)
    for side in ("left", "right"):
        sole = xyz[:, :, [JOINT[f"{side}_heel"], JOINT[f"{side}_toe"]]]  # (T, N, 2, 3)
        assert sole[..., 1].min() > 0.0
        flat = (np.abs(sole[..., 1] - np.median(sole[..., 1], axis=0)) < 0.001).all(axis=-1)
        planted = flat[1:] & flat[:-1]
        step_m = np.linalg.norm(np.diff(sole[..., [0, 2]], axis=0), axis=-1).max(axis=-1)
        assert planted.mean() > 0.4
        assert (step_m[planted] * truth["fps"]).max() < 0.1


def test_people_are_mostly_in_full_view(truth: Truth) -> None:
    assert (truth["visibility"] > 0).mean() > 0.995
    assert (truth["visibility"] == 2).mean() > 0.75
