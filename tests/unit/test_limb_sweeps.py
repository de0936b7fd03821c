"""Limbs through the poses that twist other trackers: straight, behind the back, hidden.

Everything here is seen as one camera sees it: with noise, and with scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.retarget.limits import excess_rad
from posestream.retarget.pose import Pose
from posestream.retarget.settings import RetargetSettings
from posestream.retarget.solve import Retargeter
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.humanoid import BONE, NUM_BONES, REST_OFFSET_M
from posestream.skeleton.joints import JOINT, NUM_JOINTS
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.smooth.chain import SmoothingChain
from posestream.types import Tracks

FPS = 30.0
ARM = ("LeftUpperArm", "LeftLowerArm", "LeftHand")
LEG = ("LeftUpperLeg", "LeftLowerLeg", "LeftFoot")
X, Y, Z = np.eye(3)
SEEN = {
    "shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand", "hip": "UpperLeg",
    "knee": "LowerLeg", "ankle": "Foot", "toe": "Toes", "index": "IndexProximal",
    "pinky": "LittleProximal",
}  # fmt: skip


def about(axis: F64, degrees: float) -> F64:
    return rot.from_axis_angle(axis, np.array(np.radians(degrees)))


def joints_of(local: F64) -> F64:
    """Joints (..., J, 3) of our skeleton in these poses (..., B, 4)."""
    place = positions(REST_OFFSET_M[0], world_rotations(local), REST_OFFSET_M)
    joints = np.full((*local.shape[:-2], NUM_JOINTS, 3), np.nan)
    for side in ("left", "right"):
        for joint, bone in SEEN.items():
            joints[..., JOINT[f"{side}_{joint}"], :] = place[..., BONE[side.capitalize() + bone], :]
    return joints


def arm_sweep(upper: Callable[[float], F64], elbow_deg: Callable[[float], float]) -> F64:
    """Joints (T, J, 3) of three seconds to and fro; the left arm as these say for s in 0 … 1."""
    phase = np.concatenate([np.linspace(0, 1, 45), np.linspace(1, 0, 45)])
    local = np.tile(rot.IDENTITY, (len(phase), NUM_BONES, 1))
    local[:, BONE["LeftUpperArm"]] = [upper(float(s)) for s in phase]
    local[:, BONE["LeftLowerArm"]] = [about(Y, -elbow_deg(float(s))) for s in phase]
    return joints_of(local)


def play(
    joints: F64, score: F64 | None = None, noise_m: float = 0.0, **options: bool
) -> list[Pose]:
    retargeter, ids = Retargeter(RetargetSettings(**options)), np.zeros(1, dtype=np.int64)
    rng, poses = np.random.default_rng(0), []
    for i, frame in enumerate(joints):
        noisy = frame + rng.normal(0.0, noise_m, frame.shape) if noise_m else frame
        known = np.isfinite(frame).all(axis=-1) * (0.9 if score is None else score[i])
        tracks = Tracks(ids, ids, ids, np.ones(1), noisy[None], known[None], ids)
        poses.append(retargeter.solve(tracks, i / FPS))
    return poses


def turns_deg(poses: list[Pose], bone: str) -> F64:
    """(T - 1,) from frame to frame, relative to the parent."""
    q = np.concatenate([p.quat_local_xyzw[:, BONE[bone]] for p in poses])
    return np.degrees(rot.angle_between(q[1:], q[:-1]))


def overhead(s: float) -> F64:
    """From hanging down in front over the head and on behind the back, through the pole."""
    return rot.multiply(about(X, -s * 200.0), about(Z, -85.0))


def sideways(s: float) -> F64:
    """From hanging through the T-pose up over the head."""
    return about(Z, -85.0 + 170.0 * s)


def behind_back(s: float) -> F64:
    """From beside the body to the small of the back; the elbow points backwards."""
    return rot.multiply(
        about(X, 45.0 * s), rot.multiply(about(Z, -70.0), about(X, 70.0 - 140.0 * s))
    )


def across(s: float) -> F64:
    """Arms folded before the chest and wide open again."""
    return about(Y, -110.0 + 150.0 * s)


SWEEPS = {
    "straight overhead": (overhead, lambda s: 0.0),
    "bent overhead": (overhead, lambda s: 60.0),
    "straight sideways": (sideways, lambda s: 0.0),
    "folding through straight": (sideways, lambda s: 120.0 * abs(2.0 * s - 1.0)),
    "behind the back": (behind_back, lambda s: 30.0 + 70.0 * s),
    "across the chest": (across, lambda s: 90.0 * (1.0 - s)),
}


@pytest.mark.parametrize("name", SWEEPS)
def test_no_bone_of_an_arm_turns_wildly(name: str) -> None:
    """The arm itself turns at up to 5 degrees a frame; nothing may turn at more than 15."""
    poses = play(arm_sweep(*SWEEPS[name]))
    for bone in ARM:
        assert turns_deg(poses, bone).max() < 15.0, bone


@pytest.mark.parametrize("name", SWEEPS)
def test_nor_with_noise_once_it_is_smoothed(name: str) -> None:
    chain, ids = SmoothingChain(), np.zeros(1, dtype=np.int64)
    poses = []
    for i, pose in enumerate(play(arm_sweep(*SWEEPS[name]), noise_m=0.008)):
        _, quat = chain.apply(ids, i / FPS, pose.root_world_m, pose.quat_local_xyzw, ids == 0)
        poses.append(replace(pose, quat_local_xyzw=quat))
    for bone in ARM[:2]:  # 8 mm of noise turn the 9 cm from wrist to knuckles much further
        assert turns_deg(poses, bone).max() < 22.0, bone


@pytest.mark.parametrize("name", SWEEPS)
def test_elbows_and_wrists_twist_within_reason(name: str) -> None:
    poses = play(arm_sweep(*SWEEPS[name]), noise_m=0.006)
    for bone, most in (("LeftLowerArm", 75.0), ("LeftHand", 65.0)):
        q = np.concatenate([p.quat_local_xyzw[:, BONE[bone]] for p in poses])
        assert np.abs(np.degrees(rot.twist_angle(q, X))).max() < most, bone


def test_a_leg_that_stretches_and_kicks_keeps_its_knee_in_front() -> None:
    phase = np.sin(np.linspace(0.0, 4.0 * np.pi, 120))
    local = np.tile(rot.IDENTITY, (120, NUM_BONES, 1))
    local[:, BONE["LeftUpperLeg"]] = [about(X, -35.0 - 45.0 * p) for p in phase]
    local[:, BONE["LeftLowerLeg"]] = [about(X, max(0.0, -60.0 * p)) for p in phase]
    poses = play(joints_of(local), noise_m=0.01)
    for bone in LEG[:2]:
        assert turns_deg(poses, bone).max() < 22.0, bone
    for pose in poses:
        knee = rot.rotate(world_rotations(pose.quat_local_xyzw)[0, BONE["LeftUpperLeg"]], Z)
        assert knee @ Y > -0.3 and np.abs(knee @ X) < 0.75


@pytest.mark.parametrize("seconds", [0.1, 0.4, 1.0, 3.0])
@pytest.mark.parametrize("joint", ["wrist", "elbow", "knee", "ankle"])
def test_a_joint_that_was_hidden_returns_without_a_pop(joint: str, seconds: float) -> None:
    """It is far from where it was when it returns."""
    rng, frames = np.random.default_rng(1), round(seconds * FPS)
    first, then = np.tile(rot.IDENTITY, (2, NUM_BONES, 1))
    first[BONE["LeftUpperArm"]], then[BONE["LeftUpperArm"]] = about(Z, 60.0), about(Z, -70.0)
    first[BONE["LeftLowerArm"]], then[BONE["LeftLowerArm"]] = about(Y, -20.0), about(Y, -110.0)
    first[BONE["LeftUpperLeg"]], then[BONE["LeftUpperLeg"]] = about(X, 10.0), about(X, -60.0)
    first[BONE["LeftLowerLeg"]], then[BONE["LeftLowerLeg"]] = about(X, 5.0), about(X, 80.0)
    before, after = joints_of(first), joints_of(then)
    hidden = after.copy()
    parts = {"elbow": ("elbow", "wrist", "index", "pinky"), "wrist": ("wrist", "index", "pinky"),
             "knee": ("knee", "ankle", "toe"), "ankle": ("ankle", "toe")}[joint]  # fmt: skip
    side = "arm" if joint in ("wrist", "elbow") else "leg"
    chain = (ARM if side == "arm" else LEG)[0 if joint in ("elbow", "knee") else 1 :]
    for part in parts:
        hidden[JOINT[f"left_{part}"]] = np.nan
    frozen = before.copy()  # what stays in sight does not move
    for part in parts:
        frozen[JOINT[f"left_{part}"]] = np.nan
    back = before.copy()
    for part in parts:
        back[JOINT[f"left_{part}"]] = after[JOINT[f"left_{part}"]]
    clip = np.stack([before] * 15 + [frozen] * frames + [back] * 45)
    clip += rng.normal(0.0, 0.003, clip.shape)
    poses = play(clip)
    for bone in chain:
        assert turns_deg(poses, bone).max() < 20.0, bone


def test_scores_that_flicker_about_the_limit_do_not_shake_the_arm() -> None:
    """A wrist that counts as seen in every other frame, far from where it was."""
    joints = arm_sweep(sideways, lambda s: 40.0)
    score = np.full((len(joints), NUM_JOINTS), 0.9)
    score[1::2, [JOINT["left_wrist"], JOINT["left_index"], JOINT["left_pinky"]]] = 0.2
    poses = play(joints, score, noise_m=0.006)
    for bone in ARM:
        assert turns_deg(poses, bone).max() < 25.0, bone


# Joint limits, checked from places and angles, not by the limiter's own measure.


def _angle_deg(a: F64, b: F64) -> F64:
    cosine = (rot.normalize(a) * rot.normalize(b)).sum(axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def check_anatomy(pose: Pose) -> None:
    """Knees and elbows bend one way, heads do not turn round, hands and feet stay on."""
    place, world = pose.position_world_m, world_rotations(pose.quat_local_xyzw)

    def axis(bone: str, direction: F64) -> F64:
        return rot.rotate(world[:, BONE[bone]], direction)

    def line(a: str, b: str) -> F64:
        return place[:, BONE[b]] - place[:, BONE[a]]

    for side, out in (("Left", X), ("Right", -X)):
        thigh, shank = (
            line(f"{side}UpperLeg", f"{side}LowerLeg"),
            line(f"{side}LowerLeg", f"{side}Foot"),
        )
        ahead = rot.normalize(axis(f"{side}UpperLeg", Z))
        assert ((rot.normalize(shank) * ahead).sum(-1) < np.sin(np.radians(13.0))).all()
        assert _angle_deg(thigh, shank).max() < 165.0
        assert _angle_deg(axis(f"{side}Foot", Z), axis(f"{side}LowerLeg", Z)).max() < 75.0
        upper, fore = (
            line(f"{side}UpperArm", f"{side}LowerArm"),
            line(f"{side}LowerArm", f"{side}Hand"),
        )
        ahead = rot.normalize(axis(f"{side}UpperArm", Z))
        assert ((rot.normalize(fore) * ahead).sum(-1) > -np.sin(np.radians(13.0))).all()
        assert _angle_deg(upper, fore).max() < 165.0
        assert _angle_deg(axis(f"{side}Hand", out), axis(f"{side}LowerArm", out)).max() < 95.0
        assert _angle_deg(axis(f"{side}Hand", Z), axis(f"{side}LowerArm", Z)).max() < 100.0
    assert _angle_deg(axis("Head", Z), axis("UpperChest", Z)).max() < 125.0
    assert _angle_deg(axis("Head", Y), axis("UpperChest", Y)).max() < 105.0
    assert _angle_deg(axis("UpperChest", Y), axis("Hips", Y)).max() < 120.0


def _solve_at_once(joints: F64) -> Pose:
    """Each of N bodies (N, J, 3) as a person of its own."""
    ids = np.arange(len(joints))
    score = np.isfinite(joints).all(axis=-1).astype(np.float64)
    tracks = Tracks(ids, ids, ids * 0, np.ones(len(ids)), joints, score, ids)
    return Retargeter().solve(tracks, 0.0)


@pytest.mark.parametrize("wildness", ["noise", "wild poses"])
def test_five_thousand_random_bodies_stay_within_human_limits(wildness: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(5):
        if wildness == "noise":
            joints = rng.normal(0.0, 0.5, (1000, NUM_JOINTS, 3))
        else:
            turn = rng.normal(0.0, 1.2, (1000, NUM_BONES, 3))
            joints = joints_of(rot.from_rotvec(turn)) + rng.normal(0.0, 0.02, (1000, NUM_JOINTS, 3))
        pose = _solve_at_once(joints)
        assert excess_rad(pose.quat_local_xyzw).max() < 1e-5
        check_anatomy(pose)


def test_mocap_with_noise_stays_within_human_limits(shared_data: Path) -> None:
    """Ten times every third frame of 45 clips, each body worsened anew."""
    rng, count = np.random.default_rng(3), 0
    for path in sorted((shared_data / "motions" / "bandai").glob("*.bvh")):
        joints = np.repeat(read_bvh(path).body_joints()[::3], 10, axis=0)
        pose = _solve_at_once(joints + rng.normal(0.0, 0.05, joints.shape))
        assert excess_rad(pose.quat_local_xyzw).max() < 1e-5
        check_anatomy(pose)
        count += len(pose)
    assert count > 10_000
