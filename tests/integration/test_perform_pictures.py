"""Expression values of rendered heads and fingers of rendered hands, whose shapes are known.

The heads are of two people who were not used to fit the face model.

``tests/data/faces`` holds ``a_jawOpen.jpg``: person a with that face unit fully driven, the head
turned by up to ten degrees. See docs/hands-and-face.md for all values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.estimate.backends.mediapipe_models import check
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.perform.expressions import Neutral, arkit_values, mouth, vowels
from posestream.perform.face_features import features
from posestream.perform.face_frame import PlacedFace
from posestream.perform.fingers import solve_hand
from posestream.perform.neutral import neutral_of
from posestream.perform.solving import place
from posestream.types import ARKIT_EXPRESSIONS, Camera, Frame

pytestmark = [
    pytest.mark.mediapipe,
    pytest.mark.skipif(not check()[0], reason=check()[1]),
]

HANDS = Path(__file__).resolve().parents[1] / "data" / "hands"
FACES = Path(__file__).resolve().parents[1] / "data" / "faces"
CAMERA = Camera(np.array([[700.0, 0, 127.5], [0, 700.0, 127.5], [0, 0, 1]]), (256, 256))
CLEAR = (
    "eyeBlinkLeft", "eyeBlinkRight", "eyeBlinkLeft+eyeBlinkRight", "jawOpen",
    "mouthSmileLeft", "mouthSmileRight", "mouthFunnel", "mouthPucker", "browInnerUp",
    "browDownLeft+browDownRight",
)  # fmt: skip
GAZE = ("eyeLookInLeft+eyeLookOutRight", "eyeLookInRight+eyeLookOutLeft",
        "eyeLookDownLeft+eyeLookDownRight")  # fmt: skip


class Reader:
    def __init__(self) -> None:
        from posestream.estimate.backends.mediapipe_marks import MarksFinder

        self._finder = MarksFinder(hands=False, face=True)
        self._t_ns = 0
        self._known: dict[str, PlacedFace] = {}

    def face(self, name: str) -> PlacedFace:
        if name not in self._known:
            self._known[name] = self._look(name)
        return self._known[name]

    def _look(self, name: str) -> PlacedFace:
        image = cv2.imread(str(FACES / f"{name}.jpg"))
        for _ in range(8):  # the model settles on what it follows
            self._t_ns += 100_000_000
            marks = self._finder.find(Frame(0, self._t_ns, image, CAMERA))
        assert marks.face is not None
        return place(marks.face)

    def values(self, name: str, neutral: Neutral) -> dict[str, float]:
        face = self.face(name)
        values = arkit_values(features(face.point), face.turn_xyzw, neutral)
        return dict(zip(ARKIT_EXPRESSIONS, values.tolist(), strict=True))

    def close(self) -> None:
        self._finder.close()


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture(scope="module", params=["a", "b"])
def person(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def neutral(reader: Reader, person: str) -> Neutral:
    return neutral_of(reader.face(f"{person}_neutral"))


@pytest.mark.parametrize("driven", CLEAR)
def test_the_driven_value_stands_out(
    reader: Reader, person: str, neutral: Neutral, driven: str
) -> None:
    values = reader.values(f"{person}_{driven}", neutral)
    for name in driven.split("+"):
        assert values.pop(name) > 0.6
    assert max(values.values()) < 0.3


@pytest.mark.parametrize("driven", GAZE)
def test_the_gaze_goes_the_way_it_was_driven(
    reader: Reader, person: str, neutral: Neutral, driven: str
) -> None:
    values = reader.values(f"{person}_{driven}", neutral)
    for name in driven.split("+"):
        assert values.pop(name) > 0.5
    looks = {name: value for name, value in values.items() if name.startswith("eyeLook")}
    assert max(looks.values()) < 0.4


def test_one_raised_eye_line_is_up(reader: Reader, person: str, neutral: Neutral) -> None:
    values = reader.values(f"{person}_eyeLookUpLeft+eyeLookUpRight", neutral)
    assert values["eyeLookUpLeft"] > 0.2
    assert values["eyeLookDownLeft"] == 0.0


def test_a_neutral_face_stays_neutral(reader: Reader, person: str, neutral: Neutral) -> None:
    assert max(reader.values(f"{person}_neutral", neutral).values()) < 0.15


@pytest.mark.parametrize(
    ("driven", "vowel"), [("jawOpen", 0), ("mouthPucker", 2), ("mouthFunnel", 4)]
)
def test_mouths_say_their_vowel(
    reader: Reader, person: str, neutral: Neutral, driven: str, vowel: int
) -> None:
    face = reader.face(f"{person}_{driven}")
    values = arkit_values(features(face.point), face.turn_xyzw, neutral)
    spoken = vowels(values, *mouth(face.point), neutral)
    assert spoken[vowel] > 0.6
    assert np.delete(spoken, vowel).max() < 0.3


HAND_CAMERA = Camera(np.array([[400.0, 0, 159.5], [0, 400.0, 159.5], [0, 0, 1]]), (320, 320))


def test_pointing_hands_point_and_nothing_else_of_them_does() -> None:
    """Index straight, three fingers curled: from both sides, in several directions."""
    from posestream.estimate.backends.mediapipe_marks import MarksFinder

    truth = json.loads((HANDS / "truth.json").read_text())
    errors_deg = []
    for name, known in truth.items():
        finder = MarksFinder(hands=True, face=False)
        image = cv2.imread(str(HANDS / f"{name}.jpg"))
        for step in range(3):
            marks = finder.find(Frame(step, (step + 1) * 100_000_000, image, HAND_CAMERA))
        finder.close()
        hand = max(marks.hands, key=lambda found: found.score)
        assert hand.side == known["side"]
        pose = solve_hand(hand.xyz_m, hand.side, coupling=0.7)
        real = solve_hand(np.array(known["points_cam_m"]), hand.side)
        assert np.degrees(rot.angle_between(pose.palm_xyzw, real.palm_xyzw)) < 45.0
        curl = curls_deg(pose.finger_xyzw, hand.side)
        assert curl[1] < 60.0  # the index finger, its three joints together
        assert curl[2:].min() > 100.0
        error = np.degrees(rot.angle_between(pose.finger_xyzw, real.finger_xyzw))
        errors_deg.append(error[3:].mean())
    assert np.mean(errors_deg) < 30.0


def curls_deg(finger_xyzw: np.ndarray, side: str) -> np.ndarray:
    """(5,) how far each finger is curled, all joints together."""
    left = finger_xyzw if side == "left" else frames.mirror_quat(finger_xyzw)
    turn = rot.twist_angle(left, np.array([0.0, 0.0, -1.0]))
    return np.degrees(turn).reshape(5, 3).sum(axis=1)
