"""Which skeleton a motion is written for, and where it stands then."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.export.motion import PersonMotion
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, BONES, NUM_BONES
from posestream.skeleton.kinematics import positions
from posestream.skeleton.rig import Rig

_PHALANGES: Final = ("Proximal", "Intermediate", "Distal")
_FINGERS: Final = tuple(i for i, name in enumerate(BONES) if name.endswith(_PHALANGES))
_FACE: Final = tuple(BONE[name] for name in ("LeftEye", "RightEye", "Jaw"))
_STILL: Final = 1e-6


def own_rig(motion: PersonMotion) -> Rig:
    """The person's own body in the T-pose; every rest rotation is the identity."""
    identity, offset = rot.identity(NUM_BONES), motion.offset_m
    place = positions(offset[0], identity, offset)
    present = np.ones(NUM_BONES, dtype=np.bool_)
    return Rig(
        f"person {motion.number}", present, offset, identity, identity, place,
        float(offset[0, 1]), "own", identity, place,
    )  # fmt: skip


def placed(motion: PersonMotion, rig: Rig) -> F64:
    """Places (T, 3) of the rig's Hips: ways are as much longer as the rig is larger.

    The height follows what was believed of the person in each frame, so that standing feet
    stay on the floor; the way over the floor has one scale for all frames.
    """
    ratio = rig.hip_height_m / motion.hip_height_m
    scale = np.full((len(motion), 3), np.median(ratio))
    scale[:, 1] = ratio
    return np.asarray(motion.root_world_m * scale)


def worth_writing(rig: Rig, quat_local_xyzw: F64) -> Bool:
    """(B,) bones of the rig without fingers, eyes and jaw that never leave their rest."""
    moves = (np.abs(quat_local_xyzw[..., :3]) > _STILL).any(axis=(0, 2))
    kept = rig.bones_present.copy()
    for group in (_FINGERS, *((bone,) for bone in _FACE)):
        kept[list(group)] &= moves[list(group)].any()
    return np.asarray(kept)
