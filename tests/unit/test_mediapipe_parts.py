"""The parts of the MediaPipe back end that need no MediaPipe."""

from __future__ import annotations

import os

import numpy as np
import pytest

pytest.importorskip("cv2")

from posestream.estimate.backends import mediapipe_people as people
from posestream.estimate.backends import mediapipe_regions as regions
from posestream.estimate.backends.mediapipe_noise import chatter_removed
from posestream.skeleton.joints import BLAZEPOSE33, JOINT

MARK = {name: i for i, name in enumerate(BLAZEPOSE33)}
SIZE_PX = (640, 480)


def standing(x=200.0, y=100.0, height=300.0):
    """(33, 2) pixels of an upright person."""
    at = {
        "nose": (0, 0.05), "shoulder": (0.1, 0.2), "elbow": (0.14, 0.35), "wrist": (0.15, 0.5),
        "hip": (0.06, 0.5), "knee": (0.07, 0.73), "ankle": (0.07, 0.95), "heel": (0.06, 0.98),
        "toe": (0.09, 1.0), "ear": (0.03, 0.04), "eye": (0.02, 0.03),
    }  # fmt: skip
    xy = np.zeros((33, 2))
    for name, i in MARK.items():
        side = 1.0 if "left" in name else -1.0
        part = next((p for p in at if p in name), "wrist")
        xy[i] = (x + side * at[part][0] * height, y + at[part][1] * height)
    return xy


def test_joints_are_mapped_by_name_and_middles_are_means():
    marks = np.random.default_rng(0).normal(size=(2, 33, 3))
    joints = people.body_joints(marks)
    np.testing.assert_array_equal(joints[:, JOINT["left_wrist"]], marks[:, MARK["left_wrist"]])
    hips = marks[:, [MARK["left_hip"], MARK["right_hip"]]].mean(axis=1)
    np.testing.assert_allclose(joints[:, JOINT["pelvis"]], hips)
    assert np.isnan(joints[:, JOINT["head_top"]]).all()
    scores = people.body_scores(np.full((2, 33), 0.7))
    assert np.all(scores[:, JOINT["head_top"]] == 0.0)
    assert np.all(scores[:, JOINT["neck"]] == 0.7)


def test_a_copy_and_a_small_upside_down_pose_on_the_legs_are_duplicates():
    person = standing()
    copy = person + 4.0
    on_legs = standing(200.0, -400.0, 140.0) * (1, -1)  # head down, within thighs and shins
    xy = np.stack([person, copy, on_legs])
    score = np.stack([np.full(33, s) for s in (0.9, 0.8, 0.85)])
    assert people.without_duplicates(xy, score) == [0]


def test_two_people_shoulder_to_shoulder_and_one_before_the_other_stay_two():
    score = np.full((2, 33), 0.9)
    beside = np.stack([standing(200.0), standing(275.0)])
    assert len(people.without_duplicates(beside, score)) == 2
    child_before = np.stack([standing(), standing(230.0, 260.0, 150.0)])
    assert len(people.without_duplicates(child_before, score)) == 2


def test_implausible_finds_are_refused():
    xy = np.stack([standing(), standing(), standing(2000.0), standing(height=5.0)])
    score = np.full((4, 33), 0.9)
    score[1] = 0.3
    np.testing.assert_array_equal(
        people.plausible(xy, score, SIZE_PX, 0.45), [True, False, False, False]
    )


def test_an_upper_body_cut_off_by_the_picture_is_a_person():
    xy = standing(320.0, 250.0, 800.0)
    below = xy[:, 1] >= SIZE_PX[1]
    assert below.sum() > 10
    score = np.where(below, 0.05, 0.95)
    assert people.plausible(xy[None], score[None], SIZE_PX, 0.45).all()


@pytest.mark.parametrize(
    "size_px", [(640, 480), (1920, 1080), (480, 640), (3000, 200), (5, 5), (1, 1)]
)
def test_crops_cover_the_picture_and_stay_inside(size_px):
    for crops in regions.crops(size_px):
        seen = np.zeros((size_px[1], size_px[0]), dtype=int)
        for crop in crops:
            part = seen[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
            assert part.shape == (crop.height, crop.width) and part.size > 0
            part += 1
        assert seen.min() >= 1


def test_a_region_turns_with_the_body_and_shares_undo():
    upright = regions.region(np.array([[100.0, 200.0], [100.0, 100.0]]))
    np.testing.assert_allclose(upright, [100.0, 200.0, 250.0, 0.0])
    leaning_right = regions.region(np.array([[100.0, 200.0], [200.0, 200.0]]))
    assert leaning_right[3] == pytest.approx(np.pi / 2)
    shares = regions.as_shares(upright, SIZE_PX)
    np.testing.assert_allclose(shares[:4] * (640, 480, 640, 480), [100, 200, 250, 250])


@pytest.mark.parametrize(
    "region", [[np.nan, 0, 50, 0], [10, 10, 3, 0], [10, 10, 1e6, 0], [-500, 10, 50, 0]]
)
def test_unusable_regions_are_refused(region):
    assert not regions.is_usable(np.array(region, dtype=float), SIZE_PX)
    assert regions.is_usable(np.array([10.0, 10.0, 50.0, 0.0]), SIZE_PX)


def test_a_known_trunk_is_recognised():
    trunk = people.trunk(standing())
    assert regions.is_known(trunk + 10.0, [trunk])
    assert not regions.is_known(trunk + np.array([90.0, 0.0]), [trunk])
    assert not regions.is_known(trunk, [])


def test_only_the_chatter_is_held_back(capfd):
    with chatter_removed():
        os.write(2, b"W0000 00:00:1.5 12 some.cc:1] chatter\n")
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"somebody else's line\n")
    assert capfd.readouterr().err == "somebody else's line\n"
