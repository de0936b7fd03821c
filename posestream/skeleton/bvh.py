"""BVH: motion clips with exact joint positions, and rigs from their skeletons.

Position channels replace a joint's OFFSET. Lengths are read as centimetres where the
skeleton would otherwise be taller than a house, as metres below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import numpy as np

from posestream.arrays import F64
from posestream.errors import AvatarError
from posestream.geometry import rotation as rot
from posestream.skeleton.bone_names import bones_of, with_spine
from posestream.skeleton.humanoid import BONE, NUM_BONES
from posestream.skeleton.joints import JOINT, NUM_JOINTS
from posestream.skeleton.rig import Rig, build_rig

MAX_FILE_BYTES: Final = 256 << 20
MAX_JOINTS: Final = 1024
MAX_DEPTH: Final = 128
_AXIS: Final = {"x": 0, "y": 1, "z": 2}
_BODY_BONES: Final = {
    "spine": "Chest",
    "head": "Head",
    **{
        f"{side}_{joint}": side.capitalize() + bone
        for side in ("left", "right")
        for joint, bone in (
            ("shoulder", "UpperArm"), ("elbow", "LowerArm"), ("wrist", "Hand"),
            ("hip", "UpperLeg"), ("knee", "LowerLeg"), ("ankle", "Foot"), ("toe", "Toes"),
        )
    },
}  # fmt: skip
_METRES_BELOW: Final = 6.0  # a skeleton larger than this is in centimetres


@dataclass(frozen=True, slots=True, eq=False)
class BvhClip:
    """A motion: K joints over F frames, metres, axes as in the file (Y up)."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offset_m: F64  # (K, 3)
    fps: float
    position_local_m: F64  # (F, K, 3) in the parent's frame
    quat_local_xyzw: F64  # (F, K, 4)

    def world(self) -> tuple[F64, F64]:
        """Joint positions (F, K, 3) and world rotations (F, K, 4)."""
        return _forward(self.parents, self.position_local_m, self.quat_local_xyzw)

    def body_joints(self) -> F64:
        """The clip as exact joints (F, J, 3) of ``joints.BODY``; NaN where it has none."""
        bones = bones_of(enumerate(self.names))
        place, _ = self.world()
        body = np.full((len(place), NUM_JOINTS, 3), np.nan)
        for joint, bone in _BODY_BONES.items():
            if bone in bones:
                body[:, JOINT[joint]] = place[:, bones[bone]]
        for joint, pair in (("pelvis", "hip"), ("neck", "shoulder")):
            ends = [JOINT[f"left_{pair}"], JOINT[f"right_{pair}"]]
            body[:, JOINT[joint]] = body[:, ends].mean(axis=1)
        return body


@dataclass(frozen=True, slots=True, eq=False)
class BvhSkeleton:
    """The joints of a BVH file, depth first, and which of them are humanoid bones."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offset_m: F64  # (K, 3) at rest, in the parent's frame
    bones: dict[str, int]  # humanoid bone to joint


@dataclass(slots=True)
class _Joint:
    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[str, ...] = ()


def read_bvh(path: Path | str, metres_per_unit: float | None = None) -> BvhClip:
    """Read a BVH file.

    Args:
        path: the file.
        metres_per_unit: None guesses centimetres or metres from the skeleton's size.

    Raises:
        AvatarError: unreadable, damaged or too large.
    """
    path = Path(path)
    joints, motion = _parse(_words(path), path.name)
    fps, values = _motion(motion, sum(len(j.channels) for j in joints), path.name)
    offset = np.array([j.offset for j in joints])
    position, quat = _channels(joints, offset, values)
    parents = tuple(j.parent for j in joints)
    unit = metres_per_unit or _unit(parents, position)
    names = tuple(j.name for j in joints)
    return BvhClip(names, parents, offset * unit, fps, position * unit, quat)


def read_bvh_rig(path: Path | str) -> Rig:
    """The skeleton of a BVH file, brought into the T-pose by shape.

    A BVH rest pose says nothing of twist, so limbs may be rolled about their own axis.

    Raises:
        AvatarError: unreadable, damaged or not a humanoid.
    """
    path = Path(path)
    skeleton = read_bvh_skeleton(path)
    place, _ = _forward(
        skeleton.parents, skeleton.offset_m[None], rot.identity(1, len(skeleton.names))
    )
    points, present = np.zeros((NUM_BONES, 3)), np.zeros(NUM_BONES, dtype=np.bool_)
    for bone, joint in skeleton.bones.items():
        present[BONE[bone]], points[BONE[bone]] = True, place[0, joint]
    return build_rig(path.stem, "bvh", present, points, rot.identity(NUM_BONES))


def read_bvh_skeleton(path: Path | str) -> BvhSkeleton:
    """The joints of a BVH file as they rest, its root at the origin.

    Raises:
        AvatarError: unreadable, damaged or not a humanoid.
    """
    from posestream.skeleton.gltf import REQUIRED

    path = Path(path)
    clip = read_bvh(path)
    bones = with_spine(bones_of(enumerate(clip.names)))
    missing = [b for b in REQUIRED if b not in bones]
    if missing:
        _fail(path.name, f"has no joint for {', '.join(missing[:4])}: rename its joints")
    offset = np.where(np.array(clip.parents)[:, None] < 0, 0.0, _rest_positions(clip))
    return BvhSkeleton(clip.names, clip.parents, offset, bones)


def _rest_positions(clip: BvhClip) -> F64:
    """Median over the clip: where position channels replace OFFSET they are the truth."""
    return np.asarray(np.median(clip.position_local_m[:200], axis=0))


def _fail(name: str, what: str) -> NoReturn:
    raise AvatarError(f"'{name}' {what}.")


def _words(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            _fail(path.name, "is larger than 256 MB: cut the motion into shorter clips")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise AvatarError(
            f"'{path}' cannot be read ({error.strerror}): check the path and its permissions."
        ) from None
    return iter(text.split())


def _next(words: Iterator[str], name: str, expected: str | None = None) -> str:
    word = next(words, None)
    if word is None:
        _fail(name, "ends in the middle: copy or export it again")
    if expected is not None and word.upper() != expected:
        _fail(name, f"has '{word[:40]}' where {expected} belongs: export it as BVH again")
    return word


def _float(words: Iterator[str], name: str) -> float:
    word = _next(words, name)
    try:
        value = float(word)
    except ValueError:
        _fail(name, f"has '{word[:40]}' where a number belongs: export it as BVH again")
    if not abs(value) < 1e7:
        _fail(name, f"has the impossible number {word[:40]}: export it again")
    return value


def _parse(words: Iterator[str], name: str) -> tuple[list[_Joint], Iterator[str]]:
    _next(words, name, "HIERARCHY")
    joints: list[_Joint] = []
    stack: list[int] = []  # -1 marks an End Site, whose offset is not kept
    while True:
        word = _next(words, name).upper()
        if word in ("ROOT", "JOINT"):
            _open_joint(words, name, joints, stack)
        elif word == "END":
            _next(words, name), _next(words, name, "{")
            stack.append(-1)
        elif word == "}" and stack:
            stack.pop()
        elif word == "OFFSET" and stack:
            offset = (_float(words, name), _float(words, name), _float(words, name))
            if stack[-1] >= 0:
                joints[stack[-1]].offset = offset
        elif word == "CHANNELS" and stack and stack[-1] >= 0:
            joints[stack[-1]].channels = _channel_names(words, name)
        elif word == "MOTION" and joints and not stack:
            return joints, words
        else:
            _fail(name, f"has an unexpected '{word[:40]}' in its hierarchy: export it again")


def _open_joint(words: Iterator[str], name: str, joints: list[_Joint], stack: list[int]) -> None:
    label = _next(words, name)
    while (word := _next(words, name)) != "{":
        label += " " + word
        if len(label) > 200:
            _fail(name, "has a joint without an opening brace: export it again")
    if len(joints) >= MAX_JOINTS or len(stack) >= MAX_DEPTH:
        _fail(name, f"has more than {MAX_JOINTS} joints or {MAX_DEPTH} levels: simplify it")
    if stack and stack[-1] < 0:
        _fail(name, "has a joint below an End Site: export it again")
    joints.append(_Joint(label, stack[-1] if stack else -1, (0.0, 0.0, 0.0)))
    stack.append(len(joints) - 1)


def _channel_names(words: Iterator[str], name: str) -> tuple[str, ...]:
    count = _float(words, name)
    if count not in range(7):
        _fail(name, f"has a joint with {count:g} channels: only 0 to 6 can be read")
    channels = tuple(_next(words, name).lower() for _ in range(int(count)))
    for channel in channels:
        if channel[:1] not in _AXIS or channel[1:] not in ("position", "rotation"):
            _fail(name, f"has the unknown channel '{channel[:40]}': export it as BVH again")
    return channels


def _motion(words: Iterator[str], width: int, name: str) -> tuple[float, F64]:
    _next(words, name, "FRAMES:")
    count = _float(words, name)
    _next(words, name, "FRAME"), _next(words, name, "TIME:")
    seconds = _float(words, name)
    if seconds <= 0.0 or count < 1 or count != int(count):
        _fail(name, "has no frames or no frame time: export it again")
    try:
        values = np.array(list(words), dtype=np.float64)
    except ValueError:
        _fail(name, "has words among its motion numbers: export it again")
    if values.size != int(count) * width or not np.all(np.abs(values) < 1e7):
        _fail(name, f"has {values.size} motion numbers, {int(count)} x {width} belong there")
    return 1.0 / seconds, values.reshape(int(count), width)


def _channels(joints: list[_Joint], offset: F64, values: F64) -> tuple[F64, F64]:
    frames = values.shape[0]
    position = np.tile(offset, (frames, 1, 1))
    quat = rot.identity(frames, len(joints))
    column = 0
    for k, joint in enumerate(joints):
        for channel in joint.channels:
            axis, value = _AXIS[channel[0]], values[:, column]
            column += 1
            if channel.endswith("position"):
                position[:, k, axis] = value
            else:
                turn = rot.from_axis_angle(np.eye(3)[axis], np.radians(value))
                quat[:, k] = rot.multiply(quat[:, k], turn)
    return position, quat


def _forward(parents: tuple[int, ...], position: F64, quat: F64) -> tuple[F64, F64]:
    place, world = position.copy(), quat.copy()
    for k, parent in enumerate(parents):
        if parent >= 0:
            world[:, k] = rot.multiply(world[:, parent], quat[:, k])
            place[:, k] = place[:, parent] + rot.rotate(world[:, parent], position[:, k])
    return place, world


def _unit(parents: tuple[int, ...], position: F64) -> float:
    """The longest chain of bones tells the size: a person's is below 3 m."""
    length = np.linalg.norm(position[0], axis=-1)
    reach = np.zeros(len(parents))
    for k, parent in enumerate(parents):
        if parent >= 0 and parents[parent] >= 0:  # the hips' place is no bone
            reach[k] = reach[parent] + length[k]
    return 0.01 if reach.max() > _METRES_BELOW else 1.0
