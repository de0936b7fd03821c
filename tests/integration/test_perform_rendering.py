"""Heads and hands are rendered here, looked at with MediaPipe, and read.

Needs the packages of the extra ``synth`` and OpenGL without a window; the looks need MediaPipe.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posestream.arrays import Image
from posestream.estimate.backends.mediapipe_models import check
from posestream.geometry import rotation as rot
from posestream.perform.expressions import face_model
from posestream.perform.fingers import solve_hand
from posestream.perform.hand_model import read_hand
from posestream.training.faces.corpus import Portrait
from posestream.training.faces.judge import Examinee, answers
from posestream.training.faces.people import HELD_OUT, SITTERS
from posestream.training.hands.judge import curls
from posestream.training.hands.people import HELD_OUT as HANDS_HELD_OUT
from posestream.training.hands.people import OWNERS
from posestream.training.hands.poses import shots
from posestream.training.synth.assets import AssetFolder

pytestmark = [
    pytest.mark.synth,
    pytest.mark.slow,
    pytest.mark.usefixtures("can_draw"),
    pytest.mark.filterwarnings("ignore"),  # of anny and what it imports
]
DRIVEN = ("jawOpen", "mouthSmileLeft", "mouthPucker")


@pytest.fixture(scope="module")
def portraits(can_draw: None, shared_data: Path) -> list[Image]:
    from posestream.training.faces.portrait import Studio
    from posestream.training.synth.bodies import BodyFactory

    assets = AssetFolder(shared_data / "makehuman_assets")
    studio = Studio(SITTERS[HELD_OUT[0]], BodyFactory(details=True), assets)
    wanted = [Portrait(), *(Portrait({name: 1.0}) for name in DRIVEN), Portrait()]
    return [studio.draw(portrait) for portrait in wanted]


def test_a_face_moves_where_it_is_driven_and_comes_back(portraits: list[Image]) -> None:
    rest, *driven, again = portraits
    assert np.array_equal(rest, again)
    for picture in driven:
        moved = np.abs(picture.astype(float) - rest).mean(axis=(1, 2))
        assert moved[: len(moved) // 3].mean() < 0.1 * moved[len(moved) // 2 :].mean()


@pytest.mark.mediapipe
@pytest.mark.skipif(not check()[0], reason=check()[1])
def test_what_is_driven_is_read(portraits: list[Image]) -> None:
    from posestream.estimate.backends.mediapipe_marks import MarksFinder
    from posestream.training.faces.marks import looks

    finder = MarksFinder(hands=False, face=True)
    marks = np.stack([looks(finder, picture)[-1] for picture in portraits])
    finder.close()
    answered = answers(face_model(), Examinee(marks, ("neutral", *DRIVEN, "neutral")))
    assert [answer.passed for answer in answered] == [True] * 4


@pytest.mark.mediapipe
@pytest.mark.skipif(not check()[0], reason=check()[1])
def test_rendered_gestures_are_read(shared_data: Path) -> None:
    from posestream.estimate.backends.mediapipe_marks import MarksFinder
    from posestream.training.hands.marks import looks
    from posestream.training.hands.studio import HandStudio
    from posestream.training.synth.bodies import BodyFactory

    owner = HANDS_HELD_OUT[0]
    assets = AssetFolder(shared_data / "makehuman_assets")
    studio = HandStudio(OWNERS[owner], owner, BodyFactory(), assets)
    finder = MarksFinder(hands=True, face=False)
    wanted = [shot for shot in shots(owner, examined=True) if shot.gesture in ("open", "point")]
    for shot in wanted[::4]:
        taken = studio.take(shot)
        hand = looks(finder, taken.picture)[-1]
        assert hand is not None
        true = solve_hand(taken.xyz_cam_m, shot.side)
        pose = read_hand(hand.xy_px, hand.xyz_m, shot.side)
        error = np.degrees(rot.angle_between(pose.finger_xyzw, true.finger_xyzw))
        assert error.mean() < 20.0
        assert curls(pose.finger_xyzw, shot.side)[0] < 0.3
    finder.close()
