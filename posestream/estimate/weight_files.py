"""Which files our networks run from: those named, or those that ship.

A network that finds people is a pair of files, ``NAME.maps.onnx`` and, if it knows distances,
``NAME.head.onnx``; HDNet is one, ``NAME.onnx``. A setting holds a path, or the beginning of a
shipped file's name. Names that begin with ``paper-`` are networks for comparison: they must be
asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from posestream.errors import WeightsError
from posestream.estimate.network_settings import HdnetSettings, RrmpSettings

SHIPPED: Final = Path(__file__).resolve().parent.parent / "weights"
MAPS: Final = ".maps.onnx"
HEAD: Final = ".head.onnx"
_ONNX: Final = ".onnx"
_COMPARED: Final = "paper-"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_MADE_BY: Final = {  # configuration of the training, and what export must know
    "paper-rrmp": ("rrmp-half", ""),
    "paper-hdnet": ("hdnet-half", " --size 128x128"),
}


class WeightFiles(NamedTuple):
    """The files of one network."""

    maps: Path
    head: Path | None


def newest(folder: Path = SHIPPED) -> Path | None:
    """The maps of the highest version in the folder; names are compared number by number."""
    return _newest(path for path in folder.glob(f"*{MAPS}") if not path.name.startswith(_COMPARED))


def find(settings: RrmpSettings, folder: Path = SHIPPED) -> WeightFiles:
    """The files to run. Raises WeightsError if one that is named is not there, or none ships."""
    maps = newest(folder)
    if settings.maps:
        maps = _named(settings.maps, MAPS, "estimate.rrmp.maps", folder)
    if maps is None:
        raise WeightsError(
            "No weights ship with this version: name a file that `posestream export` made "
            "(--set estimate.rrmp.maps=FILE), or take --backend mediapipe."
        )
    if settings.head == "auto":
        return WeightFiles(maps, beside(maps))
    return WeightFiles(maps, _there(Path(settings.head)) if settings.head else None)


def find_hdnet(settings: HdnetSettings, folder: Path = SHIPPED) -> Path | None:
    """HDNet's file; None where it is off. Raises WeightsError if it is not there."""
    if not settings.weights:
        return None
    return _named(settings.weights, _ONNX, "estimate.hdnet.weights", folder)


def beside(maps: Path) -> Path | None:
    """The depth head that belongs to the maps' file, if it lies beside it."""
    if not maps.name.endswith(MAPS):
        return None
    head = maps.with_name(maps.name.removesuffix(MAPS) + HEAD)
    return head if head.is_file() else None


def _named(text: str, ending: str, key: str, folder: Path) -> Path:
    """The file at a path, or the newest of the folder's whose name begins so."""
    if not _NAME.fullmatch(text) or Path(text).is_file():
        return _there(Path(text))
    path = _newest(path for path in folder.glob(f"{text}*{ending}") if _ends(path.name, ending))
    if path is None:
        raise WeightsError(f"No weights called {text!r} ship with this version: {_how(text, key)}.")
    return path


def _how(name: str, key: str) -> str:
    """How to come by weights of this name."""
    other = f"name a file that `posestream export` made (--set {key}=FILE)"
    if name not in _MADE_BY:
        return other
    run, size = _MADE_BY[name]
    return (
        f"`posestream train configs/train/{run}.toml` and `posestream export runs/{run}/best.pt "
        f"--name {name}{size} --out {SHIPPED}` make them; or {other}"
    )


def _ends(name: str, ending: str) -> bool:
    """Whether this is the ending, and not a longer one that means something else."""
    return ending == MAPS or not name.endswith((MAPS, HEAD))


def _there(path: Path) -> Path:
    if not path.is_file():
        raise WeightsError(f"There is no weight file at {str(path)!r}: name one that exists.")
    return path


def _newest(paths: Iterable[Path]) -> Path | None:
    return max(paths, key=lambda path: _natural(path.name), default=None)


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
