"""The command line of the makers of small models, and how they keep what they made."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from posestream.arrays import F64
from posestream.errors import PosestreamError

Draw = Callable[[Path, Path], None]
"""Draws what is missing into the folder of pictures, from the folder of assets."""
Make = Callable[[Path, Path, Path | None], None]
"""Makes the model from the pictures, into a folder; marks of the exam into another, if wanted."""


def run(part: str, draw: Draw, make: Make, arguments: Sequence[str] | None = None) -> int:
    """Draw and make the model of a ``part`` of the body, "face" or "hand"; the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m posestream.training.{part}s")
    parser.add_argument(
        "--assets", type=Path, required=True, metavar="DIR", help="folder of MakeHuman assets"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help=f"folder for {part}_model.npz"
    )
    parser.add_argument(
        "--pictures", type=Path, default=Path(f"runs/{part}s"), metavar="DIR",
        help=f"where pictures and marks are kept (default: runs/{part}s)",
    )  # fmt: skip
    parser.add_argument(
        "--exam", type=Path, metavar="DIR", help=f"folder for {part}s.npz: marks on those held out"
    )
    parser.add_argument("--draw-only", action="store_true", help="stop when all is drawn")
    options = parser.parse_args(arguments)
    try:
        draw(options.pictures, options.assets)
        if not options.draw_only:
            make(options.pictures, options.out, options.exam)
    except PosestreamError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def write_arrays(file: Path, arrays: Mapping[str, F64]) -> None:
    """Write a model's arrays in single precision; its folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, **{name: a.astype(np.float32) for name, a in arrays.items()})
