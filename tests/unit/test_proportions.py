"""Bone lengths by running medians."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.geometry import rotation
from posestream.locate.proportions import Proportions
from posestream.skeleton.joints import JOINT, LIMBS, NUM_JOINTS

BODY_M = np.random.default_rng(0).normal(0.0, 0.4, (NUM_JOINTS, 3))
for _left in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "toe"):
    BODY_M[JOINT[f"right_{_left}"]] = BODY_M[JOINT[f"left_{_left}"]] * (-1, 1, 1)
BODY_M[[JOINT["pelvis"], JOINT["neck"], JOINT["head"]], 0] = 0.0
TRUE_M = np.array([np.linalg.norm(BODY_M[JOINT[a]] - BODY_M[JOINT[b]]) for a, b in LIMBS])
SURE = np.ones((1, NUM_JOINTS))
ONE = np.array([7])


def feed(proportions, frames, noise_m=0.0, wild=0.0, track=ONE, score=SURE, seed=1):
    rng = np.random.default_rng(seed)
    for _ in range(frames):
        q = rotation.normalize(rng.normal(size=4))
        xyz = rotation.rotate(q, BODY_M) + rng.normal(0.0, noise_m, BODY_M.shape)
        spoilt = rng.random(NUM_JOINTS) < wild
        xyz[spoilt] += rng.normal(0.0, 1.0, (int(spoilt.sum()), 3))
        proportions.update(track, xyz[None], score)


def test_one_exact_frame_is_enough():
    proportions = Proportions()
    feed(proportions, 1)
    np.testing.assert_allclose(proportions.lengths_m(ONE)[0], TRUE_M, rtol=1e-12)


def test_noise_and_wild_joints_are_outvoted():
    proportions = Proportions()
    feed(proportions, 90, noise_m=0.01, wild=0.1)
    np.testing.assert_allclose(proportions.lengths_m(ONE)[0], TRUE_M, rtol=0.05)


def test_a_side_never_seen_is_taken_from_the_other():
    proportions = Proportions()
    score = SURE.copy()
    score[0, [JOINT["right_knee"], JOINT["right_elbow"]]] = 0.0
    feed(proportions, 5, score=score)
    np.testing.assert_allclose(proportions.lengths_m(ONE)[0], TRUE_M, rtol=1e-12)


def test_a_limb_never_seen_stays_unknown_and_the_hips_get_the_default():
    proportions = Proportions()
    score = SURE.copy()
    score[0, [JOINT["left_knee"], JOINT["right_knee"]]] = 0.0
    feed(proportions, 10, score=score)
    lengths = dict(zip(LIMBS, proportions.lengths_m(ONE)[0], strict=True))
    assert np.isnan(lengths["left_hip", "left_knee"])
    assert np.isfinite(lengths["left_shoulder", "left_elbow"])
    assert proportions.hip_height_m(ONE, default_m=0.9)[0] == 0.9


def test_hip_height_is_thigh_shin_and_ankle():
    proportions = Proportions()
    feed(proportions, 3)
    lengths = dict(zip(LIMBS, TRUE_M, strict=True))
    wanted = lengths["left_hip", "left_knee"] + lengths["left_knee", "left_ankle"] + 0.085
    assert proportions.hip_height_m(ONE)[0] == pytest.approx(wanted)


def test_unknown_people_forgotten_people_and_nobody():
    proportions = Proportions()
    feed(proportions, 3)
    proportions.forget(ONE)
    assert len(proportions) == 0
    assert np.all(np.isnan(proportions.lengths_m(np.array([7, 8]))))
    assert proportions.lengths_m(np.zeros(0, dtype=np.int64)).shape == (0, len(LIMBS))
    empty = np.zeros((0, NUM_JOINTS, 3))
    proportions.update(np.zeros(0, dtype=np.int64), empty, empty[..., 0])


def test_a_grown_person_is_learnt_anew():
    """The memory is bounded: what was seen long ago no longer counts."""
    proportions = Proportions()
    feed(proportions, 200)
    xyz = 1.2 * BODY_M[None]
    for _ in range(100):
        proportions.update(ONE, xyz, SURE)
    np.testing.assert_allclose(proportions.lengths_m(ONE)[0], 1.2 * TRUE_M, rtol=1e-12)
