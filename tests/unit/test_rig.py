"""Rigs against files of other tools: rest poses, T-pose correction, hostile bytes."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posestream.errors import AvatarError
from posestream.geometry import rotation as rot
from posestream.skeleton.bone_names import bone_of, bones_of
from posestream.skeleton.humanoid import BONE, NUM_BONES, REST_OFFSET_M
from posestream.skeleton.rig import (
    default_rig,
    forward,
    load_rig,
    normalised_from_raw,
    raw_from_normalised,
)  # fmt: skip

# (file, axis turn to our world, stated positions): from the README beside the files
STATED = {
    "debug_robot.vrm": (1.0, {
        "Hips": (0.0, 0.75, 0.0), "Head": (0.0, 1.562, 0.0), "LeftUpperArm": (0.125, 1.5, 0.0),
        "LeftHand": (0.625, 1.5, 0.0), "RightHand": (-0.625, 1.5, 0.0),
        "LeftFoot": (0.25, 0.062, 0.0), "LeftToes": (0.25, 0.0, 0.125),
    }),
    "cryptovoxels.vrm": (-1.0, {
        "Hips": (0.0, 0.791, 0.0), "Head": (0.0, 1.27, -0.02),
        "LeftUpperArm": (-0.137, 1.168, 0.001), "LeftHand": (-0.609, 1.179, 0.015),
        "RightHand": (0.602, 1.166, 0.018), "LeftFoot": (-0.044, 0.069, -0.006),
        "LeftToes": (-0.052, 0.037, -0.076),
    }),
}  # fmt: skip
AVATARS = ("debug_robot.vrm", "cryptovoxels.vrm", "CesiumMan.glb", "three_vrm_test.vrma",
           "hips_spine_twisting.vrma")  # fmt: skip
LIMBS = [
    (f"{side}{bone}", f"{side}{child}", aim)
    for side, out in (("Left", 1.0), ("Right", -1.0))
    for bone, child, aim in (
        ("UpperArm", "LowerArm", (out, 0, 0)), ("LowerArm", "Hand", (out, 0, 0)),
        ("UpperLeg", "LowerLeg", (0, -1, 0)), ("LowerLeg", "Foot", (0, -1, 0)),
    )
]  # fmt: skip


@pytest.mark.parametrize("name", STATED)
def test_rest_positions_agree_with_those_stated(shared_data: Path, name: str) -> None:
    turn, stated = STATED[name]
    rig = load_rig(shared_data / "avatars" / name)
    for bone, (x, y, z) in stated.items():
        assert rig.file_position_world_m[BONE[bone]] == pytest.approx(
            (turn * x, y, turn * z), abs=1e-3
        )


@pytest.mark.parametrize(
    ("name", "generation", "bones"),
    [("debug_robot.vrm", "vrm1", 53), ("cryptovoxels.vrm", "vrm0", 43),
     ("CesiumMan.glb", "gltf", 19), ("three_vrm_test.vrma", "vrm1", 51)],
)  # fmt: skip
def test_generation_and_bones(shared_data: Path, name: str, generation: str, bones: int) -> None:
    rig = load_rig(shared_data / "avatars" / name)
    assert (rig.generation, int(rig.bones_present.sum())) == (generation, bones)


@pytest.mark.parametrize("name", AVATARS)
def test_every_rest_is_the_t_pose_facing_forward(shared_data: Path, name: str) -> None:
    rig = load_rig(shared_data / "avatars" / name)
    place = rig.rest_position_world_m
    for bone, child, aim in LIMBS:
        direction = rot.normalize(place[BONE[child]] - place[BONE[bone]])
        assert direction == pytest.approx(np.array(aim), abs=1e-6)
    if rig.bones_present[BONE["LeftToes"]]:
        assert (place[BONE["LeftToes"]] - place[BONE["LeftFoot"]])[2] > 0


@pytest.mark.parametrize("name", AVATARS)
def test_limbs_have_the_files_lengths(shared_data: Path, name: str) -> None:
    rig = load_rig(shared_data / "avatars" / name)
    for bone, child, _ in LIMBS:
        ends = [BONE[bone], BONE[child]]
        straight = np.diff(rig.rest_position_world_m[ends], axis=0)
        saved = np.diff(rig.file_position_world_m[ends], axis=0)
        assert rot.norm(straight) == pytest.approx(rot.norm(saved), abs=1e-9)


@pytest.mark.parametrize("name", AVATARS)
def test_raw_rotations_move_the_file_as_normalised_ones_do(shared_data: Path, name: str) -> None:
    """Plain forward kinematics of raw rotations, joint by joint, is an independent oracle."""
    rig = load_rig(shared_data / "avatars" / name)
    q = rot.from_rotvec(np.random.default_rng(1).normal(scale=0.7, size=(3, NUM_BONES, 3)))
    expected, world = forward(rig, np.array([[0.1, 1.0, 0.2]] * 3), q)
    raw = raw_from_normalised(rig, q)
    for person in range(3):
        place, turn = {0: np.array([0.1, 1.0, 0.2])}, {0: raw[person, 0]}
        for bone in _top_down(rig):
            parent = _present_parent(rig, bone)
            place[bone] = place[parent] + rot.rotate(turn[parent], rig.rest_offset_m[bone])
            turn[bone] = rot.multiply(turn[parent], raw[person, bone])
            assert place[bone] == pytest.approx(expected[person, bone], abs=1e-9)
            assert rot.angle_between(turn[bone], world[person, bone]) < 1e-6


def _top_down(rig: Any) -> list[int]:
    from posestream.skeleton.humanoid import ORDER

    return [b for b in ORDER if rig.bones_present[b] and b != 0]


def _present_parent(rig: Any, bone: int) -> int:
    from posestream.skeleton.humanoid import PARENT

    parent = PARENT[bone]
    while not rig.bones_present[parent]:
        parent = PARENT[parent]
    return parent


@pytest.mark.parametrize("name", AVATARS)
def test_raw_and_back(shared_data: Path, name: str) -> None:
    rig = load_rig(shared_data / "avatars" / name)
    q = rot.normalize(np.random.default_rng(0).normal(size=(5, NUM_BONES, 4)))
    q[:, ~rig.bones_present] = rot.IDENTITY
    back = normalised_from_raw(rig, raw_from_normalised(rig, q))
    assert rot.angle_between(back, q).max() < 1e-6


def test_the_files_own_rest_is_reached_by_its_own_rotations(shared_data: Path) -> None:
    rig = load_rig(shared_data / "avatars" / "CesiumMan.glb")
    n = normalised_from_raw(rig, rig.file_quat_local_xyzw)
    place, _ = forward(rig, rig.file_position_world_m[0], n)
    assert place[rig.bones_present] == pytest.approx(
        rig.file_position_world_m[rig.bones_present], abs=1e-6
    )


def test_default_rig_rests_in_our_t_pose() -> None:
    rig = default_rig()
    place, world = forward(rig, REST_OFFSET_M[0], rot.identity(NUM_BONES))
    assert place == pytest.approx(rig.rest_position_world_m)
    assert place[BONE["LeftHand"]] == pytest.approx([0.69, 1.38, -0.02])
    assert world == pytest.approx(rot.identity(NUM_BONES))


def test_missing_chest_bones_hand_their_turn_to_the_spine(shared_data: Path) -> None:
    rig = load_rig(shared_data / "avatars" / "debug_robot.vrm")
    assert not rig.bones_present[BONE["UpperChest"]]
    q = rot.identity(NUM_BONES)
    q[BONE["UpperChest"]] = rot.from_rotvec(np.array([0.0, 0.5, 0.0]))
    _, world = forward(rig, np.zeros(3), q)
    turned = rot.multiply(world[BONE["Neck"]], rot.inverse(rig.rest_quat_world_xyzw[BONE["Neck"]]))
    assert rot.yaw_about_y(turned) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "bone"),
    [("mixamorig:LeftUpLeg", "LeftUpperLeg"), ("J_Bip_R_UpperArm", "RightUpperArm"),
     ("J_Bip_C_UpperChest", "UpperChest"), ("DEF-forearm.L", "LeftLowerArm"),
     ("thigh_r", "RightUpperLeg"), ("LeftHandPinky2", "LeftLittleIntermediate"),
     ("f_index.01.R", "RightIndexProximal"), ("J_Bip_L_Thumb3", "LeftThumbDistal"),
     ("UpperArm_L", "LeftUpperArm"), ("Left wrist", "LeftHand"), ("pelvis", "Hips"),
     ("DEF-upper_arm.L.001", None), ("Camera", None)],
)  # fmt: skip
def test_names_of_modelling_tools(name: str, bone: str | None) -> None:
    assert bone_of(name) == bone


def test_left_leg_means_shank_or_thigh_by_what_else_there_is() -> None:
    mixamo = bones_of(enumerate(["LeftUpLeg", "LeftLeg", "LeftFoot"]))
    plain = bones_of(enumerate(["Left leg", "Left knee", "Left ankle"]))
    assert (mixamo["LeftUpperLeg"], mixamo["LeftLowerLeg"]) == (0, 1)
    assert (plain["LeftUpperLeg"], plain["LeftLowerLeg"]) == (0, 1)


def _glb(document: Any) -> bytes:
    text = json.dumps(document).encode()
    return struct.pack("<5I", 0x46546C67, 2, 20 + len(text), len(text), 0x4E4F534A) + text


def _write(folder: Path, data: bytes, name: str = "a.glb") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_files_cut_anywhere_are_refused(shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "avatars" / "debug_robot.vrm").read_bytes()
    for end in [*range(24), *range(24, len(data) - 1, 397)]:
        with pytest.raises(AvatarError):
            load_rig(_write(tmp_path, data[:end]))


def test_changed_bytes_give_a_rig_or_a_clear_refusal(shared_data: Path, tmp_path: Path) -> None:
    data = bytearray((shared_data / "avatars" / "three_vrm_test.vrma").read_bytes())
    random = np.random.default_rng(7)
    for _ in range(400):
        broken = bytearray(data)
        for place in random.integers(0, 6000, size=random.integers(1, 6)):
            broken[place] = int(random.integers(0, 256))
        try:
            rig = load_rig(_write(tmp_path, bytes(broken)))
        except AvatarError:
            continue
        assert np.isfinite(rig.rest_position_world_m).all()


def _chain(count: int) -> list[dict[str, Any]]:
    return [{"children": [i + 1]} for i in range(count - 1)] + [{}]


@pytest.mark.parametrize(
    "document",
    [
        [], {}, {"asset": {}}, {"asset": {"version": "1.0"}, "nodes": [{}]},
        {"asset": {"version": "2.0"}}, {"asset": {"version": "2.0"}, "nodes": []},
        {"asset": {"version": "2.0"}, "nodes": [{"children": [1]}, {"children": [0]}]},
        {"asset": {"version": "2.0"}, "nodes": [{"children": [0]}]},
        {"asset": {"version": "2.0"}, "nodes": [{"children": [2]}, {"children": [2]}, {}]},
        {"asset": {"version": "2.0"}, "nodes": [{"children": [7]}]},
        {"asset": {"version": "2.0"}, "nodes": [{"children": True}]},
        {"asset": {"version": "2.0"}, "nodes": [{"translation": [1e300, 0, 0]}]},
        {"asset": {"version": "2.0"}, "nodes": [{"translation": ["a", 0, 0]}]},
        {"asset": {"version": "2.0"}, "nodes": [{"rotation": [0, 0, 0, 0]}]},
        {"asset": {"version": "2.0"}, "nodes": [{"matrix": [1, 2]}]},
        {"asset": {"version": "2.0"}, "nodes": [3]},
        {"asset": {"version": "2.0"}, "nodes": _chain(3000)},
        {"asset": {"version": "2.0"}, "nodes": [{}], "skins": [{}]},
        {"asset": {"version": "2.0"}, "nodes": [{}], "extensions": {"VRMC_vrm": {}}},
        {"asset": {"version": "2.0"}, "nodes": [{}], "extensions": {"VRM": {"humanoid": 4}}},
        {"asset": {"version": "2.0"}, "nodes": [{}],
         "extensions": {"VRMC_vrm": {"humanoid": {"humanBones": {"hips": {"node": 99}}}}}},
        {"asset": {"version": "2.0"}, "nodes": [{}],
         "extensions": {"VRMC_vrm": {"humanoid": {"humanBones": {"hips": {"node": 0}}}}}},
    ],
)  # fmt: skip
def test_hostile_documents_are_refused_in_one_sentence(tmp_path: Path, document: Any) -> None:
    with pytest.raises(AvatarError) as refusal:
        load_rig(_write(tmp_path, _glb(document)))
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.glb", b""), ("a.gltf", b"{"), ("a.gltf", b'{"asset": NaN}'), ("a.vrm", b"glTF"),
     ("a.gltf", b"[" * 100_000), ("a.obj", b"v 0 0 0"), ("a.bvh", b""), ("a.bvh", b"HIERARCHY"),
     ("a.bvh", b"HIERARCHY ROOT a { OFFSET 0 0 x"), ("a.bvh", b"HIERARCHY ROOT a { CHANNELS 9"),
     ("a.bvh", b"HIERARCHY " + b"ROOT a { " * 300),
     ("a.bvh", b"HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 1 Xposition } MOTION "
               b"Frames: 2 Frame Time: 0.1 1"),
     ("a.bvh", b"HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 1 Xposition } MOTION "
               b"Frames: 1 Frame Time: 0.1 nan"),
     ("a.bvh", b"HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 1 Xposition } MOTION "
               b"Frames: 1 Frame Time: 0.1 1")],
)  # fmt: skip
def test_damaged_files_are_refused(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(AvatarError):
        load_rig(_write(tmp_path, data, name))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match=r"nobody\.vrm"):
        load_rig(tmp_path / "nobody.vrm")
