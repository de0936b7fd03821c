"""The face model's maker: which portraits, and the fit, on faces that are constructed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from posestream.arrays import F64
from posestream.assets import FACE_MODEL
from posestream.errors import TrainingError
from posestream.geometry import rotation as rot
from posestream.marks import NUM_FACE_MARKS
from posestream.perform.expressions import face_model
from posestream.perform.face_features import NUM_FEATURES, NUM_POSE, features
from posestream.training.faces import columns
from posestream.training.faces.__main__ import make
from posestream.training.faces.corpus import SITTINGS, Portrait, is_plain, sittings, truth
from posestream.training.faces.fit import Rows, Sitting, fit, matrix, mean_face, rows
from posestream.training.faces.people import HELD_OUT, SITTERS
from posestream.training.faces.pictures import folder_of
from posestream.types import ARKIT_EXPRESSIONS

UNITS = ("browInnerUp", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookUpLeft", "jawOpen", "mouthPucker")
TO_CAMERA = np.array([1.0, -1.0, -1.0])
NUM_COLUMNS = NUM_FEATURES + NUM_POSE


def known_matrix(rng: np.random.Generator) -> F64:
    """A model that a mirror leaves as it is, and that reads each expression from its own part."""
    found = np.zeros((len(ARKIT_EXPRESSIONS), NUM_COLUMNS))
    for index, name in enumerate(ARKIT_EXPRESSIONS):
        used = columns.used(name)
        found[index, used] = rng.normal(size=len(used))
    return 0.5 * (found + (found * columns.SIGN)[columns.TWIN][:, columns.MIRRORED])


def sitting(person: int, strange: bool = False) -> Sitting:
    """Somebody whose lower lip (17) drops by what jawOpen says, in pixels, head turning."""
    rng = np.random.default_rng(person)
    model = face_model()
    neutral = model.canonical + rng.normal(0.0, 0.005, (NUM_FACE_MARKS, 3))
    amounts = np.concatenate([[0.0], rng.uniform(0.0, 1.0, 24)])
    turns = rot.from_rotvec(np.vstack([np.zeros(3), rng.uniform(-0.3, 0.3, (24, 3))]))
    faces = []
    for amount, turn in zip(amounts, turns, strict=True):
        point = neutral.copy()
        point[[17, 14, 87, 317, 152], 1] -= 0.3 * amount
        if strange:
            point += rng.normal(0.0, 0.1, point.shape)
        faces.append(rot.rotate(turn, point) * TO_CAMERA * 120.0 + np.array([220.0, 220.0, 0.0]))
    values = np.zeros((25, len(ARKIT_EXPRESSIONS)))
    values[:, ARKIT_EXPRESSIONS.index("jawOpen")] = amounts
    return Sitting(np.stack(faces), values, np.zeros(25, dtype=np.bool_))


def keep(folder: Path, one: Sitting) -> None:
    """As it lies on the disk once portraits are drawn and marked."""
    folder.mkdir(parents=True, exist_ok=True)
    jaw = one.truth[:, ARKIT_EXPRESSIONS.index("jawOpen")]
    portraits = [Portrait({"jawOpen": amount}) for amount in jaw.tolist()]
    (folder / "portraits.json").write_bytes(msgspec.json.encode(portraits))
    np.save(folder / "marks.npy", one.xyz_px)


@pytest.mark.parametrize("plain", [False, True])
def test_a_known_linear_model_comes_back(plain: bool) -> None:
    rng = np.random.default_rng(3)
    known = known_matrix(rng)
    x = rng.normal(size=(400, NUM_COLUMNS))
    found = matrix([Rows(x, x @ known.T, np.full(400, plain))])
    assert np.abs(found - known).max() < 1e-3 * np.abs(known).max()


def test_one_half_of_the_face_teaches_the_other() -> None:
    rng = np.random.default_rng(4)
    known = known_matrix(rng)
    x = rng.normal(size=(400, NUM_COLUMNS))
    learnt = Rows(x, x @ known.T, np.zeros(400, dtype=np.bool_))
    found = matrix([learnt])
    assert np.allclose(found, matrix([learnt.mirrored()]))
    assert np.allclose((found * columns.SIGN)[columns.TWIN][:, columns.MIRRORED], found)


def test_the_mirror_is_its_own_inverse() -> None:
    order = np.arange(NUM_COLUMNS)
    assert np.array_equal(columns.MIRRORED[columns.MIRRORED], order)
    assert np.array_equal(columns.SIGN[columns.MIRRORED], columns.SIGN)
    assert ARKIT_EXPRESSIONS[columns.TWIN[0]] == "eyeBlinkRight"


def test_the_mean_face_is_nearly_its_own_mirror_image() -> None:
    """True of a face, and only if features and their counterparts are paired rightly."""
    rest = features(face_model().canonical)
    mirrored = rest[columns.MIRRORED[:NUM_FEATURES]] * columns.SIGN[:NUM_FEATURES]
    assert np.abs(mirrored - rest).max() < 0.06


def test_a_brow_is_read_from_brows_lids_chin_and_turn() -> None:
    assert len(columns.used("browInnerUp")) == 8 + 8 + 1 + NUM_POSE
    assert not set(columns.used("jawOpen")) & set(columns.used("eyeBlinkLeft")[:10])


def test_an_opening_mouth_is_learnt_whatever_the_head_does() -> None:
    people = [sitting(1), sitting(2)]
    model = fit(people, people)
    one = sitting(5)
    learnt = rows(one, model.canonical, model.weight)
    jaw = ARKIT_EXPRESSIONS.index("jawOpen")
    assert np.abs(learnt.x @ model.matrix[jaw] - one.truth[:, jaw]).max() < 0.05
    assert np.linalg.norm(model.canonical[263] - model.canonical[33]) == pytest.approx(1.0)
    assert model.weight.sum() == pytest.approx(1.0)
    assert model.weight[17] < 0.2 * model.weight[33], "a lip is not firm"
    assert not model.weight[468:].any(), "irises are not firm"


def test_who_is_not_learnt_from_does_not_matter() -> None:
    """The mean face is of those it is given alone; portraits without a face count for nothing."""
    people = [sitting(1), sitting(2)]
    first = fit(people, people)
    blind = np.concatenate([people[0].xyz_px, np.full((3, NUM_FACE_MARKS, 3), np.nan)])
    values = np.concatenate([people[0].truth, np.ones((3, len(ARKIT_EXPRESSIONS)))])
    padded = Sitting(blind, values, np.arange(28) > 24)
    second = fit([padded, people[1]], [padded, people[1]])
    assert np.array_equal(first.matrix, second.matrix)
    assert np.array_equal(first.canonical, second.canonical)
    stranger = fit([*people, sitting(9, strange=True)], people)
    assert np.array_equal(stranger.canonical, first.canonical)
    assert not np.allclose(stranger.matrix, first.matrix)


def test_held_out_people_leave_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for person in range(len(SITTERS)):
        for name in SITTINGS:
            keep(folder_of(tmp_path / "kept", person, name), sitting(person))
    make(tmp_path / "kept", tmp_path / "first")
    first = capsys.readouterr().out
    for person in HELD_OUT:
        keep(folder_of(tmp_path / "kept", person, SITTINGS[0]), sitting(person, strange=True))
    make(tmp_path / "kept", tmp_path / "second")
    assert capsys.readouterr().out != first, "they are what the model is judged on"
    with (
        np.load(tmp_path / "first/face_model.npz") as one,
        np.load(tmp_path / "second/face_model.npz") as other,
        np.load(FACE_MODEL) as shipped,
    ):
        for array in shipped:
            assert np.array_equal(one[array], other[array])
            assert (one[array].shape, one[array].dtype) == (
                shipped[array].shape,
                shipped[array].dtype,
            )


def test_an_unfinished_sitting_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no finished sitting"):
        make(tmp_path, tmp_path)


def test_a_neutral_portrait_without_a_face_is_an_error() -> None:
    one = sitting(1)
    faceless = one.xyz_px.copy()
    faceless[0] = np.nan
    with pytest.raises(TrainingError, match="neutral"):
        mean_face([replace(one, xyz_px=faceless)])


def test_gaze_is_labelled_by_how_far_the_eyes_turn() -> None:
    gaze = sittings(0, UNITS)["gaze"]
    left = dict(zip(ARKIT_EXPRESSIONS, truth(gaze[1]), strict=True))
    assert left["eyeLookOutLeft"] == pytest.approx(1.0)
    assert left["eyeLookInRight"] == pytest.approx(1.0)
    assert sum(left.values()) == pytest.approx(2.0)
    up = dict(zip(ARKIT_EXPRESSIONS, truth(Portrait({"eyeLookUpLeft": 1.0})), strict=True))
    assert 0.3 < up["eyeLookUpLeft"] < 0.5, "the model's own unit turns the eye by 9 of 25 degrees"


@pytest.mark.parametrize("person", range(len(SITTERS)))
def test_every_sitting_begins_neutral_and_comes_again(person: int) -> None:
    made = sittings(person, UNITS)
    assert tuple(made) == SITTINGS
    assert made == sittings(person, UNITS)
    for portraits in made.values():
        assert portraits[0] == Portrait() and is_plain(portraits[0])
        values = np.stack([truth(portrait) for portrait in portraits])
        assert values.min() >= 0.0 and values.max() <= 1.0 + 1e-9
    assert {name for p in made["faces"] for name in p.units} >= set(UNITS)


def test_people_differ_and_two_are_held_out() -> None:
    assert sittings(0, UNITS) != sittings(1, UNITS)
    assert len(HELD_OUT) == 2 and max(HELD_OUT) < len(SITTERS)
