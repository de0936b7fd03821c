"""The bones that body joints say anything about, and where each stands in our arrays.

All others stay at rest on their parents, so memory, limits and hierarchy only deal with
these S bones, ordered by level: parents before children, each level and group contiguous.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.geometry.fast import difference
from posestream.skeleton.humanoid import BONE, BONES, PARENT

_LEVEL_NAMES: Final = (
    ("Hips",),
    ("Spine",),
    ("Chest",),
    ("UpperChest",),
    ("Neck", "LeftShoulder", "RightShoulder"),
    ("LeftUpperArm", "RightUpperArm", "LeftUpperLeg", "RightUpperLeg"),
    ("Head", "LeftLowerArm", "RightLowerArm", "LeftLowerLeg", "RightLowerLeg"),
    ("LeftHand", "RightHand", "LeftFoot", "RightFoot"),
)
_NAMES: Final = [name for names in _LEVEL_NAMES for name in names]

SOLVED: Final[I64] = np.array([BONE[name] for name in _NAMES])
"""(S,): their indices among all bones."""

NUM_SOLVED: Final = len(SOLVED)


def _at(first: str, last: str) -> slice:
    return slice(_NAMES.index(first), _NAMES.index(last) + 1)


LEVELS: Final = tuple(_at(names[0], names[-1]) for names in _LEVEL_NAMES)
LEVEL_OF: Final[I64] = np.repeat(np.arange(len(LEVELS)), [len(names) for names in _LEVEL_NAMES])
PARENTS: Final[I64] = np.array(
    [0] + [_NAMES.index(BONES[PARENT[BONE[name]]]) for name in _NAMES[1:]]
)
"""(S,): the Hips name themselves."""

SPINE: Final = _at("Spine", "UpperChest")
NECK: Final = _NAMES.index("Neck")
HEAD: Final = _NAMES.index("Head")
SHOULDERS: Final = _at("LeftShoulder", "RightShoulder")
UPPER: Final = _at("LeftUpperArm", "RightUpperLeg")
LOWER: Final = _at("LeftLowerArm", "RightLowerLeg")
FOREARMS: Final = _at("LeftLowerArm", "RightLowerArm")
LEGS: Final = (_at("LeftUpperLeg", "RightUpperLeg"), _at("LeftLowerLeg", "RightLowerLeg"))
HANDS: Final = _at("LeftHand", "RightHand")
FEET: Final = _at("LeftFoot", "RightFoot")


def on_parents(world_xyzw: F64) -> F64:
    """Local rotations (N, S, 4) of the solved bones from world ones."""
    local = difference(world_xyzw.take(PARENTS, 1), world_xyzw)
    local[:, 0] = world_xyzw[:, 0]
    return local
