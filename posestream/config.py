"""Configuration: defaults < TOML file or preset < ``--set``; strict keys, live changes.

``Settings`` is composed of the stages' own settings. Everything that comes from outside
passes through ``build``, so that files, overrides and live changes obey one set of rules.
"""

from __future__ import annotations

import copy
import difflib
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from posestream.errors import ConfigError
from posestream.settings import RESTART_SECTIONS, Settings

PRESET_FOLDER = Path(__file__).resolve().parent.parent / "configs"
"""Where a checkout keeps the presets; an installed package carries them in itself."""


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
    source = "the built-in defaults"
    data: dict[str, Any] = {}
    if file is not None:
        path = _find(file)
        source = str(path)
        data = _read(path)
        build(data, source)
    for override in overrides:
        key, value = _split(override)
        data = _with_value(data, key, value)
        source = f"--set {override}"
        build(data, source)
    return build(data, source)


def change(settings: Settings, key: str, value: Any) -> Settings:
    """Settings with one value changed while running, validated as a file is.

    Raises ConfigError where the key or value is not valid or needs a restart.
    """
    section = key.split(".")[0]
    data = _with_value(msgspec.to_builtins(settings), key, value)
    changed = build(data, "the change")
    if section in RESTART_SECTIONS:
        raise ConfigError(f"{key} cannot change while running: set it in the file and restart.")
    return changed


def build(data: dict[str, Any], source: str) -> Settings:
    """Validate plain data against the schema; ``source`` is named in the error."""
    _refuse_unknown_keys(Settings, data, "", source)
    try:
        return msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{_explain(str(error))} (in {source}).") from None


def describe() -> Iterator[tuple[str, str, Any, str]]:
    """(key, type, default, description) of every key, for the reference page and help."""
    yield from _describe(Settings, "")


def _find(file: str) -> Path:
    presets = preset_files()
    if file in presets:
        return presets[file]
    path = Path(file)
    if path.is_file():
        return path
    near = difflib.get_close_matches(path.stem, presets, n=1)
    hint = f"did you mean {near[0]}?" if near else f"presets are {', '.join(presets)}."
    raise ConfigError(f"There is no configuration file or preset {file}; {hint}")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None


def _split(override: str) -> tuple[str, Any]:
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"--set {override} must have the form key=value.")
    try:
        return key.strip(), tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), text.strip()


def _with_value(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy of ``data`` with the dotted ``key`` set; missing tables come from the defaults."""
    result = copy.deepcopy(data)
    complete: Any = msgspec.to_builtins(Settings())
    node: Any = result
    *parents, last = key.split(".")
    for part in parents:
        complete = _child(complete, part)
        node = _step_into(node, part, complete)
    if isinstance(node, list):  # "vmc.port" where the only target is meant
        node = _only(node, key)
    if isinstance(node, dict):
        node[last] = value
        return result
    raise ConfigError(f"{key} does not name a setting: {'.'.join(parents)} holds no other keys.")


def _child(node: Any, part: str) -> Any:
    if isinstance(node, dict):
        return node.get(part)
    if isinstance(node, list) and part.isdigit() and int(part) < len(node):
        return node[int(part)]
    return None


def _step_into(node: Any, part: str, default: Any) -> Any:
    if isinstance(node, dict):
        if part not in node:
            node[part] = copy.deepcopy(default) if isinstance(default, list) else {}
        return node[part]
    if isinstance(node, list):
        if part.isdigit() and int(part) < len(node):
            return node[int(part)]
        if part.isdigit():
            raise ConfigError(f"There are {len(node)} targets, counted from 0: {part} is not one.")
        return _step_into(_only(node, part), part, default)
    raise ConfigError(f"{part} does not name a table of settings.")


def _only(items: list[Any], key: str) -> Any:
    if len(items) == 1:
        return items[0]
    raise ConfigError(f"{key}: say which of the {len(items)} targets is meant, such as 0.{key}.")


def _refuse_unknown_keys(kind: Any, data: Any, prefix: str, source: str) -> None:
    struct = _struct_in(kind)
    if struct is None:
        return
    if isinstance(data, list):
        for i, item in enumerate(data):
            _refuse_unknown_keys(struct, item, f"{prefix}{i}.", source)
        return
    if not isinstance(data, dict):
        return
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in data.items():
        if key not in fields:
            raise ConfigError(_unknown(f"{prefix}{key}", prefix, key, list(fields), source))
        _refuse_unknown_keys(fields[key], value, f"{prefix}{key}.", source)


def _unknown(path: str, prefix: str, key: str, fields: list[str], source: str) -> str:
    near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
    if not near:
        every = {name.rpartition(".")[2]: name for name, *_ in _describe(Settings, "")}
        near = [every[k] for k in difflib.get_close_matches(key, every, n=1, cutoff=0.8)]
        prefix = ""
    hint = f"did you mean {prefix}{near[0]}?" if near else f"valid keys are {', '.join(fields)}."
    return f"There is no setting {path} (in {source}); {hint}"


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The settings struct inside ``Annotated``, ``tuple[X, ...]`` or ``X | None``."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    for inner in get_args(kind):
        if (found := _struct_in(inner)) is not None:
            return found
    return None


def _explain(message: str) -> str:
    what, _, where = message.partition(" - at `$.")
    key = where.rstrip("`").replace("[", ".").replace("]", "")
    return f"{key}: {what[0].lower()}{what[1:]}" if key else what


def _describe(struct: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str, Any, str]]:
    for field in msgspec.structs.fields(struct):
        nested = _struct_in(field.type)
        if nested is not None:
            many = nested is not field.type
            yield from _describe(nested, f"{prefix}{field.name}.{'N.' if many else ''}")
            continue
        meta = [a for a in get_args(field.type) if isinstance(a, msgspec.Meta)]
        text = meta[0].description if meta and meta[0].description else ""
        default = None if field.default is msgspec.NODEFAULT else field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        yield f"{prefix}{field.name}", _type_name(field.type), default, text


def _type_name(kind: Any) -> str:
    args = [a for a in get_args(kind) if not isinstance(a, msgspec.Meta)]
    if hasattr(kind, "__metadata__"):
        return _type_name(args[0])
    origin = str(getattr(kind, "__origin__", kind))
    if "Literal" in origin:
        return " | ".join(map(str, args))
    if args:
        return " | ".join("off" if a is type(None) else _type_name(a) for a in args if a is not ...)
    return {"str": "text", "int": "integer", "float": "number", "bool": "true | false"}.get(
        getattr(kind, "__name__", ""), str(kind)
    )
