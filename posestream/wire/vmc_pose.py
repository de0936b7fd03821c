"""From a normalised avatar frame to what one avatar's bones are told, still in world axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import rotation as rot
from posestream.geometry.fast import every
from posestream.skeleton.kinematics import PARENT_INDEX
from posestream.skeleton.rig import Rig, fold
from posestream.types import AvatarFrame
from posestream.wire.vmc_presets import Travel

Scale = Literal["scaled", "metric"]

_MIN_HIP_HEIGHT_M = 0.05
_EACH_AXIS = np.ones(3)


@dataclass(frozen=True, slots=True, eq=False)
class AvatarPose:
    """N people on one rig, world axes; bones local, the root in the world."""

    root_m: F64  # (N, 3)
    root_quat_xyzw: F64  # (4,)
    hips_m: F64  # (N, 3)
    quat_xyzw: F64  # (N, B, 4)


class PoseFitter:
    """Fits frames to a rig: rest pose, missing bones, size and travel."""

    __slots__ = (
        "_after", "_before", "_facing", "_plain", "_scale", "_travel", "_turns", "offset_m", "rig",
    )  # fmt: skip

    def __init__(
        self, rig: Rig, *, travel: Travel, scale: Scale, facing_rad: float, raw_rest: bool
    ) -> None:
        """``raw_rest``: rotations for the file's own bones instead of normalised ones.

        ``offset_m`` (B, 3) is then where each bone rests in its parent, in the same axes.
        """
        self.rig = rig
        self._travel = travel
        self._scale = scale
        self._facing = rot.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.asarray(facing_rad))
        P = rig.rest_quat_world_xyzw[PARENT_INDEX].copy()
        P[0] = rot.IDENTITY
        self._turns = facing_rad != 0.0
        # q = P^-1 n P r, with both constant factors multiplied out beforehand
        self._before = rot.inverse(P)
        self._after = rot.multiply(P, rig.rest_quat_local_xyzw)
        self._plain = not raw_rest or bool(
            np.allclose(np.abs(rig.rest_quat_world_xyzw[:, 3]), 1.0, rtol=0.0, atol=1e-9)
        )
        self.offset_m = _normalised_offsets(rig) if self._plain else rig.rest_offset_m

    def __call__(self, frame: AvatarFrame) -> AvatarPose:
        """Fit all people of a frame."""
        n = self._folded(frame.quat_local_xyzw)
        hips_m = self._hips(frame)
        if self._travel == "root":
            rest = self.offset_m[0]
            root_m = self._turned(hips_m - rest)
            hips_m = np.broadcast_to(rest, hips_m.shape)
            return AvatarPose(root_m, self._facing, hips_m, self._local(n))
        if self._turns:
            n[:, 0] = rot.multiply(self._facing, n[:, 0])
        root_m = np.zeros_like(hips_m)
        return AvatarPose(root_m, rot.IDENTITY, self._turned(hips_m), self._local(n))

    def _turned(self, place_m: F64) -> F64:
        return rot.rotate(self._facing, place_m) if self._turns else place_m

    def _folded(self, quat_local_xyzw: F64) -> F64:
        present: Bool = self.rig.bones_present
        if every(present):
            return quat_local_xyzw.copy() if self._turns else quat_local_xyzw
        return fold(present, quat_local_xyzw)

    def _local(self, n: F64) -> F64:
        if self._plain:
            return n
        return rot.multiply(rot.multiply(self._before, n), self._after)

    def _hips(self, frame: AvatarFrame) -> F64:
        """Place of the avatar's Hips (N, 3)."""
        person_m = frame.hip_height_m
        usable = (person_m > _MIN_HIP_HEIGHT_M) & (person_m < np.inf)
        if not every(usable):
            person_m = np.where(usable, person_m, self.rig.hip_height_m)
        factor = (self.rig.hip_height_m / person_m)[:, None] * _EACH_AXIS
        if self._scale == "metric":
            # height still follows the avatar's legs, or its feet would leave the floor
            factor[:, (0, 2)] = 1.0
        return np.asarray(frame.root_world_m * factor)


def _normalised_offsets(rig: Rig) -> F64:
    """(B, 3) from each bone's parent, as if every bone rested unrotated."""
    place = rig.rest_position_world_m
    offsets: F64 = place - place[PARENT_INDEX]
    offsets[0] = place[0]
    return offsets
