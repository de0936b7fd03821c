"""A pose on a body: bone transforms and joints, standing on the floor at its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation
from posestream.skeleton.joints import JOINT, ROOT
from posestream.training.synth.limbs import Hands, Limbs, humanoid_rotations
from posestream.training.synth.rig import Rig, bone_transforms, joints_world, local_rotations

_Y: Final[F64] = np.array([0.0, 1.0, 0.0])
# how far the body reaches below each joint that may touch the floor, at 1.7 m
_BELOW_M: Final = {
    **{f"{s}_{j}": r for s in ("left", "right") for j, r in (
        ("heel", 0.01), ("toe", 0.02), ("ankle", 0.05), ("knee", 0.06), ("hip", 0.10),
        ("wrist", 0.03), ("elbow", 0.04), ("shoulder", 0.08), ("index", 0.015),
    )},
    "head": 0.10, "pelvis": 0.10,
}  # fmt: skip
_TOUCHING: Final = np.array([JOINT[name] for name in _BELOW_M])
_RADIUS_M: Final[F64] = np.array(list(_BELOW_M.values()))


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """A body in a pose in the world."""

    T_world_rest: F64  # (K, 4, 4) per body bone
    xyz_world_m: F64  # (J, 3) in BODY order

    def moved(self, by_m: F64) -> Posed:
        """The same pose elsewhere."""
        T = self.T_world_rest.copy()
        T[:, :3, 3] += by_m
        return Posed(T, self.xyz_world_m + by_m)


def pose_body(
    rig: Rig, height_m: float, sole_m: float, limbs: Limbs, hands: Hands, yaw_rad: float
) -> Posed:
    """Wear a pose: pelvis over the world's origin, lowest point on the floor or at its height."""
    turned = limbs.turned(rotation.from_rotvec(_Y * yaw_rad))
    local = local_rotations(humanoid_rotations(turned, hands))
    T = bone_transforms(rig, np.zeros(3), local)
    xyz = joints_world(rig, T)
    low = float((xyz[_TOUCHING, 1] - _RADIUS_M * height_m / 1.7).min()) - sole_m
    lift = limbs.clearance_m * height_m / 1.7 - low
    return Posed(T, xyz).moved(np.array([-xyz[ROOT, 0], lift, -xyz[ROOT, 2]]))
