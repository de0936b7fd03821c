"""JSON Lines: the stream's own JSON messages, hello first, then one frame per line."""

from __future__ import annotations

from typing import Final

from posestream.types import AvatarFrame
from posestream.wire import codec
from posestream.wire.messages import Axes, Encoding, Hello, StreamFormat, stamped

FORMAT: Final = StreamFormat(Encoding.JSON, Axes.GLTF, positions=True)
"""World frame as is: right-handed, Y up, metres; with bone positions."""


def header(hello: Hello) -> bytes:
    """First line: skeleton, camera, units and conventions of the lines below."""
    return codec.encode(hello, FORMAT) + b"\n"


def line(frame: AvatarFrame) -> bytes:
    """One frame. Its publish time is its capture time: a file has no other."""
    return codec.encode(stamped(frame, frame.t_capture_ns, 0), FORMAT) + b"\n"
