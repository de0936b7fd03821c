"""From humanoid bone rotations to the body's own bones, and to the joints of the truth.

Motion is written for the humanoid of ``skeleton.humanoid`` (T-pose, identity rotations), so
that any source of motion fits any body. Each body bone turns with one humanoid bone, or half
way between two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation
from posestream.skeleton.humanoid import BONE, NUM_BONES, ORDER, PARENT
from posestream.skeleton.joints import BODY, JOINT
from posestream.training.synth.bodies import EYE_VERTICES, NUM_SKIN_VERTICES, Body

_FINGER: Final = {"1": "Thumb", "2": "Index", "3": "Middle", "4": "Ring", "5": "Little"}
_PHALANX: Final = {"1": "Proximal", "2": "Intermediate", "3": "Distal"}

_FOLLOWS: Final[dict[str, tuple[str, str, float]]] = {
    "root": ("Hips", "Hips", 0.0),
    "spine05": ("Hips", "Spine", 0.5),
    "spine04": ("Spine", "Spine", 0.0),
    "spine03": ("Chest", "Chest", 0.0),
    "spine02": ("UpperChest", "UpperChest", 0.0),
    "spine01": ("UpperChest", "UpperChest", 0.0),
    "neck01": ("UpperChest", "Neck", 0.6),
    "neck02": ("Neck", "Neck", 0.0),
    "neck03": ("Neck", "Head", 0.5),
    "head": ("Head", "Head", 0.0),
    "eye": ("Head", "Head", 0.0),
    "pelvis": ("Hips", "Hips", 0.0),
    "upperleg01": ("UpperLeg", "UpperLeg", 0.0),
    "upperleg02": ("UpperLeg", "UpperLeg", 0.0),
    "lowerleg01": ("LowerLeg", "LowerLeg", 0.0),
    "lowerleg02": ("LowerLeg", "LowerLeg", 0.0),
    "foot": ("Foot", "Foot", 0.0),
    "clavicle": ("Shoulder", "Shoulder", 0.0),
    "shoulder01": ("Shoulder", "Shoulder", 0.0),
    "upperarm01": ("UpperArm", "UpperArm", 0.0),
    "upperarm02": ("UpperArm", "UpperArm", 0.0),
    "lowerarm01": ("LowerArm", "LowerArm", 0.0),
    "lowerarm02": ("LowerArm", "Hand", 0.5),
    "wrist": ("Hand", "Hand", 0.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """A body's bones, tied to the humanoid's."""

    body: Body
    first: tuple[int, ...]  # per body bone: the humanoid bone it turns with
    second: tuple[int, ...]
    share: F64  # (K,) how far from the first towards the second
    rest_turn: F64  # (B, 4) from the body's rest pose to the T-pose, world axes
    pelvis_m: F64  # (3,) mid-point of the hips at rest
    joint_bone: tuple[int, ...]  # (J,) body bone that carries each BODY joint
    joint_rest_m: F64  # (J, 3)


def build_rig(body: Body) -> Rig:
    """Tie a body to the humanoid."""
    follows = [_follow(name) for name in body.bone_name]
    bones, positions = _joints(body)
    pelvis = 0.5 * (body.head_m("upperleg01.L") + body.head_m("upperleg01.R"))
    return Rig(
        body, tuple(f[0] for f in follows), tuple(f[1] for f in follows),
        np.array([f[2] for f in follows]), _rest_turns(body), pelvis, bones, positions,
    )  # fmt: skip


def _follow(name: str) -> tuple[int, int, float]:
    stem, _, side = name.partition(".")
    prefix = {"": "", "L": "Left", "R": "Right"}[side]
    if stem.startswith("toe"):
        return (BONE[f"{prefix}Toes"],) * 2 + (0.0,)
    if stem.startswith("metacarpal"):
        return (BONE[f"{prefix}Hand"],) * 2 + (0.0,)
    if stem.startswith("finger"):
        bone = BONE[f"{prefix}{_FINGER[stem[6]]}{_PHALANX[stem[8]]}"]
        return bone, bone, 0.0
    first, second, share = _FOLLOWS[stem]
    plain = first in BONE
    return (
        BONE[first if plain else prefix + first],
        BONE[second if plain else prefix + second],
        share,
    )


def _rest_turns(body: Body) -> F64:
    turn = rotation.identity(NUM_BONES)
    for side, s, sign in (("Left", "L", 1.0), ("Right", "R", -1.0)):
        for name, q in _arm_turns(body, s, sign).items():
            turn[BONE[side + name]] = q
        for finger in _FINGER.values():
            for phalanx in _PHALANX.values():
                turn[BONE[f"{side}{finger}{phalanx}"]] = turn[BONE[f"{side}Hand"]]
        for name, q in _leg_turns(body, s).items():
            turn[BONE[side + name]] = q
    return turn


def _arm_turns(body: Body, s: str, sign: float) -> dict[str, F64]:
    shoulder, elbow, wrist = (
        body.head_m(f"{name}.{s}") for name in ("upperarm01", "lowerarm01", "wrist")
    )
    across = body.head_m(f"finger2-1.{s}") - body.head_m(f"finger5-1.{s}")
    upper, fore = rotation.normalize(elbow - shoulder), rotation.normalize(wrist - elbow)
    palm_along = rotation.normalize(body.head_m(f"finger3-1.{s}") - wrist)
    up = -sign * rotation.cross(upper, fore)  # in the T-pose the elbow bends forwards
    return {
        "UpperArm": rotation.inverse(_axes(sign * upper, up)),
        "LowerArm": rotation.inverse(_axes(sign * fore, up)),
        "Hand": rotation.inverse(
            _axes(sign * palm_along, rotation.cross(across, sign * palm_along))
        ),
    }


def _axes(x: F64, y_hint: F64) -> F64:
    """The frame with this x and y as near as may be to the hint."""
    z = rotation.normalize(rotation.cross(x, y_hint))
    return rotation.from_axes(x, rotation.cross(z, x), z)


def _leg_turns(body: Body, s: str) -> dict[str, F64]:
    hip, knee, ankle, toe = (
        body.head_m(f"{name}.{s}") for name in ("upperleg01", "lowerleg01", "foot", "toe1-1")
    )
    down = np.array([0.0, -1.0, 0.0])
    heading = np.arctan2(toe[0] - ankle[0], toe[2] - ankle[2])
    straight = rotation.from_axis_angle(np.array([0.0, 1.0, 0.0]), -heading)
    return {
        "UpperLeg": rotation.between(rotation.normalize(knee - hip), down),
        "LowerLeg": rotation.between(rotation.normalize(ankle - knee), down),
        "Foot": straight,
        "Toes": straight,
    }


def global_rotations(quat_local_xyzw: F64) -> F64:
    """Humanoid rotations (..., B, 4), local to global."""
    out = quat_local_xyzw.copy()
    for b in ORDER:
        if PARENT[b] >= 0:
            out[..., b, :] = rotation.multiply(out[..., PARENT[b], :], quat_local_xyzw[..., b, :])
    return out


def local_rotations(quat_global_xyzw: F64) -> F64:
    """Humanoid rotations (..., B, 4), global to local."""
    parent = np.array(PARENT)
    inner = rotation.multiply(rotation.inverse(quat_global_xyzw[..., parent, :]), quat_global_xyzw)
    return np.where((parent < 0)[:, None], quat_global_xyzw, inner)


def bone_transforms(rig: Rig, root_world_m: F64, quat_local_xyzw: F64) -> F64:
    """(K, 4, 4): where each body bone carries its share of the rest mesh.

    ``root_world_m`` (3,) is where the mid-point of the hips goes.
    """
    turn = rotation.multiply(global_rotations(quat_local_xyzw), rig.rest_turn)
    q = rotation.slerp(turn[list(rig.first)], turn[list(rig.second)], rig.share)
    rest = rig.body.bone_head_m
    head = np.empty_like(rest)
    head[0] = root_world_m + rotation.rotate(q[0], rest[0] - rig.pelvis_m)
    for k, parent in enumerate(rig.body.bone_parent):
        if parent >= 0:
            head[k] = head[parent] + rotation.rotate(q[parent], rest[k] - rest[parent])
    T = np.tile(np.eye(4), (len(rest), 1, 1))
    T[:, :3, :3] = rotation.to_matrix(q)
    T[:, :3, 3] = head - rotation.rotate(q, rest)
    return T


def joints_world(rig: Rig, T_world_rest: F64) -> F64:
    """The BODY joints (J, 3) under these bone transforms (K, 4, 4)."""
    T = T_world_rest[list(rig.joint_bone)]
    xyz = np.einsum("jab,jb->ja", T[:, :3, :3], rig.joint_rest_m) + T[:, :3, 3]
    for middle, a, b in (
        ("pelvis", "left_hip", "right_hip"),
        ("neck", "left_shoulder", "right_shoulder"),
        ("head", "left_ear", "right_ear"),
    ):
        xyz[JOINT[middle]] = 0.5 * (xyz[JOINT[a]] + xyz[JOINT[b]])
    return np.asarray(xyz)


def _joints(body: Body) -> tuple[tuple[int, ...], F64]:
    """The body bone that carries each BODY joint, and its rest position."""
    table: dict[str, tuple[str, F64]] = {
        "pelvis": ("root", body.head_m("root")),
        "spine": ("spine03", body.head_m("spine03")),
        "neck": ("spine01", body.head_m("neck01")),
        **{name: ("head", xyz) for name, xyz in face_points(body).items()},
    }
    for side, s in (("left", "L"), ("right", "R")):
        for joint, bone in (
            ("shoulder", "upperarm01"), ("elbow", "lowerarm01"), ("wrist", "wrist"),
            ("thumb", "finger1-2"), ("index", "finger2-1"), ("pinky", "finger5-1"),
            ("hip", "upperleg01"), ("knee", "lowerleg01"), ("ankle", "foot"), ("toe", "toe1-1"),
        ):  # fmt: skip
            table[f"{side}_{joint}"] = (f"{bone}.{s}", body.head_m(f"{bone}.{s}"))
        table[f"{side}_heel"] = (f"foot.{s}", _heel(body, s))
    bones = tuple(body.bone(table[name][0]) for name in BODY)
    return bones, np.stack([table[name][1] for name in BODY])


def face_points(body: Body) -> dict[str, F64]:
    """Points (3,) of the head at rest: eyes, ears, nose, head_top."""
    skull = body.vertex_m[:NUM_SKIN_VERTICES]
    eyes = {side: body.vertex_m[part] for side, part in EYE_VERTICES.items()}
    centre = {f"{side}_eye": 0.5 * (e.min(axis=0) + e.max(axis=0)) for side, e in eyes.items()}
    top = skull[np.argmax(skull[:, 1])]
    eye_y = centre["left_eye"][1]
    near = skull[np.abs(skull[:, 1] - eye_y + 0.04) < 0.03]
    points = {**centre, "head_top": top * [0.0, 1.0, 1.0], "head": top}
    points["nose"] = near[np.argmax(near[:, 2])] * [0.0, 1.0, 1.0]
    band = skull[np.abs(skull[:, 1] - eye_y + 0.015) < 0.03]
    band = band[np.abs(band[:, 0]) < 0.12]
    points["left_ear"] = band[np.argmax(band[:, 0])]
    points["right_ear"] = band[np.argmin(band[:, 0])]
    return points


def _heel(body: Body, s: str) -> F64:
    """The rearmost point of the sole."""
    ankle = body.head_m(f"foot.{s}")
    skin = body.vertex_m[:NUM_SKIN_VERTICES]
    sole = skin[(skin[:, 1] < 0.03) & (np.abs(skin[:, 0] - ankle[0]) < 0.08)]
    return np.asarray(sole[np.argmin(sole[:, 2])])
