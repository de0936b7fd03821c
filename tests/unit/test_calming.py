"""Poses calmed bone by bone in the world: at rest, in motion, and what shakes what."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.calming import Calmer, in_world
from posestream.geometry import rotation as rot
from posestream.retarget.bones import NUM_SOLVED, SOLVED, on_parents
from posestream.retarget.rest import rest_pose
from posestream.skeleton.humanoid import BONE
from posestream.skeleton.kinematics import world_rotations
from posestream.smooth.settings import SmoothingSettings

FPS = 30.0
ONE = np.zeros(1, dtype=np.int64)


def play(local: F64, settings: SmoothingSettings | None = None) -> F64:
    """World rotations (T, B, 4) of one person's calmed poses (T, B, 4)."""
    calmer, out = Calmer(settings), []
    for i, pose in enumerate(local):
        out.append(calmer.apply(ONE, i / FPS, np.zeros((1, 3)), pose[None], ONE == 0)[1][0])
    return world_rotations(np.array(out))


def poses(frames: int, **turns_rad: F64) -> F64:
    """(T, B, 4): at rest, with these bones turned by rotation vectors (T, 3)."""
    local = np.tile(rest_pose(seated=False), (frames, 1, 1))
    for bone, turn in turns_rad.items():
        local[:, BONE[bone]] = rot.from_rotvec(turn)
    return local


def step_deg(world: F64, bone: str) -> F64:
    q = world[:, BONE[bone]]
    return np.degrees(rot.angle_between(q[1:], q[:-1]))


def drifting(frames: int, seed: int, std_deg: float) -> F64:
    """(T,) radians that wander as a network's errors do, over half a second."""
    rng, out = np.random.default_rng(seed), np.zeros(frames)
    keep = np.exp(-1.0 / (0.5 * FPS))
    for i in range(1, frames):
        out[i] = keep * out[i - 1] + np.sqrt(1.0 - keep**2) * rng.normal(0.0, std_deg)
    return np.radians(out)


def test_the_world_and_back_are_the_same_turns() -> None:
    rng = np.random.default_rng(1)
    local = rot.normalize(rng.normal(size=(3, NUM_SOLVED, 4)))
    full = np.tile(rest_pose(seated=False), (3, 1, 1))
    full[:, SOLVED] = local
    np.testing.assert_allclose(in_world(local), world_rotations(full)[:, SOLVED], atol=1e-12)
    np.testing.assert_allclose(on_parents(in_world(local)), local, atol=1e-12)


def test_off_gives_the_very_arguments() -> None:
    local, root = poses(1), np.ones((1, 3))
    out = Calmer(SmoothingSettings(smoothness=0.0)).apply(ONE, 0.0, root, local, ONE == 0)
    assert out[0] is root and out[1] is local


@pytest.mark.parametrize("bone", ["LeftUpperLeg", "LeftLowerLeg"])
def test_hips_that_flicker_do_not_shake_legs_that_stand(bone: str) -> None:
    """Legs are where they are in the world; their rotations on the hips undo the hips' errors."""
    yaw = drifting(300, 3, 8.0)
    turn = np.column_stack([np.zeros_like(yaw), yaw, np.zeros_like(yaw)])
    local = poses(300, Hips=turn, LeftUpperLeg=-turn, RightUpperLeg=-turn)
    assert step_deg(world_rotations(local), "Hips")[30:].mean() > 1.0
    assert step_deg(play(local), bone)[30:].max() < 1e-3


def test_a_thigh_that_seems_to_roll_at_rest_hardly_does_and_a_swing_is_not_late() -> None:
    roll = drifting(300, 4, 8.0)
    nothing = np.zeros_like(roll)
    rolling = poses(300, LeftUpperLeg=np.column_stack([nothing, roll, nothing]))
    raw, calm = (
        step_deg(w, "LeftUpperLeg")[30:] for w in (world_rotations(rolling), play(rolling))
    )
    assert calm.mean() < 0.1 * raw.mean()
    swing = np.radians(35.0) * np.sin(2.0 * np.pi * 0.9 * np.arange(300) / FPS)  # a brisk walk
    walk = poses(300, LeftUpperLeg=np.column_stack([swing, nothing, nothing]))
    out = rot.to_rotvec(play(walk)[:, BONE["LeftUpperLeg"]])[60:, 0]
    lags = np.arange(-0.05, 0.1, 0.001)
    t_s = np.arange(300) / FPS
    errors = [((np.interp(t_s[60:] - lag, t_s, swing) - out) ** 2).sum() for lag in lags]
    assert lags[int(np.argmin(errors))] < 0.035


def test_turns_to_and_fro_open_the_filter_less_than_turns_that_go_on() -> None:
    rng = np.random.default_rng(2)
    nothing = np.zeros(200)
    shaken = np.radians(rng.normal(0.0, 2.0, 200))
    going = np.radians(2.0) * np.arange(200)
    shake = poses(200, Head=np.column_stack([shaken, nothing, nothing]))
    turn = poses(200, Hips=np.column_stack([nothing, nothing, going % (2.0 * np.pi)]))
    assert (
        step_deg(play(shake), "Head")[30:].mean()
        < 0.25 * step_deg(world_rotations(shake), "Head")[30:].mean()
    )
    assert step_deg(play(turn), "Hips")[30:].mean() == pytest.approx(2.0, abs=0.05)


def test_no_bone_turns_over_in_a_frame() -> None:
    turn = np.zeros((60, 3))
    turn[30:, 2] = np.radians(170.0)
    assert step_deg(play(poses(60, LeftLowerArm=turn)), "LeftLowerArm").max() < 60.0
