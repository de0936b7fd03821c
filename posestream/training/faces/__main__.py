"""Make the face model: ``python -m posestream.training.faces --assets DIR --out DIR``.

Draws portraits (needs the packages anny and moderngl, and EGL), finds MediaPipe's face mesh on
them (needs mediapipe) and fits the matrix. Pictures and marks are kept in ``--pictures``: what is
there is not made again, so that drawing and the rest may run in two environments.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posestream.errors import PosestreamError
from posestream.perform.expressions import FaceModel
from posestream.training.faces import pictures
from posestream.training.faces.corpus import SITTINGS
from posestream.training.faces.fit import fit
from posestream.training.faces.judge import report
from posestream.training.faces.marks import sitting_in
from posestream.training.faces.people import HELD_OUT, SITTERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m posestream.training.faces")
    parser.add_argument(
        "--assets", type=Path, required=True, metavar="DIR", help="folder of MakeHuman assets"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for face_model.npz"
    )
    parser.add_argument(
        "--pictures", type=Path, default=Path("runs/faces"), metavar="DIR",
        help="where pictures and marks are kept (default: runs/faces)",
    )  # fmt: skip
    parser.add_argument("--draw-only", action="store_true", help="stop when all is drawn")
    options = parser.parse_args(arguments)
    try:
        pictures.draw(options.pictures, options.assets)
        if not options.draw_only:
            make(options.pictures, options.out)
    except PosestreamError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def make(drawn: Path, out: Path) -> None:
    """Write ``face_model.npz`` from drawn portraits; print how it does on who was held out."""
    learnt_from = [person for person in range(len(SITTERS)) if person not in HELD_OUT]
    found = {
        (person, name): sitting_in(pictures.folder_of(drawn, person, name))
        for person in range(len(SITTERS))
        for name in SITTINGS
    }
    model = fit(
        [found[person, name] for person in learnt_from for name in SITTINGS],
        steady=[found[person, SITTINGS[0]] for person in learnt_from],
    )
    save(model, out)
    print(report(model, [found[person, name] for person in HELD_OUT for name in SITTINGS]))


def save(model: FaceModel, out: Path) -> None:
    """Write ``face_model.npz`` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / "face_model.npz",
        canonical=model.canonical.astype(np.float32),
        weight=model.weight.astype(np.float32),
        matrix=model.matrix.astype(np.float32),
    )


if __name__ == "__main__":
    sys.exit(main())
