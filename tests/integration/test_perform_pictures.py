"""Expression values of a rendered head and fingers of rendered hands, whose shapes are known.

From pixels to values, with MediaPipe: ``tests/data/performed/jawOpen.jpg`` shows that face unit
fully driven, and so on. The head is of a person who was not used to fit the face model. More
people, by their marks alone, are in ``test_perform_exam.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.arrays import Image
from posestream.estimate.backends.mediapipe_models import check
from posestream.geometry import rotation as rot
from posestream.perform.expressions import Neutral, mouth, read_face, vowels
from posestream.perform.face_features import features
from posestream.perform.face_frame import PlacedFace
from posestream.perform.fingers import solve_hand
from posestream.perform.hand_model import read_hand
from posestream.perform.neutral import neutral_of
from posestream.perform.solving import place
from posestream.training.faces.corpus import CASES
from posestream.training.hands.judge import curls
from posestream.types import ARKIT_EXPRESSIONS, Camera, Frame

pytestmark = [
    pytest.mark.mediapipe,
    pytest.mark.skipif(not check()[0], reason=check()[1]),
]

HANDS = Path(__file__).resolve().parents[1] / "data" / "hands"
FACES = Path(__file__).resolve().parents[1] / "data" / "performed"
CAMERA = Camera(np.array([[700.0, 0, 127.5], [0, 700.0, 127.5], [0, 0, 1]]), (256, 256))
DRIVEN = sorted(path.stem for path in FACES.glob("*.jpg"))


def picture(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), dtype=np.uint8)


class Reader:
    def __init__(self) -> None:
        from posestream.estimate.backends.mediapipe_marks import MarksFinder

        self._finder = MarksFinder(hands=False, face=True)
        self._t_ns = 0

    def face(self, name: str) -> PlacedFace:
        image = picture(FACES / f"{name}.jpg")
        for _ in range(4):  # the model settles on what it follows
            self._t_ns += 100_000_000
            marks = self._finder.find(Frame(0, self._t_ns, image, CAMERA))
        assert marks.face is not None
        return place(marks.face)

    def close(self) -> None:
        self._finder.close()


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def neutral(reader: Reader) -> Neutral:
    return neutral_of(reader.face("neutral"))


def test_the_driven_value_stands_out(reader: Reader, neutral: Neutral) -> None:
    """One picture of each: some fail at this size, so most must pass."""
    passed = {name: stands_out(reader, neutral, name) for name in DRIVEN if name[0].islower()}
    assert len(passed) == len(CASES) + 1
    assert np.mean(list(passed.values())) >= 0.8, passed


def stands_out(reader: Reader, neutral: Neutral, driven: str) -> bool:
    face = reader.face(driven)
    read = read_face(features(face.point), face.turn_xyzw, neutral).arkit
    values = dict(zip(ARKIT_EXPRESSIONS, read.tolist(), strict=True))
    own = [values.pop(name) for name in driven.split("+") if name != "neutral"]
    return min(own, default=1.0) > 0.6 and max(values.values()) < 0.3


@pytest.mark.parametrize("vowel", ["A", "U", "O"])
def test_mouths_say_their_vowel(reader: Reader, neutral: Neutral, vowel: str) -> None:
    face = reader.face(vowel)
    read = read_face(features(face.point), face.turn_xyzw, neutral)
    spoken = vowels(read.arkit, *mouth(face.point), neutral, read.stretch)
    index = "AIUEO".index(vowel)
    assert spoken[index] > 0.6
    assert np.delete(spoken, index).max() < 0.3


HAND_CAMERA = Camera(np.array([[400.0, 0, 159.5], [0, 400.0, 159.5], [0, 0, 1]]), (320, 320))


def test_pointing_hands_point_and_nothing_else_of_them_does() -> None:
    """Index straight, three fingers curled: from both sides, in several directions."""
    from posestream.estimate.backends.mediapipe_marks import MarksFinder

    truth = json.loads((HANDS / "truth.json").read_text())
    errors_deg, told = [], []
    for name, known in truth.items():
        finder = MarksFinder(hands=True, face=False)
        image = picture(HANDS / f"{name}.jpg")
        for step in range(3):
            marks = finder.find(Frame(step, (step + 1) * 100_000_000, image, HAND_CAMERA))
        finder.close()
        hand = max(marks.hands, key=lambda found: found.score)
        assert hand.side == known["side"]
        pose = read_hand(hand.xy_px, hand.xyz_m, hand.side)
        real = solve_hand(np.array(known["points_cam_m"]), hand.side)
        assert np.degrees(rot.angle_between(pose.palm_xyzw, real.palm_xyzw)) < 30.0
        curl = curls(pose.finger_xyzw, hand.side)
        assert curl[0] < 0.45
        assert curl[1:].min() > 0.55
        told.append(curl[0] < 0.3 and curl[1:].min() > 0.6)
        error = np.degrees(rot.angle_between(pose.finger_xyzw, real.finger_xyzw))
        errors_deg.append(error[3:].mean())
    assert np.mean(errors_deg) < 15.0
    assert np.mean(told) > 0.8
