"""Fuzzed: what arrives by network, and short texts. See ``fuzz_target`` for the promises."""

from __future__ import annotations

import asyncio
import json
import struct
from http import HTTPStatus
from typing import Any, Final, cast

import numpy as np

from posestream import config
from posestream.capture.synthetic import parse_options
from posestream.daemon.control import Control
from posestream.daemon.outputs import Outputs
from posestream.errors import CaptureError, ConfigError, PosestreamError, ProtocolError
from posestream.publish.access import Admission, Opening, Policy
from posestream.publish.load import scripted_frame
from posestream.publish.oscquery import OscQueryServer
from posestream.publish.recorder import RecorderSink
from posestream.settings import Settings
from posestream.types import Camera
from posestream.wire import codec, osc, osc_decode
from posestream.wire.messages import (
    RECORDED,
    ClockRequest,
    Encoding,
    Event,
    EventKind,
    Hello,
    Message,
    Rotations,
    StreamFormat,
    Subscribe,
    stamped,
)
from posestream.wire.messages import Control as ControlMessage
from posestream.wire.vmc_control import parse_control
from tools.fuzz_target import Target, refused, scratch

CAMERA: Final = Camera(np.eye(3) * 500.0, (640, 480))
TOKEN: Final = "correct-horse-battery-staple"  # noqa: S105


def messages() -> list[Message]:
    """One of each kind that travels."""
    frame = stamped(scripted_frame(1, 2, 1000), 2000, 3000)
    return [
        Hello("1.2.3", CAMERA, 30.0), frame, stamped(scripted_frame(2, 0, 5), 6, 7),
        Event(EventKind.PERSON_APPEARED, 5, 0, 1, text="hello"), ClockRequest(5),
        Subscribe(1, 30.0), ControlMessage(1, "set", {"key": "a", "value": 1}, "t" * 20),
    ]  # fmt: skip


def check_osc(data: bytes) -> str:
    """Incoming OSC."""
    return refused(lambda: list(osc_decode.messages(osc_decode.decode(data))), ProtocolError)


def check_vmc_control(data: bytes) -> str:
    """Incoming VMC control."""
    return refused(lambda: parse_control(data), ProtocolError)


def osc_seeds() -> list[bytes]:
    """Messages and bundles."""
    some = [
        osc.encode_message("/VMC/Ext/Set/Calib/Exec", 1), osc.encode_message("/a", 1, 2.5, "three"),
        osc.encode_message("/VMC/Ext/Bone/Pos", "Hips", *[0.5] * 7),
    ]  # fmt: skip
    bundle = b"#bundle\0" + bytes(7) + b"\1"
    parts = b"".join(struct.pack(">i", len(m)) + m for m in some)
    nested = bundle + struct.pack(">i", len(bundle + parts)) + bundle + parts
    return [*some, bundle + parts, nested, b"/x\0\0,[i[f]TFNI]\0\0\0\0" + bytes(8)]


def check_stream(data: bytes | str) -> str:
    """A message of the stream; what was accepted can be sent on and means the same."""
    try:
        message = codec.decode(data)
    except ProtocolError as error:
        return f"ProtocolError: {error}"
    name = type(message).__name__
    if name == "Unknown":
        return name
    again = codec.encode(message, RECORDED)
    assert codec.encode(codec.decode(again), RECORDED) == again, f"{name} is not stable"
    return name


def check_stream_text(data: bytes) -> str:
    """The same as text: WebSocket text is always valid Unicode."""
    return check_stream(data.decode("utf-8", "replace"))


class _Daemon:
    settings = Settings()

    def configure(self, settings: Settings) -> None:
        json.dumps(str(settings))

    def recentre(self, slot: int | None) -> None:
        assert slot is None or 0 <= slot <= 99

    def recalibrate(self) -> None:
        pass

    def learn_neutral(self) -> None:
        pass

    def hello(self) -> Hello:
        return Hello("1", CAMERA, None)


class _Outputs:
    """Takes nothing, but looks at where recordings would go."""

    async def configure(self, before: Settings, after: Settings) -> None:
        pass

    async def add(self, sink: RecorderSink) -> None:
        folder = scratch() / "recordings"
        assert sink.path.resolve().parent == folder.resolve(), f"{sink.path} leaves {folder}"
        assert sink.path.suffix == ".psrec"

    async def remove(self, sink: RecorderSink) -> None:
        pass


def check_control(data: bytes) -> str:
    """``name payload`` as JSON, as a client with the token may ask."""
    name, _, text = data.decode("utf-8", "replace").partition(" ")
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(payload, dict):
        return "no object"
    control = Control(_Daemon(), cast(Outputs, _Outputs()), scratch() / "recordings", print)
    try:
        asyncio.run(control(name, payload)) if name == "record" else _finish(control, name, payload)
    except PosestreamError as error:
        assert str(error) and "\n" not in str(error), f"not one sentence: {error}"
        return f"{type(error).__name__}: {error}"
    return f"ok {name}"


def _finish(control: Control, name: str, payload: dict[str, Any]) -> None:
    """Without a loop, which takes longer than the rest: nothing here waits."""
    coroutine = control(name, payload)
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the command waits")


def control_seeds() -> list[bytes]:
    """Each command."""
    asked = [
        ("set", {"key": "smooth.smoothness", "value": 0.3}), ("set", {"key": "vmc", "value": []}),
        ("set", {"key": "vmc.0.port", "value": 39539}), ("settings", {}), ("calibrate", {}),
        ("recentre", {"slot": 0}), ("recentre", {"slot": None}), ("record", {"name": "take 1"}),
        ("record", {"name": "../x"}), ("stop_record", {}),
        ("set", {"key": "vrchat", "value": [{}]}),
    ]  # fmt: skip
    return [f"{name} {json.dumps(payload)}".encode() for name, payload in asked]


def check_opening(data: bytes) -> str:
    """``path, Origin, Host, Authorization`` in lines: nobody gets in whom the rules keep out."""
    path, origin, host, bearer = [*data.decode("latin-1").split("\n"), "", "", ""][:4]
    origins, bearers = [origin] if origin else [], [bearer] if bearer else []
    policy = Policy(lambda offered: offered == TOKEN, True, ("https://app.example",), ("studio",))
    verdict = policy.judge(Opening(path, origins, [host], bearers, "127.0.0.1"))
    if not isinstance(verdict, Admission):
        return verdict.reason
    assert TOKEN in bearer or not bearer.lower().startswith("bearer ") or not verdict.authorised
    assert not verdict.authorised or TOKEN in bearer + path.replace("+", " ") or "%" in path
    assert not verdict.wants.picture or verdict.authorised
    assert not origin or "app.example" in origin.lower()
    return f"admitted {verdict.authorised} {verdict.wants.axes}"


def check_synthetic(data: bytes) -> str:
    """The options of ``synthetic:``."""
    return refused(lambda: parse_options(data.decode("utf-8", "replace")), CaptureError)


def check_override(data: bytes) -> str:
    """``--set key=value``."""
    return refused(lambda: config.load(None, [data.decode("utf-8", "replace")]), ConfigError)


def check_oscquery(data: bytes) -> str:
    """A request to the OSCQuery server."""
    server = OscQueryServer("posestream", 39540, {"/VMC/Ext/Set/Calib/Exec": "i"})
    status, content = server.answer(data)
    assert (content is None) == (status != 200)
    return HTTPStatus(status).phrase


def stream_seeds(encoding: Encoding) -> list[bytes]:
    """Every kind of message, frames in both kinds of rotations."""
    formats = [StreamFormat(encoding), StreamFormat(encoding, rotations=Rotations.PACKED)]
    return [codec.encode(message, fmt) for fmt in formats for message in messages()]


def opening_seeds() -> list[bytes]:
    """Who may come in, and who may not."""
    return [
        f"/?token={TOKEN}&rate=30&axes=unity\n\nlocalhost:8765\n".encode(),
        f"/?picture=1\nhttps://app.example\n[::1]:8765\nBearer {TOKEN}".encode(),
        b"/?rotations=packed&positions=1\nnull\nstudio\nBearer x", b"/\n\n127.0.0.1\n",
    ]  # fmt: skip


def oscquery_seeds() -> list[bytes]:
    """Ordinary requests."""
    paths = ("/", "/VMC/Ext/Set/Calib/Exec", "/?HOST_INFO", "/VMC?TYPE")
    return [f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths]


def _words(text: str) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in text.split())


def targets() -> list[Target]:
    """All of them."""
    keys = tuple(key.replace(".N.", ".0.").encode() for key, *_ in config.describe())
    words = _words("?token= &rate=nan &picture=1 //[ %00 http:// [::1] @ :99999 null Bearer")
    return [
        Target("osc", check_osc, osc_seeds, (b"#bundle\0", b",", b"[", b"]", b"/VMC/Ext/")),
        Target("vmc control", check_vmc_control, osc_seeds, (b"#bundle\0", b"/VMC/Ext/Set/")),
        Target("stream binary", check_stream, lambda: stream_seeds(Encoding.BINARY)),
        Target(
            "stream text", check_stream_text, lambda: stream_seeds(Encoding.JSON),
            _words('null true [] {} 1e400 -0.0 "kind" "frame" "id" "payload" \\ud800'),
        ),
        Target(
            "control", check_control, control_seeds,
            (*_words('record ../ .. con nul null {} [] 1e400 "key" "value" "off"'), *keys[::7]),
        ),
        Target("opening", check_opening, opening_seeds, (*words, b"\n")),
        Target(
            "oscquery", check_oscquery, oscquery_seeds,
            _words("GET HTTP/1.1 Host: Origin: ?VALUE"),
        ),
        Target(
            "synthetic options", check_synthetic,
            lambda: [b"people=4,fps=30,seconds=10,size=640x360"],
            _words("people= nan inf -1 1e99 size= x , seed="),
        ),
        Target(
            "override", check_override, lambda: [key + b"=1" for key in keys],
            (*_words("= . .0. [ ] { } true nan inf 'x' \"off\" 0x9 1e999"), *keys[::5]),
        ),
    ]  # fmt: skip
