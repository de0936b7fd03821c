"""What clients with the token may ask of the running daemon."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from posestream import config
from posestream.daemon.outputs import Outputs
from posestream.errors import ConfigError, ProtocolError, RecordingError
from posestream.publish.recorder import RecorderSink
from posestream.settings import Settings
from posestream.wire.messages import Event, Hello

_MAX_SLOT = 99
_RECORD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,100}")
_DEVICE_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # Windows


class Controlled(Protocol):
    """What the daemon lets itself be told."""

    settings: Settings

    def configure(self, settings: Settings) -> None:
        """Take over new settings with the next frame."""

    def recentre(self, slot: int | None) -> None:
        """Make that person's place and heading the origin; None restores the camera's."""

    def recalibrate(self) -> None:
        """Forget floor, tilt and body proportions and estimate them anew."""

    def learn_neutral(self) -> None:
        """Take the performer's face of the next calm moments for the neutral one."""

    def hello(self) -> Hello:
        """What the stream holds now."""


class Control:
    """Answers control messages; every change is validated as a configuration file is."""

    def __init__(
        self,
        daemon: Controlled,
        outputs: Outputs,
        record_folder: Path,
        announce: Callable[[Event], None],
    ) -> None:
        self._announce = announce
        self._daemon = daemon
        self._outputs = outputs
        self._record_folder = record_folder
        self._recorder: RecorderSink | None = None
        self._outputs_change = asyncio.Lock()  # a host name may take seconds to be found
        self._commands: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "settings": self._settings,
            "set": self._set,
            "recentre": self._recentre,
            "calibrate": self._calibrate,
            "neutral": self._neutral,
            "record": self._record,
            "stop_record": self._stop_record,
        }

    @property
    def names(self) -> list[str]:
        """What can be asked."""
        return list(self._commands)

    @property
    def recording(self) -> Path | None:
        """The file that is being recorded to."""
        recorder = self._recorder
        return recorder.path if recorder is not None and recorder.recording else None

    async def __call__(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command. Raises PosestreamError with the reason of a refusal."""
        command = self._commands.get(name)
        if command is None:
            known = ", ".join(self.names)
            raise ProtocolError(f"There is no command {name!r}: commands are {known}.")
        return await command(payload)

    async def _settings(self, payload: dict[str, Any]) -> dict[str, Any]:
        settings: dict[str, Any] = msgspec.to_builtins(self._daemon.settings)
        return settings

    async def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        key = payload.get("key")
        if not isinstance(key, str) or "value" not in payload:
            raise ConfigError('"set" needs {"key": "smooth.smoothness", "value": 0.3}.')
        async with self._outputs_change:
            before = self._daemon.settings
            after = config.change(before, key, payload["value"])
            await self._outputs.configure(before, after)
            self._daemon.configure(after)
        return {"key": key, "value": payload["value"]}

    async def _recentre(self, payload: dict[str, Any]) -> dict[str, Any]:
        slot = payload.get("slot", 0)
        if slot is not None and (type(slot) is not int or not 0 <= slot <= _MAX_SLOT):
            raise ConfigError('"recentre" needs {"slot": 0}, or {"slot": null} to undo it.')
        self._daemon.recentre(slot)
        return {"slot": slot}

    async def _calibrate(self, payload: dict[str, Any]) -> dict[str, Any]:
        self._daemon.recalibrate()
        return {}

    async def _neutral(self, payload: dict[str, Any]) -> dict[str, Any]:
        if not self._daemon.settings.perform.face:
            raise ConfigError("No face is looked at: set perform.face = true first.")
        self._daemon.learn_neutral()
        return {}

    async def _record(self, payload: dict[str, Any]) -> dict[str, Any]:
        name = payload.get("name")
        if not isinstance(name, str) or not _is_plain(name):
            raise RecordingError(
                'A recording needs a plain name such as "take 1", without folders.'
            )
        async with self._outputs_change:
            await self._forget_failed_recorder()
            path = self._new_recording(name.removesuffix(".psrec"))
            recorder = RecorderSink(path, self._daemon.hello(), on_event=self._announce)
            await self._outputs.add(recorder)
            self._recorder = recorder
        return {"file": str(path)}

    async def _forget_failed_recorder(self) -> None:
        """Raises RecordingError if it has not failed but goes on."""
        if self._recorder is None:
            return
        if self._recorder.recording:
            raise RecordingError(f"{self._recorder.path.name} is being recorded: stop it first.")
        recorder, self._recorder = self._recorder, None
        await self._outputs.remove(recorder)

    def _new_recording(self, name: str) -> Path:
        try:
            self._record_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(
                f"The folder {self._record_folder} cannot be made: {error.strerror}."
            ) from None
        return self._record_folder / f"{name}.psrec"

    async def _stop_record(self, payload: dict[str, Any]) -> dict[str, Any]:
        if self._recorder is None:
            raise RecordingError("Nothing is being recorded.")
        recorder, self._recorder = self._recorder, None
        await self._outputs.remove(recorder)
        return {"file": str(recorder.path), "messages": recorder.stats().messages}


def _is_plain(name: str) -> bool:
    return bool(_RECORD_NAME.fullmatch(name)) and not _DEVICE_NAME.fullmatch(name.rstrip(" ."))
