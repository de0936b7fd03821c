"""Make the hand model: ``python -m posestream.training.hands --assets DIR --out DIR``.

Takes pictures of hands (needs the packages anny and moderngl, and EGL), finds MediaPipe's points
on them (needs mediapipe) and fits the network. Pictures and marks are kept in ``--pictures``:
what is there is not made again, so that drawing and the rest may run in two environments. With
``--exam`` the marks on the hands held out go into a folder as well, for the tests.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posestream.errors import PosestreamError
from posestream.perform.hand_model import read_with
from posestream.perform.small_network import SmallNetwork
from posestream.training.hands import pictures
from posestream.training.hands.exam import known_hands, save_exam
from posestream.training.hands.fit import fit
from posestream.training.hands.judge import answer, report
from posestream.training.hands.marks import hands_in
from posestream.training.hands.people import HELD_OUT, OWNERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m posestream.training.hands")
    parser.add_argument(
        "--assets", type=Path, required=True, metavar="DIR", help="folder of MakeHuman assets"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for hand_model.npz"
    )
    parser.add_argument(
        "--pictures", type=Path, default=Path("runs/hands"), metavar="DIR",
        help="where pictures and marks are kept (default: runs/hands)",
    )  # fmt: skip
    parser.add_argument(
        "--exam", type=Path, metavar="DIR", help="folder for hands.npz: marks on those held out"
    )
    parser.add_argument("--draw-only", action="store_true", help="stop when all is drawn")
    options = parser.parse_args(arguments)
    try:
        pictures.draw(options.pictures, options.assets)
        if not options.draw_only:
            make(options.pictures, options.out, options.exam)
    except PosestreamError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def make(drawn: Path, out: Path, exam: Path | None = None) -> None:
    """Write ``hand_model.npz`` from drawn hands; print how it does on those held out."""
    learnt_from = [owner for owner in range(len(OWNERS)) if owner not in HELD_OUT]
    network = fit([hands_in(pictures.folder_of(drawn, owner)) for owner in learnt_from])
    save(network, out)
    known = [
        hand
        for owner in HELD_OUT
        for hand in known_hands(hands_in(pictures.folder_of(drawn, owner)))
    ]
    if exam is not None:
        save_exam(known, exam)
    print(report([answer(hand, read_with(network)) for hand in known]))


def save(network: SmallNetwork, out: Path) -> None:
    """Write ``hand_model.npz`` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    arrays = {"w1": network.w1, "b1": network.b1, "w2": network.w2, "b2": network.b2}
    np.savez_compressed(
        out / "hand_model.npz",
        **{name: array.astype(np.float32) for name, array in arrays.items()},
    )


if __name__ == "__main__":
    sys.exit(main())
