"""The protocol, declared once: the codecs work from it, docs and C# constants come from it.

Adding a section or a message kind keeps the protocol compatible: readers skip what they do
not know. Changing or removing anything needs a new ``PROTOCOL_VERSION``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from posestream.skeleton.humanoid import NUM_BONES
from posestream.types import TrackState
from posestream.wire.layout import Array, Blob, Field, Json, MessageType, Names, Record, Text

PROTOCOL_VERSION: Final = 1
MAGIC: Final = b"PS"
HEADER_BYTES: Final = 8  # magic, version u8, kind u8, length of the whole message u32
SECTION_HEADER_BYTES: Final = 8  # id u16, reserved u16, length of the payload u32

SUBPROTOCOL_BINARY: Final = "posestream.v1"
SUBPROTOCOL_JSON: Final = "posestream.v1+json"

MAX_MESSAGE_BYTES: Final = 8 << 20
MAX_PEOPLE: Final = 64
MAX_BONES: Final = 128
MAX_EXPRESSIONS: Final = 256
MAX_SECTIONS: Final = 64
MAX_TOKEN_BYTES: Final = 256
MAX_CONTROL_BYTES: Final = 16 << 10
MAX_REPLY_BYTES: Final = 64 << 10


class Axes(IntEnum):
    """The coordinate system of positions and rotations."""

    UNITY = 0  # left-handed, x right, Y up, metres
    GLTF = 1  # right-handed, Y up, a person who faces the camera faces +Z, metres


class Rotations(IntEnum):
    """How bone rotations are written in binary frames."""

    FLOAT32 = 0  # x y z w, 16 bytes a bone
    PACKED = 1  # smallest three, 6 bytes a bone, error below 0.01 degrees


class EventKind(IntEnum):
    """What happened."""

    PERSON_APPEARED = 1
    PERSON_LOST = 2
    CALIBRATION_CHANGED = 3
    SOURCE_LOST = 4
    SOURCE_RECOVERED = 5
    RECORDING_STOPPED = 6


class Switch(IntEnum):
    """Off or on."""

    OFF = 0
    ON = 1


def _flag(name: str, doc: str) -> Field:
    return Field(name, "u8", doc, enum=Switch)


_AXES = Field("axes", "u8", "coordinate system of this message", enum=Axes)
_UTC = Field("utc_offset_ns", "i64", "add to a monotonic time to get UTC since 1970, ns")

HELLO: Final = MessageType(
    1, "hello", "server",
    "First message on every connection; sent again when calibration or skeleton changes.",
    (
        Record(1, "hello", "Head.", (
            Field("t_monotonic_ns", "i64", "the server's monotonic clock at sending, ns"),
            _UTC,
            Field("source_fps", "f64", "frames per second of the source; 0 = not known", low=0),
            Field("bones", "u16", "number of bones", count_of="bones", high=MAX_BONES),
            Field("expressions", "u16", "number of expressions", count_of="expressions",
                  high=MAX_EXPRESSIONS),
            Field("slots", "u16", "most people sent at once; slots run from 0"),
            Field("distortion", "u16", "number of distortion coefficients",
                  count_of="distortion", high=14),
            _AXES,
            Field("rotations", "u8", "how this connection's binary frames write rotations",
                  enum=Rotations),
            _flag("positions", "whether this connection's frames carry bone positions"),
            Field("reserved", "u8", "0"),
        )),
        Text(2, "daemon_version", "Version of the program that sends.", 64),
        Text(3, "convention", "Units, axes and quaternion order, in words.", 512),
        Names(4, "bone_names", "HumanBodyBones names; a bone's index is its place.", "bones"),
        Array(5, "parents", "Index of each bone's parent, -1 for the Hips.", "i16", ("bones",)),
        Array(6, "rest_offsets",
              "Position of each bone in its parent's frame in the T-pose, metres.",
              "f32", ("bones", 3)),
        Names(7, "expression_names", "Names of the expression weights.", "expressions"),
        Record(8, "camera", "The camera, so that a virtual one can match it.", (
            Field("width_px", "u32", "width of the picture", high=65536),
            Field("height_px", "u32", "height of the picture", high=65536),
            Field("K_px", "f64", "intrinsics, row by row; pixel centres at whole numbers",
                  (3, 3)),
            Field("T_world_cam", "f64",
                  "pose, row by row. Camera axes are the engine's own: x right, Y up, looking "
                  "along +Z (unity) or -Z (gltf)", (4, 4)),
        )),
        Array(9, "distortion", "OpenCV coefficients k1 k2 p1 p2 k3 …", "f64", ("distortion",)),
    ),
)  # fmt: skip

FRAME: Final = MessageType(
    2, "frame", "server", "Everybody at one instant. Newest wins: a slow client misses frames.",
    (
        Record(1, "frame", "Head.", (
            Field("sequence", "u64", "number of the frame in its source; gaps are frames left out"),
            Field("t_capture_ns", "i64", "when the light fell in, server's monotonic clock, ns"),
            Field("t_publish_ns", "i64", "when the frame was encoded, same clock, ns"),
            _UTC,
            Field("people", "u16", "number of people", count_of="people", high=MAX_PEOPLE),
            Field("bones", "u16", "number of bones", count_of="bones", low=NUM_BONES,
                  high=NUM_BONES),
            Field("expressions", "u16", "number of expressions, 0 without a face",
                  count_of="expressions", high=MAX_EXPRESSIONS),
            _AXES,
            Field("reserved", "u8", "0"),
        )),
        Record(2, "people", "Who, where, and how sure.", (
            Field("track_id", "i64", "identity, never reused within a run"),
            Field("slot", "u16", "smallest free number, stable while the person is there"),
            Field("state", "u8", "what is known of the person", enum=TrackState),
            Field("reserved", "u8", "0"),
            Field("confidence", "f32", "0 to 1, fades while held", low=0, high=1),
            Field("hip_height_m", "f32", "hips above the floor when standing upright; scale "
                  "travel by it"),
            Field("root_position", "f32", "of the Hips, metres", (3,)),
            Field("root_rotation", "f32", "of the Hips, x y z w", (4,)),
            Field("bone_valid", "u64", "bones that are known", bits_of="bones"),
        ), per="people"),
        Array(3, "rotations", "Normalised local rotation of each bone, x y z w (identity in the "
              "T-pose; Hips: in the world).", "f32", ("people", "bones", 4), optional=True),
        Array(4, "rotations_packed", "The same as smallest three; binary only, instead of "
              "`rotations`.", "u16", ("people", "bones", 3), optional=True),
        Array(5, "positions", "Position of each bone in the world, metres; NaN (null) = unknown.",
              "f32", ("people", "bones", 3), optional=True, nan=True),
        Array(6, "expressions", "Expression weights, 0 to 1, in the order of the hello.",
              "f32", ("people", "expressions"), optional=True),
    ),
)  # fmt: skip

EVENT: Final = MessageType(
    3, "event", "server", "Something happened. Never left out.",
    (
        Record(1, "event", "Head.", (
            Field("t_ns", "i64", "when, server's monotonic clock, ns"),
            Field("track_id", "i64", "of the person concerned, -1 for none"),
            Field("slot", "i32", "of the person concerned, -1 for none"),
            Field("event", "u8", "what happened", enum=EventKind),
            Field("reserved", "u8", "0", (3,)),
        )),
        Text(2, "text", "The same in words.", 1024, optional=True),
    ),
)  # fmt: skip

CLOCK_REQUEST: Final = MessageType(
    4, "clock_request", "client", "Asks for the server's clock.",
    (Record(1, "clock_request", "Head.", (
        Field("t_client_ns", "i64", "the client's clock at sending, ns; any zero"),
    )),),
)  # fmt: skip

CLOCK_REPLY: Final = MessageType(
    5, "clock_reply", "server",
    "With t_received at the client: offset = ((t_server_received - t_client) + (t_server_sent "
    "- t_received)) / 2, round trip = (t_received - t_client) - (t_server_sent - "
    "t_server_received).",
    (Record(1, "clock_reply", "Head.", (
        Field("t_client_ns", "i64", "as asked"),
        Field("t_server_received_ns", "i64", "server's monotonic clock when the request came, ns"),
        Field("t_server_sent_ns", "i64", "server's monotonic clock when the reply left, ns"),
        _UTC,
    )),),
)  # fmt: skip

CONTROL: Final = MessageType(
    6, "control", "client", "Asks the daemon to do something; needs the token.",
    (
        Record(1, "control", "Head.", (Field("id", "u32", "repeated in the reply"),)),
        Text(2, "name", "What to do.", 64),
        Json(3, "payload", "Arguments.", MAX_CONTROL_BYTES, optional=True),
        Text(4, "token", "Needed unless the connection was opened with it.", MAX_TOKEN_BYTES,
             optional=True),
    ),
)  # fmt: skip

REPLY: Final = MessageType(
    7, "reply", "server", "Answers `control` and `subscribe`.",
    (
        Record(1, "reply", "Head.", (
            Field("id", "u32", "of the request"),
            _flag("ok", "1 = done, 0 = refused"),
            Field("reserved", "u8", "0", (3,)),
        )),
        Text(2, "reason", "Why it was refused.", 4096, optional=True),
        Json(3, "result", "What came of it.", MAX_REPLY_BYTES, optional=True),
    ),
)  # fmt: skip

PICTURE: Final = MessageType(
    8, "picture", "server", "The camera's picture, throttled; needs the token.",
    (
        Record(1, "picture", "Head.", (
            Field("sequence", "u64", "number of the frame in its source"),
            Field("t_capture_ns", "i64", "when the light fell in, server's monotonic clock, ns"),
            Field("width_px", "u32", "width", high=65536),
            Field("height_px", "u32", "height", high=65536),
        )),
        Blob(2, "jpeg", "The picture as JPEG.", MAX_MESSAGE_BYTES - 4096),
    ),
)  # fmt: skip

SUBSCRIBE: Final = MessageType(
    9, "subscribe", "client", "Chooses what this connection gets; a new hello follows.",
    (
        Record(1, "subscribe", "Head.", (
            Field("id", "u32", "repeated in the reply"),
            Field("rate_hz", "f32", "most frames per second, 0 = all", low=0, high=1000),
            _AXES,
            Field("rotations", "u8", "how binary frames write rotations", enum=Rotations),
            _flag("positions", "whether frames carry bone positions"),
            _flag("picture", "whether pictures are wanted (needs the token)"),
        )),
        Text(2, "token", "Needed for pictures unless the connection was opened with it.",
             MAX_TOKEN_BYTES, optional=True),
    ),
)  # fmt: skip

MESSAGES: Final = (
    HELLO, FRAME, EVENT, CLOCK_REQUEST, CLOCK_REPLY, CONTROL, REPLY, PICTURE, SUBSCRIBE,
)  # fmt: skip
BY_KIND: Final = {message.kind: message for message in MESSAGES}
BY_NAME: Final = {message.name: message for message in MESSAGES}
ENUMS: Final[tuple[type[IntEnum], ...]] = (Axes, Rotations, TrackState, EventKind)
