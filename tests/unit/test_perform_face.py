"""Expression values without pictures: the canonical face, moved in known ways."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.marks import FaceMarks
from posestream.perform.expressions import (
    READ,
    eye_rotations,
    face_model,
    frame_values,
    read_face,
    vowels,
)
from posestream.perform.face_features import EYES, NUM_INPUTS, features
from posestream.perform.neutral import NeutralFace, neutral_of
from posestream.perform.solving import place
from posestream.types import ARKIT_EXPRESSIONS, EXPRESSIONS

HEAD_AXES = np.array([1.0, -1.0, -1.0])
LIDS = {side: (eye.upper, eye.lower) for side, eye in zip(("Left", "Right"), EYES, strict=True)}
UPPER_LIP = (0, 13, 37, 39, 40, 267, 269, 270, 82, 312, 81, 311, 80, 310, 72, 302, 11, 12, 38, 268)
LOWER_LIP = (14, 17, 87, 317, 84, 314, 181, 405, 91, 321, 88, 318, 178, 402, 15, 16, 86, 316)
CORNERS = (61, 291, 78, 308, 62, 292, 76, 306)
SIDES = ("Left", "Right")


def taken(point: F64, turn: F64 | None = None, size_px: float = 90.0) -> FaceMarks:
    """A face in head axes as a camera's mesh."""
    turned = point if turn is None else rot.rotate(turn, point)
    return FaceMarks(size_px * turned * HEAD_AXES + [320.0, 240.0, 0.0])


def values_of(point: F64) -> dict[str, float]:
    neutral = neutral_of(place(taken(face_model().canonical)))
    face = place(taken(point))
    values = read_face(features(face.point), face.turn_xyzw, neutral).arkit
    return dict(zip(ARKIT_EXPRESSIONS, values.tolist(), strict=True))


def closed(side: str) -> F64:
    point = face_model().canonical.copy()
    upper, lower = (list(points) for points in LIDS[side])
    point[upper, 1] = point[lower, 1] = 0.25 * point[upper, 1] + 0.75 * point[lower, 1]
    return point


def jaw_down(by: float) -> F64:
    """The lower face sinks, the more the nearer to the chin; the corners come in a little."""
    point = face_model().canonical.copy()
    under_nose, chin = point[2, 1], point[152, 1]
    share = np.clip((under_nose - point[:, 1]) / (under_nose - chin), 0.0, 1.0)
    share[list(UPPER_LIP)] = 0.0
    lower = np.array(LOWER_LIP)
    share[lower] = np.maximum(share[lower], 0.9)
    point[:, 1] -= by * share
    point[:, 2] -= 0.2 * by * share
    point[list(CORNERS), 0] *= 1.0 - 0.3 * by
    return point


def test_the_model_fits_what_is_measured() -> None:
    model = face_model()
    assert model.network.w1.shape[0] == NUM_INPUTS
    assert model.network.w2.shape[1] == len(READ)
    assert np.isclose(np.linalg.norm(model.canonical[263] - model.canonical[33]), 1.0, atol=1e-5)
    assert all(np.isfinite(part).all() for part in (model.network.w1, model.network.w2))


@pytest.mark.parametrize("turn_deg", [(0, 0, 0), (0, 25, 0), (15, 0, 5), (-10, -30, 8)])
def test_turning_the_head_changes_no_face(turn_deg: tuple[float, float, float]) -> None:
    """The same face from elsewhere: the head is turned as it was, and its shape is the same."""
    turn = rot.from_rotvec(np.radians(np.array(turn_deg, dtype=float)))
    face = place(taken(face_model().canonical, turn, size_px=70.0))
    assert np.degrees(rot.angle_between(face.turn_xyzw, turn)) < 0.01
    assert np.abs(face.point - face_model().canonical).max() < 1e-6
    assert np.isclose(face.size_px, 70.0)


@pytest.mark.parametrize("side", SIDES)
def test_a_closed_eye_blinks_and_nothing_else(side: str) -> None:
    values = values_of(closed(side))
    assert values.pop(f"eyeBlink{side}") > 0.6
    assert max(values.values()) < 0.3


def test_a_jaw_opens_the_farther_it_sinks() -> None:
    amounts = [values_of(jaw_down(by))["jawOpen"] for by in (0.0, 0.1, 0.2, 0.3, 0.4)]
    assert amounts == sorted(amounts)
    assert amounts[0] == 0.0
    assert amounts[-1] > 0.6


def test_a_neutral_face_is_all_zero() -> None:
    assert max(values_of(face_model().canonical).values()) == 0.0


def test_vowels_leave_each_other_room() -> None:
    neutral = neutral_of(place(taken(face_model().canonical)))
    rng = np.random.default_rng(1)
    for _ in range(300):
        arkit = rng.uniform(size=len(ARKIT_EXPRESSIONS)) * rng.integers(
            0, 2, len(ARKIT_EXPRESSIONS)
        )
        spoken = vowels(arkit, rng.uniform(0.3, 0.8), rng.uniform(0.0, 0.4), neutral)
        assert (spoken >= 0.0).all()
        assert spoken.max() <= 1.0
        assert np.sort(spoken)[:-1].sum() <= spoken.max() + 1e-9 or spoken.sum() <= 1.3


@pytest.mark.parametrize(
    ("vowel", "arkit", "wider", "gap"),
    [
        (0, {"jawOpen": 0.9}, 0.0, 0.35),
        (1, {}, 0.25, 0.06),
        (2, {"mouthPucker": 0.9}, -0.2, 0.01),
        (3, {"jawOpen": 0.3}, 0.22, 0.16),
        (4, {"mouthFunnel": 0.9, "jawOpen": 0.3}, -0.2, 0.15),
    ],
)
def test_each_vowel_is_heard_alone(
    vowel: int, arkit: dict[str, float], wider: float, gap: float
) -> None:
    neutral = neutral_of(place(taken(face_model().canonical)))
    values = np.array([arkit.get(name, 0.0) for name in ARKIT_EXPRESSIONS])
    spoken = vowels(values, neutral.mouth_width * (1.0 + wider), gap, neutral)
    assert spoken[vowel] > 0.6
    assert np.delete(spoken, vowel).max() < 0.3


def test_frame_values_carry_both_kinds_of_names() -> None:
    arkit = np.zeros(len(ARKIT_EXPRESSIONS))
    for name in ("eyeBlinkLeft", "eyeLookOutLeft", "eyeLookInRight"):
        arkit[ARKIT_EXPRESSIONS.index(name)] = 0.5
    values = dict(zip(EXPRESSIONS, frame_values(arkit, np.arange(5) / 10.0), strict=True))
    assert (values["aa"], values["ou"], values["oh"]) == (0.0, 0.2, 0.4)
    assert (values["blinkLeft"], values["blinkRight"], values["blink"]) == (0.5, 0.0, 0.0)
    assert (values["lookLeft"], values["lookRight"]) == (0.5, 0.0)
    assert values["eyeBlinkLeft"] == 0.5


def test_eyes_turn_where_they_look() -> None:
    arkit = np.zeros(len(ARKIT_EXPRESSIONS))
    for name in ("eyeLookOutLeft", "eyeLookInRight", "eyeLookDownLeft", "eyeLookDownRight"):
        arkit[ARKIT_EXPRESSIONS.index(name)] = 1.0
    ahead = rot.rotate(eye_rotations(arkit), np.array([0.0, 0.0, 1.0]))
    assert (ahead[:, 0] > 0.4).all()  # to the person's left
    assert (ahead[:, 1] < -0.3).all()  # and down


def test_the_neutral_face_is_learnt_from_calm_moments_only() -> None:
    neutral = NeutralFace(calm_s=1.0)
    t = 0.0
    for number in range(40):  # talking
        t += 1 / 30
        see(neutral, t, jaw_down(0.15 * (number % 10) / 9))
    assert neutral.face is None
    for _ in range(40):
        t += 1 / 30
        see(neutral, t, face_model().canonical)
    assert neutral.face is not None
    calm = neutral_of(place(taken(face_model().canonical)))
    assert np.abs(neutral.face.features - calm.features).max() < 1e-9
    neutral.learn_again()
    for _ in range(40):
        t += 1 / 30
        see(neutral, t, jaw_down(0.1))
    assert neutral.face is not None
    assert np.abs(neutral.face.features - calm.features).max() > 0.05


def test_blinks_are_no_part_of_the_neutral_face() -> None:
    neutral = NeutralFace(calm_s=1.0)
    point = closed("Left")
    lids = [i for part in LIDS["Right"] for i in part]
    point[lids] = closed("Right")[lids]
    for number in range(45):
        see(neutral, number / 30, point if number % 15 < 5 else face_model().canonical)
    assert neutral.face is not None
    open_eyes = neutral_of(place(taken(face_model().canonical))).features
    assert np.abs(neutral.face.features[:10] - open_eyes[:10]).max() < 1e-9


def see(neutral: NeutralFace, t_s: float, point: F64) -> None:
    face = place(taken(point))
    neutral.see(t_s, face, features(face.point))
