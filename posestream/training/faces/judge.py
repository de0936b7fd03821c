"""How a face model does on people it was not fitted to: what is driven, against all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.perform.expressions import FaceModel, Neutral, mouth, read_face, vowels
from posestream.perform.face_features import features
from posestream.perform.face_frame import PlacedFace, place_face
from posestream.training.faces.corpus import CASES, VOWELS
from posestream.types import ARKIT_EXPRESSIONS

DRIVEN: Final = 0.6
"""What is driven must exceed this,"""
OTHERS: Final = 0.3
"""and all else stay under that."""
_SAME: Final[Mapping[str, str]] = {"jawOpen": "A", "mouthPucker": "U", "mouthFunnel": "O"}
"""A mouth that does the one says the other."""


class Answer(NamedTuple):
    """What came of one picture."""

    case: str  # what is driven, joined by +; "neutral"; or a vowel
    driven: float  # the least of it; 1 where nothing is
    other: float  # the largest of all others
    which: str  # that is

    @property
    def passed(self) -> bool:
        """Whether the driven value stands out."""
        return self.driven > DRIVEN and self.other < OTHERS


class Examinee(NamedTuple):
    """One person's marks, the first of the neutral face, straight ahead, and what each shows."""

    xyz_px: F64  # (P, 478, 3) camera axes; NaN where no face was found
    case: tuple[str, ...]  # of P pictures; empty where nothing is asked


def answers(model: FaceModel, person: Examinee) -> list[Answer]:
    """An answer for each picture but the first, from which the neutral face is learnt."""
    neutral_face = place_face(person.xyz_px[0], model.canonical, model.weight)
    neutral = Neutral(
        features(neutral_face.point), neutral_face.turn_xyzw, mouth(neutral_face.point)[0]
    )
    return [
        _answer(place_face(xyz, model.canonical, model.weight), neutral, case, model)
        for xyz, case in zip(person.xyz_px[1:], person.case[1:], strict=True)
        if case
    ]


def _answer(face: PlacedFace, neutral: Neutral, case: str, model: FaceModel) -> Answer:
    read = read_face(features(face.point), face.turn_xyzw, neutral, model=model)
    spoken = vowels(read.arkit, *mouth(face.point), neutral, read.stretch)
    shown = dict(zip(ARKIT_EXPRESSIONS, read.arkit.tolist(), strict=True))
    shown |= dict(zip(VOWELS, spoken.tolist(), strict=True))
    driven = case.split("+") if case != "neutral" else []
    free = _not_judged(case)
    others = {name: v for name, v in shown.items() if name not in driven and name not in free}
    which = max(others, key=lambda name: others[name])
    least = min((shown[name] for name in driven), default=1.0)
    return Answer(case, least, others[which], which)


def _not_judged(case: str) -> set[str]:
    """A vowel is a shape of the mouth, and some shapes of the mouth are vowels."""
    if case in VOWELS:
        return {name for name in ARKIT_EXPRESSIONS if name.startswith(("jaw", "mouth"))}
    return {_SAME[case]} if case in _SAME else set()


def report(answered: Sequence[Sequence[Answer]]) -> str:
    """A line for each case: share of people who pass, least driven, largest other."""
    lines = [f"{'driven':<36} people  pictures  median driven/other   worst other"]
    for case in ("neutral", *("+".join(names) for names in CASES), *VOWELS):
        own = [[a for a in person if a.case == case] for person in answered]
        own = [person for person in own if person]
        if own:
            lines.append(_line(case, own))
    every = [a.passed for person in answered for a in person]
    return "\n".join([*lines, f"all pictures: {np.mean(every):.3f} of {len(every)} pass"])


def _line(case: str, own: list[list[Answer]]) -> str:
    flat = [a for person in own for a in person]
    people = np.mean([all(a.passed for a in person) for person in own])
    middle = np.median([a.driven for a in flat]), np.median([a.other for a in flat])
    worst = max(flat, key=lambda a: a.other)
    return (
        f"{case:<36} {people:6.2f} {np.mean([a.passed for a in flat]):9.2f} "
        f"{middle[0]:8.2f} {middle[1]:8.2f} {worst.other:11.2f} {worst.which}"
    )
