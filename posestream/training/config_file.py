"""A training run's TOML file and ``--set`` overrides to a checked ``TrainConfig``."""

from __future__ import annotations

import copy
import difflib
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from posestream.config import read_toml
from posestream.config_keys import accepted, fields_of, is_index, struct_in
from posestream.errors import ConfigError
from posestream.training.config import TrainConfig

_FREE: Final = ("machine", "validation")
_BEGINNING = ("start", "trunk_start", "trunk_held")  # of [network]
"""Sections that may change between the pieces of a run."""


def load(file: str | Path, overrides: Iterable[str] = ()) -> TrainConfig:
    """A run from a TOML file and ``key=value`` overrides.

    Raises ConfigError: one sentence with the key and the nearest valid key or accepted values.
    """
    data = read_toml(Path(file))
    _refuse_unknown(TrainConfig, data, "", str(file))
    for override in overrides:
        _set(data, override)
        _refuse_unknown(TrainConfig, data, "", f"--set {override}")
    try:
        config = msgspec.convert(data, TrainConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{_explain(str(error))} (in {file}).") from None
    _check(config, str(file))
    return config


def what_counts(config: TrainConfig) -> dict[str, Any]:
    """Everything that decides which weights come out, as plain data."""
    plain: dict[str, Any] = msgspec.to_builtins(config)
    counts = {key: value for key, value in plain.items() if key not in (*_FREE, "name")}
    del counts["data"]["folder"]  # shards may lie elsewhere on another machine
    network = config.network
    counts["network"] = {
        "kind": network.kind,
        "config": msgspec.to_builtins(network.config),
        **{key: getattr(network, key) for key in _BEGINNING},
    }
    return counts


def with_defaults(counts: dict[str, Any]) -> dict[str, Any]:
    """``what_counts`` of an older version, with the settings that have come since.

    What can no longer be read is returned as it is.
    """
    network = counts.get("network", {})
    try:
        kind = network["kind"]
        beginning = {key: network[key] for key in _BEGINNING if key in network}
        table = {"kind": kind, kind: network["config"], **beginning}
        return what_counts(msgspec.convert({**counts, "name": "x", "network": table}, TrainConfig))
    except (KeyError, TypeError, msgspec.ValidationError):
        return counts


def first_difference(ours: Any, theirs: Any, key: str = "") -> str:
    """The first key at which two plain configurations differ, with both values; else ''."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in [*ours, *(n for n in theirs if n not in ours)]:
            found = first_difference(
                ours.get(name), theirs.get(name), f"{key}.{name}" if key else name
            )
            if found:
                return found
        return ""
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        if len(ours) == len(theirs):
            parts = (
                first_difference(a, b, f"{key}.{i}")
                for i, (a, b) in enumerate(zip(ours, theirs, strict=True))
            )
            return next(filter(None, parts), "")
        return f"{key} has {len(theirs)} entries, not {len(ours)}"
    return "" if ours == theirs else f"{key} is {theirs!r}, not {ours!r}"


def _check(config: TrainConfig, file: str) -> None:
    """What types alone cannot tell. Raises ConfigError."""
    sizes = {"data.size_px": config.data.size_px, "validation.size_px": config.validation.size_px}
    for key, size in sizes.items():
        if any(n % 32 for n in size):
            raise ConfigError(f"{key} must be multiples of 32, not {list(size)} (in {file}).")
    if config.optimiser.batch % config.optimiser.accumulate:
        raise ConfigError(f"optimiser.batch must be a multiple of accumulate (in {file}).")
    for source in config.data.sources:
        if (source.kind == "composite") != bool(source.backgrounds):
            raise ConfigError(
                f"The source {source.name!r} must name backgrounds if, and only if, its kind is "
                f'"composite" (in {file}).'
            )


def _set(data: dict[str, Any], override: str) -> None:
    """Put one ``key=value`` into plain data; places in lists are numbers."""
    key, separator, text = (part.strip() for part in override.partition("="))
    *parents, last = key.split(".")
    if not separator or not last:
        raise ConfigError(f"--set {override} must have the form key=value.")
    node: Any = data
    for part in parents:
        if isinstance(node, list) and is_index(part) and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, dict):
            node = node.setdefault(part, {})
        else:
            raise ConfigError(f"{key} does not name a setting.")
    if not isinstance(node, dict):
        raise ConfigError(f"{key} does not name a setting.")
    node[last] = _value(text)


def _value(text: str) -> Any:
    """A TOML value, or the text itself where it is none."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return copy.deepcopy(parsed["value"]) if len(parsed) == 1 else text


def _refuse_unknown(kind: Any, data: Any, prefix: str, source: str) -> None:
    """Raise ConfigError at the first key that the schema does not know."""
    if struct_in(kind) is None:
        return
    if isinstance(data, list):
        for i, entry in enumerate(data):
            _refuse_unknown(struct_in(kind), entry, f"{prefix}{i}.", source)
        return
    if not isinstance(data, dict):
        return
    fields = fields_of(kind)
    for key, value in data.items():
        if key not in fields:
            raise ConfigError(_unknown(f"{prefix}{key}", list(fields), prefix, source))
        _refuse_unknown(fields[key], value, f"{prefix}{key}.", source)


def _unknown(key: str, fields: list[str], prefix: str, source: str) -> str:
    last = key.rpartition(".")[2]
    near = [k for k in _keys(TrainConfig, "") if k.rpartition(".")[2] == last]
    near += [prefix + k for k in difflib.get_close_matches(last, fields, n=1, cutoff=0.5)]
    hint = f"did you mean {near[0]}?" if near else f"valid keys are {', '.join(fields)}."
    return f"There is no setting {key} (in {source}); {hint}"


def _keys(kind: Any, prefix: str) -> Iterator[str]:
    for name, inner in fields_of(kind).items():
        yield f"{prefix}{name}"
        yield from _keys(inner, f"{prefix}{name}.")


def _explain(message: str) -> str:
    """msgspec's message with the key first."""
    what, _, where = message.partition(" - at `$.")
    key = where.rstrip("`").replace("[", ".").replace("]", "")
    if not key:
        return what
    kind: Any = TrainConfig
    for part in key.split("."):
        fields = fields_of(kind)
        kind = fields.get(part, kind if is_index(part) else None)
    if kind is None or not what.startswith(("Expected", "Invalid enum")):
        return f"{key}: {what}"
    return f"{key} must be {accepted(kind)}"
