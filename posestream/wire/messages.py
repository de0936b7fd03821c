"""What the protocol says, as Python values. World frame (right-handed, Y up), metres."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np

from posestream.arrays import F64
from posestream.skeleton.humanoid import BONES, PARENT, REST_OFFSET_M
from posestream.types import EXPRESSIONS, AvatarFrame, Camera
from posestream.wire.schema import Axes, EventKind, Rotations

__all__ = [
    "RECORDED", "Axes", "ClockReply", "ClockRequest", "Control", "Encoding", "Event", "EventKind",
    "Hello", "Message", "Picture", "Reply", "Rotations", "StampedFrame", "StreamFormat",
    "Subscribe", "Unknown", "stamped",
]  # fmt: skip


class Encoding(IntEnum):
    """The two sub-protocols."""

    BINARY = 0
    JSON = 1


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """How frames are written for one client; frames of equal formats are equal bytes."""

    encoding: Encoding = Encoding.BINARY
    axes: Axes = Axes.UNITY
    rotations: Rotations = Rotations.FLOAT32
    positions: bool = False


RECORDED: Final = StreamFormat(Encoding.BINARY, Axes.GLTF, Rotations.FLOAT32, positions=True)
"""The format of recordings: nothing is lost but float64 becoming float32."""


@dataclass(frozen=True, slots=True, eq=False)
class StampedFrame(AvatarFrame):
    """An avatar frame that knows when it was published: what decoders return."""

    t_publish_ns: int = field(kw_only=True)  # monotonic clock
    utc_offset_ns: int = field(kw_only=True)  # add to monotonic times to get UTC since 1970


def stamped(frame: AvatarFrame, t_publish_ns: int, utc_offset_ns: int) -> StampedFrame:
    """The frame with a publish time; one that has its own (from a recording) keeps it."""
    if isinstance(frame, StampedFrame):
        return frame
    return StampedFrame(
        frame.index, frame.t_capture_ns, frame.slot, frame.track_id, frame.state,
        frame.confidence, frame.root_world_m, frame.root_quat_world_xyzw,
        frame.quat_local_xyzw, frame.places, frame.bone_valid, frame.hip_height_m,
        frame.expressions, t_publish_ns=t_publish_ns, utc_offset_ns=utc_offset_ns,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Hello:
    """What a client must know before the first frame."""

    daemon_version: str
    camera: Camera
    source_fps: float | None = None
    slots: int = 8
    bones: tuple[str, ...] = BONES
    parents: tuple[int, ...] = PARENT
    rest_offset_m: F64 = field(default_factory=lambda: np.asarray(REST_OFFSET_M))  # (B, 3)
    expressions: tuple[str, ...] = EXPRESSIONS
    t_monotonic_ns: int = 0
    utc_offset_ns: int = 0
    format: StreamFormat = RECORDED


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened; ``slot`` and ``track_id`` are -1 where nobody is concerned."""

    kind: EventKind
    t_ns: int
    slot: int = -1
    track_id: int = -1
    text: str = ""


@dataclass(frozen=True, slots=True)
class ClockRequest:
    """A client asks for the time."""

    t_client_ns: int


@dataclass(frozen=True, slots=True)
class ClockReply:
    """The server's answer; ``offset_ns`` and ``round_trip_ns`` are for the client."""

    t_client_ns: int
    t_server_received_ns: int
    t_server_sent_ns: int
    utc_offset_ns: int

    def offset_ns(self, t_received_ns: int) -> float:
        """Server clock minus client clock, exact if both ways took the same time."""
        there = self.t_server_received_ns - self.t_client_ns
        back = self.t_server_sent_ns - t_received_ns
        return (there + back) / 2

    def round_trip_ns(self, t_received_ns: int) -> int:
        """Time on the way, without the server's own."""
        return (t_received_ns - self.t_client_ns) - (
            self.t_server_sent_ns - self.t_server_received_ns
        )


@dataclass(frozen=True, slots=True)
class Control:
    """A client asks the daemon to do something."""

    id: int
    name: str
    payload: dict[str, Any] = field(default_factory=dict)
    token: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a control or subscribe message."""

    id: int
    ok: bool
    reason: str = ""
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """The camera's picture as JPEG."""

    sequence: int
    t_capture_ns: int
    size_px: tuple[int, int]  # (width, height)
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A client chooses what it gets; ``rate_hz`` 0 means every frame."""

    id: int = 0
    rate_hz: float = 0.0
    axes: Axes = Axes.UNITY
    rotations: Rotations = Rotations.FLOAT32
    positions: bool = False
    picture: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A well-formed message of a kind that this version does not know: to be skipped."""

    kind: int | str


Message = (
    Hello | StampedFrame | Event | ClockRequest | ClockReply | Control | Reply | Picture
    | Subscribe | Unknown
)  # fmt: skip
