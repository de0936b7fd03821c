"""The whole state of a run in one file, replaced in one step; read without trust."""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

from posestream.errors import TrainingError
from posestream.nn.saving import save_whole
from posestream.training.config import TrainConfig
from posestream.training.config_file import first_difference, what_counts, with_defaults

FORMAT: Final = 1
NAME: Final = "last.ckpt"


class State(NamedTuple):
    """What a run continues from, after ``step`` steps."""

    step: int
    seconds: float  # that the run has taken so far
    best_score: float | None
    network: dict[str, Any]
    average: dict[str, Any]
    optimiser: dict[str, Any]


def save(path: Path, config: TrainConfig, state: State) -> None:
    """Write the state. Raises TrainingError if the disk refuses; an older file then stays."""
    content = {"format": FORMAT, "config": _text(config), **state._asdict()}
    try:
        save_whole(content, path)
    except (OSError, RuntimeError) as error:
        raise TrainingError(
            f"{path} cannot be written ({error}): make room; the last checkpoint is kept."
        ) from error


def load(path: Path, config: TrainConfig) -> State | None:
    """The state of the same run, None where there is none yet.

    Raises TrainingError if it is of another architecture or configuration, or damaged.
    """
    if not path.exists():
        return None
    content = _read(path)
    theirs = with_defaults(json.loads(content["config"]))
    difference = first_difference(json.loads(_text(config)), json.loads(json.dumps(theirs)))
    if difference:
        raise TrainingError(
            f"{path} is of another run ({difference}): take the same configuration or another "
            "--out folder."
        )
    return State(**{name: content[name] for name in State._fields})


def _text(config: TrainConfig) -> str:
    return json.dumps(what_counts(config), sort_keys=True)


def _read(path: Path) -> dict[str, Any]:
    wanted = {"format", "config", *State._fields}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(str(path), map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError,
            pickle.UnpicklingError, zipfile.BadZipFile) as error:  # fmt: skip
        raise TrainingError(
            f"{path} is not a checkpoint that can be read: name another --out folder."
        ) from error
    if not isinstance(content, dict) or set(content) != wanted or content["format"] != FORMAT:
        raise TrainingError(
            f"{path} is not a checkpoint of this version: name another --out folder."
        )
    return content
