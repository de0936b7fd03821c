"""GLB of somebody's avatar with a motion added: skin, materials and all else stay as they are.

The scene is our world: whatever way the file's avatar faces, it faces the way that the person
does. Its own animations follow ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from posestream.arrays import F64
from posestream.errors import AvatarError
from posestream.export.body import placed
from posestream.export.glb import GENERATOR, Animation, Glb
from posestream.export.motion import PersonMotion
from posestream.export.skeleton_glb import extras_of
from posestream.geometry import rotation as rot
from posestream.skeleton.gltf import humanoid_nodes, read_binary, read_document
from posestream.skeleton.humanoid import BONE, ORDER
from posestream.skeleton.nodes import NodeTree, split
from posestream.skeleton.rig import Rig, forward

_HALF_TURN: Final = np.array([0.0, 1.0, 0.0, 0.0])  # VRM 0.x looks along -Z


@dataclass(frozen=True, slots=True, eq=False)
class AvatarFile:
    """An avatar's file and what is known of its bones."""

    path: Path
    rig: Rig
    document: dict[str, Any]
    binary: bytes
    tree: NodeTree
    node: dict[int, int]  # humanoid bone to node


def read_avatar(path: Path, rig: Rig) -> AvatarFile:
    """The file that ``rig`` was read from.

    Raises:
        AvatarError: it is not a .glb or .vrm with everything inside.
    """
    if path.suffix.lower() not in (".glb", ".vrm"):
        raise AvatarError(f"'{path.name}' is neither .glb nor .vrm: export the avatar as one.")
    document = read_document(path)
    buffers = document.get("buffers")
    if not isinstance(buffers, list) or not buffers or "uri" in buffers[0]:
        raise AvatarError(f"'{path.name}' keeps its data elsewhere: export it as one .glb file.")
    tree = NodeTree.from_gltf(document["nodes"], path.name)
    named = humanoid_nodes(document, tree, path.name)
    node = {BONE[bone]: n for bone, n in named.items()}
    return AvatarFile(path, rig, document, read_binary(path), tree, node)


def avatar_glb(motion: PersonMotion, avatar: AvatarFile) -> bytes:
    """The avatar's file with the motion as its first animation."""
    document = {**avatar.document, "asset": {**avatar.document["asset"], "generator": GENERATOR}}
    document["nodes"] = _with_separate_parts(avatar)
    for kind in ("bufferViews", "accessors"):
        document[kind] = list(document.get(kind, []))
    glb = Glb(document, avatar.binary)
    animation = Animation(glb, f"Person {motion.number}", motion.time_s, extras_of(motion))
    root = placed(motion, avatar.rig)
    hips = avatar.node[0]
    animation.move(hips, _in_parent(avatar.tree, hips, root))
    for bone, quat in _local(motion, avatar, root).items():
        animation.rotate(avatar.node[bone], quat)
    document["animations"] = [animation.entry, *document.get("animations", [])]
    return glb.to_bytes()


def _with_separate_parts(avatar: AvatarFile) -> list[dict[str, Any]]:
    """The nodes; those that move without a matrix, as glTF wants it."""
    nodes = list(avatar.document["nodes"])
    for n in avatar.node.values():
        if "matrix" in nodes[n]:
            entry = {key: value for key, value in nodes[n].items() if key != "matrix"}
            place, quat, scale = split(np.array(nodes[n]["matrix"], dtype=float).reshape(4, 4).T)
            parts = {"translation": place, "rotation": quat, "scale": scale}
            nodes[n] = entry | {key: value.tolist() for key, value in parts.items()}
    return nodes


def _in_parent(tree: NodeTree, node: int, place_world_m: F64) -> F64:
    """Places (T, 3) in the world, in the axes of the node's parent."""
    parent = tree.parents[node]
    if parent < 0:
        return place_world_m
    back = np.linalg.inv(tree.T_world[parent])
    return np.asarray(place_world_m @ back[:3, :3].T + back[:3, 3])


def _local(motion: PersonMotion, avatar: AvatarFile, root: F64) -> dict[int, F64]:
    """Rotations (T, 4) of each bone's node in its parent node; nodes between bones keep theirs."""
    tree, owner = avatar.tree, {n: bone for bone, n in avatar.node.items()}
    _, world = forward(avatar.rig, root, motion.quat_local_xyzw)
    if avatar.rig.generation == "vrm0":  # our axes of its bones are turned with the avatar
        world = rot.multiply(world, _HALF_TURN)
    local = {}
    for bone in (b for b in ORDER if b in avatar.node):
        parent = above = tree.parents[avatar.node[bone]]
        while above >= 0 and above not in owner:
            above = tree.parents[above]
        turn = rot.IDENTITY if parent < 0 else tree.quat_xyzw[parent]
        if above >= 0:
            held = rot.multiply(rot.inverse(tree.quat_xyzw[above]), turn)
            turn = rot.multiply(world[:, owner[above]], held)
        local[bone] = rot.normalize(rot.multiply(rot.inverse(turn), world[:, bone]))
    return local
