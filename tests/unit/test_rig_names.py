"""Joint names of common rigs, as their tools write them, and the report of what was matched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posestream.cli import main
from posestream.skeleton.bone_names import bones_of, with_spine
from posestream.skeleton.gltf import REQUIRED
from posestream.skeleton.humanoid import BONES
from posestream.skeleton.rig_report import report
from tests.unit.test_rig import _glb

FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


def sides(*names: str) -> list[str]:
    """Both sides; ``~`` stands for the side's letter."""
    return [name.replace("~", side) for name in names for side in ("L", "R")]


MIXAMO = [
    f"mixamorig:{name}"
    for name in (
        "Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End",
        *(f"{s}{b}" for s in ("Left", "Right") for b in (
            "Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase", "Toe_End",
            *(f"Hand{f}{i}" for f in FINGERS for i in (1, 2, 3, 4)))),
    )
]  # fmt: skip
RIGIFY = [
    "root", "hips", "chest", "torso", "neck", "head", *sides("shoulder.~", "foot_ik.~"),
    "DEF-spine", *(f"DEF-spine.00{i}" for i in range(1, 7)), "DEF-jaw",
    *sides("DEF-pelvis.~", "DEF-thigh.~", "DEF-thigh.~.001", "DEF-shin.~", "DEF-shin.~.001",
           "DEF-foot.~", "DEF-toe.~", "DEF-shoulder.~", "DEF-upper_arm.~", "DEF-upper_arm.~.001",
           "DEF-forearm.~", "DEF-forearm.~.001", "DEF-hand.~", "DEF-palm.01.~", "DEF-eye.~"),
    *(n for i in (1, 2, 3) for n in sides(f"DEF-thumb.0{i}.~")),
    *(n for f in ("index", "middle", "ring", "pinky") for i in (1, 2, 3)
      for n in sides(f"DEF-f_{f}.0{i}.~")),
]  # fmt: skip
RIGIFY_METARIG = [n.removeprefix("DEF-") for n in RIGIFY if n.startswith("DEF-")]
MAKEHUMAN = [
    "root", *sides("pelvis.~"), "spine05", "spine04", "spine03", "spine02", "spine01",
    *sides("upperleg01.~", "upperleg02.~", "lowerleg01.~", "lowerleg02.~", "foot.~", "toe1-1.~",
           "toe1-2.~", "toe2-1.~", "clavicle.~", "shoulder01.~", "upperarm01.~", "upperarm02.~",
           "lowerarm01.~", "lowerarm02.~", "wrist.~", "metacarpal1.~", "breast.~", "eye.~"),
    "neck01", "neck02", "neck03", "head", "jaw", "tongue00",
    *(n for f in range(1, 6) for i in (1, 2, 3) for n in sides(f"finger{f}-{i}.~")),
]  # fmt: skip
VROID = [
    "Root", "J_Bip_C_Hips", "J_Bip_C_Spine", "J_Bip_C_Chest", "J_Bip_C_UpperChest", "J_Bip_C_Neck",
    "J_Bip_C_Head", *sides("J_Adj_~_FaceEye"), "J_Sec_Hair1_01", *sides("J_Sec_~_Bust1"),
    *sides("J_Bip_~_Shoulder", "J_Bip_~_UpperArm", "J_Bip_~_LowerArm", "J_Bip_~_Hand",
           "J_Bip_~_UpperLeg", "J_Bip_~_LowerLeg", "J_Bip_~_Foot", "J_Bip_~_ToeBase"),
    *(n for f in ("Thumb", "Index", "Middle", "Ring", "Little") for i in (1, 2, 3)
      for n in sides(f"J_Bip_~_{f}{i}")),
]  # fmt: skip
UNREAL = [
    "root", "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head",
    *(n.lower() for n in sides(
        "clavicle_~", "upperarm_~", "lowerarm_~", "upperarm_twist_01_~", "hand_~", "thigh_~",
        "thigh_twist_01_~", "calf_~", "foot_~", "ball_~")),
    *(n.lower() for f in FINGERS for i in (1, 2, 3) for n in sides(f"{f}_0{i}_~")),
]  # fmt: skip
CMU = ["Hips", "LHipJoint", "RHipJoint", "LowerBack", "Spine", "Spine1", "Neck", "Neck1", "Head",
       *(f"{s}{b}" for s in ("Left", "Right") for b in (
           "UpLeg", "Leg", "Foot", "ToeBase", "Shoulder", "Arm", "ForeArm", "Hand"))]  # fmt: skip
BIOVISION = ["Hips", "Chest", "Neck", "Head", *(
    f"{s}{b}" for s in ("Left", "Right")
    for b in ("Collar", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"))]  # fmt: skip

RIGS = {
    "Mixamo": (MIXAMO, {
        "Hips": "mixamorig:Hips", "UpperChest": "mixamorig:Spine2", "Head": "mixamorig:Head",
        "LeftUpperLeg": "mixamorig:LeftUpLeg", "LeftLowerLeg": "mixamorig:LeftLeg",
        "RightUpperArm": "mixamorig:RightArm", "LeftToes": "mixamorig:LeftToeBase",
    }, 30),
    "Rigify": (RIGIFY, {
        "Hips": "DEF-spine", "Spine": "DEF-spine.001", "UpperChest": "DEF-spine.003",
        "Neck": "DEF-spine.004", "Head": "DEF-spine.006", "LeftUpperLeg": "DEF-thigh.L",
        "RightShoulder": "DEF-shoulder.R", "LeftHand": "DEF-hand.L",
    }, 30),
    "Rigify metarig": (RIGIFY_METARIG, {
        "Hips": "spine", "Spine": "spine.001", "Head": "spine.006", "LeftLowerLeg": "shin.L",
    }, 30),
    "MakeHuman": (MAKEHUMAN, {
        "Hips": "root", "Spine": "spine05", "Chest": "spine03", "UpperChest": "spine01",
        "Neck": "neck01", "LeftShoulder": "clavicle.L", "LeftUpperArm": "upperarm01.L",
        "RightHand": "wrist.R", "LeftToes": "toe1-1.L", "LeftThumbProximal": "finger1-1.L",
        "RightLittleDistal": "finger5-3.R",
    }, 30),
    "VRoid": (VROID, {
        "Hips": "J_Bip_C_Hips", "UpperChest": "J_Bip_C_UpperChest", "LeftEye": "J_Adj_L_FaceEye",
        "LeftLowerArm": "J_Bip_L_LowerArm", "RightToes": "J_Bip_R_ToeBase",
    }, 30),
    "Unreal": (UNREAL, {
        "Hips": "pelvis", "Spine": "spine_01", "UpperChest": "spine_03", "LeftUpperLeg": "thigh_l",
        "RightLowerLeg": "calf_r", "LeftToes": "ball_l", "RightUpperArm": "upperarm_r",
    }, 30),
    "CMU": (CMU, {
        "LeftUpperLeg": "LeftUpLeg", "RightLowerLeg": "RightLeg", "LeftUpperArm": "LeftArm",
    }, 0),
    "Biovision": (BIOVISION, {
        "Spine": "Chest", "LeftShoulder": "LeftCollar", "LeftUpperArm": "LeftShoulder",
        "RightLowerArm": "RightElbow", "LeftUpperLeg": "LeftHip", "RightFoot": "RightAnkle",
    }, 0),
}  # fmt: skip


@pytest.mark.parametrize("rig", RIGS)
def test_common_rigs_are_matched_by_their_names(rig: str) -> None:
    names, expected, fingers = RIGS[rig]
    found = {b: names[i] for b, i in with_spine(bones_of(enumerate(names))).items()}
    assert set(REQUIRED) <= set(found) <= set(BONES)
    assert {bone: found[bone] for bone in expected} == expected
    assert len(set(found.values())) == len(found)
    assert sum(any(f in b for f in (*FINGERS, "Little")) for b in found) == fingers


def test_what_was_matched_is_told(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    avatars = shared_data / "avatars"
    assert main(["avatar", str(avatars / "CesiumMan.glb")]) == 0
    text = capsys.readouterr().out
    assert "19 bones, matched: by shape" in text
    assert "LeftUpperArm            Skeleton_arm_joint_L__4_   turned by 27°" in text
    assert main(["avatar", "--json", str(avatars / "debug_robot.vrm")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["how"], len(found["joints"])) == (
        "VRM 1.0",
        "the file says so",
        53,
    )
    assert found["fingers"] == 30 and "UpperChest" in found["missing"]


def test_names_that_are_enough_are_said_to_be(shared_data: Path) -> None:
    clip = shared_data / "motions" / "bandai" / "dataset-1_kick_normal_001.bvh"
    found = report(clip)
    assert (found.kind, found.how, found.joints["LeftUpperArm"]) == (
        "BVH",
        "by names",
        "UpperArm_L",
    )


def test_what_is_no_humanoid_is_refused_with_the_bones_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chair.glb"
    nodes = [{"name": "seat", "children": [1]}, {"name": "leg"}]
    path.write_bytes(_glb({"asset": {"version": "2.0"}, "nodes": nodes}))
    assert main(["avatar", str(path)]) == 6
    said = capsys.readouterr().err
    assert "chair.glb" in said and "Hips" in said and said.count("\n") == 1
