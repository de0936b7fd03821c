"""The stream's bytes as they are for ever: committed frames, read back without our codec.

After a deliberate change of the protocol: delete the files in ``stream/``, run this test
once (it writes them anew and fails), and raise ``PROTOCOL_VERSION``.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from posestream.geometry.rotation import from_rotvec
from posestream.skeleton.humanoid import NUM_BONES
from posestream.types import AvatarFrame, Camera
from posestream.wire import codec
from posestream.wire.messages import (
    RECORDED,
    Axes,
    Encoding,
    Event,
    EventKind,
    Hello,
    Rotations,
    StampedFrame,
    StreamFormat,
    stamped,
)

FOLDER = Path(__file__).parent / "stream"
UNITY = StreamFormat()
PACKED = StreamFormat(rotations=Rotations.PACKED)
JSON = StreamFormat(Encoding.JSON, Axes.GLTF)


def tiny_frame() -> StampedFrame:
    """One person whose bone b is turned by b hundredths of a radian about x, y, z in turn."""
    rotvec = np.zeros((1, NUM_BONES, 3))
    bones = np.arange(NUM_BONES)
    rotvec[0, bones, bones % 3] = bones / 100
    quat = from_rotvec(rotvec)
    root = np.array([[0.25, 0.875, -2.0]])
    frame = AvatarFrame(
        42, 1_000_000_007, np.array([2]), np.array([5_000_000_000]), np.array([1]),
        np.array([0.75]), root, quat[:, 0], quat, root[:, None] + rotvec,
        (bones % 2 == 0)[None], np.array([0.92]), np.array([[0.5, 0.25]]),
    )  # fmt: skip
    return stamped(frame, 1_000_000_009, 1_700_000_000_000_000_000)


def hello() -> Hello:
    camera = Camera(np.array([[500.0, 0, 319.5], [0, 500, 239.5], [0, 0, 1]]), (640, 480))
    return Hello("0.1", camera, 30.0, t_monotonic_ns=7, utc_offset_ns=8)


MESSAGES = {
    "frame_unity.bin": (tiny_frame(), UNITY),
    "frame_packed.bin": (tiny_frame(), PACKED),
    "frame_recorded.bin": (tiny_frame(), RECORDED),
    "frame_gltf.json": (tiny_frame(), JSON),
    "hello_unity.bin": (hello(), UNITY),
    "hello_gltf.json": (hello(), JSON),
    "event.bin": (Event(EventKind.PERSON_APPEARED, 9, 2, 5, "hi"), UNITY),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_bytes_stay_as_they_are(name: str) -> None:
    data = codec.encode(*MESSAGES[name])  # type: ignore[arg-type]
    path = FOLDER / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        pytest.fail(f"{name} was missing and has been written: check and commit it.")
    assert data == path.read_bytes()


def test_the_golden_frame_read_by_hand() -> None:
    data = (FOLDER / "frame_unity.bin").read_bytes()
    assert data[:4] == b"PS\x01\x02"
    assert struct.unpack_from("<I", data, 4) == (len(data),)
    assert struct.unpack_from("<HHI", data, 8) == (1, 0, 40)
    head = struct.unpack_from("<QqqqHHHBB", data, 16)
    assert head == (42, 1_000_000_007, 1_000_000_009, 1_700_000_000_000_000_000, 1, 55, 2, 0, 0)
    assert struct.unpack_from("<HHI", data, 56) == (2, 0, 56)
    person = struct.unpack_from("<qHBBff3f4fQ", data, 64)
    assert person[:4] == (5_000_000_000, 2, 1, 0)
    np.testing.assert_allclose(person[4:13], [0.75, 0.92, -0.25, 0.875, -2, 0, 0, 0, 1], atol=1e-7)
    assert person[13] == sum(1 << bone for bone in range(0, 55, 2))
    assert struct.unpack_from("<HHI", data, 120) == (3, 0, 55 * 16)
    quats = np.frombuffer(data, "<f4", 55 * 4, 128).reshape(55, 4)
    np.testing.assert_allclose(quats[3], [np.sin(0.015), 0, 0, np.cos(0.015)], atol=1e-7)
    np.testing.assert_allclose(quats[4], [0, -np.sin(0.02), 0, np.cos(0.02)], atol=1e-7)
    assert struct.unpack_from("<HHI2f", data, 128 + 880) == (6, 0, 8, 0.5, 0.25)
    assert len(data) == 128 + 880 + 16
