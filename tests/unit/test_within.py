"""Smoothed poses stay within the limits of joints: by hand, at random, and on noisy mocap."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.calming import Calmer, in_world
from posestream.evaluation import lag, motion
from posestream.geometry import rotation as rot
from posestream.ground.settings import GroundSettings
from posestream.retarget.bones import NUM_SOLVED, SOLVED
from posestream.retarget.limits import excess_rad
from posestream.retarget.rest import rest_pose
from posestream.retarget.within import within_limits
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.humanoid import BONE, BONES
from posestream.smooth.settings import SmoothingSettings

ROW = {BONES[bone]: row for row, bone in enumerate(SOLVED)}
LIMBS = [side + limb for side in ("Left", "Right") for limb in ("Arm", "Leg")]


def world_of(**turns_deg: tuple[float, float, float]) -> F64:
    """(1, S, 4) of the T-pose with these bones turned by rotation vectors."""
    turns = np.zeros((1, NUM_SOLVED, 3))
    for bone, degrees in turns_deg.items():
        turns[0, ROW[bone]] = np.radians(degrees)
    return in_world(rot.from_rotvec(turns))


def excess_deg(local: F64) -> F64:
    """(..., S) of solved bones' local rotations."""
    full = np.broadcast_to(rest_pose(seated=False), (*local.shape[:-2], len(BONES), 4)).copy()
    full[..., SOLVED, :] = local
    return np.degrees(excess_rad(full))


def drifting(frames: int, fps: float, random: np.random.Generator) -> F64:
    """(T, 22, 3) metres that wander as a network's errors do, over a third of a second."""
    keep = np.exp(-3.0 / fps)
    noise = random.normal(0.0, 0.04, (frames, 22, 3))
    for i in range(1, frames):
        noise[i] = keep * noise[i - 1] + np.sqrt(1.0 - keep**2) * noise[i]
    return noise


@functools.cache
def noisy_clips(folder: Path) -> list[lag.Clip]:
    random, found = np.random.default_rng(5), []
    for path in sorted(folder.glob("*.bvh"))[::6]:
        clip = read_bvh(path)
        joints = clip.body_joints()[:150]
        noisy = joints.copy()
        noisy[:, :22] += drifting(len(joints), clip.fps, random)
        score = np.isfinite(joints).all(axis=-1).astype(np.float64)
        found.append(lag.Clip(np.arange(len(joints)) / clip.fps, joints, noisy, score))
    return found


def smoothed_excess_deg(clips: list[lag.Clip], settings: SmoothingSettings, limits: bool) -> F64:
    """(frames of all clips, B)."""
    found = []
    for clip in clips:
        calmer = Calmer(settings, limits)
        for t_s, _, pose in lag.poses(clip, settings, exact=False):
            root, local = pose.root_world_m, pose.quat_local_xyzw
            found.append(calmer.apply(lag.ONE, t_s, root, local, lag.ONE == 0)[1][0])
    return np.degrees(excess_rad(np.array(found)))


@pytest.mark.parametrize("settings", [SmoothingSettings(), SmoothingSettings(predict_ms=40.0)])
def test_smoothing_noisy_mocap_leaves_joints_within_limits(
    shared_data: Path, settings: SmoothingSettings
) -> None:
    clips = noisy_clips(shared_data / "motions" / "bandai")
    assert smoothed_excess_deg(clips, settings, limits=False).max() > 20.0
    assert smoothed_excess_deg(clips, settings, limits=True).max() < 1.0


def test_standing_on_the_floor_leaves_legs_within_limits(shared_data: Path) -> None:
    clips = noisy_clips(shared_data / "motions" / "bandai")
    shown = np.concatenate([motion.ours(clip, SmoothingSettings(), "locked")[1] for clip in clips])
    assert np.degrees(excess_rad(shown)).max() < 1.0


@pytest.mark.parametrize("feet", ["off", "locked"])
def test_hindsight_leaves_noisy_mocap_within_limits(shared_data: Path, feet: motion.Feet) -> None:
    clips, ground = noisy_clips(shared_data / "motions" / "bandai"), GroundSettings(feet=feet)
    shown = [f for clip in clips for f in lag.with_hindsight(clip, SmoothingSettings(), ground)]
    assert np.degrees(excess_rad(np.array([f.quat_local_xyzw[0] for f in shown]))).max() < 1.0


@pytest.mark.parametrize("limb", LIMBS)
def test_a_hinge_that_bends_sideways_turns_the_bone_above_it(limb: str) -> None:
    side, part = limb[:-3], limb[-3:]
    upper, lower = (ROW[side + level + part] for level in ("Upper", "Lower"))
    sign = 1.0 if side == "Left" else -1.0
    bend = (60.0, 0.0, 38.0 * sign) if part == "Leg" else (0.0, -50.0 * sign, 25.0 * sign)
    along = np.array([0.0, -1.0, 0.0]) if part == "Leg" else np.array([sign, 0.0, 0.0])
    world = world_of(**{f"{side}Lower{part}": bend})
    mended, local = within_limits(world)
    assert excess_deg(local).max() < 1.0
    np.testing.assert_allclose(
        rot.rotate(mended[0, upper], along), rot.rotate(world[0, upper], along), atol=1e-9
    )
    apart = rot.rotate(mended[0, lower], along) - rot.rotate(world[0, lower], along)
    assert np.linalg.norm(apart) < 1e-6


def test_a_hinge_that_bends_backwards_a_little_is_straightened_not_turned() -> None:
    world = world_of(LeftLowerLeg=(-7.5, 0.0, 0.0))
    mended, local = within_limits(world)
    np.testing.assert_allclose(mended[0, ROW["LeftUpperLeg"]], world[0, ROW["LeftUpperLeg"]])
    turn = np.degrees(rot.to_rotvec(local[0, ROW["LeftLowerLeg"]]))
    np.testing.assert_allclose(turn, (-5.0, 0.0, 0.0), atol=1e-6)


def test_poses_within_limits_come_back_themselves_and_whatever_their_company() -> None:
    random = np.random.default_rng(2)
    good = world_of(LeftLowerLeg=(40.0, 0.0, 0.0), RightUpperArm=(0.0, 20.0, 30.0))
    assert within_limits(good)[0] is good
    wild = rot.normalize(random.normal(size=(200, NUM_SOLVED, 4)))
    damaged = np.full((1, NUM_SOLVED, 4), np.nan)
    mended, local = within_limits(np.concatenate([good, wild, damaged]))
    np.testing.assert_allclose(mended[:1], good, atol=1e-12)
    assert excess_deg(local[:-1]).max() < 1.0
    for row in range(0, 200, 40):
        alone = within_limits(wild[row : row + 1])[0]
        np.testing.assert_allclose(mended[1 + row : 2 + row], alone, atol=1e-9)
    np.testing.assert_allclose(in_world(local[:-1]), mended[:-1], atol=1e-9)


def test_smoothing_goes_on_from_where_a_joint_was_stopped() -> None:
    """A knee led beyond its limit comes back at once, not after all that it was led too far."""
    settings = SmoothingSettings(smoothness=0.9)
    calmer, place = Calmer(settings), np.zeros((1, 3))
    poses = np.tile(rest_pose(seated=False), (90, 1, 1))
    bend = np.r_[np.full(60, -60.0), np.full(30, 40.0)]
    poses[:, BONE["LeftLowerLeg"]] = rot.from_rotvec(np.radians(bend)[:, None] * [1.0, 0, 0])
    out = [
        calmer.apply(lag.ONE, i / 30.0, place, pose[None], lag.ONE == 0)[1][0]
        for i, pose in enumerate(poses)
    ]
    flexion = np.degrees(rot.to_rotvec(np.array(out)[:, BONE["LeftLowerLeg"]])[:, 0])
    assert np.degrees(excess_rad(np.array(out))).max() < 1.0
    assert flexion[62] > flexion[59]
