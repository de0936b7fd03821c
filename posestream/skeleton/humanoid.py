"""The VRM/Unity humanoid: 55 bones in Unity's ``HumanBodyBones`` order, and our own rest skeleton.

Rest pose: T-pose in the world frame (right-handed, Y up, metres), facing +Z, left hand
towards +X, every normalised local rotation the identity.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64

_FINGERS = ("Thumb", "Index", "Middle", "Ring", "Little")
_PHALANGES = ("Proximal", "Intermediate", "Distal")


def _finger_bones(side: str) -> list[str]:
    return [f"{side}{finger}{phalanx}" for finger in _FINGERS for phalanx in _PHALANGES]


BONES: Final[tuple[str, ...]] = (
    "Hips",
    "LeftUpperLeg",
    "RightUpperLeg",
    "LeftLowerLeg",
    "RightLowerLeg",
    "LeftFoot",
    "RightFoot",
    "Spine",
    "Chest",
    "Neck",
    "Head",
    "LeftShoulder",
    "RightShoulder",
    "LeftUpperArm",
    "RightUpperArm",
    "LeftLowerArm",
    "RightLowerArm",
    "LeftHand",
    "RightHand",
    "LeftToes",
    "RightToes",
    "LeftEye",
    "RightEye",
    "Jaw",
    *_finger_bones("Left"),
    *_finger_bones("Right"),
    "UpperChest",
)
"""Names as VMC sends them (``HumanBodyBones``), index = enum value."""

NUM_BONES: Final = len(BONES)
BONE: Final[dict[str, int]] = {name: i for i, name in enumerate(BONES)}

_PARENT_NAMES: Final[dict[str, str]] = {
    "Spine": "Hips", "Chest": "Spine", "UpperChest": "Chest", "Neck": "UpperChest",
    "Head": "Neck", "LeftEye": "Head", "RightEye": "Head", "Jaw": "Head",
}  # fmt: skip


def _parent_name(bone: str) -> str | None:
    if bone == "Hips":
        return None
    if bone in _PARENT_NAMES:
        return _PARENT_NAMES[bone]
    side = "Left" if bone.startswith("Left") else "Right"
    part = bone[len(side) :]
    chain = {
        "UpperLeg": "Hips", "LowerLeg": f"{side}UpperLeg", "Foot": f"{side}LowerLeg",
        "Toes": f"{side}Foot", "Shoulder": "UpperChest", "UpperArm": f"{side}Shoulder",
        "LowerArm": f"{side}UpperArm", "Hand": f"{side}LowerArm",
    }  # fmt: skip
    if part in chain:
        return chain[part]
    for finger in _FINGERS:
        if part == f"{finger}Proximal":
            return f"{side}Hand"
        if part == f"{finger}Intermediate":
            return f"{side}{finger}Proximal"
        if part == f"{finger}Distal":
            return f"{side}{finger}Intermediate"
    raise AssertionError(bone)


PARENT: Final[tuple[int, ...]] = tuple(
    -1 if (p := _parent_name(name)) is None else BONE[p] for name in BONES
)
"""Parent bone index of each bone; -1 for Hips."""


def _topological_order() -> tuple[int, ...]:
    depth = [0] * NUM_BONES
    for i in range(NUM_BONES):
        j = i
        while PARENT[j] >= 0:
            j = PARENT[j]
            depth[i] += 1
    return tuple(sorted(range(NUM_BONES), key=lambda b: (depth[b], b)))


ORDER: Final[tuple[int, ...]] = _topological_order()
"""Bone indices such that every parent comes before its children."""

# Rest offsets of the left half and the middle, metres, from the parent bone: a 1.70 m adult.
_OFFSETS_M: Final[dict[str, tuple[float, float, float]]] = {
    "Hips": (0.0, 0.92, 0.0),
    "Spine": (0.0, 0.10, -0.01),
    "Chest": (0.0, 0.12, 0.0),
    "UpperChest": (0.0, 0.12, 0.0),
    "Neck": (0.0, 0.16, -0.01),
    "Head": (0.0, 0.09, 0.01),
    "LeftEye": (0.032, 0.075, 0.08),
    "Jaw": (0.0, 0.01, 0.02),
    "LeftShoulder": (0.03, 0.12, -0.01),
    "LeftUpperArm": (0.14, 0.0, 0.0),
    "LeftLowerArm": (0.27, 0.0, 0.0),
    "LeftHand": (0.25, 0.0, 0.0),
    "LeftUpperLeg": (0.09, -0.04, 0.0),
    "LeftLowerLeg": (0.0, -0.41, 0.0),
    "LeftFoot": (0.0, -0.39, 0.0),
    "LeftToes": (0.0, -0.06, 0.13),
    "LeftThumbProximal": (0.025, -0.01, 0.025),
    "LeftThumbIntermediate": (0.03, 0.0, 0.02),
    "LeftThumbDistal": (0.025, 0.0, 0.012),
    "LeftIndexProximal": (0.09, 0.0, 0.028),
    "LeftIndexIntermediate": (0.038, 0.0, 0.0),
    "LeftIndexDistal": (0.024, 0.0, 0.0),
    "LeftMiddleProximal": (0.092, 0.0, 0.006),
    "LeftMiddleIntermediate": (0.043, 0.0, 0.0),
    "LeftMiddleDistal": (0.027, 0.0, 0.0),
    "LeftRingProximal": (0.088, 0.0, -0.014),
    "LeftRingIntermediate": (0.039, 0.0, 0.0),
    "LeftRingDistal": (0.026, 0.0, 0.0),
    "LeftLittleProximal": (0.082, 0.0, -0.033),
    "LeftLittleIntermediate": (0.03, 0.0, 0.0),
    "LeftLittleDistal": (0.021, 0.0, 0.0),
}


def _rest_offsets() -> F64:
    offsets = np.zeros((NUM_BONES, 3))
    for name, offset in _OFFSETS_M.items():
        offsets[BONE[name]] = offset
        if name.startswith("Left"):
            offsets[BONE["Right" + name[4:]]] = np.array(offset) * (-1, 1, 1)
    offsets.setflags(write=False)
    return offsets


REST_OFFSET_M: Final[F64] = _rest_offsets()
"""(B, 3): position of each bone in its parent's rest frame; row 0 is the Hips' height."""

REST_HIP_HEIGHT_M: Final = float(REST_OFFSET_M[0, 1])

VRM0_TO_UNITY: Final[dict[str, str]] = {name[0].lower() + name[1:]: name for name in BONES}
"""VRM 0.x humanoid bone names to ``HumanBodyBones``."""

VRM1_TO_UNITY: Final[dict[str, str]] = {
    **VRM0_TO_UNITY,
    "leftThumbMetacarpal": "LeftThumbProximal",
    "rightThumbMetacarpal": "RightThumbProximal",
    "leftThumbProximal": "LeftThumbIntermediate",
    "rightThumbProximal": "RightThumbIntermediate",
}
"""VRM 1.0 names: its thumb runs metacarpal, proximal, distal where Unity's runs
proximal, intermediate, distal."""
