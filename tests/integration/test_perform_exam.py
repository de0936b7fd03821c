"""Faces and hands that are known, of people from whom no model learnt.

``tests/data/performed`` holds MediaPipe's marks on rendered heads and hands; the README there says
how they were made. What is driven must exceed 0.6 while everything else stays under 0.3.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posestream.perform.expressions import face_model
from posestream.perform.fingers import solve_hand
from posestream.perform.hand_model import hand_network, read_with
from posestream.training.faces import exam as face_exam
from posestream.training.faces.corpus import CASES, VOWELS
from posestream.training.faces.judge import Answer, answers
from posestream.training.hands import exam as hand_exam
from posestream.training.hands.judge import Answer as HandAnswer
from posestream.training.hands.judge import KnownHand, answer

DATA = Path(__file__).resolve().parents[1] / "data" / "performed"


@pytest.fixture(scope="module")
def answered() -> list[list[Answer]]:
    return [answers(face_model(), person) for person in face_exam.load_exam(DATA)]


def of_case(answered: list[list[Answer]], case: str) -> list[list[Answer]]:
    return [[a for a in person if a.case == case] for person in answered]


def test_the_people_are_many_and_everything_was_asked(answered: list[list[Answer]]) -> None:
    assert len(answered) >= 4
    asked = {a.case for person in answered for a in person}
    assert asked == {"neutral", *("+".join(names) for names in CASES), *VOWELS}


@pytest.mark.parametrize("case", ["neutral", *("+".join(names) for names in CASES), *VOWELS])
def test_the_median_head_passes(answered: list[list[Answer]], case: str) -> None:
    """Each head by the median of its pictures; the median head must pass."""
    own = of_case(answered, case)
    driven = [np.median([a.driven for a in person]) for person in own]
    others = [np.median([a.other for a in person]) for person in own]
    assert np.median(driven) > 0.6
    assert np.median(others) < 0.3


def test_most_pictures_pass(answered: list[list[Answer]]) -> None:
    assert np.mean([a.passed for person in answered for a in person]) > 0.7


@pytest.fixture(scope="module")
def hands() -> list[KnownHand]:
    return hand_exam.load_exam(DATA)


@pytest.fixture(scope="module")
def read(hands: list[KnownHand]) -> list[HandAnswer]:
    return [answer(hand, read_with(hand_network())) for hand in hands]


def test_fingers_turn_as_they_did(read: list[HandAnswer]) -> None:
    error = np.degrees(np.stack([one.error_rad for one in read]))
    assert error[:, 3:].mean() < 13.0
    assert error[:, :3].mean() < 16.0
    assert np.median(np.degrees([one.palm_rad for one in read])) < 14.0


def test_the_model_is_better_than_the_points_taken_as_they_are(
    hands: list[KnownHand], read: list[HandAnswer]
) -> None:
    plain = [answer(hand, lambda _, xyz, side: solve_hand(xyz, side, 0.7)) for hand in hands]
    mean = [np.stack([one.error_rad for one in answered]).mean() for answered in (read, plain)]
    assert mean[0] < 0.6 * mean[1]


@pytest.mark.parametrize("gesture", ["open", "fist", "point", "thumbs_up"])
def test_curled_fingers_are_told_from_straight_ones(read: list[HandAnswer], gesture: str) -> None:
    assert np.mean([one.passed for one in read if one.gesture == gesture]) > 0.7
