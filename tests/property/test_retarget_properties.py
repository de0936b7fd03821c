"""What must hold of retargeting whatever the joints are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posestream.arrays import F64
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.retarget.limits import excess_rad
from posestream.retarget.pose import Pose, mirrored
from posestream.retarget.settings import RetargetSettings
from posestream.retarget.solve import Retargeter
from posestream.skeleton.humanoid import BONE, NUM_BONES, REST_OFFSET_M
from posestream.skeleton.joints import BODY, JOINT, NUM_JOINTS, swap_sides
from posestream.skeleton.kinematics import PARENT_INDEX, positions, world_rotations
from posestream.types import Tracks

SEEDS = st.integers(0, 2**32 - 1)
SWAP = [JOINT[swap_sides(name)] for name in BODY]
SEEN = {
    "pelvis": "Hips", "shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand",
    "hip": "UpperLeg", "knee": "LowerLeg", "ankle": "Foot", "toe": "Toes",
    "index": "IndexProximal", "pinky": "LittleProximal",
}  # fmt: skip


def tracks(joints: F64, score: F64 | None = None) -> Tracks:
    ids = np.arange(len(joints))
    score = np.ones(joints.shape[:2]) if score is None else score
    return Tracks(ids, ids, np.zeros_like(ids), np.ones(len(ids)), joints, score, ids)


def person(seed: int, wild: float = 0.35) -> F64:
    """Joints (1, J, 3) of our own skeleton in a random pose, somewhere in the room."""
    random = np.random.default_rng(seed)
    turn = random.normal(scale=wild, size=(NUM_BONES, 3))
    turn[BONE["LeftUpperArm"], 2] -= 0.8
    turn[BONE["RightUpperArm"], 2] += 0.8
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        turn[BONE[f"{side}LowerArm"]] = (0.0, -sign * random.uniform(0.2, 1.5), 0.0)
        turn[BONE[f"{side}LowerLeg"]] = (random.uniform(0.2, 1.5), 0.0, 0.0)
    turn[0] = random.normal(size=3) * (0.3, 1.0, 0.3)
    world = world_rotations(rot.from_rotvec(turn))
    place = positions(random.normal(size=3) * (2, 0.2, 2) + (0, 1, 0), world, REST_OFFSET_M)
    return joints_of(place, world)[None]


def joints_of(place: F64, world: F64) -> F64:
    joints = np.full((NUM_JOINTS, 3), np.nan)
    for side in ("left", "right"):
        for joint, bone in SEEN.items():
            if joint != "pelvis":
                joints[JOINT[f"{side}_{joint}"]] = place[BONE[side.capitalize() + bone]]
        out = 1.0 if side == "left" else -1.0
        for name, point in (("ear", (0.07, 0.07, 0.015)), ("eye", (0.032, 0.083, 0.11))):
            local = np.array(point) * (out, 1, 1)
            head = place[BONE["Head"]] + rot.rotate(world[BONE["Head"]], local)
            joints[JOINT[f"{side}_{name}"]] = head
    nose = np.array([0.0, 0.042, 0.13])
    joints[JOINT["nose"]] = place[BONE["Head"]] + rot.rotate(world[BONE["Head"]], nose)
    return joints


def solve(joints: F64, **options: bool) -> Pose:
    return Retargeter(RetargetSettings(**options)).solve(tracks(joints), 0.0)


@given(SEEDS, st.floats(-3.0, 3.0))
@settings(max_examples=40, deadline=None)
def test_turning_the_world_turns_the_root_alone(seed: int, yaw_rad: float) -> None:
    joints = person(seed)
    turn = rot.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.array(yaw_rad))
    before, after = solve(joints), solve(rot.rotate(turn, joints))
    assert rot.angle_between(
        before.quat_local_xyzw[:, 1:], after.quat_local_xyzw[:, 1:]
    ).max() < 1e-5  # fmt: skip
    assert rot.angle_between(
        rot.multiply(turn, before.quat_local_xyzw[:, 0]), after.quat_local_xyzw[:, 0]
    ).max() < 1e-5  # fmt: skip
    assert after.position_world_m == pytest.approx(
        rot.rotate(turn, before.position_world_m), abs=1e-7
    )


@given(SEEDS, st.floats(0.75, 1.3))
@settings(max_examples=30, deadline=None)
def test_a_taller_person_differs_in_places_alone(seed: int, scale: float) -> None:
    joints = person(seed)
    before, after = solve(joints), solve(joints * scale)
    assert rot.angle_between(before.quat_local_xyzw, after.quat_local_xyzw).max() < 1e-5
    assert after.position_world_m == pytest.approx(scale * before.position_world_m, abs=1e-6)
    assert after.hip_height_m == pytest.approx(scale * before.hip_height_m)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_the_mirrored_person_is_the_mirrored_pose(seed: int) -> None:
    joints = person(seed)
    reflected = frames.mirror_position(joints[:, SWAP])
    expected = mirrored(solve(joints))
    for actual in (solve(reflected), solve(joints, mirror=True)):
        gap = rot.angle_between(actual.quat_local_xyzw, expected.quat_local_xyzw)
        assert gap.max() < 1e-5
        assert actual.position_world_m == pytest.approx(expected.position_world_m, abs=1e-7)
        assert (actual.bone_valid == expected.bone_valid).all()


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_mirrored_twice_is_itself(seed: int) -> None:
    pose = solve(person(seed))
    twice = mirrored(mirrored(pose))
    assert twice.quat_local_xyzw == pytest.approx(pose.quat_local_xyzw)
    assert twice.position_world_m == pytest.approx(pose.position_world_m)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_joints_come_back(seed: int) -> None:
    """Forward kinematics of the result points every limb as the joints do."""
    joints = person(seed, wild=0.6)
    place = solve(joints, limits=False).position_world_m[0]
    for side in ("left", "right"):
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"),
                     ("ankle", "toe")):  # fmt: skip
            wanted = joints[0, JOINT[f"{side}_{b}"]] - joints[0, JOINT[f"{side}_{a}"]]
            ends = [BONE[side.capitalize() + SEEN[x]] for x in (b, a)]
            got = place[ends[0]] - place[ends[1]]
            assert rot.normalize(got) == pytest.approx(rot.normalize(wanted), abs=1e-6)


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_nothing_leaves_the_limits_whatever_comes_in(seed: int) -> None:
    """Random joints, holes, infinities, far outliers, jumping clocks, people who come and go."""
    random = np.random.default_rng(seed)
    retargeter = Retargeter(RetargetSettings(seated=bool(seed % 2)))
    t_s = 0.0
    for _ in range(12):
        joints = random.normal(scale=random.choice([1e-3, 0.5, 3.0]), size=(3, NUM_JOINTS, 3))
        broken = random.random(joints.shape) < 0.1
        joints[broken] = random.choice([np.nan, np.inf, -np.inf, 1e300, 0.0], size=broken.sum())
        score = random.random((3, NUM_JOINTS)) * 1.2
        score[random.random(score.shape) < 0.05] = np.nan
        chosen = random.permutation(3)[: random.integers(0, 4)]
        everyone = tracks(joints, score)
        some = Tracks(*(getattr(everyone, name)[chosen] for name in Tracks.__slots__))
        t_s += random.choice([0.0, 0.01, 0.03, 0.5, 20.0, -1.0])
        pose = retargeter.solve(some, t_s)
        assert len(pose) == len(chosen)
        assert excess_rad(pose.quat_local_xyzw).max(initial=0.0) < 1e-5
        assert rot.norm(pose.quat_local_xyzw) == pytest.approx(np.ones(pose.bone_valid.shape))
        assert np.isfinite(pose.position_world_m).all()
        assert (pose.hip_height_m > 0.2).all()


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_people_do_not_influence_one_another(seed: int) -> None:
    crowd = np.concatenate([person(seed + i) for i in range(3)])
    together = solve(crowd)
    for i in range(3):
        alone = solve(crowd[i : i + 1])
        assert alone.quat_local_xyzw[0] == pytest.approx(together.quat_local_xyzw[i], abs=1e-9)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_places_are_forward_kinematics_of_the_offsets(seed: int) -> None:
    pose = solve(person(seed))
    world = world_rotations(pose.quat_local_xyzw)
    steps = pose.position_world_m - pose.position_world_m[:, PARENT_INDEX]
    turned = rot.rotate(world[:, PARENT_INDEX], pose.offset_m)
    assert steps[:, 1:] == pytest.approx(turned[:, 1:], abs=1e-9)
