"""Files in which calibrations are kept: one per camera, one per person, in the user's folder."""

from __future__ import annotations

import hashlib
import math
import os
import re
import secrets
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from posestream.capture.base import Lens
from posestream.errors import ConfigError, PublishError
from posestream.publish.token import config_folder

_MAX_FILE_BYTES: Final = 1 << 16
_MAX_LENSES: Final = 16
_MAX_SLOT: Final = 63
_Stored = TypeVar("_Stored", bound=msgspec.Struct)


class StoredFloor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the camera stands. Signs as in ``locate.floor``."""

    height_m: Annotated[float, Meta(ge=-10.0, le=20.0)]
    pitch_deg: Annotated[float, Meta(ge=-89.0, le=89.0)]
    roll_deg: Annotated[float, Meta(ge=-180.0, le=180.0)]


class StoredCamera(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one camera: a lens for each picture size, and its place."""

    name: str
    lenses: Annotated[tuple[Lens, ...], Meta(max_length=_MAX_LENSES)] = ()
    floor: StoredFloor | None = None

    def with_lens(self, lens: Lens) -> StoredCamera:
        """The same with this lens in place of another for the same picture size."""
        size = lens.width, lens.height
        others = [each for each in self.lenses if (each.width, each.height) != size]
        kept = others[-(_MAX_LENSES - 1) :]
        return msgspec.structs.replace(self, lenses=(*kept, lens))


class StoredPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's proportions."""

    name: str
    slot: Annotated[int, Meta(ge=0, le=_MAX_SLOT)] = 0
    height_m: Annotated[float, Meta(ge=0.4, le=2.6)] | None = None
    scale: Annotated[float, Meta(ge=0.2, le=3.0)] = 1.0  # true size by the back end's
    backend: str = ""  # that the scale holds for
    ratios: Annotated[tuple[Annotated[float, Meta(ge=0.1, le=4.0)], ...], Meta(max_length=16)] = ()


def calibration_folder() -> Path:
    """Where this user's calibrations lie. Raises ConfigError without a home."""
    try:
        return config_folder() / "calibration"
    except PublishError:
        raise ConfigError(
            "Calibrations cannot be kept because this user has no home folder: set HOME to a "
            "folder that can be written."
        ) from None


def camera_file(name: str, folder: Path | None = None) -> Path:
    """The file of the camera called so."""
    return (folder or calibration_folder()) / "cameras" / _file_name(name)


def read_camera(name: str, folder: Path | None = None) -> StoredCamera | None:
    """What is stored of this camera, None if nothing is. Raises ConfigError if damaged."""
    return _read(camera_file(name, folder), StoredCamera)


def write_camera(camera: StoredCamera, folder: Path | None = None) -> Path:
    """Store it and say where. Raises ConfigError where it cannot be written."""
    return _write(camera_file(camera.name, folder), camera)


def read_people(folder: Path | None = None) -> list[StoredPerson]:
    """Everybody stored, who was stored last behind. Raises ConfigError if a file is damaged."""
    files = sorted(_people_files(folder), key=lambda file: (_age_ns(file), file.name))
    people = (_read(file, StoredPerson) for file in files)
    return [person for person in people if person is not None]


def write_person(person: StoredPerson, folder: Path | None = None) -> Path:
    """Store them and say where. Raises ConfigError where it cannot be written."""
    root = folder or calibration_folder()
    return _write(root / "people" / _file_name(person.name), person)


def _people_files(folder: Path | None) -> list[Path]:
    return list(((folder or calibration_folder()) / "people").glob("*.toml"))


def _age_ns(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _file_name(name: str) -> str:
    """Readable, and different for every name."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[-40:] or "unnamed"
    return f"{readable}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:10]}.toml"


def _read(path: Path, kind: type[_Stored]) -> _Stored | None:
    try:
        if not path.exists():
            return None
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
        if len(content) > _MAX_FILE_BYTES:
            raise ValueError("it is too large")
        data = tomllib.loads(content.decode("utf-8"))
        _refuse_nan(data)
        return msgspec.convert(data, kind)
    except OSError as error:
        raise ConfigError(f"The calibration {path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:  # TOML, UTF-8 and msgspec's own among them
        raise ConfigError(
            f"The calibration {path} is damaged ({error}): mend or remove it and calibrate again."
        ) from None


def _refuse_nan(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number to calculate with")
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _refuse_nan(inner)


def _write(path: Path, what: msgspec.Struct) -> Path:
    """Whole or not at all: who is interrupted leaves the file before."""
    import tomlkit

    tables = {k: v for k, v in msgspec.to_builtins(what).items() if v not in (None, [], ())}
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="utf-8") as file:
            file.write(tomlkit.dumps(tables))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise ConfigError(
            f"The calibration cannot be kept in {path}: {error.strerror}; what was stored before "
            "is as it was."
        ) from None
    return path
