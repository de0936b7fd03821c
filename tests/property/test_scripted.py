"""Scripted people have rigid bones, feet that stand, and motion without jumps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posestream.skeleton.joints import JOINT, LIMBS
from posestream.skeleton.scripted import ScriptedPeople

_TIMES = st.floats(0.0, 7200.0)
_RIGID = (
    *LIMBS,
    ("pelvis", "spine"), ("spine", "neck"), ("head", "head_top"), ("head", "nose"),
    ("nose", "left_eye"), ("left_eye", "right_eye"), ("left_ear", "right_ear"),
    ("left_ankle", "left_heel"), ("left_heel", "left_toe"), ("right_heel", "right_toe"),
    ("left_wrist", "left_index"), ("left_index", "left_pinky"), ("right_wrist", "right_thumb"),
)  # fmt: skip


@pytest.fixture(scope="module")
def motion() -> np.ndarray:
    """(T, N, J, 3): 40 s of four people at 60 Hz."""
    people = ScriptedPeople(4)
    return np.stack([people.joints_world_m(t) for t in np.arange(0.0, 40.0, 1 / 60)])


@given(t_s=_TIMES, n=st.integers(0, 12), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_bones_keep_their_length_and_nobody_sinks(t_s: float, n: int, seed: int) -> None:
    people = ScriptedPeople(n, seed)
    first, later = people.joints_world_m(0.0), people.joints_world_m(t_s)
    assert first.shape == (n, 32, 3)
    assert np.isfinite(later).all()
    for a, b in _RIGID:
        np.testing.assert_allclose(_length(later, a, b), _length(first, a, b), atol=1e-9)
    for middle, a, b in (
        ("pelvis", "left_hip", "right_hip"),
        ("neck", "left_shoulder", "right_shoulder"),
        ("head", "left_ear", "right_ear"),
    ):
        centre = 0.5 * (later[:, JOINT[a]] + later[:, JOINT[b]])
        np.testing.assert_allclose(later[:, JOINT[middle]], centre, atol=1e-9)
    assert np.all(later[..., 1] >= -1e-9)
    if n:
        lowest = later[..., 1].min(axis=1)
        np.testing.assert_allclose(lowest, 0.0, atol=1e-6)  # somebody's foot bears them


@given(t_s=_TIMES, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_knees_bend_forwards_and_left_is_left(t_s: float, seed: int) -> None:
    xyz = ScriptedPeople(5, seed).joints_world_m(t_s)
    across = xyz[:, JOINT["left_hip"]] - xyz[:, JOINT["right_hip"]]
    forward = np.cross(across, [0.0, 1.0, 0.0])
    for side in ("left", "right"):
        hip, knee, ankle = (xyz[:, JOINT[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
        assert np.all(((knee - 0.5 * (hip + ankle)) * forward).sum(-1) >= 0.0)
    nose = xyz[:, JOINT["nose"]] - xyz[:, JOINT["head"]]
    assert np.all((nose * forward).sum(-1) > 0.0)


def test_motion_has_no_jumps(motion: np.ndarray) -> None:
    speed = np.linalg.norm(np.diff(motion, axis=0), axis=-1) * 60
    assert speed.max() < 6.0
    assert speed[..., JOINT["pelvis"]].max() < 1.8


def test_standing_feet_do_not_slide(motion: np.ndarray) -> None:
    for side in ("left", "right"):
        heel, toe = motion[:, :, JOINT[f"{side}_heel"]], motion[:, :, JOINT[f"{side}_toe"]]
        down = (heel[..., 1] < 1e-6) & (toe[..., 1] < 1e-6)
        still = down[1:] & down[:-1]
        slide = np.linalg.norm(np.diff(heel, axis=0), axis=-1)[still]
        assert still.mean() > 0.4
        # the first and the last frame of a step may still lie flat
        assert np.quantile(slide, 0.95) < 1e-9
        assert slide.max() < 0.005


def test_they_walk_cross_wave_squat_and_turn(motion: np.ndarray) -> None:
    pelvis = motion[:, :, JOINT["pelvis"]]
    assert np.ptp(pelvis[:, 0, 0]) > 1.5
    apart = pelvis[:, 0, 0] - pelvis[:, 1, 0]
    assert (np.diff(np.sign(apart)) != 0).sum() >= 4  # two pass each other before the camera
    performer = motion[:, 2]
    assert (performer[:, JOINT["right_wrist"], 1] > performer[:, JOINT["head_top"], 1]).any()
    assert np.ptp(performer[:, JOINT["pelvis"], 1]) > 0.25
    across = performer[:, JOINT["left_hip"]] - performer[:, JOINT["right_hip"]]
    assert across[:, 0].min() < -0.1  # turned away at some time
    assert across[:, 0].max() > 0.1


def test_the_same_seed_gives_the_same_motion_and_others_differ() -> None:
    a, b = (ScriptedPeople(3, seed=5).joints_world_m(12.3) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert not np.allclose(a, ScriptedPeople(3, seed=6).joints_world_m(12.3))


def _length(xyz: np.ndarray, a: str, b: str) -> np.ndarray:
    return np.linalg.norm(xyz[:, JOINT[a]] - xyz[:, JOINT[b]], axis=-1)
