"""Motion capture of other people as exact 3D input: joints to rotations to joints.

Limits, and of course smoothing, are off where directions are compared.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.retarget.limits import excess_rad
from posestream.retarget.pose import Pose
from posestream.retarget.settings import RetargetSettings
from posestream.retarget.solve import Retargeter
from posestream.skeleton.bone_names import bones_of
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.humanoid import BONE, NUM_BONES
from posestream.skeleton.joints import JOINT, NUM_JOINTS
from posestream.skeleton.kinematics import world_rotations
from posestream.skeleton.rig import forward, load_rig
from posestream.types import Tracks

LIMBS = [
    (f"{side}_{a}", f"{side}_{b}", side.capitalize() + bone, side.capitalize() + child)
    for side in ("left", "right")
    for a, b, bone, child in (
        ("shoulder", "elbow", "UpperArm", "LowerArm"), ("elbow", "wrist", "LowerArm", "Hand"),
        ("hip", "knee", "UpperLeg", "LowerLeg"), ("knee", "ankle", "LowerLeg", "Foot"),
        ("ankle", "toe", "Foot", "Toes"),
    )
]  # fmt: skip
FREE = RetargetSettings(limits=False)


def solve_clip(joints: F64, fps: float, settings: RetargetSettings) -> list[Pose]:
    """One person's clip (F, J, 3), frame after frame."""
    retargeter, one = Retargeter(settings), np.zeros(1, dtype=np.int64)
    poses = []
    for i, frame in enumerate(joints):
        score = np.isfinite(frame).all(axis=-1).astype(np.float64)[None]
        tracks = Tracks(one, one, one, np.ones(1), frame[None], score, one)
        poses.append(retargeter.solve(tracks, i / fps))
    return poses


def angle_deg(a: F64, b: F64) -> F64:
    gap = rot.norm(rot.normalize(a) - rot.normalize(b))
    return np.degrees(2.0 * np.arcsin(np.clip(gap / 2.0, 0.0, 1.0)))


def limb_errors_deg(joints: F64, place_m: F64, feet: bool = True) -> F64:
    """(F, limbs) between source joints (F, J, 3) and bones (F, B, 3)."""
    limbs = [limb for limb in LIMBS if feet or not limb[0].endswith("ankle")]
    columns = [
        angle_deg(
            joints[:, JOINT[b]] - joints[:, JOINT[a]],
            place_m[:, BONE[child]] - place_m[:, BONE[bone]],
        )
        for a, b, bone, child in limbs
        if np.isfinite(joints[:, JOINT[b]]).all()
    ]
    return np.stack(columns, axis=1)


@functools.cache
def solved_bvh(path: Path, limits: bool) -> tuple[F64, F64, F64]:
    """Places (F, B, 3), local rotations (F, B, 4), validity (F, B) of a whole clip."""
    clip = read_bvh(path)
    poses = solve_clip(clip.body_joints(), clip.fps, RetargetSettings(limits=limits))
    return (
        np.concatenate([p.position_world_m for p in poses]),
        np.concatenate([p.quat_local_xyzw for p in poses]),
        np.concatenate([p.bone_valid for p in poses]),
    )


def bvh_files(shared_data: Path) -> list[Path]:
    files = sorted((shared_data / "motions" / "bandai").glob("*.bvh"))
    assert len(files) == 45
    return files


def test_clips_have_the_heights_stated_beside_them(shared_data: Path) -> None:
    clip = read_bvh(shared_data / "motions/bandai/dataset-1_run_active_001.bvh")
    place, _ = clip.world()
    feet = [clip.names.index(n) for n in ("Foot_L", "Foot_R", "Toes_L", "Toes_R")]
    assert (len(place), clip.fps) == (72, pytest.approx(30.0, abs=0.01))
    assert place[:, clip.names.index("Head"), 1].max() == pytest.approx(1.490, abs=6e-4)
    assert place[:, feet, 1].min() == pytest.approx(0.042, abs=6e-4)


def test_joints_to_rotations_to_joints(shared_data: Path) -> None:
    errors, torso = [], []
    for path in bvh_files(shared_data):
        joints = read_bvh(path).body_joints()
        place, _, _ = solved_bvh(path, limits=False)
        errors.append(limb_errors_deg(joints, place))
        hips = place[:, [BONE["LeftUpperLeg"], BONE["RightUpperLeg"]]].mean(axis=1)
        line = joints[:, JOINT["neck"]] - joints[:, JOINT["pelvis"]]
        torso.append(angle_deg(line, place[:, BONE["Neck"]] - hips))
    assert np.concatenate(errors).max() < 0.01
    assert np.median(np.concatenate(torso)) < 1.0
    assert np.percentile(np.concatenate(torso), 99) < 2.5


@pytest.mark.parametrize("limits", [True, False])
def test_no_bone_steps_much_further_than_its_source(shared_data: Path, limits: bool) -> None:
    for path in bvh_files(shared_data):
        clip = read_bvh(path)
        _, local, measured = solved_bvh(path, limits=limits)
        world, valid = world_rotations(local), measured.all(axis=0)
        _, source = clip.world()
        for name, joint in bones_of(enumerate(clip.names)).items():
            if not valid[BONE[name]]:
                continue
            ours = rot.angle_between(world[1:, BONE[name]], world[:-1, BONE[name]])
            theirs = rot.angle_between(source[1:, joint], source[:-1, joint])
            assert np.degrees(ours - theirs).max() < 20.0, (path.name, name)


def test_with_limits_every_pose_is_inside_them(shared_data: Path) -> None:
    for path in bvh_files(shared_data):
        _, local, _ = solved_bvh(path, limits=True)
        assert excess_rad(local).max() < 1e-5


@pytest.mark.parametrize("name", ["debug_robot.vrm", "cryptovoxels.vrm", "CesiumMan.glb"])
def test_avatars_reach_the_sources_limb_directions(shared_data: Path, name: str) -> None:
    rig = load_rig(shared_data / "avatars" / name)
    for path in bvh_files(shared_data):
        joints = read_bvh(path).body_joints()
        own, q, _ = solved_bvh(path, limits=False)
        place, _ = forward(rig, own[:, 0], q)
        assert limb_errors_deg(joints, place, feet=False).max() < 2.0
        # ankle to toe slopes as the avatar's shoe does: its feet turn as the source's do
        assert np.ptp(limb_errors_deg(joints, place), axis=0).max() < 0.1


DEEPMIMIC = ("backflip", "cartwheel", "crawl", "dance_spin", "getup_facedown", "kick", "roll",
             "spinkick", "walk", "zombie_walk")  # fmt: skip


@pytest.mark.parametrize("name", DEEPMIMIC)
def test_acrobatics(shared_data: Path, name: str) -> None:
    joints, fps = deepmimic_joints(shared_data / "motions" / "deepmimic", name)
    place = np.concatenate([p.position_world_m for p in solve_clip(joints, fps, FREE)])
    assert limb_errors_deg(joints, place).max() < 0.01
    for pose in solve_clip(joints, fps, RetargetSettings()):
        assert excess_rad(pose.quat_local_xyzw).max() < 1e-5
        assert np.isfinite(pose.position_world_m).all()


_DEEPMIMIC_COLUMNS = {"chest": 8, "neck": 12, "right_hip": 16, "right_knee": 20, "right_ankle": 21,
                      "right_shoulder": 25, "right_elbow": 29, "left_hip": 30, "left_knee": 34,
                      "left_ankle": 35, "left_shoulder": 39, "left_elbow": 43}  # fmt: skip


def deepmimic_joints(folder: Path, name: str) -> tuple[F64, float]:
    """Joints (F, J, 3) in our axes of a DeepMimic clip (x forward, y up, z right there)."""
    character = json.loads((folder / "character_humanoid3d.txt").read_text())["Skeleton"]["Joints"]
    clip = json.loads((folder / f"humanoid3d_{name}.txt").read_text())
    frames = np.array(clip["Frames"])
    place: dict[int, F64] = {0: frames[:, 1:4]}
    turn: dict[int, F64] = {0: _wxyz(frames[:, 4:8])}
    body = np.full((len(frames), NUM_JOINTS, 3), np.nan)
    for joint in character[1:]:
        parent, label = joint["Parent"], joint["Name"]
        attach = np.array([joint["AttachX"], joint["AttachY"], joint["AttachZ"]])
        place[joint["ID"]] = place[parent] + rot.rotate(turn[parent], attach)
        turn[joint["ID"]] = rot.multiply(turn[parent], _local(frames, label, joint["Type"]))
        if label in JOINT and label != "neck":
            body[:, JOINT[label]] = place[joint["ID"]]
    for label, pair in (("pelvis", "hip"), ("neck", "shoulder")):
        body[:, JOINT[label]] = body[:, [JOINT[f"left_{pair}"], JOINT[f"right_{pair}"]]].mean(
            axis=1
        )
    ours = np.stack([-body[..., 2], body[..., 1], body[..., 0]], axis=-1)
    return ours, 1.0 / float(frames[0, 0])


def _wxyz(q: F64) -> F64:
    return rot.normalize(np.roll(q, -1, axis=-1))


def _local(frames: F64, label: str, kind: str) -> F64:
    column = _DEEPMIMIC_COLUMNS.get(label)
    if column is None:
        return rot.identity(len(frames))
    if kind == "revolute":
        return rot.from_axis_angle(np.array([0.0, 0.0, 1.0]), frames[:, column])
    return _wxyz(frames[:, column : column + 4])


def test_every_bone_has_a_finite_rotation_at_the_first_frame(shared_data: Path) -> None:
    clip = read_bvh(bvh_files(shared_data)[0])
    pose = solve_clip(clip.body_joints()[:1], clip.fps, RetargetSettings())[0]
    assert rot.norm(pose.quat_local_xyzw) == pytest.approx(np.ones((1, NUM_BONES)))
