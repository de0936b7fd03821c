"""What our networks predict: joints, limbs (part affinity fields), limb groups (location maps).

The joints are MuPoTS-3D's seventeen, by default; ``AVATAR22`` adds what turns an avatar's head
and feet. All indices count within the network's own joints, never within ``BODY``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np

from posestream.arrays import F64, I64
from posestream.skeleton.joints import JOINT, MUPOTS17, NUM_JOINTS, swap_sides

JointSetName = Literal["mupots17", "avatar22"]

_TREE: Final[tuple[tuple[str, str], ...]] = (
    ("pelvis", "spine"), ("spine", "neck"), ("neck", "head"), ("head", "head_top"),
    ("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("neck", "right_shoulder"), ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("pelvis", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("pelvis", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip
_BRIDGES: Final = (
    ("pelvis", "neck"), ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"),
    ("head", "left_shoulder"), ("head", "right_shoulder"),
)  # fmt: skip
_EXTRA_JOINTS: Final = ("nose", "left_ear", "right_ear", "left_toe", "right_toe")
_EXTRA_TREE: Final = (
    ("head", "nose"), ("head", "left_ear"), ("head", "right_ear"),
    ("left_ankle", "left_toe"), ("right_ankle", "right_toe"),
)  # fmt: skip
_GROUPS: Final[tuple[tuple[str, ...], ...]] = (
    ("head", "nose", "left_ear", "right_ear", "head_top"),
    ("left_shoulder", "left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow", "right_wrist"),
    ("left_hip", "left_knee", "left_ankle", "left_toe"),
    ("right_hip", "right_knee", "right_ankle", "right_toe"),
)


@dataclass(frozen=True, eq=False)
class NetworkSkeleton:
    """A joint set with its limbs.

    ``limbs`` holds the tree first (``num_tree`` of them), then bridges that keep a person whole
    where neck or pelvis is hidden. ``groups`` are the limbs of RRMP eq. 2, from the trunk to
    the extremity; neck, pelvis and spine belong to none.
    """

    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    num_tree: int
    groups: tuple[tuple[int, ...], ...]

    @cached_property
    def index(self) -> dict[str, int]:
        """Joint name to its number."""
        return {name: i for i, name in enumerate(self.joints)}

    @property
    def num_joints(self) -> int:
        """J."""
        return len(self.joints)

    @property
    def num_limbs(self) -> int:
        """L."""
        return len(self.limbs)

    @property
    def neck(self) -> int:
        """Number of the neck."""
        return self.index["neck"]

    @property
    def pelvis(self) -> int:
        """Number of the pelvis."""
        return self.index["pelvis"]

    @cached_property
    def limb_array(self) -> I64:
        """(L, 2) joint numbers."""
        return np.array(self.limbs, dtype=np.int64)

    @cached_property
    def limb_of(self) -> I64:
        """(J, J) number of the limb from one joint to another, -1 where there is none."""
        table = np.full((self.num_joints, self.num_joints), -1, dtype=np.int64)
        table[tuple(self.limb_array.T)] = np.arange(self.num_limbs)
        return table

    @cached_property
    def body_index(self) -> I64:
        """(J,) place of each joint in ``BODY``."""
        return np.array([JOINT[name] for name in self.joints], dtype=np.int64)

    @cached_property
    def group_of(self) -> I64:
        """(J,) number of the joint's limb group, -1 for the trunk."""
        groups = np.full(self.num_joints, -1, dtype=np.int64)
        for number, members in enumerate(self.groups):
            groups[list(members)] = number
        return groups

    @cached_property
    def readout(self) -> I64:
        """(P, 2) pairs (joint, place): the joint's 3D is stored at the place (RRMP eq. 1, 2)."""
        pairs = [
            (joint, place)
            for joint, group in enumerate(self.group_of)
            for place in (self.neck, self.pelvis, *(self.groups[group] if group >= 0 else ()))
        ]
        return np.array(pairs, dtype=np.int64)

    @cached_property
    def limb_witnesses(self) -> I64:
        """(L, W) some joints whose 3D is stored at both ends of a limb, padded with -1.

        Both readings must agree if the two ends belong to one person. Where all joints are
        stored, the extremities serve.
        """
        ends = [group[-1] for group in self.groups]
        stored = np.zeros((self.num_joints, self.num_joints), dtype=np.bool_)
        stored[tuple(self.readout.T)] = True
        common = [np.flatnonzero(stored[:, a] & stored[:, b]) for a, b in self.limbs]
        common = [c if c.size < self.num_joints else np.array(ends) for c in common]
        out = np.full((self.num_limbs, max(c.size for c in common)), -1, dtype=np.int64)
        for row, joints in zip(out, common, strict=True):
            row[: joints.size] = joints
        return out

    @cached_property
    def adjacency(self) -> F64:
        """(J, J) of the tree with self-loops, every row summing to 1 (HDNet eq. 5)."""
        a = np.eye(self.num_joints)
        pairs = self.limb_array[: self.num_tree]
        a[pairs[:, 0], pairs[:, 1]] = a[pairs[:, 1], pairs[:, 0]] = 1.0
        return np.asarray(a / a.sum(axis=1, keepdims=True))

    @cached_property
    def mirrored_joints(self) -> I64:
        """(J,) the joint on the other side of each."""
        return np.array([self.index[swap_sides(n)] for n in self.joints], dtype=np.int64)

    @cached_property
    def mirrored_limbs(self) -> I64:
        """(L,) the limb on the other side of each."""
        swap = self.mirrored_joints
        numbers = {limb: i for i, limb in enumerate(self.limbs)}
        return np.array([numbers[int(swap[a]), int(swap[b])] for a, b in self.limbs])

    def to_body(self, values: F64) -> F64:
        """(N, J, k) in network order to (N, BODY, k), NaN where the network has no joint."""
        out = np.full((values.shape[0], NUM_JOINTS, *values.shape[2:]), np.nan)
        out[:, self.body_index] = values
        return out

    def from_body(self, values: F64) -> F64:
        """(N, BODY, ...) to (N, J, ...) in network order."""
        return np.asarray(values[:, self.body_index])


def _skeleton(joints: tuple[str, ...], tree: tuple[tuple[str, str], ...]) -> NetworkSkeleton:
    number = {name: i for i, name in enumerate(joints)}
    limbs = tuple((number[a], number[b]) for a, b in (*tree, *_BRIDGES))
    groups = tuple(tuple(number[n] for n in members if n in number) for members in _GROUPS)
    return NetworkSkeleton(joints, limbs, len(tree), groups)


_SKELETONS: Final[dict[JointSetName, NetworkSkeleton]] = {
    "mupots17": _skeleton(MUPOTS17, _TREE),
    "avatar22": _skeleton((*MUPOTS17, *_EXTRA_JOINTS), (*_TREE, *_EXTRA_TREE)),
}


def network_skeleton(name: JointSetName = "mupots17") -> NetworkSkeleton:
    """The joint set called ``name``; the same object every time."""
    return _SKELETONS[name]
