"""Fuzzed: what reaches the panel and the calibrations. See ``fuzz_target`` for the promises."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from posestream.calibrate import stored
from posestream.errors import AvatarError, ConfigError, ProtocolError
from posestream.preview import viewer
from posestream.preview.gltf_mesh import read_mesh
from posestream.preview.mesh import pack_mesh
from posestream.skeleton.humanoid import BONES
from posestream.skeleton.rig import load_rig
from tools.fuzz_target import Target, as_file, refused


def check_skin(data: bytes) -> str:
    """The skin of a user's avatar."""
    file = as_file(data, "skin.glb")

    def read() -> None:
        mesh = read_mesh(file, load_rig(file))
        assert np.isfinite(mesh.position_m).all() and np.isfinite(mesh.uv).all()
        assert mesh.triangle.size == 0 or mesh.triangle.max() < len(mesh.position_m)
        assert sum(part.count for part in mesh.parts) == mesh.triangle.size
        pack_mesh(mesh)

    return refused(read, AvatarError)


def skin_seeds() -> list[bytes]:
    """A triangle that hangs on three bones, of VRM 1.0 and of plain glTF."""
    nodes: list[dict[str, Any]] = [
        {"name": name, "translation": [0.01 * i, 1.0, 0.0]} for i, name in enumerate(BONES)
    ]
    nodes[0]["children"] = list(range(1, len(BONES)))
    nodes.append({"mesh": 0, "skin": 0})
    names = {name[0].lower() + name[1:]: {"node": i} for i, name in enumerate(BONES)}
    arrays = (
        np.arange(9, dtype="<f4"), np.tile(np.eye(1, 4, dtype="<f4"), (3, 1)),
        np.arange(12, dtype="<u1"), np.arange(3, dtype="<u2"), np.zeros(6, "<f4"),
    )  # fmt: skip
    kinds = ((5126, "VEC3"), (5126, "VEC4"), (5121, "VEC4"), (5123, "SCALAR"), (5126, "VEC2"))
    places = np.cumsum([0, *(len(array.tobytes()) for array in arrays)]).tolist()
    document = {
        "asset": {"version": "2.0"}, "nodes": nodes, "scenes": [{"nodes": [0, len(nodes) - 1]}],
        "extensions": {"VRMC_vrm": {"humanoid": {"humanBones": names}}},
        "skins": [{"joints": list(range(12))}],
        "meshes": [{"primitives": [{"indices": 3, "material": 0, "attributes": {
            "POSITION": 0, "WEIGHTS_0": 1, "JOINTS_0": 2, "TEXCOORD_0": 4}}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, 1]}}],
        "accessors": [{"bufferView": i, "componentType": kind, "type": shape, "count": 3}
                      for i, (kind, shape) in enumerate(kinds)],
        "bufferViews": [{"buffer": 0, "byteOffset": place, "byteLength": len(array.tobytes())}
                        for place, array in zip(places, arrays, strict=False)],
        "buffers": [{"byteLength": places[-1]}],
    }  # fmt: skip
    binary = b"".join(array.tobytes() for array in arrays)
    plain = {key: value for key, value in document.items() if key != "extensions"}
    return [_glb(json.dumps(each).encode(), binary) for each in (document, plain)]


def _glb(text: bytes, binary: bytes) -> bytes:
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    length = 28 + len(text) + len(binary)
    head = struct.pack("<5I", 0x46546C67, 2, length, len(text), 0x4E4F534A)
    return head + text + struct.pack("<2I", len(binary), 0x004E4942) + binary


def check_request(data: bytes) -> str:
    """What a page of the panel asks for."""

    def read() -> None:
        request = viewer._parse(data.decode("utf-8", "replace"))
        if request.name == "pace":
            viewer._pace(request.payload)
        elif request.name == "upload":
            upload = viewer._Upload(request)
            assert 0 < upload.size <= viewer.MAX_UPLOAD_BYTES

    return refused(read, ProtocolError)


def request_seeds() -> list[bytes]:
    """One of each kind that is read further."""
    payloads = [
        ("pace", {"motion_hz": 5, "picture_hz": 4, "figures_hz": 1, "picture_px": 320}),
        ("upload", {"file": "a.vrm", "size": 1000}),
        ("set", {"key": "smooth.smoothness", "value": 0.3}),
        ("visible", {"on": True}),
    ]
    return [json.dumps({"name": n, "id": 1, "payload": p}).encode() for n, p in payloads]


def check_calibration(data: bytes) -> str:
    """A stored lens and place of a camera, and a stored person."""
    file = as_file(data, "calibration.toml")

    def read() -> None:
        stored._read(file, stored.StoredPerson if b"slot" in data else stored.StoredCamera)

    return refused(read, ConfigError)


def calibration_seeds() -> list[bytes]:
    """A camera and a person."""
    return [
        b'name = "camera 0"\n[floor]\nheight_m = 1.5\npitch_deg = -10.0\nroll_deg = 0.5\n',
        b'name = "me"\nslot = 0\nheight_m = 1.8\nscale = 1.02\nbackend = "x"\nratios = [1.0]\n',
    ]


def targets() -> list[Target]:
    """All of them."""
    numbers = (b"nan", b"inf", b"-1", b"1e308", b"99999999999", b"0", b"null", b"[]", b"{}")
    return [
        Target("skin", check_skin, skin_seeds, (b'"count":', b'"byteOffset":', *numbers)),
        Target("panel request", check_request, request_seeds, (b'"payload":', *numbers)),
        Target(
            "calibration", check_calibration, calibration_seeds,
            (b"[[lenses]]\n", b"width = 640\n", b"height = 480\n", b"[floor]\n", *numbers),
        ),
    ]  # fmt: skip
