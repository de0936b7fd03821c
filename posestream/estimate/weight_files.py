"""Which ONNX files the back end ``rrmp`` runs: those named, or the newest that ship.

A network is a pair of files, ``NAME.maps.onnx`` and, if it knows distances, ``NAME.head.onnx``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from posestream.errors import WeightsError
from posestream.estimate.network_settings import RrmpSettings

SHIPPED: Final = Path(__file__).resolve().parent.parent / "weights"
MAPS: Final = ".maps.onnx"
HEAD: Final = ".head.onnx"


class WeightFiles(NamedTuple):
    """The files of one network."""

    maps: Path
    head: Path | None


def newest(folder: Path = SHIPPED) -> Path | None:
    """The maps of the highest version in the folder; names are compared number by number."""
    return max(folder.glob(f"*{MAPS}"), key=lambda path: _natural(path.name), default=None)


def find(settings: RrmpSettings, folder: Path = SHIPPED) -> WeightFiles:
    """The files to run. Raises WeightsError if one that is named is not there, or none ships."""
    maps = Path(settings.maps) if settings.maps else newest(folder)
    if maps is None:
        raise WeightsError(
            "No weights ship with this version: name a file that `posestream export` made "
            "(--set estimate.rrmp.maps=FILE), or take --backend mediapipe."
        )
    if settings.head == "auto":
        return WeightFiles(_there(maps), beside(maps))
    return WeightFiles(_there(maps), _there(Path(settings.head)) if settings.head else None)


def beside(maps: Path) -> Path | None:
    """The depth head that belongs to the maps' file, if it lies beside it."""
    if not maps.name.endswith(MAPS):
        return None
    head = maps.with_name(maps.name.removesuffix(MAPS) + HEAD)
    return head if head.is_file() else None


def _there(path: Path) -> Path:
    if not path.is_file():
        raise WeightsError(f"There is no weight file at {str(path)!r}: name one that exists.")
    return path


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
