"""BVH files through another project's reader: joints are where our own kinematics put them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pybvh
import pytest

from posestream.arrays import F64
from posestream.export.body import own_rig, placed
from posestream.export.bvh import bvh_text, resampled
from posestream.export.motion import PersonMotion
from posestream.geometry import rotation as rot
from posestream.skeleton.bvh import BvhSkeleton, read_bvh, read_bvh_rig, read_bvh_skeleton
from posestream.skeleton.humanoid import BONE
from posestream.skeleton.rig import Rig, forward, load_rig
from tests import motion_cases

WORST_M = 5e-4
MOCAP = ("dataset-1_kick_normal_001.bvh", "dataset-2_walk_masculine_007.bvh",
         "dataset-1_dash_musical_001.bvh")  # fmt: skip
AVATARS = ("debug_robot.vrm", "cryptovoxels.vrm", "CesiumMan.glb")


def written(
    folder: Path, motion: PersonMotion, rig: Rig, unit: str = "cm", fps: float = 30.0,
    skeleton: BvhSkeleton | None = None,
) -> Path:  # fmt: skip
    path = folder / f"{rig.name}-{unit}.bvh"
    text = bvh_text(motion, rig, unit=unit, fps=fps, skeleton=skeleton)
    path.write_text(text, encoding="utf-8")
    return path


def by_pybvh(path: Path, unit: str = "cm") -> tuple[dict[str, F64], float]:
    """Places (F, 3) in metres of every joint, and frames per second."""
    clip = pybvh.read_bvh_file(path, world_up="+y")
    place = clip.joint_positions() * {"cm": 0.01, "m": 1.0}[unit]
    return {name: place[:, i] for i, name in enumerate(clip.joint_names)}, clip.fps


def shown(motion: PersonMotion, rig: Rig, fps: float = 30.0) -> F64:
    """What our kinematics make of the motion at even times."""
    root, quat = resampled(motion.time_s, fps, placed(motion, rig), motion.quat_local_xyzw)
    return forward(rig, root, quat)[0]


def compare(path: Path, motion: PersonMotion, rig: Rig, unit: str = "cm") -> set[str]:
    """Fail where a joint is elsewhere; the names that were compared."""
    place, fps = by_pybvh(path, unit)
    assert fps == pytest.approx(30.0, abs=1e-4)
    expected = shown(motion, rig)
    for name, there in place.items():
        assert there.shape == expected[:, BONE[name]].shape
        assert np.linalg.norm(there - expected[:, BONE[name]], axis=-1).max() < WORST_M, name
    return set(place)


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_wild_turns_of_every_bone_stay_where_they_are(tmp_path: Path, unit: str) -> None:
    motion = motion_cases.motion(motion_cases.tumbling())
    rig = own_rig(motion)
    names = compare(written(tmp_path, motion, rig, unit), motion, rig, unit)
    assert names == set(BONE)


def test_at_the_captured_instants_the_file_is_the_frames(tmp_path: Path) -> None:
    frames = motion_cases.tumbling(uneven=False)
    motion = motion_cases.motion(frames)
    place, _ = by_pybvh(written(tmp_path, motion, own_rig(motion)))
    for i, frame in enumerate(frames):
        ours = np.array([frame.position_world_m[0, BONE[name]] for name in place])
        theirs = np.array([there[i] for there in place.values()])
        assert np.linalg.norm(ours - theirs, axis=-1).max() < WORST_M


def test_uneven_times_become_even_by_the_shortest_turn(tmp_path: Path) -> None:
    motion = motion_cases.motion(motion_cases.tumbling(uneven=True))
    assert np.ptp(np.diff(motion.time_s)) > 0.03
    root, quat = resampled(motion.time_s, 50.0, motion.root_world_m, motion.quat_local_xyzw)
    at = np.arange(len(root)) / 50.0
    assert at[-1] == pytest.approx(motion.time_s[-1], abs=0.01)
    for axis in range(3):
        line = np.interp(at, motion.time_s, motion.root_world_m[:, axis])
        np.testing.assert_allclose(root[:, axis], line, atol=1e-12)
    before = np.searchsorted(motion.time_s, at, side="right") - 1
    before = np.clip(before, 0, len(motion) - 2)
    ends = motion.quat_local_xyzw[before], motion.quat_local_xyzw[before + 1]
    there = [rot.angle_between(end, quat) for end in ends]
    whole = rot.angle_between(*ends)
    np.testing.assert_allclose(there[0] + there[1], whole, atol=1e-6)


@pytest.mark.parametrize("name", MOCAP)
def test_mocap_comes_out_as_it_went_in(shared_data: Path, tmp_path: Path, name: str) -> None:
    source = shared_data / "motions" / "bandai" / name
    motion = motion_cases.motion(motion_cases.mocap(source))
    rig = own_rig(motion)
    path = written(tmp_path, motion, rig, fps=30.0)
    names = compare(path, motion, rig)
    assert {"Hips", "Head", "LeftHand", "RightToes"} <= names
    assert not any(part in name for name in names for part in ("Thumb", "Eye", "Jaw"))
    back = read_bvh(path)  # and our own reader finds the joints in it
    joints = back.body_joints()
    known = np.isfinite(joints)
    given = read_bvh(source).body_joints()[: len(joints)]
    assert known[..., 0].sum(axis=1).min() >= 14
    way, back_way = (np.diff(j[:, 0], axis=0) for j in (given, joints))
    assert np.abs(way - back_way).max() < 0.02


@pytest.mark.parametrize("name", AVATARS)
def test_written_for_somebodys_avatar(shared_data: Path, tmp_path: Path, name: str) -> None:
    rig = load_rig(shared_data / "avatars" / name)
    motion = motion_cases.motion(motion_cases.tumbling(uneven=False))
    names = compare(written(tmp_path, motion, rig), motion, rig)
    assert {"Hips", "LeftHand", "RightFoot"} <= names


def test_written_for_the_skeleton_of_another_bvh(shared_data: Path, tmp_path: Path) -> None:
    """Its joints, names and rest pose; bones stand where the rig read from it puts them."""
    source = shared_data / "motions" / "bandai" / "dataset-1_kick_normal_001.bvh"
    rig, skeleton = read_bvh_rig(source), read_bvh_skeleton(source)
    motion = motion_cases.motion(
        motion_cases.mocap(source.with_name("dataset-1_punch_normal_001.bvh"))
    )
    path = written(tmp_path, motion, rig, skeleton=skeleton)
    clip = read_bvh(path)
    assert clip.names == read_bvh(source).names and clip.parents == read_bvh(source).parents
    place, _ = clip.world()
    expected = shown(motion, rig)
    for bone, joint in skeleton.bones.items():
        far = np.linalg.norm(place[:, joint] - expected[:, BONE[bone]], axis=-1)
        assert far.max() < WORST_M, bone


def test_a_foreign_motion_is_its_own_again(shared_data: Path, tmp_path: Path) -> None:
    """Mocap onto its own skeleton: limbs point as they did in the file itself."""
    source = shared_data / "motions" / "bandai" / "dataset-1_kick_normal_001.bvh"
    rig, skeleton = read_bvh_rig(source), read_bvh_skeleton(source)
    motion = motion_cases.motion(motion_cases.mocap(source))
    ours, _ = read_bvh(written(tmp_path, motion, rig, skeleton=skeleton)).world()
    theirs, _ = read_bvh(source).world()
    for a, b in (("UpperArm", "LowerArm"), ("LowerArm", "Hand"), ("UpperLeg", "LowerLeg"),
                 ("LowerLeg", "Foot")):  # fmt: skip
        for side in ("Left", "Right"):
            ends = [skeleton.bones[side + b], skeleton.bones[side + a]]
            one, other = (
                rot.normalize(p[:, ends[0]] - p[:, ends[1]]) for p in (ours, theirs[: len(ours)])
            )
            assert np.degrees(np.arccos(np.clip((one * other).sum(-1), -1, 1))).max() < 1.0


def test_angles_never_jump(tmp_path: Path) -> None:
    """Programs that interpolate angles would spin limbs wherever one jumps by a turn."""
    motion = motion_cases.motion(motion_cases.tumbling(300))
    text = bvh_text(motion, own_rig(motion), unit="m", fps=120.0)
    rows = text.partition("Frame Time")[2].splitlines()[1:]
    turns = np.array([row.split() for row in rows], dtype=float)[:, 3:]
    steps = np.abs(np.diff(turns, axis=0))
    assert steps.max() < 190.0  # at the poles of these angles half a turn is the truth
    assert np.percentile(steps, 99) < 15.0


def test_a_single_frame_is_a_pose(tmp_path: Path) -> None:
    motion = motion_cases.motion(motion_cases.tumbling(1))
    rig = own_rig(motion)
    assert set(BONE) >= compare(written(tmp_path, motion, rig), motion, rig)
