"""Make the hand model: ``python -m posestream.training.hands --assets DIR --out DIR``.

Takes pictures of hands (needs the packages anny and moderngl, and EGL), finds MediaPipe's points
on them (needs mediapipe) and fits the network. Pictures and marks are kept in ``--pictures``:
what is there is not made again, so that drawing and the rest may run in two environments. With
``--exam`` the marks on the hands held out go into a folder as well, for the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from posestream.perform.hand_model import read_with
from posestream.perform.small_network import SmallNetwork
from posestream.training.drawn import folder_of
from posestream.training.hands import pictures
from posestream.training.hands.exam import known_hands, save_exam
from posestream.training.hands.fit import fit
from posestream.training.hands.judge import answer, report
from posestream.training.hands.marks import hands_in
from posestream.training.hands.people import HELD_OUT, OWNERS
from posestream.training.model_maker import run, write_arrays


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    return run("hand", pictures.draw, make, arguments)


def make(drawn: Path, out: Path, exam: Path | None = None) -> None:
    """Write ``hand_model.npz`` from drawn hands; print how it does on those held out."""
    learnt_from = [owner for owner in range(len(OWNERS)) if owner not in HELD_OUT]
    network = fit([hands_in(folder_of(drawn, owner)) for owner in learnt_from])
    save(network, out)
    known = [hand for owner in HELD_OUT for hand in known_hands(hands_in(folder_of(drawn, owner)))]
    if exam is not None:
        save_exam(known, exam)
    print(report([answer(hand, read_with(network)) for hand in known]))


def save(network: SmallNetwork, out: Path) -> None:
    """Write ``hand_model.npz`` into a folder."""
    arrays = {"w1": network.w1, "b1": network.b1, "w2": network.w2, "b2": network.b2}
    write_arrays(out / "hand_model.npz", arrays)


if __name__ == "__main__":
    sys.exit(main())
