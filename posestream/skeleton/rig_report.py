"""What was found in an avatar's file: which joint is which bone, how, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from posestream.geometry import rotation as rot
from posestream.skeleton.bone_names import bones_of, with_spine
from posestream.skeleton.humanoid import BONES
from posestream.skeleton.rig import Rig, load_rig

How = Literal["the file says so", "by names", "by shape"]
_WORDS: Final = {"vrm0": "VRM 0.x", "vrm1": "VRM 1.0", "gltf": "glTF", "bvh": "BVH", "own": ""}
_FINGERS: Final = ("Thumb", "Index", "Middle", "Ring", "Little")


@dataclass(frozen=True, slots=True)
class RigReport:
    """What was matched in a file."""

    name: str
    kind: str
    how: How
    joints: dict[str, str]  # humanoid bone to the file's joint, in order of the bones
    missing: tuple[str, ...]  # bones that the file lacks, fingers aside
    fingers: int
    hip_height_m: float
    turned_deg: dict[str, float]  # bones that were turned to reach the T-pose

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    def as_text(self) -> str:
        """For people."""
        lines = [
            f"{self.name}: {self.kind}, {len(self.joints)} bones, matched: {self.how}; "
            f"hips {self.hip_height_m:.3f} m above the floor"
        ]
        for bone, joint in self.joints.items():
            turn = self.turned_deg.get(bone)
            note = f"   turned by {turn:.0f}° to the T-pose" if turn else ""
            lines.append(f"  {bone:24}{joint}{note}")
        if self.missing:
            lines.append(f"not there: {', '.join(self.missing)}")
        lines.append(f"finger bones: {self.fingers} of 30")
        return "\n".join(lines)


def report(path: Path | str) -> RigReport:
    """Read a file as an avatar and tell what was matched.

    Raises:
        AvatarError: it cannot be read, or bones that every humanoid has were not found.
    """
    path = Path(path)
    rig = load_rig(path)
    how, joints = _matched(path, rig)
    there = [b for b in BONES if b in joints]
    missing = [b for b in BONES if b not in joints and not any(f in b for f in _FINGERS)]
    return RigReport(
        path.name, _WORDS[rig.generation], how, {b: joints[b] for b in there}, tuple(missing),
        sum(any(f in b for f in _FINGERS) for b in there), round(rig.hip_height_m, 4),
        _turned(rig),
    )  # fmt: skip


def _matched(path: Path, rig: Rig) -> tuple[How, dict[str, str]]:
    if rig.generation == "bvh":
        from posestream.skeleton.bvh import read_bvh_skeleton

        skeleton = read_bvh_skeleton(path)
        return "by names", {b: skeleton.names[j] for b, j in skeleton.bones.items()}
    from posestream.skeleton.gltf import humanoid_nodes, read_document
    from posestream.skeleton.nodes import NodeTree

    document = read_document(path)
    tree = NodeTree.from_gltf(document["nodes"], path.name)
    nodes = humanoid_nodes(document, tree, path.name)
    joints = {bone: tree.names[node] or f"node {node}" for bone, node in nodes.items()}
    if rig.generation != "gltf":
        return "the file says so", joints
    by_depth = sorted(range(len(tree)), key=tree.depth)
    named = with_spine(bones_of((n, tree.names[n]) for n in by_depth))
    return ("by names" if set(nodes.items()) <= set(named.items()) else "by shape"), joints


def _turned(rig: Rig) -> dict[str, float]:
    """Degrees by which bones were turned in their parents, where it was more than one."""
    turn = np.degrees(rot.angle_between(rig.file_quat_local_xyzw, rig.rest_quat_local_xyzw))
    return {
        bone: round(float(turn[i]), 1)
        for i, bone in enumerate(BONES)
        if rig.bones_present[i] and turn[i] > 1.0
    }
