"""Smoothing with hindsight: no lag, exact on straight motion, the same backwards as forwards."""

from __future__ import annotations

import numpy as np
import pytest

from posestream import config
from posestream.arrays import F64
from posestream.capture import open_source
from posestream.daemon.takes import VideoTake
from posestream.evaluation import video_measures
from posestream.geometry import rotation as rot
from posestream.settings import Settings
from posestream.skeleton.humanoid import BONE
from posestream.skeleton.joints import JOINT
from posestream.smooth.both_ways import (
    root_filter,
    rotation_filter,
    smooth_rotations,
    smooth_vectors,
)

TURNS, PLACES = rotation_filter(0.5), root_filter(0.5)
RNG = np.random.default_rng(4)
T_S = np.cumsum(RNG.uniform(0.015, 0.06, 240))
EVEN = np.ones((len(T_S), 1))


def wave(t_s: F64, hz: float) -> F64:
    """Rotations (T, 1, 4) to and fro about one axis."""
    angle = 0.8 * np.sin(2.0 * np.pi * hz * t_s)
    return rot.from_axis_angle(np.array([0.0, 0.6, 0.8]), angle)[:, None]


def test_straight_motion_is_left_as_it_is() -> None:
    line = (np.outer(T_S, [0.3, -1.2, 0.5]) + np.array([4.0, 1.0, -2.0]))[:, None]
    for weight in (EVEN, RNG.uniform(0.05, 1.0, EVEN.shape)):
        np.testing.assert_allclose(smooth_vectors(T_S, line, weight, PLACES), line, atol=1e-6)


def test_backwards_is_the_same_as_forwards() -> None:
    noisy = RNG.normal(size=(len(T_S), 3, 3)).cumsum(axis=0) * 0.02
    weight = RNG.uniform(0.05, 1.0, (len(T_S), 3))
    there = smooth_vectors(T_S, noisy, weight, PLACES)
    back = smooth_vectors(-T_S[::-1], noisy[::-1], weight[::-1], PLACES)[::-1]
    np.testing.assert_allclose(there, back, atol=1e-7)


@pytest.mark.parametrize("hz", [0.3, 0.8, 1.5])
def test_nothing_lags(hz: float) -> None:
    t_s = np.arange(300) / 30.0
    turn = wave(t_s, hz)
    calm = smooth_rotations(t_s, turn, np.ones((300, 1)), TURNS)
    lag = video_measures.lag_s(t_s, turn[..., :3], calm[..., :3])
    assert abs(lag) < 0.002
    assert rot.angle_between(calm, turn)[30:-30].max() < np.radians({0.3: 2, 0.8: 3, 1.5: 10}[hz])


def test_noise_goes_and_the_answer_turns_with_the_question() -> None:
    turn = wave(T_S, 0.3)
    noise = rot.from_rotvec(RNG.normal(scale=0.05, size=(len(T_S), 1, 3)))
    given = rot.multiply(turn, noise)
    calm = smooth_rotations(T_S, given, EVEN, TURNS)
    off, was = (np.sqrt((rot.angle_between(q, turn) ** 2).mean()) for q in (calm, given))
    assert off < 0.5 * was
    about = rot.normalize(np.array([0.3, -0.2, 0.8, 0.5]))
    turned = smooth_rotations(T_S, rot.multiply(about, given), EVEN, TURNS)
    np.testing.assert_allclose(turned, rot.multiply(about, calm), atol=1e-9)


def test_what_was_not_seen_is_bridged() -> None:
    turn = wave(T_S, 0.2)
    given, weight = turn.copy(), EVEN.copy()
    hidden = slice(100, 115)
    given[hidden], weight[hidden] = rot.IDENTITY, 0.001
    calm = smooth_rotations(T_S, given, weight, TURNS)
    assert rot.angle_between(calm[hidden], turn[hidden]).max() < np.radians(6.0)
    assert rot.angle_between(given[hidden], turn[hidden]).max() > np.radians(20.0)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_short_motion(count: int) -> None:
    turn = wave(T_S[:count], 1.0)
    calm = smooth_rotations(T_S[:count], turn, EVEN[:count], TURNS)
    assert calm.shape == turn.shape
    assert count == 0 or rot.angle_between(calm, turn).max() < 0.2


def processed(*overrides: str) -> tuple[F64, F64, list[int]]:
    """Times (T,), places (T, B, 3) of the first of two scripted people, people per frame."""
    settings: Settings = config.load(None, ['source.pace="fast"', "ground.feet=off", *overrides])
    take = VideoTake("synthetic:people=2,size=64x36,seconds=4", settings)
    frames = list(take.frames(None))
    take.close()
    t_s = np.array([f.t_capture_ns for f in frames]) * 1e-9
    mine = np.array([f.position_world_m[f.track_id.tolist().index(0)] for f in frames])
    return t_s, mine, [len(f) for f in frames]


def truth() -> F64:
    """Wrists (T, 2, 3) in the camera's axes from the pelvis, as scripted."""
    source = open_source(
        "synthetic:people=2,size=64x36,seconds=4", config.load(None, ['source.pace="fast"']).source
    )
    wrists = []
    while (frame := source.read()) is not None:
        assert frame.truth is not None and frame.truth.root3d is not None
        wrists.append(frame.truth.root3d.xyz_root_m[0])
    joints = np.array(wrists)
    hands = joints[:, [JOINT["left_wrist"], JOINT["right_wrist"]]]
    hips = joints[:, [JOINT["left_hip"], JOINT["right_hip"]]].mean(axis=1)
    return np.asarray(rot.norm(hands - hips[:, None]))


def test_a_whole_take_lags_behind_live_but_not_with_hindsight() -> None:
    exact = truth()
    lags = {}
    for how in ("live", "both_ways"):
        t_s, place, people = processed(f"export.smoothing={how}", "smooth.predict_ms=0")
        assert people == [2] * 120
        hands = place[:, [BONE["LeftHand"], BONE["RightHand"]]]
        hips = place[:, [BONE["LeftUpperLeg"], BONE["RightUpperLeg"]]].mean(axis=1)
        shown = rot.norm(hands - hips[:, None])
        lags[how] = video_measures.lag_s(t_s, exact, shown)
    assert lags["live"] > 0.015
    assert abs(lags["both_ways"]) < 0.005
