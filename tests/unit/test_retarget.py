"""Retargeting: who is seen, hidden, seated; hinges, twist, memory."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.retarget.limits import Limiter, excess_rad
from posestream.retarget.pose import Pose
from posestream.retarget.rest import rest_pose
from posestream.retarget.settings import RetargetSettings
from posestream.retarget.solve import Retargeter
from posestream.skeleton.humanoid import BONE, NUM_BONES, REST_OFFSET_M
from posestream.skeleton.joints import JOINT, NUM_JOINTS
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.types import Tracks

FPS = 30.0
BONE_OF = {
    "shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand", "hip": "UpperLeg",
    "knee": "LowerLeg", "ankle": "Foot", "toe": "Toes", "index": "IndexProximal",
    "pinky": "LittleProximal",
}  # fmt: skip
ARM = ("elbow", "wrist", "index", "pinky", "thumb")
LEGS = ("knee", "ankle", "heel", "toe")


def posed(**turns_deg: tuple[float, float, float]) -> F64:
    """Joints (J, 3) of our skeleton standing with arms down and these bones turned."""
    local = rest_pose(seated=False)
    for bone, turn in turns_deg.items():
        local[BONE[bone]] = rot.from_rotvec(np.radians(turn))
    world = world_rotations(local)
    place = positions(REST_OFFSET_M[0], world, REST_OFFSET_M)
    joints = np.full((NUM_JOINTS, 3), np.nan)
    for side in ("left", "right"):
        for joint, bone in BONE_OF.items():
            joints[JOINT[f"{side}_{joint}"]] = place[BONE[side.capitalize() + bone]]
        foot = BONE[f"{side.capitalize()}Foot"]
        heel = rot.rotate(world[foot], np.array([0.0, -0.06, -0.05]))
        joints[JOINT[f"{side}_heel"]] = place[foot] + heel
        out = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
        for point, at in (("ear", (0.07, 0.07, 0.015)), ("eye", (0.032, 0.083, 0.11))):
            turned = rot.rotate(world[BONE["Head"]], np.array(at) * out)
            joints[JOINT[f"{side}_{point}"]] = place[BONE["Head"]] + turned
    return joints


def without(joints: F64, *parts: str) -> F64:
    hidden = joints.copy()
    for part in parts:
        for name in (part, f"left_{part}", f"right_{part}"):
            if name in JOINT:
                hidden[JOINT[name]] = np.nan
    return hidden


class Player:
    """Feeds one person's frames."""

    def __init__(self, **options: object) -> None:
        self.retargeter = Retargeter(msgspec.convert(options, RetargetSettings))
        self.t_s = 0.0

    def show(self, joints: F64, score: float = 0.9, track: int = 5) -> Pose:
        ids = np.array([track])
        scores = np.where(np.isfinite(joints).all(axis=-1), score, 0.0)[None]
        self.t_s += 1.0 / FPS
        tracks = Tracks(ids, ids, ids * 0, np.ones(1), joints[None], scores, ids)
        return self.retargeter.solve(tracks, self.t_s)

    def play(self, joints: F64, seconds: float) -> list[Pose]:
        return [self.show(joints) for _ in range(round(seconds * FPS))]


def turn_deg(pose: Pose, bone: str) -> F64:
    return np.degrees(rot.to_rotvec(pose.quat_local_xyzw[0, BONE[bone]]))


def steps_deg(poses: list[Pose], bone: str) -> F64:
    q = np.concatenate([p.quat_local_xyzw[:, BONE[bone]] for p in poses])
    return np.degrees(rot.angle_between(q[1:], q[:-1]))


def test_nobody_is_an_ordinary_frame() -> None:
    empty = np.zeros(0)
    ids = np.zeros(0, dtype=np.int64)
    none = Tracks(
        ids, ids, ids, empty, np.zeros((0, NUM_JOINTS, 3)), np.zeros((0, NUM_JOINTS)), ids
    )
    pose = Retargeter().solve(none, 0.0)
    assert len(pose) == 0
    assert pose.quat_local_xyzw.shape == (0, NUM_BONES, 4)


def test_a_standing_person_stands() -> None:
    pose = Player().show(posed())
    for bone in ("Hips", "Spine", "Chest", "Neck", "Head", "LeftUpperLeg", "RightFoot"):
        assert np.abs(turn_deg(pose, bone)).max() < 6.0, bone
    assert pose.hip_height_m[0] == pytest.approx(0.92, abs=0.005)
    assert pose.root_world_m[0] == pytest.approx([0.0, 0.92, 0.0], abs=0.01)
    assert pose.position_world_m[0, BONE["LeftHand"]] == pytest.approx(
        posed()[JOINT["left_wrist"]], abs=0.02
    )


def test_the_right_bones_are_measured() -> None:
    valid = Player().show(posed()).bone_valid[0]
    for bone in ("Hips", "UpperChest", "Head", "LeftHand", "RightFoot", "RightShoulder"):
        assert valid[BONE[bone]], bone
    for bone in ("LeftEye", "Jaw", "LeftIndexProximal", "RightToes"):
        assert not valid[BONE[bone]], bone


@pytest.mark.parametrize(
    ("bone", "turn"),
    [("LeftLowerArm", (0, -80, 0)), ("RightLowerArm", (0, 80, 0)), ("LeftLowerLeg", (70, 0, 0)),
     ("RightLowerLeg", (70, 0, 0)), ("LeftUpperLeg", (-60, 0, 0)), ("RightUpperLeg", (0, 0, -30)),
     ("LeftFoot", (20, 0, 0)), ("LeftHand", (0, 0, 40)),
     ("RightHand", (0, 0, 40))],
)  # fmt: skip
def test_each_bone_bends_its_own_way(bone: str, turn: tuple[float, float, float]) -> None:
    """A bend of one bone is found as such: hinges bend the right way and leave no twist."""
    pose = Player().show(posed(**{bone: turn}))
    assert turn_deg(pose, bone) == pytest.approx(np.array(turn, dtype=float), abs=7.0)


def test_a_bow_bends_hips_and_back_and_points_the_torso_as_seen() -> None:
    joints = posed(Hips=(25.0, 0.0, 0.0), Spine=(20.0, 0.0, 0.0))
    pose = Player().show(joints)
    place = pose.position_world_m[0]
    neck = place[[BONE["LeftUpperArm"], BONE["RightUpperArm"]]].mean(axis=0)
    hips = place[[BONE["LeftUpperLeg"], BONE["RightUpperLeg"]]].mean(axis=0)
    shoulders = joints[[JOINT["left_shoulder"], JOINT["right_shoulder"]]].mean(axis=0)
    wanted = shoulders - joints[[JOINT["left_hip"], JOINT["right_hip"]]].mean(axis=0)
    assert rot.normalize(neck - hips) == pytest.approx(rot.normalize(wanted), abs=0.03)
    assert turn_deg(pose, "Hips")[0] == pytest.approx(25.0, abs=6.0)
    back = sum(turn_deg(pose, b)[0] for b in ("Spine", "Chest", "UpperChest"))
    assert back == pytest.approx(20.0, abs=10.0)


@pytest.mark.parametrize("yaw_deg", [-40.0, 35.0])
def test_the_head_turns_shared_by_neck_and_head(yaw_deg: float) -> None:
    pose = Player().show(posed(Head=(0.0, yaw_deg, 0.0)))
    both = turn_deg(pose, "Neck") + turn_deg(pose, "Head")
    assert both[1] == pytest.approx(yaw_deg, abs=2.0)
    assert abs(turn_deg(pose, "Neck")[1]) > 0.3 * abs(yaw_deg)


def test_the_forearm_takes_half_of_the_hands_twist() -> None:
    pose = Player().show(posed(LeftHand=(60.0, 0.0, 0.0)))
    assert turn_deg(pose, "LeftHand")[0] == pytest.approx(30.0, abs=3.0)
    axis = np.array([1.0, 0.0, 0.0])
    forearm = rot.twist_angle(pose.quat_local_xyzw[0, BONE["LeftLowerArm"]], axis)
    assert np.degrees(forearm) == pytest.approx(30.0, abs=4.0)


def test_knuckles_with_a_low_score_have_little_say() -> None:
    joints = posed(LeftHand=(60.0, 0.0, 0.0))
    sure, unsure = Player().show(joints, 0.95), Player().show(joints, 0.4)
    assert abs(turn_deg(unsure, "LeftHand")[0]) < 0.3 * turn_deg(sure, "LeftHand")[0]


def test_a_hidden_arm_holds_then_sinks_and_comes_back_without_a_jump() -> None:
    player = Player(hold_s=0.5, return_deg_per_s=360.0)
    raised = posed(LeftUpperArm=(0.0, 0.0, 60.0), LeftLowerArm=(0.0, -60.0, 0.0))
    seen = player.play(raised, 0.3)
    hidden = player.play(without(raised, *ARM), 4.0)
    back = player.play(raised, 1.5)
    held = turn_deg(hidden[int(0.4 * FPS)], "LeftUpperArm")
    assert held == pytest.approx(turn_deg(seen[-1], "LeftUpperArm"), abs=0.5)
    assert turn_deg(hidden[-1], "LeftUpperArm")[2] == pytest.approx(-72.0, abs=2.0)
    assert not hidden[0].bone_valid[0, BONE["LeftUpperArm"]]
    for bone in ("LeftUpperArm", "LeftLowerArm", "LeftHand"):
        assert steps_deg([*seen, *hidden, *back], bone).max() <= 12.5, bone
    assert turn_deg(back[-1], "LeftUpperArm") == pytest.approx(held, abs=0.5)
    assert back[0].bone_valid[0, BONE["LeftUpperArm"]]


def test_without_legs_a_new_person_stands_on_straight_ones() -> None:
    pose = Player().show(without(posed(), *LEGS))
    ankle, hip = (pose.position_world_m[0, BONE[f"Left{b}"]] for b in ("Foot", "UpperLeg"))
    assert rot.normalize(ankle - hip) == pytest.approx(np.array([0.0, -1.0, 0.0]), abs=0.02)
    assert not pose.bone_valid[0, BONE["LeftUpperLeg"]]


def test_unseen_legs_are_as_long_as_the_rest_of_the_person() -> None:
    joints = posed() * 0.6
    whole, half = Player().show(joints), Player().show(without(joints, *LEGS))
    assert half.hip_height_m == pytest.approx(whole.hip_height_m, rel=0.02)


def test_with_shoulders_alone_the_body_hangs_below_them() -> None:
    joints = without(posed(), "hip", *LEGS)
    pose = Player().show(joints)
    assert pose.root_world_m[0] == pytest.approx([0.0, 0.92, 0.0], abs=0.03)
    assert rot.angle_between(pose.quat_local_xyzw[0, 0], rot.IDENTITY) < 0.1


def test_a_person_without_any_joint_keeps_still() -> None:
    player = Player()
    before = player.play(posed(Hips=(0.0, 50.0, 0.0)), 0.2)[-1]
    after = player.show(np.full((NUM_JOINTS, 3), np.nan))
    assert after.root_world_m == pytest.approx(before.root_world_m)
    assert after.quat_local_xyzw == pytest.approx(before.quat_local_xyzw)
    assert not after.bone_valid.any()


def test_a_new_track_owes_nothing_to_the_old_one() -> None:
    player = Player()
    player.play(posed(LeftUpperArm=(0.0, 0.0, 60.0)), 0.5)
    same = player.show(without(posed(), *ARM), track=6)
    assert same.quat_local_xyzw == pytest.approx(
        Player().show(without(posed(), *ARM)).quat_local_xyzw
    )


def test_a_straight_noisy_arm_does_not_spin() -> None:
    """The elbow's plane is noise while the arm is straight: the twist must ignore it."""
    player, random = Player(hands=False), np.random.default_rng(3)
    straight = posed(LeftLowerArm=(0.0, -1.0, 0.0), RightLowerArm=(0.0, 1.0, 0.0))
    poses = [
        player.show(straight + random.normal(scale=0.006, size=straight.shape)) for _ in range(90)
    ]
    for side in ("Left", "Right"):
        q = np.concatenate([p.quat_local_xyzw[:, BONE[f"{side}UpperArm"]] for p in poses])
        twist = np.degrees(rot.twist_angle(q, np.array([1.0, 0.0, 0.0])))
        assert np.abs(np.diff(twist)).max() < 8.0
        assert np.ptp(twist) < 20.0


def test_an_arm_that_goes_behind_the_back_never_flips() -> None:
    """Upper arm from the front round to behind the back with the elbow bent, and back again."""
    phase = np.concatenate([np.linspace(0, 1, 45), np.linspace(1, 0, 45)])
    player = Player(limits=False, hands=False)
    poses = []
    for s in phase:
        upper = rot.multiply(
            rot.from_rotvec(np.array([np.radians(40.0 - 75.0 * s), 0.0, 0.0])),
            rot.from_rotvec(np.array([0.0, 0.0, np.radians(-75.0)])),
        )
        turned = rot.multiply(
            upper, rot.from_rotvec(np.array([np.radians(-85.0 * (2 * s - 1)), 0.0, 0.0]))
        )
        arm = tuple(np.degrees(rot.to_rotvec(turned)))
        poses.append(player.show(posed(LeftUpperArm=arm, LeftLowerArm=(0.0, -85.0, 0.0))))
    assert steps_deg(poses, "LeftUpperArm").max() < 20.0
    assert steps_deg(poses, "LeftLowerArm").max() < 20.0


def test_a_knee_never_bends_forward_within_limits() -> None:
    pose = Player().show(posed(LeftLowerLeg=(-40.0, 0.0, 0.0)))
    assert turn_deg(pose, "LeftLowerLeg")[0] >= -5.01


def test_limits_off_leaves_a_garbage_pose_as_it_is() -> None:
    joints = posed(LeftLowerLeg=(-40.0, 0.0, 0.0))
    assert excess_rad(Player(limits=False).show(joints).quat_local_xyzw).max() > 0.2


def test_seated_people_keep_their_hips_and_rest_their_legs() -> None:
    player = Player(seated=True)
    calm = player.play(posed(), 0.5)[-1]
    moved = player.show(posed() + np.array([0.3, 0.0, 0.0]))
    thigh = rot.rotate(moved.quat_local_xyzw[0, BONE["LeftUpperLeg"]], np.array([0.0, -1.0, 0.0]))
    assert thigh[2] > 0.95
    assert np.abs(moved.root_world_m - calm.root_world_m).max() < 0.02
    upright = rot.rotate(moved.quat_local_xyzw[0, 0], np.array([0.0, 1.0, 0.0]))
    assert upright == pytest.approx(np.array([0.0, 1.0, 0.0]), abs=1e-9)
    for bone in ("LeftUpperLeg", "RightLowerLeg", "LeftFoot"):
        assert not moved.bone_valid[0, BONE[bone]]


def test_seated_people_lean_with_their_spine() -> None:
    pose = Player(seated=True).show(posed(Spine=(25.0, 0.0, 0.0)))
    bend = sum(turn_deg(pose, b)[0] for b in ("Spine", "Chest", "UpperChest"))
    assert bend == pytest.approx(22.0, abs=6.0)


@pytest.mark.parametrize("hips_seen", [True, False])
def test_seated_people_do_not_lean_because_their_place_is_measured_badly(hips_seen: bool) -> None:
    player = Player(seated=True)
    joints = posed()
    if not hips_seen:
        joints[[JOINT[n] for n in ("pelvis", "left_hip", "right_hip", "spine")]] = np.nan
    player.play(joints, 0.5)
    for pose in player.play(joints + np.array([0.1, 0.0, 0.5]), 0.5):
        trunk = pose.position_world_m[0, BONE["Neck"]] - pose.position_world_m[0, BONE["Hips"]]
        assert np.degrees(np.arccos(trunk[1] / np.linalg.norm(trunk))) < 10.0


def test_seated_people_have_their_feet_on_the_floor() -> None:
    player = Player(seated=True)
    for pose in player.play(posed() + np.array([0.0, 0.6, 0.0]), 0.3):
        feet = pose.position_world_m[0, [BONE["LeftToes"], BONE["RightToes"], BONE["LeftFoot"]], 1]
        assert feet.min() == pytest.approx(0.0, abs=1e-9)


def test_the_rest_pose_is_within_its_limits() -> None:
    for seated in (False, True):
        assert excess_rad(rest_pose(seated)).max() < 1e-6


def test_clamping_twice_changes_nothing() -> None:
    limiter = Limiter(np.arange(NUM_BONES))
    q = rot.normalize(np.random.default_rng(0).normal(size=(200, NUM_BONES, 4)))
    once = limiter.clamp(q)
    assert rot.angle_between(limiter.clamp(once), once).max() < 1e-5
    assert limiter.excess_rad(once).max() < 1e-5


def test_poses_within_limits_pass_unchanged() -> None:
    limiter = Limiter(np.arange(NUM_BONES))
    q = rot.from_rotvec(np.random.default_rng(0).normal(scale=0.02, size=(50, NUM_BONES, 3)))
    q[:, BONE["LeftLowerArm"]] = rot.from_rotvec(np.array([0.0, -1.5, 0.0]))
    assert rot.angle_between(limiter.clamp(q), q).max() < 1e-6


@pytest.mark.parametrize("count", [1, 9, 40])
def test_many_people_each_get_a_pose(count: int) -> None:
    joints = np.stack([posed() + np.array([i, 0.0, 0.0]) for i in range(count)])
    ids = np.arange(count) * 7
    tracks = Tracks(ids, ids, ids * 0, np.ones(count), joints, np.ones(joints.shape[:2]), ids)
    pose = Retargeter().solve(tracks, 0.0)
    assert pose.root_world_m[:, 0] == pytest.approx(np.arange(count), abs=1e-6)


@pytest.mark.parametrize("bad", [{"hold_s": -1.0}, {"min_score": 2.0}, {"mirrored": True}])
def test_settings_refuse_nonsense(bad: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(bad, RetargetSettings)
