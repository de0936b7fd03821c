"""Smoothing: calm at rest, quick in motion, nobody dragged, nothing broken by bad input."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import rotation as so3
from posestream.smooth.blend import BLEND_S
from posestream.smooth.chain import SmoothingChain, SmoothingSettings
from posestream.smooth.predict import predict_rotations, predict_vectors

BONES = 5
UNPREDICTED = SmoothingSettings(predict_ms=0.0)


def run(
    settings: SmoothingSettings, t_s: F64, root: F64, quat: F64, fresh: F64 | None = None
) -> tuple[F64, F64]:
    """Everything that comes out for T frames of N people."""
    chain, ids = SmoothingChain(settings), np.arange(root.shape[1])
    seen = np.ones(root.shape[:2], dtype=np.bool_) if fresh is None else fresh
    outs = [chain.apply(ids, t, root[i], quat[i], seen[i]) for i, t in enumerate(t_s)]
    return np.array([o[0] for o in outs]), np.array([o[1] for o in outs])


def noisy(seconds: float, fps: float, people: int = 6) -> tuple[F64, F64, F64]:
    """Times, and 1 cm and 1 degree of noise."""
    rng = np.random.default_rng(3)
    t_s = np.arange(0.0, seconds, 1.0 / fps)
    root = rng.normal(0.0, 0.01, (t_s.size, people, 3))
    turn = rng.normal(0.0, np.radians(1.0), (t_s.size, people, BONES, 3))
    return t_s, root, so3.from_rotvec(turn)


def swing(t_s: F64, people: int, hz: float = 1.0) -> tuple[F64, F64]:
    """30 cm and 30 degrees to and fro about x."""
    wave = np.sin(2.0 * np.pi * hz * t_s)[:, None]
    root = np.zeros((t_s.size, people, 3))
    root[..., 0] = 0.3 * wave
    turn = np.zeros((t_s.size, people, BONES, 3))
    turn[..., 0] = np.radians(30.0) * wave[..., None]
    return root, so3.from_rotvec(turn)


def lag_s(t_s: F64, before: F64, after: F64) -> float:
    """Delay at which the two signals agree best."""
    inside = (t_s > 1.5) & (t_s < t_s[-1] - 0.5)
    lags = np.arange(-0.1, 0.3, 0.001)
    match = [
        np.corrcoef(np.interp(t_s - lag, t_s, before)[inside], after[inside])[0, 1] for lag in lags
    ]
    return float(lags[int(np.argmax(match))])


def step_rms(x: F64) -> float:
    return float(np.sqrt((np.diff(x[x.shape[0] // 4 :], axis=0) ** 2).mean()))


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_standing_still_is_calm_and_motion_is_not_late(fps: float) -> None:
    t_s, noise, shake = noisy(6.0, fps)
    root, quat = run(UNPREDICTED, t_s, noise, shake)
    assert step_rms(noise) > 5.0 * step_rms(root)
    assert step_rms(so3.to_rotvec(shake)) > 5.0 * step_rms(so3.to_rotvec(quat))
    moving, turning = swing(t_s, noise.shape[1])
    root, quat = run(UNPREDICTED, t_s, moving + noise, so3.multiply(turning, shake))
    assert lag_s(t_s, moving[:, 0, 0], root[:, 0, 0]) < 0.060
    turned = so3.to_rotvec(turning), so3.to_rotvec(quat)
    assert lag_s(t_s, turned[0][:, 0, 0, 0], turned[1][:, 0, 0, 0]) < 0.060


def test_more_smoothness_is_calmer_and_later() -> None:
    t_s, noise, shake = noisy(6.0, 30.0)
    moving, turning = swing(t_s, noise.shape[1])
    calm, late = [], []
    for smoothness in (0.1, 0.3, 0.5, 0.75, 1.0):
        settings = SmoothingSettings(smoothness=smoothness, predict_ms=0.0)
        calm.append(step_rms(run(settings, t_s, noise, shake)[0]))
        root, _ = run(settings, t_s, moving, turning)
        late.append(lag_s(t_s, moving[:, 0, 0], root[:, 0, 0]))
    assert calm == sorted(calm, reverse=True)
    assert late == sorted(late)


def test_prediction_reduces_lag() -> None:
    t_s = np.arange(0.0, 6.0, 1.0 / 30.0)
    moving, turning = swing(t_s, 1)
    lags = []
    for ms in (0.0, 20.0, 40.0):
        root, quat = run(SmoothingSettings(predict_ms=ms), t_s, moving, turning)
        before, after = so3.to_rotvec(turning), so3.to_rotvec(quat)
        lags.append(
            (
                lag_s(t_s, moving[:, 0, 0], root[:, 0, 0]),
                lag_s(t_s, before[:, 0, 0, 0], after[:, 0, 0, 0]),
            )
        )
    assert np.all(np.diff(np.array(lags), axis=0) < -0.010)


def test_measured_latency_is_predicted_away_where_that_is_wanted() -> None:
    t_s = np.arange(0.0, 6.0, 1.0 / 30.0)
    moving, turning = swing(t_s, 1)
    lags = []
    for wanted, latency_s in ((False, 0.04), (True, 0.0), (True, 0.04), (True, 0.06), (True, 5.0)):
        chain = SmoothingChain(SmoothingSettings(predict_ms=0.0, predict_latency=wanted))
        for _ in range(200):
            chain.expect_latency(latency_s)
        outs = [
            chain.apply(np.zeros(1, int), t, moving[i], turning[i], np.ones(1, bool))[0]
            for i, t in enumerate(t_s)
        ]
        lags.append(lag_s(t_s, moving[:, 0, 0], np.array(outs)[:, 0, 0]))
    assert lags[0] == lags[1]
    assert lags[2] < lags[1] - 0.02
    assert lags[3] < lags[2]
    assert lags[4] == pytest.approx(lags[3], abs=0.002)  # bounded


def test_prediction_of_nothing_changes_nothing_and_is_bounded() -> None:
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(3, 9)), rng.normal(size=(3, 9)) * 100.0
    q = so3.normalize(rng.normal(size=(9, 4))).T
    assert predict_vectors(x, v, 0.0) is x
    assert predict_rotations(q, v, 0.0) is q
    assert np.all(np.linalg.norm(predict_vectors(x, v, 0.1) - x, axis=0) <= 0.15)
    turned = so3.angle_between(q.T, predict_rotations(q, v, 0.1).T)
    assert np.all(turned <= 0.35 + 1e-9)


def test_off_is_identity() -> None:
    t_s, root, quat = noisy(1.0, 30.0)
    out = run(SmoothingSettings(smoothness=0.0, predict_ms=50.0), t_s, root, quat)
    assert np.array_equal(out[0], root)
    assert np.array_equal(out[1], quat)


def test_frame_rate_hardly_matters() -> None:
    ends = []
    for fps in (15.0, 30.0, 60.0, 120.0):
        t_s = np.arange(0.0, 3.0 + 1e-9, 1.0 / fps)
        root, quat = run(UNPREDICTED, t_s, *swing(t_s, 1, hz=0.5))
        at = np.searchsorted(t_s, [1.2, 1.6, 2.0, 2.4, 2.8], side="left")
        ends.append(np.concatenate([root[at, 0, 0], so3.to_rotvec(quat)[at, 0, 0, 0]]))
    assert np.abs(ends[0] - ends[-1]).max() < 0.05
    assert np.abs(ends[1] - ends[-1]).max() < 0.025
    assert np.abs(ends[2] - ends[-1]).max() < 0.012


def test_a_new_person_starts_unfiltered_and_changes_nobody() -> None:
    t_s, root, quat = noisy(1.0, 30.0, people=2)
    alone, both = SmoothingChain(), SmoothingChain()
    for i, t in enumerate(t_s):
        one = alone.apply(np.array([7]), t, root[i, :1], quat[i, :1], np.array([True]))
        ids, rows = (np.array([7]), [0]) if i < 10 else (np.array([9, 7]), [1, 0])
        two = both.apply(ids, t, root[i, rows], quat[i, rows], np.ones(len(rows), bool))
        assert np.allclose(one[0][0], two[0][-1])
        assert np.allclose(one[1][0], two[1][-1])
        if i == 10:
            assert np.allclose(two[0][0], root[i, 1])
            assert np.allclose(two[1][0], quat[i, 1])


def test_who_leaves_is_forgotten() -> None:
    t_s, root, quat = noisy(1.0, 30.0, people=1)
    chain, seen = SmoothingChain(), np.array([True])
    for i in range(10):
        chain.apply(np.array([1]), t_s[i], root[i], quat[i], seen)
    chain.apply(np.array([2]), t_s[10], root[10], quat[10], seen)
    out, _ = chain.apply(np.array([1]), t_s[11], root[11] + 5.0, quat[11], seen)
    assert np.allclose(out, root[11] + 5.0)


def test_coming_back_blends_without_a_pop() -> None:
    dt = 1.0 / 30.0
    t_s = np.arange(90) * dt
    root = np.zeros((90, 1, 3))
    root[60:] = [1.0, 0.0, 0.5]
    quat = np.tile(so3.IDENTITY, (90, 1, BONES, 1))
    quat[60:] = so3.from_axis_angle(np.array([0.0, 0.0, 1.0]), 1.5)
    fresh = np.ones((90, 1), dtype=np.bool_)
    fresh[40:60] = False
    out, turned = run(SmoothingSettings(), t_s, root, quat, fresh)
    steps = np.linalg.norm(np.diff(out[:, 0], axis=0), axis=-1)
    assert steps.max() < 0.35 * np.linalg.norm(root[-1])  # spread over at least three frames
    turns = so3.angle_between(turned[:-1], turned[1:])
    assert turns.max() < 0.35 * 1.5
    back = 60 + int(np.ceil(BLEND_S / dt)) + 1
    assert np.allclose(out[back:], root[back:], atol=1e-9)
    assert so3.angle_between(turned[back:], quat[back:]).max() < 1e-6


def test_a_gap_of_one_frame_keeps_the_filter() -> None:
    t_s, root, quat = noisy(4.0, 30.0, people=1)
    fresh = np.ones((t_s.size, 1), dtype=np.bool_)
    fresh[::5] = False
    out, _ = run(UNPREDICTED, t_s, root, quat, fresh)
    assert step_rms(root) > 5.0 * step_rms(out)


def test_settings_change_live_without_a_jump() -> None:
    t_s = np.arange(0.0, 2.0, 1.0 / 60.0)
    root, quat = swing(t_s, 2)
    chain, ids, seen = SmoothingChain(), np.arange(2), np.ones(2, dtype=np.bool_)
    changes = {40: SmoothingSettings(smoothness=0.0), 80: SmoothingSettings(predict_ms=150.0)}
    outs = []
    for i, t in enumerate(t_s):
        if i in changes:
            chain.configure(changes[i])
        outs.append(chain.apply(ids, t, root[i], quat[i], seen))
    largest = np.abs(np.diff(root, axis=0)).max()
    steps = np.abs(np.diff(np.array([o[0] for o in outs]), axis=0)).max(axis=(1, 2))
    assert steps[[39, 79]].max() < 1e-9 + largest  # the frames of the changes
    assert steps.max() < 2.0 * largest
    assert np.array_equal(outs[79][0], root[79])  # off is exact once the blend is over


def test_time_may_jump_stand_still_and_go_back() -> None:
    _, root, quat = noisy(1.0, 30.0, people=2)
    chain, ids, seen = SmoothingChain(), np.arange(2), np.ones(2, dtype=np.bool_)
    for i, t in enumerate([0.0, 0.03, 0.03, 5.0, 5.03, 900.0, 1.0, 1.0, 1.03, 1.031]):
        out, turned = chain.apply(ids, t, root[i], quat[i], seen)
        assert np.isfinite(out).all()
        assert np.allclose(np.linalg.norm(turned, axis=-1), 1.0)
        assert np.abs(out).max() < 0.2


def test_nan_is_contained_in_its_row_and_bridged() -> None:
    t_s, root, quat = noisy(1.0, 30.0, people=3)
    bad_root, bad_quat = root.copy(), quat.copy()
    bad_root[10:13, 1, 2] = np.nan
    bad_quat[15, 1, 3] = np.inf
    bad_quat[20, 1, 0] = 0.0
    bad_root[0:2, 2] = np.nan  # not known from the beginning
    clean, clean_quat = run(SmoothingSettings(), t_s, root, quat)
    out, turned = run(SmoothingSettings(), t_s, bad_root, bad_quat)
    assert np.array_equal(out[:, 0], clean[:, 0])
    assert np.array_equal(turned[:, 0], clean_quat[:, 0])
    assert np.isfinite(out[:, 1]).all()
    assert np.isfinite(turned[:, 1]).all()
    assert np.isfinite(out[2:, 2]).all()
    assert np.allclose(out[2, 2], root[2, 2])


def test_nobody_is_an_ordinary_frame() -> None:
    chain = SmoothingChain()
    none = np.zeros(0, dtype=np.int64)
    for t in (0.0, 0.1):
        root, quat = chain.apply(
            none, t, np.zeros((0, 3)), np.zeros((0, BONES, 4)), none.astype(bool)
        )
        assert root.shape == (0, 3)
        assert quat.shape == (0, BONES, 4)


def test_overrides_replace_the_knob_and_are_checked() -> None:
    settings = SmoothingSettings(root_cutoff_hz=2.0, rotation_beta=0.0)
    assert settings.root_filter().min_cutoff_hz == 2.0
    assert settings.rotation_filter().beta == 0.0
    assert settings.root_filter().beta == SmoothingSettings().root_filter().beta
    for bad in ({"smoothness": 1.1}, {"predict_ms": -1.0}, {"smothness": 0.5}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, SmoothingSettings)
