"""GLB of a person's own skeleton with a plain figure on its bones, and VRM animations."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.export.body import own_rig, placed, worth_writing
from posestream.export.glb import Animation, Glb
from posestream.export.motion import PersonMotion
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, BONES, ORDER, VRM1_TO_UNITY
from posestream.skeleton.rig import Rig, fold, present_parents

_VRM_NAME: Final = {
    bone: vrm for vrm, bone in VRM1_TO_UNITY.items() if not vrm.endswith("ThumbIntermediate")
}
_NO_VRMA_BONES: Final = [BONE["LeftEye"], BONE["RightEye"]]  # VRM animations have lookAt for them
_LOOKS: Final = frozenset(("lookUp", "lookDown", "lookLeft", "lookRight"))  # likewise
_PRESETS: Final = frozenset(
    ("aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight", "happy", "angry", "sad",
     "relaxed", "surprised", "neutral")
)  # fmt: skip
_SLIM, _THINNEST_M = 0.08, 0.012  # of a bone's length; half its width
_CROWN_SHARE: Final = 2.0  # of the neck's length, from the head's joint up


def skeleton_glb(motion: PersonMotion) -> bytes:
    """A skin on the person's own bones, in the T-pose, and one animation."""
    glb, rig = Glb(), own_rig(motion)
    kept = worth_writing(rig, motion.quat_local_xyzw)
    node = _add_bones(glb, rig, kept, {b: BONES[b] for b in range(len(BONES))})
    armature = glb.add("nodes", {"name": f"Person {motion.number}", "children": [node[0]]})
    figure = glb.add("nodes", {"name": "figure", **_add_figure(glb, rig, kept, node)})
    glb.document |= {"scene": 0, "scenes": [{"nodes": [armature, figure]}]}
    animation = Animation(glb, *_named(motion), extras_of(motion))
    _animate(animation, motion, rig, node)
    glb.add("animations", animation.entry)
    return glb.to_bytes()


def vrma(motion: PersonMotion) -> bytes:
    """A VRM animation 1.0: the person's own body, in the T-pose and metres, and expressions."""
    glb, rig = Glb(), own_rig(motion)
    kept = worth_writing(rig, motion.quat_local_xyzw)
    kept[_NO_VRMA_BONES] = False
    node = _add_bones(glb, rig, kept, {BONE[bone]: vrm for bone, vrm in _VRM_NAME.items()})
    animation = Animation(glb, *_named(motion), extras_of(motion))
    _animate(animation, motion, rig, node)
    faces = _add_expressions(glb, animation, motion)
    glb.document |= {"scene": 0, "scenes": [{"nodes": [node[0], *faces.values()]}]}
    human = {_VRM_NAME[BONES[bone]]: {"node": n} for bone, n in node.items()}
    extension: dict[str, Any] = {"specVersion": "1.0", "humanoid": {"humanBones": human}}
    if faces:
        extension["expressions"] = _sorted_by_kind(faces)
    glb.document |= {
        "extensionsUsed": ["VRMC_vrm_animation"],
        "extensions": {"VRMC_vrm_animation": extension},
    }
    glb.add("animations", animation.entry)
    return glb.to_bytes()


def extras_of(motion: PersonMotion) -> dict[str, Any]:
    """What is known beside the motion itself."""
    return {
        "person": motion.number, "track_id": motion.track_id,
        "start_s": round(motion.start_s, 6), "frames": len(motion),
        "hip_height_m": round(float(motion.offset_m[0, 1]), 4),
    }  # fmt: skip


def _named(motion: PersonMotion) -> tuple[str, F64]:
    return f"Person {motion.number}", motion.time_s


def _add_bones(glb: Glb, rig: Rig, kept: Bool, names: dict[int, str]) -> dict[int, int]:
    """Nodes of the bones in the T-pose; bone to node."""
    above, place = present_parents(kept), rig.rest_position_world_m
    node: dict[int, int] = {}
    for bone in (int(b) for b in ORDER if kept[b]):
        parent = above[bone]
        way = place[bone] - (place[parent] if parent >= 0 else 0.0)
        entry = {"name": names[bone], "translation": np.round(way, 6).tolist()}
        node[bone] = glb.add("nodes", entry)
        if parent >= 0:
            glb.document["nodes"][node[parent]].setdefault("children", []).append(node[bone])
    return node


def _animate(animation: Animation, motion: PersonMotion, rig: Rig, node: dict[int, int]) -> None:
    quat = fold(rig.bones_present, motion.quat_local_xyzw)
    animation.move(node[0], placed(motion, rig))
    for bone, n in node.items():
        animation.rotate(n, quat[:, bone])


def _add_expressions(glb: Glb, animation: Animation, motion: PersonMotion) -> dict[str, int]:
    """A node for each expression, whose x is its value; name to node."""
    nodes = {}
    for name, values in motion.expressions.items():
        if name not in _LOOKS:
            nodes[name] = glb.add("nodes", {"name": name})
            place = np.zeros((len(values), 3))
            place[:, 0] = np.clip(values, 0.0, 1.0)
            animation.move(nodes[name], place)
    return nodes


def _sorted_by_kind(faces: dict[str, int]) -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    for name, node in faces.items():
        kind = "preset" if name in _PRESETS else "custom"
        kinds.setdefault(kind, {})[name] = {"node": node}
    return kinds


def _add_figure(glb: Glb, rig: Rig, kept: Bool, node: dict[int, int]) -> dict[str, int]:
    """Mesh and skin of a figure with a spindle along every bone; each follows one joint."""
    order, place = list(node), rig.rest_position_world_m
    above = present_parents(kept)
    ends = [(above[b], place[above[b]], place[b]) for b in order if above[b] >= 0]
    neck_m = float(rot.norm(place[BONE["Head"]] - place[BONE["Neck"]]))
    crown = place[BONE["Head"]] + [0.0, _CROWN_SHARE * neck_m, 0.0]
    ends.append((BONE["Head"], place[BONE["Head"]], crown))
    spindles = [_spindle(start, end) for _, start, end in ends]
    joint = np.repeat([order.index(bone) for bone, _, _ in ends], len(spindles[0][0]))
    mesh = _add_mesh(glb, np.concatenate([s[0] for s in spindles]),
                     np.concatenate([s[1] for s in spindles]), joint)  # fmt: skip
    bind = np.tile(np.eye(4), (len(order), 1, 1))
    bind[:, 3, :3] = -place[order]  # columns first, as glTF has them
    skin = {
        "joints": [node[b] for b in order],
        "skeleton": node[0],
        "inverseBindMatrices": glb.floats(bind.reshape(-1, 16)),
    }
    return {"mesh": mesh, "skin": glb.add("skins", skin)}


def _add_mesh(glb: Glb, place_m: F64, normal: F64, joint: I64) -> int:
    joints, weights = np.zeros((len(joint), 4), dtype=np.int64), np.zeros((len(joint), 4))
    joints[:, 0], weights[:, 0] = joint, 1.0
    attributes = {
        "POSITION": glb.floats(place_m, vertices=True),
        "NORMAL": glb.floats(normal, vertices=True),
        "JOINTS_0": glb.joints(joints),
        "WEIGHTS_0": glb.floats(weights, vertices=True),
    }
    colour = {"baseColorFactor": [0.55, 0.65, 0.8, 1.0], "metallicFactor": 0.0}
    material = glb.add("materials", {"name": "figure", "pbrMetallicRoughness": colour})
    primitive = {"attributes": attributes, "material": material}
    return glb.add("meshes", {"name": "figure", "primitives": [primitive]})


def _spindle(start: F64, end: F64) -> tuple[F64, F64]:
    """Corners (24, 3) and normals (24, 3) of eight triangles from start to end, metres."""
    way = end - start
    length = max(float(rot.norm(way)), 1e-4)
    turn = rot.between(np.array([0.0, 1.0, 0.0]), way / length)
    wide = max(_SLIM * length, _THINNEST_M)
    ring = np.array([[wide, 0.2, 0], [0, 0.2, -wide], [-wide, 0.2, 0], [0, 0.2, wide]])
    ring[:, 1] *= length
    tip, foot = np.array([0.0, length, 0.0]), np.zeros(3)
    nexts = np.roll(ring, -1, axis=0)
    upper = np.stack([ring, nexts, np.broadcast_to(tip, ring.shape)], axis=1)
    lower = np.stack([nexts, ring, np.broadcast_to(foot, ring.shape)], axis=1)
    corners = np.concatenate([upper, lower])
    flat = rot.normalize(rot.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    normal = np.repeat(flat[:, None], 3, axis=1)
    return (
        np.asarray(start + rot.rotate(turn, corners.reshape(-1, 3))),
        rot.rotate(turn, normal.reshape(-1, 3)),
    )
