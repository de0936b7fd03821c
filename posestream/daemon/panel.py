"""What the panel shows and does, taken from the running daemon."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import numpy as np

from posestream import __version__, config, config_form
from posestream.assets import DEMO_CLIP
from posestream.capture.jpeg import encode_jpeg
from posestream.daemon.control import Control, Controlled
from posestream.daemon.guidance import Guidance
from posestream.daemon.outputs import Outputs
from posestream.daemon.panel_state import Moment
from posestream.daemon.replaying import ReplayProducer
from posestream.daemon.switch import Switch
from posestream.errors import AvatarError, CaptureError, ConfigError, PublishError, RecordingError
from posestream.pipeline import StepDetails
from posestream.preview.access import key_from
from posestream.preview.packing import Shot
from posestream.publish.token import config_folder, load_or_create
from posestream.settings import Settings
from posestream.skeleton.humanoid import BONES, ORDER, PARENT, REST_OFFSET_M
from posestream.skeleton.joints import BODY, LIMBS
from posestream.skeleton.rig import Rig, load_rig

_AVATAR_NAME: Final = re.compile(r"[^/\\\0]{1,120}\.(vrm|glb|gltf|bvh)", re.IGNORECASE)
_LONGEST_SPEC: Final = 1000


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files of this user."""

    folder: Path  # recordings and avatars lie in it
    config_file: Path | None  # that the run was started with
    like: Path | None  # preset that it was started with

    @staticmethod
    def of(named: str | None) -> Places:
        """``named``: configuration file or preset of the run."""
        try:
            folder = config_folder()
        except PublishError:  # no home
            folder = Path.cwd() / "posestream"
        preset = config.preset_files().get(named or "")
        file = None if named is None or preset is not None else Path(named).absolute()
        return Places(folder, file, preset)


def panel_key() -> str:
    """The panel's key for this user."""
    try:
        return key_from(load_or_create())
    except PublishError:  # the token cannot be kept
        return key_from(None)


class PanelFeed:
    """See ``preview.feed.Feed``."""

    def __init__(
        self,
        daemon: Controlled,
        producer: Switch,
        outputs: Outputs,
        control: Control,
        moment: Moment,
        places: Places,
    ) -> None:
        self._daemon, self._producer, self._outputs = daemon, producer, outputs
        self._control, self._moment, self._places = control, moment, places
        self._busy = asyncio.Lock()
        self._guidance = Guidance(daemon, producer)
        self._avatar_note = ""
        self._plain: tuple[Settings | None, dict[str, Any]] = (None, {})  # asked for at every beat
        self.mesh_number = 0
        self._commands: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "sources": self._sources,
            "source": self._source,
            "pause": self._pause,
            "seek": self._seek,
            "own_avatar": self._own_avatar,
            "save": self._save,
            "guide": self._guidance.start,
            "cancel_guide": self._guidance.cancel,
        }

    def shot(self, after: int, width_px: int) -> Shot | None:
        """The newest picture with the joints that were found in it."""
        details = self._producer.now.details
        if details is None or details.frame.index == after:
            return None
        frame, people = details.frame, details.people2d
        size_px, jpeg = encode_jpeg(frame.image, width_px)
        height, width = frame.image.shape[:2]
        xy = people.xy_px / [width, height]
        return Shot(frame.index, size_px, xy, people.score, _slots(details), jpeg)

    def state(self) -> dict[str, Any]:
        """Figures of this moment."""
        recording = self._control.recording
        return {
            **self._moment.state(),
            "recording": None if recording is None else recording.stem,
            "avatar_note": self._avatar_note,
            "guidance": self._guidance.state(),
        }

    def settings(self) -> dict[str, Any]:
        """Every setting, as a file would hold them."""
        now, plain = self._daemon.settings, self._plain[1]
        if self._plain[0] is not now:
            plain = config.plain(now)
            self._plain = now, plain
        return plain

    def welcome(self) -> dict[str, Any]:
        """What the page must know once."""
        return {
            "version": __version__,
            "fields": msgspec.to_builtins(config_form.fields()),
            "bones": BONES,
            "parents": PARENT,
            "order": ORDER,
            "rest_m": REST_OFFSET_M.tolist(),
            "joints": BODY,
            "limbs": [[BODY.index(a), BODY.index(b)] for a, b in LIMBS],
            "save_to": str(self._save_path()),
        }

    def mesh(self) -> tuple[int, bytes]:
        """The avatar's mesh, or the own body where it has none that can be shown."""
        from posestream.preview.mesh import own_body, pack_mesh

        number, file = self.mesh_number, self._daemon.settings.avatar.file
        self._avatar_note = ""
        if file and not file.lower().endswith((".bvh", ".vrma")):
            from posestream.preview.gltf_mesh import read_mesh

            try:
                return number, pack_mesh(read_mesh(Path(file), load_rig(file)))
            except AvatarError as error:
                self._avatar_note = str(error)
        elif file:
            self._avatar_note = "This file holds a skeleton without a skin."
        return number, pack_mesh(own_body())

    async def command(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One of the panel's own commands, or of those that every client with the token has."""
        if name in self._commands:
            return await self._commands[name](payload)
        return await self._control(name, payload)

    async def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """Keep the avatar's file in this user's folder and send for it from now on."""
        if _AVATAR_NAME.fullmatch(name) is None or name.startswith("."):
            raise AvatarError("Choose a .vrm, .glb, .gltf or .bvh file.")
        file = self._places.folder / "avatars" / name
        async with self._busy:
            rig = await asyncio.to_thread(_keep, file, data)
            await self._wear(str(file), rig)
        return {"name": rig.name, "bones": int(rig.bones_present.sum())}

    async def _own_avatar(self, payload: dict[str, Any]) -> dict[str, Any]:
        async with self._busy:
            await self._wear("", None)
        return {}

    async def _wear(self, file: str, rig: Rig | None) -> None:
        before = self._daemon.settings
        avatar = msgspec.structs.replace(before.avatar, file=file)
        after = msgspec.structs.replace(before, avatar=avatar)
        await self._outputs.change_avatar(rig, after)
        self._daemon.configure(after)
        self.mesh_number += 1

    async def _sources(self, payload: dict[str, Any]) -> dict[str, Any]:
        from posestream.capture import list_cameras

        cameras = await asyncio.to_thread(list_cameras)
        folder = self._places.folder / "recordings"
        recordings = sorted(folder.glob("*.psrec")) if folder.is_dir() else []
        named = [{"spec": f"camera:{c.index}", "name": f"{c.name} (camera {c.index})"}
                 for c in cameras]  # fmt: skip
        if DEMO_CLIP.is_file():
            named.append({"spec": str(DEMO_CLIP), "name": "The bundled clip"})
        replays = [{"spec": f"replay:{file}", "name": file.stem} for file in recordings]
        return {"sources": named, "recordings": replays}

    async def _source(self, payload: dict[str, Any]) -> dict[str, Any]:
        spec = payload.get("spec")
        if not isinstance(spec, str) or not 0 < len(spec) <= _LONGEST_SPEC or "\0" in spec:
            raise CaptureError("Name a camera, a video file, a stream's address or a recording.")
        async with self._busy:
            await asyncio.to_thread(self._producer.change, spec)
        return {"spec": spec}

    async def _pause(self, payload: dict[str, Any]) -> dict[str, Any]:
        self._replayed().pause(payload.get("on") is True)
        return {}

    async def _seek(self, payload: dict[str, Any]) -> dict[str, Any]:
        position_s = payload.get("position_s")
        if not isinstance(position_s, int | float) or not np.isfinite(position_s):
            raise RecordingError('"seek" needs {"position_s": 3.5}.')
        self._replayed().seek(float(np.clip(position_s, 0.0, 1e6)))
        return {}

    def _replayed(self) -> ReplayProducer:
        now = self._producer.now
        if not isinstance(now, ReplayProducer) or not now.live:
            raise RecordingError("No recording is being played: choose one first.")
        return now

    def _save_path(self) -> Path:
        return self._places.config_file or self._places.folder / "posestream.toml"

    async def _save(self, payload: dict[str, Any]) -> dict[str, Any]:
        from posestream import config_save

        path = self._save_path()
        settings = self._as_started()
        async with self._busy:
            await asyncio.to_thread(config_save.save, settings, path, self._places.like)
        return {"file": str(path), "command": f"posestream run -c {path}"}

    def _as_started(self) -> Settings:
        """The bundled clip goes round without having been asked to; that is nobody's setting."""
        settings: Settings = self._daemon.settings
        if self._producer.source != str(DEMO_CLIP):
            return settings
        source = msgspec.structs.replace(settings.source, loop=False)
        return msgspec.structs.replace(settings, source=source)


def _keep(file: Path, data: bytes) -> Rig:
    """The rig of an uploaded file; nothing stays of one that is no avatar."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=file.parent, prefix=".new") as folder:
            fresh = Path(folder) / file.name
            fresh.write_bytes(data)
            rig = load_rig(fresh)
            fresh.replace(file)
            return rig
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}.") from None


def _slots(details: StepDetails) -> Any:
    """Slot of the person that each detection became, -1 for none."""
    slots = np.full(len(details.people2d), -1)
    known = (details.tracks.detection >= 0) & (details.tracks.detection < len(slots))
    slots[details.tracks.detection[known]] = details.tracks.slot[known]
    return slots
