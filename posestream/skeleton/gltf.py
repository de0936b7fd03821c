"""Rigs from VRM 0.x, VRM 1.0, VRM animation and plain glTF 2.0: only the node tree is read."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from posestream.arrays import F64
from posestream.errors import AvatarError
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, NUM_BONES, VRM0_TO_UNITY, VRM1_TO_UNITY
from posestream.skeleton.nodes import NodeTree
from posestream.skeleton.rig import Generation, Rig, build_rig
from posestream.skeleton.structure import humanoid_from_nodes

MAX_FILE_BYTES: Final = 512 << 20
MAX_JSON_BYTES: Final = 64 << 20
MAX_NODES: Final = 20_000
_MAGIC: Final = 0x46546C67
_JSON_CHUNK: Final = 0x4E4F534A

REQUIRED: Final = (
    "Hips", "Spine", "Head",
    *(s + b for s in ("Left", "Right")
      for b in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")),
)  # fmt: skip
"""Bones that VRM requires of every humanoid."""


def read_gltf_rig(path: Path) -> Rig:
    """The rig of a .vrm, .vrma, .glb or .gltf file.

    Raises:
        AvatarError: the file cannot be read, is damaged or is not a humanoid.
    """
    document = read_document(path)
    try:
        tree = _node_tree(document, path.name)
        generation, bones = _humanoid(document, tree, path.name)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise AvatarError(
            f"'{path.name}' is not valid glTF ({error}): export the avatar again."
        ) from None
    _require(bones, path.name)
    return _rig(path.stem, generation, tree, bones)


def read_document(path: Path) -> dict[str, Any]:
    """The JSON part of a GLB or glTF file, size-checked; buffers are not loaded.

    Raises:
        AvatarError: missing, too large, cut off or not glTF 2.0.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            _fail(path.name, "is larger than 512 MB: reduce its textures")
        with path.open("rb") as file:
            head = file.read(20)
            text = file.read(_json_length(head, size, path.name)) if _is_glb(head) else None
        document = _parse(path.read_bytes() if text is None else text, path.name)
    except OSError as error:
        raise AvatarError(
            f"'{path}' cannot be read ({error.strerror}): check the path and its permissions."
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        _fail(path.name, "has no glTF 'asset' entry: give a glTF 2.0, GLB or VRM file")
    if not str(document["asset"].get("version", "")).startswith("2"):
        _fail(path.name, "is not glTF version 2: export it as glTF 2.0")
    return dict(document)


def read_binary(path: Path) -> bytes:
    """The binary part of a GLB file whose document was read; empty where it has none.

    Raises:
        AvatarError: it cannot be read any more.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AvatarError(f"'{path}' cannot be read ({error.strerror}).") from None
    start = 20 + int.from_bytes(content[12:16], "little")
    length = int.from_bytes(content[start : start + 4], "little")
    return content[start + 8 : start + 8 + length]


def _fail(name: str, what: str) -> NoReturn:
    raise AvatarError(f"'{name}' {what}.")


def _is_glb(head: bytes) -> bool:
    return head[:4] == b"glTF"


def _json_length(head: bytes, size: int, name: str) -> int:
    if len(head) < 20:
        _fail(name, "is cut off within its header: copy or download it again")
    _, version, length, json_length, kind = struct.unpack("<5I", head)
    if version != 2:
        _fail(name, f"is GLB version {version}, only 2 can be read: export it again")
    if length != size:
        _fail(name, f"has {size} bytes but announces {length}: copy or download it again")
    if kind != _JSON_CHUNK or 20 + json_length > size or json_length > MAX_JSON_BYTES:
        _fail(name, "has no valid JSON chunk: copy or export it again")
    return int(json_length)


def _parse(text: bytes, name: str) -> Any:
    if len(text) > MAX_JSON_BYTES:
        _fail(name, "has more than 64 MB of JSON: give a binary .glb or .vrm file")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        _fail(name, "does not contain valid glTF JSON: copy or export it again")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _node_tree(document: dict[str, Any], name: str) -> NodeTree:
    nodes = document.get("nodes")
    if not isinstance(nodes, list) or not nodes:
        _fail(name, "contains no nodes: export the avatar with its skeleton")
    if len(nodes) > MAX_NODES:
        _fail(name, f"has {len(nodes)} nodes, more than {MAX_NODES}: simplify the avatar")
    return NodeTree.from_gltf(nodes, name)


def humanoid_nodes(document: dict[str, Any], tree: NodeTree, name: str) -> dict[str, int]:
    """The node of every humanoid bone that the document has. Raises as ``read_gltf_rig`` does."""
    return _humanoid(document, tree, name)[1]


def _humanoid(
    document: dict[str, Any], tree: NodeTree, name: str
) -> tuple[Generation, dict[str, int]]:
    extensions = document.get("extensions") or {}
    for key in ("VRMC_vrm", "VRMC_vrm_animation"):
        if key in extensions:
            named = extensions[key]["humanoid"]["humanBones"].items()
            return "vrm1", _bones(((k, v["node"]) for k, v in named), VRM1_TO_UNITY, tree, name)
    if "VRM" in extensions:
        listed = extensions["VRM"]["humanoid"]["humanBones"]
        return "vrm0", _bones(((b["bone"], b["node"]) for b in listed), VRM0_TO_UNITY, tree, name)
    return "gltf", humanoid_from_nodes(tree, _joints(document, tree))


def _bones(named: Any, table: dict[str, str], tree: NodeTree, name: str) -> dict[str, int]:
    bones = {table[bone]: node for bone, node in named if bone in table and node != -1}
    for bone, node in bones.items():
        if isinstance(node, bool) or not isinstance(node, int) or not 0 <= node < len(tree):
            _fail(name, f"maps the bone {bone} to a node that does not exist: export it again")
    if len(set(bones.values())) != len(bones):
        _fail(name, "maps two bones to one node: correct its humanoid setup and export it again")
    return bones


def _joints(document: dict[str, Any], tree: NodeTree) -> list[int]:
    skins = document.get("skins") or []
    joints = {j for skin in skins for j in skin["joints"] if isinstance(j, int)}
    return sorted(j for j in joints if 0 <= j < len(tree)) or list(range(len(tree)))


def _require(bones: dict[str, int], name: str) -> None:
    missing = [bone for bone in REQUIRED if bone not in bones]
    if missing:
        shown = ", ".join(missing[:4]) + (" and more" if len(missing) > 4 else "")
        _fail(name, f"is not a complete humanoid, it lacks {shown}: assign these bones and export")


def _rig(name: str, generation: Generation, tree: NodeTree, bones: dict[str, int]) -> Rig:
    place, world = np.zeros((NUM_BONES, 3)), rot.identity(NUM_BONES)
    present = np.zeros(NUM_BONES, dtype=np.bool_)
    for bone, node in bones.items():
        i = BONE[bone]
        present[i], place[i], world[i] = True, tree.position_m[node], tree.quat_xyzw[node]
    if generation == "vrm0":
        place, world = frames.world_from_vrm0_position(place), frames.world_from_vrm0_quat(world)
    elif generation == "gltf":
        turn = facing_turn(place)
        place, world = rot.rotate(turn, place), rot.multiply(turn, world)
    return build_rig(name, generation, present, place, world)


def facing_turn(place_m: F64) -> F64:
    """Quarter turns about Y after which the left leg or arm of these bones lies towards +X."""
    across = place_m[BONE["LeftUpperLeg"]] - place_m[BONE["RightUpperLeg"]]
    across = across + place_m[BONE["LeftUpperArm"]] - place_m[BONE["RightUpperArm"]]
    quarters = np.round(np.arctan2(across[2], across[0]) / (np.pi / 2.0))
    return rot.from_axis_angle(np.array([0.0, 1.0, 0.0]), quarters * np.pi / 2.0)
