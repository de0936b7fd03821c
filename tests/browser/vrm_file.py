"""The smallest VRM 1.0 files there can be: a humanoid's bones and nothing else."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONES, ORDER, VRM1_TO_UNITY
from posestream.skeleton.rig import present_parents

# our reader also takes VRM 0.x's name of the thumb's middle bone
VRM_NAME = {u: vrm for vrm, u in VRM1_TO_UNITY.items() if not vrm.endswith("ThumbIntermediate")}


def write_vrm(path: Path, present: Bool, place_m: F64, quat_world_xyzw: F64) -> None:
    """Write a humanoid standing with its bones so.

    Args:
        path: of the new file.
        present: (B,) the bones that it has.
        place_m: (B, 3) in the world, our axes, which are VRM 1.0's.
        quat_world_xyzw: (B, 4).
    """
    bones = [int(bone) for bone in ORDER if present[bone]]
    node = {bone: index for index, bone in enumerate(bones)}
    parents = present_parents(present)
    nodes = [_node(bone, parents[bone], place_m, quat_world_xyzw) for bone in bones]
    for bone in bones:
        if parents[bone] >= 0:
            nodes[node[parents[bone]]].setdefault("children", []).append(node[bone])
    human = {VRM_NAME[BONES[bone]]: {"node": node[bone]} for bone in bones}
    path.write_bytes(_glb(_document(nodes, human)))


def _node(bone: int, parent: int, place_m: F64, quat_world_xyzw: F64) -> dict[str, Any]:
    place, turn = place_m[bone], quat_world_xyzw[bone]
    if parent >= 0:
        back = rot.inverse(quat_world_xyzw[parent])
        place, turn = rot.rotate(back, place - place_m[parent]), rot.multiply(back, turn)
    return {
        "name": BONES[bone],
        "translation": np.asarray(place).tolist(),
        "rotation": np.asarray(turn).tolist(),
    }


def _document(nodes: list[dict[str, Any]], human: dict[str, Any]) -> dict[str, Any]:
    meta = {
        "name": "bones",
        "authors": ["posestream"],
        "licenseUrl": "https://vrm.dev/licenses/1.0/",
    }
    vrm = {"specVersion": "1.0", "meta": meta, "humanoid": {"humanBones": human}}
    return {
        "asset": {"version": "2.0"},
        "extensionsUsed": ["VRMC_vrm"],
        "extensions": {"VRMC_vrm": vrm},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
    }


def _glb(document: dict[str, Any]) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text
