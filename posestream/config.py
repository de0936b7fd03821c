"""Configuration: defaults < TOML file or preset < ``--set``; strict keys, live changes.

``Settings`` is composed of the stages' own settings. Everything that comes from outside
passes through ``build``, so that files, overrides and live changes obey one set of rules.
"""

from __future__ import annotations

import copy
import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from posestream.config_keys import (
    accepted,
    fields_of,
    is_index,
    is_optional,
    struct_in,
    type_at,
)
from posestream.config_keys import describe as describe
from posestream.errors import ConfigError
from posestream.settings import RESTART_SECTIONS, Settings

PRESET_FOLDER = Path(__file__).resolve().parent.parent / "configs"
"""Where a checkout keeps the presets; an installed package carries them in itself."""

_MAX_FILE_BYTES: Final = 1 << 20
_MAX_SHOWN: Final = 60
_MAX_DEPTH: Final = 8


def preset_files() -> dict[str, Path]:
    """Name and path of every preset that ships."""
    inside = Path(__file__).resolve().parent / "configs"
    folder = inside if inside.is_dir() else PRESET_FOLDER
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load(file: str | None = None, overrides: Iterable[str] = ()) -> Settings:
    """Settings from a TOML file or preset name and ``key=value`` overrides.

    Raises ConfigError: one sentence that names the file or option, the key, and the
    nearest valid key or the accepted values.
    """
    data: dict[str, Any] = {}
    if file is not None:
        path = _find(file)
        data = read_toml(path)
        build(data, str(path))
    for override in overrides:
        data = _with_value(data, *_split(override))
        build(data, _shown(f"--set {override}"))
    return build(data, "the built-in defaults")


def change(settings: Settings, key: str, value: Any) -> Settings:
    """Settings with one value changed while running, validated as a file is.

    Raises ConfigError where the key or value is not valid or needs a restart.
    """
    section = key.split(".")[0]
    data = _with_value(plain(settings), key, value)
    changed = build(data, "the change")
    if section in RESTART_SECTIONS:
        raise ConfigError(f"{key} cannot change while running: set it in the file and restart.")
    return changed


def build(data: dict[str, Any], source: str) -> Settings:
    """Validate plain data against the schema; ``source`` is named in the error."""
    known = _known(Settings, data, "", source)
    try:
        return msgspec.convert(known, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{_explain(str(error), data)} (in {source}).") from None


def plain(settings: Settings) -> dict[str, Any]:
    """Tables and lists, as a file would hold them."""
    tables: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    return tables


def _find(file: str) -> Path:
    presets = preset_files()
    if file in presets:
        return presets[file]
    path = Path(file)
    try:
        if path.is_file():
            return path
    except OSError as error:
        raise ConfigError(f"{_shown(file)} cannot be read: {error.strerror}.") from None
    near = difflib.get_close_matches(path.stem, presets, n=1)
    hint = f"did you mean {near[0]}?" if near else f"presets are {', '.join(presets)}."
    raise ConfigError(f"There is no configuration file or preset {_shown(file)}; {hint}")


def read_toml(path: Path) -> dict[str, Any]:
    """What a configuration file says. Raises ConfigError if it cannot be read as TOML."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
        if len(content) > _MAX_FILE_BYTES:
            raise ConfigError(f"{path} is larger than 1 MB: that is no configuration.")
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text: save it as such.") from None
    except (ValueError, RecursionError) as error:  # tomllib's own, and Python's limits
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None


def _split(override: str) -> tuple[str, Any]:
    key, separator, text = (part.strip() for part in override.partition("="))
    if not separator or not key:
        raise ConfigError(f"--set {_shown(override)} must have the form key=value.")
    return key, _value(text, type_at(key))


def _value(text: str, kind: Any) -> Any:
    """A TOML value; what is none, or no text where text is wanted, is taken as it is."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    value = parsed["value"]
    wants_text = kind is not None and accepted(kind) == "text"
    return text if len(parsed) > 1 or (wants_text and not isinstance(value, str)) else value


def _with_value(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy of ``data`` with the dotted ``key`` set; missing lists come from the defaults.

    A place just behind the end of a list adds a target.
    """
    result = copy.deepcopy(data)
    node: Any = result
    defaults: Any = plain(Settings())
    *parents, last = key.split(".")
    if len(parents) > _MAX_DEPTH:
        raise ConfigError(f"{_shown(key)} does not name a setting.")
    for part in parents:
        defaults = defaults.get(part) if isinstance(defaults, dict) else None
        node = _step_into(node, part, defaults, key)
    if isinstance(node, list):
        node = _only(node, key)
    if not isinstance(node, dict):
        raise ConfigError(f"{_shown(key)} does not name a setting: {parents[-1]} holds no keys.")
    node[last] = value
    return result


def _step_into(node: Any, part: str, default: Any, key: str) -> Any:
    if isinstance(node, list) and is_index(part):
        return _target(node, int(part))
    if isinstance(node, list):
        node = _only(node, key)
    if not isinstance(node, dict):
        raise ConfigError(f"{_shown(key)} does not name a setting: nothing lies in {part}.")
    return node.setdefault(part, default if isinstance(default, list) else {})


def _target(items: list[Any], place: int) -> Any:
    if place > len(items):
        raise ConfigError(f"There are {len(items)} targets, counted from 0: {place} is too high.")
    if place == len(items):
        items.append({})
    return items[place]


def _only(items: list[Any], key: str) -> Any:
    if len(items) <= 1:
        return _target(items, 0)
    section, _, rest = key.partition(".")
    raise ConfigError(
        f"There are {len(items)} targets in {_shown(section)}: say which one is meant, such as "
        f"{_shown(section)}.0.{_shown(rest)}."
    )


def _known(kind: Any, data: Any, prefix: str, source: str) -> Any:
    """``data`` with "off" as None where the schema allows it. Refuses unknown keys."""
    if data == "off" and is_optional(kind):
        return None
    if struct_in(kind) is None:
        return data
    if isinstance(data, list):
        item = struct_in(kind)
        return [_known(item, entry, f"{prefix}{i}.", source) for i, entry in enumerate(data)]
    if not isinstance(data, dict):
        return data
    fields = fields_of(kind)
    for key in data:
        if key not in fields:
            raise ConfigError(_unknown(prefix, str(key), list(fields), source))
    return {k: _known(fields[k], value, f"{prefix}{k}.", source) for k, value in data.items()}


def _unknown(prefix: str, key: str, fields: list[str], source: str) -> str:
    every = {name.rpartition(".")[2]: name for name, *_ in describe()}
    near = [every[key]] if key in every else []  # right, but in the wrong section
    near += [prefix + k for k in difflib.get_close_matches(key, fields, n=1, cutoff=0.5)]
    near += [every[k] for k in difflib.get_close_matches(key, every, n=1, cutoff=0.8)]
    hint = (
        f"did you mean {near[0].replace('.N.', '.0.')}?"
        if near
        else f"valid keys are {', '.join(fields)}."
    )
    return f"There is no setting {_shown(prefix + key)} (in {source}); {hint}"


def _explain(message: str, data: dict[str, Any]) -> str:
    """msgspec's message in the user's words: the key, what it accepts, what it was given."""
    what, _, where = message.partition(" - at `$.")
    key = where.rstrip("`").replace("[", ".").replace("]", "")
    while key and type_at(key) is None:  # an entry of a list: explain the list
        key = key.rpartition(".")[0]
    kind = type_at(key) if key else None
    if kind is None or not what.startswith(("Expected", "Invalid enum")):
        return f"{key}: {what}" if key else what
    wanted = accepted(kind).replace("[[…]]", f"[[{key}]]")
    return f"{key} must be {wanted}, not {_shown(_given(data, key))}"


def _given(data: Any, key: str) -> Any:
    for part in key.split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


def _shown(value: Any) -> str:
    """A value from outside, short and on one line."""
    text = value if isinstance(value, str) else repr(value)
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
