"""BVH: one person's motion as text, for a skeleton in the T-pose or for that of a BVH file.

Joints turn about Z, X and Y in this order. The hips carry the place: their OFFSET is zero, so
that programs which add it to the position channels and those which do not agree. Frames are
even: what was captured unevenly is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.export.body import placed, worth_writing
from posestream.export.motion import PersonMotion
from posestream.geometry import rotation as rot
from posestream.geometry.euler import zxy_from_quat
from posestream.skeleton.bvh import BvhSkeleton
from posestream.skeleton.humanoid import BONE, BONES, ORDER, REST_HIP_HEIGHT_M
from posestream.skeleton.rig import Rig, fold, present_parents, raw_from_normalised

UNITS_PER_M: Final = {"cm": 100.0, "m": 1.0}
_TURNS: Final = "Zrotation Xrotation Yrotation"
_PLACES: Final = "Xposition Yposition Zposition"
_END_SHARE: Final = 0.5  # of the last bone's length, up to its end
_HEAD_M: Final = 0.19  # from the head's joint to the crown


@dataclass(frozen=True, slots=True, eq=False)
class _Joints:
    """K joints, parents first, with what they do over T frames."""

    names: tuple[str, ...]
    parents: tuple[int, ...]  # -1: none
    offset_m: F64  # (K, 3)
    hips: int
    end_m: F64  # (K, 3) End Site of joints without children
    root_m: F64  # (T, 3) of the hips
    quat_xyzw: F64  # (T, K, 4)


def bvh_text(
    motion: PersonMotion, rig: Rig, *, unit: str, fps: float, skeleton: BvhSkeleton | None = None
) -> str:
    """The file's text.

    Args:
        motion: of one person.
        rig: whose body it is written for.
        unit: of lengths, "cm" or "m".
        fps: frames per second.
        skeleton: joints, names and rest pose of the BVH file that ``rig`` was read from.
    """
    joints = _own_joints(motion, rig) if skeleton is None else _of_file(motion, rig, skeleton)
    root, quat = resampled(motion.time_s, fps, joints.root_m, joints.quat_xyzw)
    size = UNITS_PER_M[unit]
    numbers = np.degrees(zxy_from_quat(quat))
    columns = [numbers[:, k] for k in range(len(joints.names))]
    columns.insert(joints.hips, root * size)
    table = np.concatenate(columns, axis=1)
    lines = [*_hierarchy(joints, size), "MOTION", f"Frames: {len(root)}"]
    lines.append(f"Frame Time: {1.0 / fps:.8f}")
    lines += [" ".join(f"{value:.5f}" for value in row) for row in table.tolist()]
    return "\n".join(lines) + "\n"


def resampled(time_s: F64, fps: float, place_m: F64, quat_xyzw: F64) -> tuple[F64, F64]:
    """Places (F, 3) and rotations (F, K, 4) at even times from 0 to the end of ``time_s`` (T,)."""
    count = round(float(time_s[-1]) * fps) + 1
    at = np.minimum(np.arange(count) / fps, time_s[-1])
    after = np.clip(np.searchsorted(time_s, at), 1, max(len(time_s) - 1, 1))
    if len(time_s) == 1:
        return place_m, quat_xyzw
    span = time_s[after] - time_s[after - 1]
    share = np.clip((at - time_s[after - 1]) / span, 0.0, 1.0)[:, None]
    place = place_m[after - 1] * (1.0 - share) + place_m[after] * share
    return place, rot.slerp(quat_xyzw[after - 1], quat_xyzw[after], share)


def _own_joints(motion: PersonMotion, rig: Rig) -> _Joints:
    """The rig in its T-pose, joints along the world's axes: rotations are the normalised ones."""
    kept = worth_writing(rig, motion.quat_local_xyzw)
    bones = [b for b in _depth_first() if kept[b]]
    above = present_parents(kept)
    parents = tuple(bones.index(above[b]) if above[b] >= 0 else -1 for b in bones)
    place = rig.rest_position_world_m[bones]
    offset = place - place[np.maximum(parents, 0)]
    end = offset * _END_SHARE
    end[bones.index(BONE["Head"])] = (0.0, _HEAD_M * rig.hip_height_m / REST_HIP_HEIGHT_M, 0.0)
    quat = fold(rig.bones_present, motion.quat_local_xyzw)[:, bones]
    return _Joints(
        tuple(BONES[b] for b in bones), parents, offset, 0, end, placed(motion, rig), quat
    )


def _depth_first() -> list[int]:
    """All bones, each followed by what hangs on it."""
    above = present_parents(np.ones(len(BONES), dtype=np.bool_))
    order: list[int] = []
    stack = [0]
    while stack:
        order.append(stack.pop())
        stack += [b for b in reversed(ORDER) if above[b] == order[-1]]
    return order


def _of_file(motion: PersonMotion, rig: Rig, skeleton: BvhSkeleton) -> _Joints:
    """The file's own joints; those that are no humanoid bone stay as they rest."""
    quat = rot.identity(len(motion), len(skeleton.names))
    raw = raw_from_normalised(rig, motion.quat_local_xyzw)
    for bone, joint in skeleton.bones.items():
        quat[:, joint] = raw[:, BONE[bone]]
    hips = skeleton.bones["Hips"]
    offset = skeleton.offset_m.copy()
    above = hips
    while above >= 0:  # whatever the hips hang on rests at the origin
        offset[above], above = 0.0, skeleton.parents[above]
    return _Joints(
        skeleton.names, skeleton.parents, offset, hips, offset * _END_SHARE,
        placed(motion, rig), rot.normalize(quat),
    )  # fmt: skip


def _hierarchy(joints: _Joints, size: float) -> list[str]:
    """Lines of the HIERARCHY section. Joints come depth first."""
    offset = joints.offset_m.copy()
    offset[joints.hips] = 0.0
    lines: list[str] = ["HIERARCHY"]
    open_joints: list[int] = []
    for k, parent in enumerate(joints.parents):
        while open_joints and open_joints[-1] != parent:
            lines.append("\t" * (len(open_joints) - 1) + "}")
            open_joints.pop()
        tab = "\t" * len(open_joints)
        channels = f"6 {_PLACES} {_TURNS}" if k == joints.hips else f"3 {_TURNS}"
        lines += [f"{tab}{'JOINT' if parent >= 0 else 'ROOT'} {joints.names[k]}", f"{tab}{{"]
        lines += [f"{tab}\tOFFSET {_triple(offset[k] * size)}", f"{tab}\tCHANNELS {channels}"]
        if k not in joints.parents:
            end = f"{tab}\t\tOFFSET {_triple(joints.end_m[k] * size)}"
            lines += [f"{tab}\tEnd Site", f"{tab}\t{{", end, f"{tab}\t}}"]
        open_joints.append(k)
    return lines + ["\t" * depth + "}" for depth in reversed(range(len(open_joints)))]


def _triple(values: F64) -> str:
    return " ".join(f"{value:.6f}" for value in values.tolist())
