"""Measures without truth, on motion made to have known ones."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.evaluation import video_measures as measures
from posestream.evaluation.video import figures, watch
from posestream.skeleton.joints import JOINT, NUM_JOINTS

T_S = np.arange(0.0, 20.0, 1.0 / 30.0)
RNG = np.random.default_rng(5)


def rms_mm(t_s, xyz):
    windows, still = measures.rest_windows(t_s, xyz)
    return 1e3 * np.sqrt(measures.squared_jitter(t_s, xyz, windows, still).mean())


def noise(std, t_s=T_S, points=3):
    return RNG.normal(0.0, std, (len(t_s), points, 3))


def test_jitter_of_noise_is_its_size():
    assert rms_mm(T_S, noise(0.01)) == pytest.approx(10.0 * np.sqrt(3.0), rel=0.03)


@pytest.mark.parametrize("fps", [10.0, 30.0, 60.0])
def test_jitter_does_not_depend_on_the_rate(fps):
    t = np.arange(0.0, 60.0, 1.0 / fps)
    assert rms_mm(t, noise(0.005, t)) == pytest.approx(5.0 * np.sqrt(3.0), rel=0.06)


def test_slow_drift_is_no_jitter_and_fast_motion_no_rest():
    drift = T_S[:, None, None] * np.array([0.05, 0.0, 0.0])
    assert rms_mm(T_S, drift + np.zeros((1, 2, 1))) < 1e-6
    windows, still = measures.rest_windows(T_S, 10.0 * drift)
    assert windows
    assert not still.any()


def test_swinging_to_and_fro_is_neither_jitter_nor_rest():
    swing = 0.2 * np.sin(2.0 * np.pi * T_S)[:, None, None] * np.array([1.0, 0.0, 0.0])
    assert not measures.rest_windows(T_S, swing)[1].any()
    sway = 0.1 * swing + noise(0.001, points=1)
    assert rms_mm(T_S, sway) == pytest.approx(np.sqrt(3.0), rel=0.15)


def test_windows_with_gaps_are_left_out():
    t = np.delete(T_S, slice(33, 40))  # within the third half second
    windows, _ = measures.rest_windows(t, np.zeros((len(t), 1, 3)))
    assert len(windows) == 39
    assert measures.rest_windows(T_S[:2], np.zeros((2, 1, 3)))[0] == []


@pytest.mark.parametrize("delay_s", [-0.05, 0.0, 0.04, 0.1])
def test_lag_is_the_delay(delay_s):
    def path(t):
        return np.stack([np.sin(2.0 * t), np.sin(3.3 * t), np.cos(t)], axis=-1)[:, None]

    before = path(T_S) + noise(0.01, points=1)
    assert measures.lag_s(T_S, before, path(T_S - delay_s)) == pytest.approx(delay_s, abs=0.006)


def test_no_lag_without_motion_or_time():
    still = np.zeros((len(T_S), 1, 3))
    assert np.isnan(measures.lag_s(T_S, still, still))
    assert np.isnan(measures.lag_s(T_S[:12], still[:12], still[:12]))


def test_a_sliding_foot_skates_a_lifted_one_does_not():
    feet = np.zeros((len(T_S), 2, 3))
    feet[:, 0, 0] = 0.3 * T_S  # slides along the floor
    feet[:, 1] = [0.0, 0.5, 0.0]
    feet[:, 1, 2] = 2.0 * T_S  # flies
    np.testing.assert_allclose(measures.contact_speeds(T_S, feet), 0.3)
    feet[:, 0, 0] = 0.0
    np.testing.assert_allclose(measures.contact_speeds(T_S, feet), 0.0)


def test_bone_variation_is_the_spread_over_the_mean():
    n = 200
    joints, score = np.full((n, NUM_JOINTS, 3), np.nan), np.zeros((n, NUM_JOINTS))
    a, b = JOINT["left_elbow"], JOINT["left_wrist"]
    joints[:, [a, b]] = 0.0
    joints[:, b, 1] = np.where(np.arange(n) % 2, 0.27, 0.33)  # mean 0.3, deviation 0.03
    score[:, [a, b]] = 1.0
    np.testing.assert_allclose(measures.bone_variations(joints, score), [0.1])
    score[:, b] = 0.2
    assert measures.bone_variations(joints, score).size == 0


def test_exact_scripted_people_are_steady_and_stand_on_their_feet():
    result = figures(watch("synthetic:people=2,seconds=4", "fake"))
    assert result["frames"] == 120
    assert result["tracks"] == 2
    assert result["bone_length_variation"] < 1e-9
    assert result["foot_skate_m_s"] < 0.02
    assert result["foot_skate_smoothed_m_s"] > result["foot_skate_m_s"]
    assert 0.0 <= result["lag_ms"] < 100.0
    assert np.isnan(result["root_jitter_mm"]) or result["root_jitter_mm"] < 5.0
