"""Weight files: a network's kind, its configuration and its values in half precision.

A file is read without trust: its size is bounded, ``torch.load`` takes nothing but tensors and
plain values, and the values must fit the network that the configuration describes before any
memory is taken for it.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import torch
from torch import Tensor, nn

from posestream.errors import WeightsError
from posestream.nn.hdnet import Hdnet, HdnetConfig
from posestream.nn.rrmp import Rrmp, RrmpConfig
from posestream.nn.saving import save_whole
from posestream.nn.thresholds import Thresholds
from posestream.nn.unified import Unified, UnifiedConfig

FORMAT: Final = 1
Kind = Literal["rrmp", "hdnet", "unified"]
Network = Rrmp | Hdnet | Unified
Config = RrmpConfig | HdnetConfig | UnifiedConfig

_KINDS: Final[dict[str, tuple[type[Config], Callable[[Any], Network]]]] = {
    "rrmp": (RrmpConfig, Rrmp),
    "hdnet": (HdnetConfig, Hdnet),
    "unified": (UnifiedConfig, Unified),
}
_MAX_VALUES: Final = 150_000_000
_MAX_BYTES: Final = 4 * _MAX_VALUES


def build(kind: str, config: Config) -> Network:
    """An untrained network of the ``kind``. Raises WeightsError if kind and config disagree."""
    wanted, network = _types(kind)
    if not isinstance(config, wanted):
        raise WeightsError(f"{type(config).__name__} does not describe a network of kind {kind!r}.")
    return network(config)


def kind_of(network: nn.Module) -> Kind:
    """The kind of a network. Raises WeightsError for modules that are none of ours."""
    for kind, (_, module) in _KINDS.items():
        if type(network) is module:
            return kind  # type: ignore[return-value]
    raise WeightsError(f"{type(network).__name__} is not a network that has weight files.")


def save(path: str | Path, network: Network, thresholds: Thresholds | None = None) -> None:
    """Write the network and how sure it must be; a file at ``path`` is replaced in one step.

    Raises WeightsError if a value is not finite in half precision, or the disk refuses.
    """
    path = Path(path)
    content = {
        "format": FORMAT,
        "kind": kind_of(network),
        "config": msgspec.json.encode(network.config).decode(),
        "state": _half(network, path),
    }
    if thresholds is not None:
        content["thresholds"] = msgspec.json.encode(thresholds).decode()
    try:
        save_whole(content, path)
    except (OSError, RuntimeError) as error:
        raise WeightsError(
            f"{path} cannot be written ({error}): make room or name another place."
        ) from error


def load(path: str | Path, kind: Kind | None = None) -> Network:
    """The network in the file, in single precision, on the CPU, ready to be used (``eval``).

    Raises WeightsError if it is no weight file of ours, or not of the ``kind`` asked for.
    """
    path = Path(path)
    found, config, state = _read(path)
    if kind is not None and found != kind:
        raise WeightsError(f"{path} holds a network of kind {found!r}, not {kind!r}: name another.")
    with torch.device("meta"):
        sketch = build(found, config)
    _check_fit(path, sketch, state)
    network = build(found, config)
    network.load_state_dict(state)
    network.eval()
    return network


def load_thresholds(path: str | Path) -> Thresholds | None:
    """What the network in the file was judged with; None where the file does not say.

    Raises WeightsError if it is no weight file of ours.
    """
    path = Path(path)
    text = _content(path).get("thresholds")
    try:
        return None if text is None else msgspec.json.decode(text, type=Thresholds)
    except (msgspec.MsgspecError, TypeError) as error:
        raise WeightsError(f"{path} has thresholds that none can be ({error}).") from error


def load_into(path: str | Path, network: Network) -> None:
    """Fill ``network`` with the values in the file.

    Raises WeightsError if the file holds another architecture.
    """
    path = Path(path)
    kind, config, state = _read(path)
    if kind != kind_of(network):
        raise WeightsError(
            f"{path} holds a network of kind {kind!r}, not {kind_of(network)!r}: name another."
        )
    if config != network.config:
        ours, theirs = (msgspec.to_builtins(c) for c in (network.config, config))
        other = ", ".join(
            f"{k} {theirs[k]!r}, not {ours[k]!r}" for k in ours if ours[k] != theirs[k]
        )
        raise WeightsError(f"{path} holds another architecture ({other}): build the same one.")
    _check_fit(path, network, state)
    network.load_state_dict(state)


def _types(kind: str) -> tuple[type[Config], Callable[[Any], Network]]:
    try:
        return _KINDS[kind]
    except (KeyError, TypeError):
        known = ", ".join(_KINDS)
        raise WeightsError(f"There is no network of kind {kind!r}: it is one of {known}.") from None


def _half(network: nn.Module, path: Path) -> dict[str, Tensor]:
    """The values as they are stored; whole numbers stay what they are."""
    state: dict[str, Tensor] = {}
    for name, value in network.state_dict().items():
        value = value.detach().cpu()
        state[name] = value.half() if value.is_floating_point() else value.clone()
        if not torch.isfinite(state[name]).all():
            raise WeightsError(
                f"{path} was not written: {name} is not finite (training diverged?)."
            )
    return state


def _content(path: Path) -> dict[str, Any]:
    content = _unpickled(path)
    if not isinstance(content, dict) or not {"format", "kind", "config", "state"} <= set(content):
        raise _not_ours(path)
    if content["format"] != FORMAT:
        raise WeightsError(
            f"{path} has format {content['format']!r}, this version reads {FORMAT}: "
            "train or save it anew."
        )
    return content


def _read(path: Path) -> tuple[str, Config, dict[str, Tensor]]:
    content = _content(path)
    wanted, _ = _types(content["kind"])
    try:
        config = msgspec.json.decode(content["config"], type=wanted)
    except (msgspec.MsgspecError, TypeError) as error:
        raise WeightsError(f"{path} describes no network that can be built ({error}).") from error
    state = content["state"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise _not_ours(path)
    return content["kind"], config, state


def _unpickled(path: Path) -> Any:
    if not path.is_file():
        raise WeightsError(f"There is no weight file at {path}: name one that exists.")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _MAX_BYTES:
            raise WeightsError(f"{path} is larger than any network of ours: name another file.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(str(path), map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except Exception as error:  # a damaged file may raise anything
        raise _not_ours(path) from error


def _check_fit(path: Path, network: nn.Module, state: dict[str, Tensor]) -> None:
    """Names, shapes and values; raises WeightsError."""
    wanted = network.state_dict()
    if sum(v.numel() for v in wanted.values()) > _MAX_VALUES:
        raise WeightsError(
            f"{path} describes a network larger than any of ours: name another file."
        )
    if wanted.keys() != state.keys():
        odd = sorted(map(str, wanted.keys() ^ state.keys()))[0]
        raise WeightsError(f"{path} does not fit the network it describes ({odd}): save it anew.")
    for name, value in wanted.items():
        if state[name].shape != value.shape:
            raise WeightsError(
                f"{path} does not fit the network it describes ({name} is "
                f"{tuple(state[name].shape)}, not {tuple(value.shape)}): save it anew."
            )
        if not torch.isfinite(state[name]).all():
            raise WeightsError(f"{path} holds values that are not finite ({name}): train it anew.")


def _not_ours(path: Path) -> WeightsError:
    return WeightsError(f"{path} is not a weight file of ours: name one that training saved.")
