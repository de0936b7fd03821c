"""Messages to and from bytes, in both encodings. No sockets, no clocks.

``decode(encode(frame))`` is exact at float32 in the binary encoding with float32 rotations.
Hostile bytes raise ProtocolError and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64
from posestream.errors import ProtocolError
from posestream.types import Camera
from posestream.wire import binary, frame_codec, json_codec
from posestream.wire import schema as s
from posestream.wire.document import Document
from posestream.wire.layout import MessageType, Record
from posestream.wire.messages import (
    RECORDED,
    Axes,
    ClockReply,
    ClockRequest,
    Control,
    Encoding,
    Event,
    EventKind,
    Hello,
    Message,
    Picture,
    Reply,
    Rotations,
    StampedFrame,
    StreamFormat,
    Subscribe,
    Unknown,
)

CONVENTION: Final = {
    Axes.UNITY: "metres; left-handed, x right, Y up (Unity); quaternions x y z w; T-pose identity",
    Axes.GLTF: "metres; right-handed, Y up, facing the camera is +Z (glTF, VRM 1.0); "
    "quaternions x y z w; T-pose identity",
}
# Camera axes of OpenCV (x right, y down, z forward) to the engine's own.
_CAMERA_AXES: Final = {
    Axes.UNITY: np.diag([1.0, -1.0, 1.0, 1.0]),
    Axes.GLTF: np.diag([1.0, -1.0, -1.0, 1.0]),
}
_WORLD_AXES: Final = {Axes.UNITY: np.diag([-1.0, 1.0, 1.0, 1.0]), Axes.GLTF: np.eye(4)}


def encode(message: Message, fmt: StreamFormat = RECORDED) -> bytes:
    """The message's bytes; for ``Encoding.JSON`` UTF-8 text.

    Raises ProtocolError where something exceeds the protocol's limits.
    """
    kind, document = _to_document(message, fmt)
    if fmt.encoding is Encoding.JSON:
        return json_codec.pack(kind, document)
    return binary.pack(kind, document)


def decode(data: bytes | memoryview | str) -> Message:
    """The message in bytes (binary encoding) or text (JSON encoding).

    Raises ProtocolError for anything that is not a complete, well-formed message.
    """
    kind: MessageType | None
    number: int | str
    if isinstance(data, str):
        kind, number, document = json_codec.unpack(data)
    else:
        kind, number, document = binary.unpack(data)
    return Unknown(number) if kind is None else _FROM[kind.name](document)


def _row(record: Record, *values: Any) -> NDArray[Any]:
    padding = (np.zeros(f.shape, np.uint8) for f in record.fields[len(values) :])
    try:
        return np.array((*values, *padding), dtype=record.dtype)
    except (OverflowError, ValueError, TypeError) as error:
        raise ProtocolError(f"A value does not fit in the {record.name} record.") from error


def _to_document(message: Message, fmt: StreamFormat) -> tuple[MessageType, Document]:
    match message:
        case StampedFrame():
            return s.FRAME, frame_codec.to_document(message, fmt)
        case Hello():
            return s.HELLO, _hello(message, fmt)
        case Event(kind, t_ns, slot, track_id, text):
            head = _row(s.EVENT.head, t_ns, track_id, slot, int(kind))
            return s.EVENT, {"event": head} | _given(text=_shortened(text, 1024))
        case ClockRequest(t_client):
            return s.CLOCK_REQUEST, {"clock_request": _row(s.CLOCK_REQUEST.head, t_client)}
        case ClockReply(t_client, received, sent, utc):
            head = _row(s.CLOCK_REPLY.head, t_client, received, sent, utc)
            return s.CLOCK_REPLY, {"clock_reply": head}
        case Control(id_, name, payload, token):
            head = _row(s.CONTROL.head, id_)
            return s.CONTROL, {"control": head, "name": name} | _given(payload=payload, token=token)
        case Reply(id_, ok, reason, result):
            head = _row(s.REPLY.head, id_, ok)
            return s.REPLY, {"reply": head} | _given(reason=_shortened(reason, 4096), result=result)
        case Picture(sequence, t_ns, size_px, jpeg):
            head = _row(s.PICTURE.head, sequence, t_ns, *size_px)
            return s.PICTURE, {"picture": head, "jpeg": jpeg}
        case Subscribe():
            return s.SUBSCRIBE, _subscribe(message)
        case Unknown(kind):
            raise ProtocolError(f"A message of the unknown kind {kind} cannot be encoded.")


def _given(**sections: Any) -> Document:
    return {name: value for name, value in sections.items() if value}


def _shortened(text: str, max_bytes: int) -> str:
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def _hello(hello: Hello, fmt: StreamFormat) -> Document:
    head = _row(
        s.HELLO.head, hello.t_monotonic_ns, hello.utc_offset_ns, hello.source_fps or 0.0,
        len(hello.bones), len(hello.expressions), hello.slots, hello.camera.distortion.size,
        fmt.axes, fmt.rotations, fmt.positions,
    )  # fmt: skip
    signs = np.diag(_WORLD_AXES[fmt.axes])[:3]
    width, height = hello.camera.size_px
    camera = s.HELLO.by_name["camera"]
    assert isinstance(camera, Record)
    return {
        "hello": head,
        "daemon_version": hello.daemon_version,
        "convention": CONVENTION[fmt.axes],
        "bone_names": hello.bones,
        "parents": np.array(hello.parents, "<i2"),
        "rest_offsets": (hello.rest_offset_m * signs).astype("<f4"),
        "expression_names": hello.expressions,
        "camera": _row(
            camera, width, height, hello.camera.K_px,
            _changed_pose(hello.camera.T_world_cam, fmt.axes),
        ),
        "distortion": hello.camera.distortion.astype("<f8"),
    }  # fmt: skip


def _changed_pose(T_world_cam: F64, axes: Axes) -> F64:
    """Between our world and OpenCV's camera, and the engine's; signs only: its own inverse."""
    return np.asarray(_WORLD_AXES[axes] @ T_world_cam @ _CAMERA_AXES[axes])


def _subscribe(message: Subscribe) -> Document:
    head = _row(
        s.SUBSCRIBE.head, message.id, message.rate_hz, message.axes, message.rotations,
        message.positions, message.picture,
    )  # fmt: skip
    return {"subscribe": head} | _given(token=message.token)


def _from_hello(document: Document) -> Hello:
    head, camera = document["hello"], document["camera"]
    axes = Axes(int(head["axes"]))
    signs = np.diag(_WORLD_AXES[axes])[:3]
    return Hello(
        daemon_version=document["daemon_version"],
        camera=Camera(
            camera["K_px"].astype(np.float64),
            (int(camera["width_px"]), int(camera["height_px"])),
            np.array(document["distortion"], np.float64),
            _changed_pose(camera["T_world_cam"].astype(np.float64), axes),
        ),
        source_fps=float(head["source_fps"]) or None,
        slots=int(head["slots"]),
        bones=document["bone_names"],
        parents=_parents(document["parents"]),
        rest_offset_m=document["rest_offsets"].astype(np.float64) * signs,
        expressions=document["expression_names"],
        t_monotonic_ns=int(head["t_monotonic_ns"]),
        utc_offset_ns=int(head["utc_offset_ns"]),
        format=StreamFormat(
            Encoding.BINARY, axes, Rotations(int(head["rotations"])), bool(head["positions"])
        ),
    )


def _parents(parents: NDArray[np.int16]) -> tuple[int, ...]:
    if ((parents < -1) | (parents >= len(parents))).any():
        raise ProtocolError("A bone's parent is not one of the bones.")
    return tuple(int(p) for p in parents)


def _from_event(document: Document) -> Event:
    head = document["event"]
    return Event(
        EventKind(int(head["event"])), int(head["t_ns"]), int(head["slot"]),
        int(head["track_id"]), document.get("text", ""),
    )  # fmt: skip


def _from_control(document: Document) -> Control:
    return Control(
        int(document["control"]["id"]), document["name"], document.get("payload", {}),
        document.get("token", ""),
    )  # fmt: skip


def _from_reply(document: Document) -> Reply:
    head = document["reply"]
    return Reply(
        int(head["id"]), bool(head["ok"]), document.get("reason", ""), document.get("result", {})
    )


def _from_picture(document: Document) -> Picture:
    head = document["picture"]
    size_px = (int(head["width_px"]), int(head["height_px"]))
    return Picture(int(head["sequence"]), int(head["t_capture_ns"]), size_px, document["jpeg"])


def _from_subscribe(document: Document) -> Subscribe:
    head = document["subscribe"]
    return Subscribe(
        int(head["id"]), float(head["rate_hz"]), Axes(int(head["axes"])),
        Rotations(int(head["rotations"])), bool(head["positions"]), bool(head["picture"]),
        document.get("token", ""),
    )  # fmt: skip


def _numbers(row: NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(value) for value in cast("tuple[Any, ...]", row.item()))


_FROM: Final[dict[str, Callable[[Document], Message]]] = {
    "frame": frame_codec.from_document,
    "hello": _from_hello,
    "event": _from_event,
    "clock_request": lambda d: ClockRequest(*_numbers(d["clock_request"])),
    "clock_reply": lambda d: ClockReply(*_numbers(d["clock_reply"])),
    "control": _from_control,
    "reply": _from_reply,
    "picture": _from_picture,
    "subscribe": _from_subscribe,
}
