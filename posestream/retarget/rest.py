"""How a person stands, or sits, where nothing is seen: arms down, legs straight or on a chair."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, NUM_BONES, REST_OFFSET_M

HIP_DROP_M: Final[F64] = REST_OFFSET_M[BONE["LeftUpperLeg"]] * (0.0, 1.0, 1.0)
"""From the Hips bone to the mid-point of the hip joints."""

NECK_RISE_M: Final[F64] = REST_OFFSET_M[BONE["LeftShoulder"]] * (0.0, 1.0, 1.0)
"""From the UpperChest to the mid-point of the shoulder joints."""

SPINE_M, CHEST_M, UPPER_CHEST_M = (
    REST_OFFSET_M[BONE[name]] for name in ("Spine", "Chest", "UpperChest")
)
REST_TORSO_M: Final[F64] = SPINE_M - HIP_DROP_M + CHEST_M + UPPER_CHEST_M + NECK_RISE_M
"""From the mid-point of the hip joints to that of the shoulder joints."""

_STANDING_DEG: Final = {
    "LeftUpperArm": (0.0, 0.0, -72.0), "RightUpperArm": (0.0, 0.0, 72.0),
    "LeftLowerArm": (0.0, -12.0, 0.0), "RightLowerArm": (0.0, 12.0, 0.0),
}  # fmt: skip
_SEATED_DEG: Final = _STANDING_DEG | {
    "LeftUpperLeg": (-84.0, 0.0, 6.0), "RightUpperLeg": (-84.0, 0.0, -6.0),
    "LeftLowerLeg": (82.0, 0.0, 0.0), "RightLowerLeg": (82.0, 0.0, 0.0),
}  # fmt: skip


def rest_pose(seated: bool) -> F64:
    """(B, 4) local rotations, each turned about one axis of the T-pose."""
    turns = np.zeros((NUM_BONES, 3))
    for bone, degrees in (_SEATED_DEG if seated else _STANDING_DEG).items():
        turns[BONE[bone]] = np.radians(degrees)
    return rot.from_rotvec(turns)
