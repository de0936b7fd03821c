"""What is sent to the page in binary: a kind, a JSON head, and arrays as they lie in memory.

    u32 kind, u32 length of the head, head (JSON, filled up with spaces to 4 bytes), payload

All numbers are little-endian; arrays are float32 unless the head says otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec
import numpy as np

from posestream.arrays import F64, I64
from posestream.types import AvatarFrame, TrackState

_PREFIX = struct.Struct("<II")


class Kind(IntEnum):
    """What a binary message holds."""

    MOTION = 1
    PICTURE = 2
    MESH = 3


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One camera picture and who was seen in it."""

    index: int
    size_px: tuple[int, int]  # of the JPEG
    xy: F64  # (N, J, 2) joints as shares of the picture's width and height; NaN: unknown
    score: F64  # (N, J)
    slot: I64  # (N,) -1: not yet known as a person
    jpeg: bytes


def pack(kind: Kind, head: dict[str, Any], payload: Iterable[bytes]) -> bytes:
    """One message."""
    text = msgspec.json.encode(head)
    text += b" " * (-len(text) % 4)
    return b"".join((_PREFIX.pack(kind, len(text)), text, *payload))


def pack_motion(frame: AvatarFrame) -> bytes:
    """Roots (N, 3), local rotations (N, B, 4) and bone positions (N, B, 3)."""
    there = np.asarray(frame.state) != TrackState.LOST
    head = {
        "index": frame.index,
        "t_ms": frame.t_capture_ns / 1e6,
        "slot": frame.slot[there].tolist(),
        "id": frame.track_id[there].tolist(),
        "held": (frame.state[there] == TrackState.HELD).tolist(),
        "confidence": np.round(frame.confidence[there], 3).tolist(),
        "hip_m": frame.hip_height_m[there].tolist(),
    }
    arrays = (frame.root_world_m, frame.quat_local_xyzw, frame.position_world_m)
    return pack(Kind.MOTION, head, (_f32(array[there]) for array in arrays))


def pack_picture(shot: Shot) -> bytes:
    """Joints (N, J, 3): place and score; then the JPEG."""
    joints = np.concatenate([shot.xy, shot.score[..., None]], axis=-1)
    head = {
        "index": shot.index, "size": shot.size_px, "slot": shot.slot.tolist(),
        "joints": list(joints.shape[:2]),
    }  # fmt: skip
    return pack(Kind.PICTURE, head, (_f32(joints), shot.jpeg))


def _f32(array: Any) -> bytes:
    return np.ascontiguousarray(array, dtype="<f4").tobytes()
