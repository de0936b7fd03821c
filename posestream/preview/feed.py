"""What the panel asks of the running daemon."""

from __future__ import annotations

from typing import Any, Protocol

from posestream.preview.packing import Shot


class Feed(Protocol):
    """Everything that the panel shows and does; called from the event loop unless said."""

    def shot(self, after: int, width_px: int) -> Shot | None:
        """The newest picture, at most so wide, unless it is number ``after``. In a thread."""

    def state(self) -> dict[str, Any]:
        """Figures of this moment."""

    def settings(self) -> dict[str, Any]:
        """Every setting, as a file would hold them."""

    def welcome(self) -> dict[str, Any]:
        """What does not change while the daemon runs: the form, bone names, limbs."""

    def mesh(self) -> tuple[int, bytes]:
        """Number and packed mesh of the avatar; a new one has a new number. In a thread."""

    @property
    def mesh_number(self) -> int:
        """Number of the avatar that is shown now."""

    async def command(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Carry out what a button asks. Raises PosestreamError with the reason of a refusal."""

    async def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """Take over an avatar's file. Raises PosestreamError."""
