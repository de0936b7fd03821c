"""Writes the configuration back to TOML: only what differs is touched, comments stay."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from posestream import config
from posestream.errors import ConfigError
from posestream.settings import Settings

_HEAD: Final = "# posestream's settings, saved from the panel. posestream config lists them all.\n"


def save(settings: Settings, path: Path, like: Path | None = None) -> None:
    """Make ``path`` say what ``settings`` say.

    A file that is there keeps its comments and its order; else it begins as a copy of ``like``.

    Raises ConfigError where the file there is no configuration or cannot be written.
    """
    text = _updated(_text(path, like), settings, path)
    if config.build(tomllib.loads(text), str(path)) != settings:
        raise ConfigError(f"The settings could not be brought into {path}: edit it by hand.")
    _replace(path, text)


def _text(path: Path, like: Path | None) -> str:
    for file in (path, like):
        try:
            if file is not None and file.exists():
                return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{file} cannot be read: choose another file.") from None
    return _HEAD


def _updated(text: str, settings: Settings, path: Path) -> str:
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError(f"{path} is not valid TOML ({error}): choose another file.") from None
    before = config.plain(config.build(tomllib.loads(text), str(path)))
    _update(document, before, config.plain(settings), config.plain(Settings()))
    return tomlkit.dumps(document)


def _update(table: Any, before: Any, wanted: Any, defaults: Any) -> None:
    """Bring ``table``, which says ``before``, to say ``wanted``."""
    for key, value in wanted.items():
        default = defaults.get(key) if isinstance(defaults, dict) else None
        if value == before.get(key):
            continue
        if isinstance(value, dict):
            if key not in table:
                table[key] = tomlkit.table()
            _update(table[key], before.get(key) or {}, value, default)
        elif _holds_tables(value, before.get(key)):
            _update_list(table, key, value)
        elif value is None and default is None:
            table.pop(key, None)
        else:
            table[key] = "off" if value is None else value


def _holds_tables(value: Any, before: Any) -> bool:
    entries = [*(value or ()), *(before or ())] if isinstance(value, list) else []
    return bool(entries) and all(isinstance(entry, dict) for entry in entries)


def _update_list(parent: Any, key: str, wanted: list[dict[str, Any]]) -> None:
    """Targets: those that stay keep their comments."""
    if not wanted:
        parent[key] = tomlkit.array()
        return
    if not isinstance(parent.get(key), AoT):
        parent.pop(key, None)
        parent[key] = tomlkit.aot()
    entries = parent[key]
    while len(entries) > len(wanted):
        del entries[len(entries) - 1]
    for place, want in enumerate(wanted):
        if place == len(entries):
            entries.append(tomlkit.table())
        empty = _entry_defaults(key)
        _update(entries[place], {**empty, **_unwrapped(entries[place])}, want, empty)


def _unwrapped(entry: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = tomlkit.document().unwrap() if not entry else dict(entry)
    return {key: None if value == "off" else value for key, value in plain.items()}


def _entry_defaults(key: str) -> dict[str, Any]:
    settings = config.build({key: [{}]}, "the defaults")
    entry: dict[str, Any] = config.plain(settings)[key][0]
    return entry


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None
