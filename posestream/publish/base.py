"""What every sink offers to the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from posestream.types import AvatarFrame

SinkKind = Literal["vmc", "vrchat", "websocket", "record", "panel"]


@dataclass(frozen=True, slots=True)
class SinkStats:
    """Counts since the sink was started."""

    messages: int = 0  # datagrams, WebSocket messages or records that left
    bytes: int = 0  # of their payloads
    clients: int = 0  # connected now; for UDP the number of targets that get frames
    dropped: int = 0  # messages that were replaced by newer ones or could not be sent


class Sink(Protocol):
    """One way out for avatar frames. All methods run in the event loop's thread."""

    name: str
    kind: SinkKind

    async def start(self) -> None:
        """Open sockets or files.

        Raises:
            PosestreamError: a port, address or file cannot be used; the sentence says which
                option changes it.
        """

    def publish(self, frame: AvatarFrame) -> None:
        """Send the frame; never blocks, newest wins, network failures are only counted."""

    def stats(self) -> SinkStats:
        """Counts so far; may be called before ``start`` and after ``close``."""

    async def close(self) -> None:
        """Release sockets and files. Safe to call twice and without ``start``."""
