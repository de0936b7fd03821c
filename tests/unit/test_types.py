"""The containers refuse arrays that do not agree; the skeleton tables are consistent."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from posestream.errors import ShapeError
from posestream.skeleton import humanoid, joints
from posestream.types import AvatarFrame, People2D


def test_an_empty_frame_is_an_ordinary_frame():
    assert len(AvatarFrame.empty(3, 5)) == 0


def test_disagreeing_shapes_are_refused():
    with pytest.raises(ShapeError, match="score"):
        People2D(np.zeros((2, joints.NUM_JOINTS, 2)), np.zeros((1, joints.NUM_JOINTS)), np.zeros(2))


def test_bones_follow_unity_order():
    # Enum values stated in Unity's documentation of HumanBodyBones.
    known = {"Hips": 0, "Spine": 7, "Head": 10, "LeftHand": 17, "Jaw": 23,
             "LeftThumbProximal": 24, "RightLittleDistal": 53, "UpperChest": 54}  # fmt: skip
    for name, value in known.items():
        assert humanoid.BONE[name] == value
    assert len(set(humanoid.BONES)) == 55


def test_parents_come_before_children():
    seen = set()
    for bone in humanoid.ORDER:
        assert humanoid.PARENT[bone] in seen or bone == 0
        seen.add(bone)
    assert seen == set(range(55))


def test_rest_skeleton_stands_on_the_floor_and_is_symmetric():
    position = np.zeros((55, 3))
    for bone in humanoid.ORDER:
        parent = humanoid.PARENT[bone]
        base = position[parent] if parent >= 0 else 0.0
        position[bone] = base + humanoid.REST_OFFSET_M[bone]
    assert 0.0 <= position[:, 1].min() < 0.05
    assert 1.45 < position[humanoid.BONE["Head"], 1] < 1.6
    for name, bone in humanoid.BONE.items():
        other = humanoid.BONE[joints.swap_sides(name)]
        np.testing.assert_allclose(position[bone] * [-1, 1, 1], position[other], atol=1e-12)
    assert position[humanoid.BONE["LeftHand"], 0] > 0


def test_every_back_end_joint_set_maps_into_the_body():
    assert set(joints.COCO) <= set(joints.BODY)
    assert set(joints.MUPOTS17) <= set(joints.BODY)
    assert len(joints.BLAZEPOSE33) == 33


def test_importing_the_package_loads_no_heavy_library():
    heavy = ("numpy", "cv2", "torch", "mediapipe")
    code = f"import sys, posestream; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert out.stdout.strip() == "[]"
