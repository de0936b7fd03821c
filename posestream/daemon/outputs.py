"""The sinks that a configuration asks for, and how they change while the daemon runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from posestream.daemon.status import notify
from posestream.errors import PosestreamError
from posestream.publish.base import Sink, SinkKind, SinkStats
from posestream.publish.hub import Hub
from posestream.publish.udp import VmcSink, VrchatSink
from posestream.settings import Settings
from posestream.skeleton.rig import Rig


class Outputs:
    """Starts and replaces sinks in a hub. Call from the event loop."""

    def __init__(self, hub: Hub, rig: Rig | None) -> None:
        self._hub = hub
        self._rig = rig
        self._udp: dict[str, list[Sink]] = {"vmc": [], "vrchat": []}
        self._ended: dict[SinkKind, SinkStats] = {}
        self.all: list[Sink] = []

    async def start(self, sinks: Sequence[Sink], settings: Settings) -> None:
        """Start everything. What cannot start is named in a sentence and left out.

        Raises the error of the last sink if none could start.
        """
        wanted = [*sinks, *self._make_vmc(settings), *self._make_vrchat(settings)]
        failures = [error for sink in wanted if (error := await self._failure(sink)) is not None]
        if failures and not any(sink.kind not in ("record", "panel") for sink in self.all):
            for error in failures[:-1]:
                notify(f"posestream: {error}")
            raise failures[-1]
        for error in failures:
            notify(f"posestream: {error} The other outputs go on.")

    async def _failure(self, sink: Sink) -> PosestreamError | None:
        """Start a sink; what it says where it cannot."""
        try:
            await self.add(sink)
        except PosestreamError as error:
            return error
        return None

    async def add(self, sink: Sink) -> None:
        """Start one more sink. Raises what it raises."""
        await self._hub.add(sink)
        self.all.append(sink)
        if sink.kind in self._udp:
            self._udp[sink.kind].append(sink)
        for warning in getattr(sink, "warnings", ()):
            notify(f"posestream: {warning}")

    async def remove(self, sink: Sink) -> None:
        """Stop a sink; its counts stay in the summary."""
        await self._hub.remove(sink)
        self.all = [other for other in self.all if other is not sink]
        self._ended[sink.kind] = _sum(self._ended.get(sink.kind, SinkStats()), sink.stats())

    def stats(self, kind: SinkKind) -> SinkStats:
        """Counts of all sinks of one kind, those that were stopped included."""
        running = (sink.stats() for sink in self.all if sink.kind == kind)
        return reduce(_sum, running, self._ended.get(kind, SinkStats()))

    async def configure(self, before: Settings, after: Settings) -> None:
        """Replace the targets that changed. A new target that cannot start is refused."""
        if before.vmc != after.vmc:
            await self._replace("vmc", self._make_vmc(after))
        if before.vrchat != after.vrchat:
            await self._replace("vrchat", self._make_vrchat(after))

    async def _replace(self, kind: str, sinks: list[Sink]) -> None:
        """The old targets go on until all the new ones have started."""
        old, self._udp[kind] = self._udp[kind], []
        try:
            for sink in sinks:
                await self.add(sink)
        except PosestreamError:
            old, self._udp[kind] = self._udp[kind], old
            raise
        finally:
            for sink in old:
                await self.remove(sink)

    async def change_avatar(self, rig: Rig | None, settings: Settings) -> None:
        """Send for another avatar's rest pose from now on."""
        self._rig = rig
        await self._replace("vmc", self._make_vmc(settings))

    def realign(self) -> None:
        """Let VRChat align its space with the head's heading once more."""
        for sink in self._udp["vrchat"]:
            if isinstance(sink, VrchatSink):
                sink.realign()

    def _make_vmc(self, settings: Settings) -> list[Sink]:
        return [VmcSink(target, self._rig) for target in settings.vmc if target.enabled]

    def _make_vrchat(self, settings: Settings) -> list[Sink]:
        return [VrchatSink(target) for target in settings.vrchat if target.enabled]


def _sum(a: SinkStats, b: SinkStats) -> SinkStats:
    return SinkStats(
        a.messages + b.messages, a.bytes + b.bytes, a.clients + b.clients, a.dropped + b.dropped
    )


def load_avatar(settings: Settings) -> Rig | None:
    """The rig of ``avatar.file``, None where none is named. Raises AvatarError."""
    if not settings.avatar.file:
        return None
    from posestream.skeleton.rig import load_rig

    return load_rig(Path(settings.avatar.file))
