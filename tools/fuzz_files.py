"""Fuzzed: files that others may have made. See ``fuzz_target`` for the promises."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Final, cast

import numpy as np

from posestream import config
from posestream.arrays import I64
from posestream.capture.replay import ReplayReader
from posestream.errors import AvatarError, BackendError, ConfigError, RecordingError
from posestream.estimate.backends import onnx
from posestream.publish.load import scripted_frame
from posestream.publish.recorder import RawFile, RecordingWriter
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.humanoid import BONES
from posestream.skeleton.rig import load_rig
from posestream.types import Camera
from posestream.wire import codec, recording
from posestream.wire.messages import RECORDED, Hello, stamped
from tools.fuzz_target import Target, as_file, refused

CAMERA: Final = Camera(np.eye(3) * 500.0, (640, 480))


def check_recording(data: bytes) -> str:
    """A ``.psrec`` file."""

    def read() -> None:
        reader = ReplayReader(as_file(data, "a.psrec"))
        assert reader.fps is None or np.isfinite(reader.fps)
        for message in reader.messages():
            codec.encode(message, RECORDED)

    return refused(read, RecordingError)


def check_entries(data: bytes) -> str:
    """Entries whose checksums fit whatever is in them: texts between lines of ``---``."""
    start, *rest = data.split(b"---")
    file = recording.pack_header(5) + b"".join(recording.pack_entry(9, p) for p in (start, *rest))
    tail = rest[-1] if rest else b""
    table: I64 = np.frombuffer(tail[: len(tail) // 16 * 16], "<i8").astype(np.int64)
    return check_recording(file + recording.pack_index(9, table.reshape(-1, 2), len(file)))


def entry_seeds() -> list[bytes]:
    """A hello, frames, an index."""
    hello = codec.encode(Hello("1", CAMERA, 30.0), RECORDED)
    frame = codec.encode(stamped(scripted_frame(1, 1, 1000), 2000, 3), RECORDED)
    return [b"---".join([hello, frame, bytes(32)]), hello, b"---".join([hello, hello, b"x" * 40])]


class _Memory:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes, /) -> int:
        self.data += data
        return len(data)

    def truncate(self, size: int, /) -> int:
        return size

    def close(self) -> None:
        pass


def recording_seeds() -> list[bytes]:
    """Complete, cut off, empty."""
    file = _Memory()
    writer = RecordingWriter(cast(RawFile, file), 5)
    writer.write(Hello("1", CAMERA, 30.0))
    for i in range(3):
        writer.write(stamped(scripted_frame(i, 1, i * 1000), i * 1000 + 5, 3))
    cut = file.data
    writer.close()
    return [file.data, cut, cut[:-40], file.data[:24]]


def check_config(data: bytes) -> str:
    """A configuration file."""
    return refused(lambda: config.load(str(as_file(data, "a.toml"))), ConfigError)


def config_seeds() -> list[bytes]:
    """Every preset that ships."""
    return [path.read_bytes() for path in config.preset_files().values()]


def _check_rig(data: bytes, name: str) -> str:
    def read() -> None:
        rig = load_rig(as_file(data, name))
        for values in (rig.rest_offset_m, rig.rest_quat_world_xyzw, rig.rest_position_world_m):
            assert np.isfinite(values).all(), "a rig that is not finite"
        np.testing.assert_allclose(np.linalg.norm(rig.rest_quat_local_xyzw, axis=1), 1.0, atol=1e-6)

    return refused(read, AvatarError)


def check_gltf(data: bytes) -> str:
    """A VRM, glTF or GLB avatar."""
    return _check_rig(data, "a.glb" if data.startswith(b"glTF") else "a.gltf")


def gltf_seeds() -> list[bytes]:
    """VRM 1.0 and 0.x, as text and in a container."""
    nodes = [{"name": n, "translation": [0.01 * i, 1.0, 0.0]} for i, n in enumerate(BONES)]
    nodes[0]["children"] = list(range(1, len(BONES)))
    names = {name[0].lower() + name[1:]: {"node": i} for i, name in enumerate(BONES)}
    one = {"asset": {"version": "2.0"}, "nodes": nodes, "scenes": [{"nodes": [0]}],
           "extensions": {"VRMC_vrm": {"humanoid": {"humanBones": names}}}}  # fmt: skip
    old = [{"bone": name, "node": value["node"]} for name, value in names.items()]
    zero = one | {"extensions": {"VRM": {"humanoid": {"humanBones": old}}}}
    texts = [json.dumps(document).encode() for document in (one, zero)]
    return [*texts, *map(_glb, texts)]


def _glb(text: bytes) -> bytes:
    text += b" " * (-len(text) % 4)
    return struct.pack("<5I", 0x46546C67, 2, 20 + len(text), len(text), 0x4E4F534A) + text


def check_bvh(data: bytes) -> str:
    """A BVH motion."""

    def read() -> None:
        clip = read_bvh(as_file(data, "a.bvh"))
        assert np.isfinite(clip.fps)

    return refused(read, AvatarError)


def bvh_seeds() -> list[bytes]:
    """Two joints, two frames."""
    return [
        b"HIERARCHY\nROOT Hips\n{\n OFFSET 0 90 0\n CHANNELS 6 Xposition Yposition Zposition "
        b"Zrotation Xrotation Yrotation\n JOINT Spine\n {\n  OFFSET 0 10 0\n  CHANNELS 3 "
        b"Zrotation Xrotation Yrotation\n  End Site\n  {\n   OFFSET 0 5 0\n  }\n }\n}\nMOTION\n"
        b"Frames: 2\nFrame Time: 0.033\n0 90 0 1 2 3 4 5 6\n0 91 0 2 3 4 5 6 7\n"
    ]


class _Session:
    """What ONNX Runtime tells of a file, with the metadata that the file claims."""

    def __init__(self, text: str) -> None:
        self.custom_metadata_map = {"config": text, "thresholds": text}

    def get_modelmeta(self) -> _Session:
        return self


def check_weights(data: bytes) -> str:
    """The configuration and thresholds inside a weight file; ONNX Runtime gives them as text."""
    session = _Session(data.decode("utf-8", "replace"))

    def read() -> None:
        onnx.read_thresholds(session, Path("network.onnx"))
        onnx.read_config(session, Path("network.onnx"), onnx.Stored)

    return refused(read, BackendError)


def weights_seeds() -> list[bytes]:
    """Both networks' configurations, in short."""
    shape = {"joints": "mupots17", "input_width": 448}
    bins = {"near": 1.0, "far": 64.0, "count": 141}
    some = [{"joints": "mupots17"}, {"rrmp": shape, "bins": bins}, {"joints": None, "bins": None},
            {"min_joint": 0.3, "min_limb": 0.15, "min_joints": 8}]  # fmt: skip
    return [json.dumps(config).encode() for config in some]


def targets() -> list[Target]:
    """All of them."""
    numbers = (b"nan", b"inf", b"-1", b"1e308", b"99999999999", b"0")
    return [
        Target("weights", check_weights, weights_seeds, (b'"bins":', b"null", b"{}", *numbers)),
        Target("recording", check_recording, recording_seeds, (b"PSINDEX\0", b"PSRECEND")),
        Target("recording entries", check_entries, entry_seeds, (b"---", b"PSINDEX\0")),
        Target(
            "config", check_config, config_seeds, (b"[[vmc]]\n", b"[", b"=", b"'", b"off", *numbers)
        ),
        Target(
            "avatar", check_gltf, gltf_seeds,
            (b'"children":[0]', b'"scale":[0,0,0]', b'"rotation":[0,0,0,0]', b"null",
             b'"matrix":[]', b"[]", b"{}", *numbers),
        ),
        Target(
            "bvh", check_bvh, bvh_seeds, (b"JOINT x {", b"}", b"CHANNELS", b"Frames:", *numbers)
        ),
    ]  # fmt: skip
