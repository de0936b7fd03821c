"""Make the face model: ``python -m posestream.training.faces --assets DIR --out DIR``.

Draws portraits (needs the packages anny and moderngl, and EGL), finds MediaPipe's face mesh on
them (needs mediapipe) and fits the network. Pictures and marks are kept in ``--pictures``: what
is there is not made again, so that drawing and the rest may run in two environments. With
``--exam`` the marks on the people held out go into a folder as well, for the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from posestream.perform.expressions import FaceModel
from posestream.training.drawn import folder_of
from posestream.training.faces import pictures
from posestream.training.faces.exam import examinee, save_exam, save_pictures
from posestream.training.faces.fit import fit
from posestream.training.faces.judge import answers, report
from posestream.training.faces.marks import sitting_in
from posestream.training.faces.people import HELD_OUT, SITTERS
from posestream.training.model_maker import run, write_arrays


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    return run("face", pictures.draw, make, arguments)


def make(drawn: Path, out: Path, exam: Path | None = None) -> None:
    """Write ``face_model.npz`` from drawn portraits; print how it does on who was held out."""
    learnt_from = [person for person in SITTERS if person not in HELD_OUT]
    model = fit([sitting_in(folder_of(drawn, person)) for person in learnt_from])
    save(model, out)
    examinees = [examinee(folder_of(drawn, person)) for person in HELD_OUT]
    if exam is not None:
        save_exam(examinees, exam)
        save_pictures(folder_of(drawn, HELD_OUT[0]), exam)
    print(report([answers(model, person) for person in examinees]))


def save(model: FaceModel, out: Path) -> None:
    """Write ``face_model.npz`` into a folder."""
    network = model.network
    arrays = {
        "canonical": model.canonical, "weight": model.weight,
        "w1": network.w1, "b1": network.b1, "w2": network.w2, "b2": network.b2,
    }  # fmt: skip
    write_arrays(out / "face_model.npz", arrays)


if __name__ == "__main__":
    sys.exit(main())
