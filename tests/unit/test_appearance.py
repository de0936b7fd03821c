"""Clothes' colours: found where the joints say, unknown where nothing can be seen."""

from __future__ import annotations

import numpy as np

from posestream.estimate import appearance
from posestream.skeleton.joints import JOINT, NUM_JOINTS
from posestream.types import People2D

RED, BLUE = (30, 30, 200), (200, 60, 20)  # BGR


def person(left_px: float) -> np.ndarray:
    xy = np.full((NUM_JOINTS, 2), np.nan)
    for name, (dx, y) in {
        "left_shoulder": (40, 20), "right_shoulder": (0, 20), "left_hip": (35, 80),
        "right_hip": (5, 80), "left_knee": (35, 130), "right_knee": (5, 130),
    }.items():  # fmt: skip
        xy[JOINT[name]] = (left_px + dx, y)
    return xy


def picture() -> np.ndarray:
    image = np.full((160, 240, 3), 128, np.uint8)
    image[15:85, 15:70], image[85:140, 15:70] = RED, BLUE
    image[15:85, 115:170], image[85:140, 115:170] = BLUE, RED
    return image


def people(*lefts: float, score: float = 1.0) -> People2D:
    xy = np.stack([person(left) for left in lefts])
    return People2D(xy, np.where(np.isfinite(xy[..., 0]), score, 0.0), np.ones(len(lefts)))


def test_trunk_and_thighs_have_the_colours_that_were_painted():
    look = appearance.describe(picture(), people(20, 120))
    assert look.shape == (2, appearance.SIZE)
    trunk, thighs = look[:, :3], look[:, 3:]
    assert trunk[0, 0] > 0.6 > trunk[1, 0]  # share of red
    np.testing.assert_allclose(trunk[0], thighs[1])
    np.testing.assert_allclose(trunk[1], thighs[0])


def test_a_strap_across_the_trunk_changes_nothing():
    striped = picture()
    striped[40:46] = (0, 255, 255)
    np.testing.assert_array_equal(
        appearance.describe(striped, people(20)), appearance.describe(picture(), people(20))
    )


def test_dimmer_light_changes_little_compared_with_other_clothes():
    dim = (picture() * 0.7).astype(np.uint8)
    bright, other = appearance.describe(picture(), people(20, 120))
    changed = np.abs(appearance.describe(dim, people(20))[0] - bright).mean()
    assert changed < 0.5 * np.abs(bright - other).mean()


def test_unsure_or_outside_is_unknown():
    assert np.isnan(appearance.describe(picture(), people(20, score=0.1))).all()
    assert np.isnan(appearance.describe(picture(), people(-500))).all()
    cut = appearance.describe(picture()[:85], people(20))  # below the hips there is no picture
    assert np.isfinite(cut[0, :3]).all()
    assert np.isnan(cut[0, 3:]).all()


def test_nobody_has_no_look():
    none = People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0))
    assert appearance.describe(picture(), none).shape == (0, appearance.SIZE)
