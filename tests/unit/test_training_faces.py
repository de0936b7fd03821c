"""The face model's maker: which portraits, and the fit, on faces that are constructed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from posestream.assets import FACE_MODEL
from posestream.errors import TrainingError
from posestream.geometry import rotation as rot
from posestream.marks import NUM_FACE_MARKS
from posestream.perform.expressions import READ, SIDE_RAD, UP_RAD, face_model
from posestream.perform.face_features import NUM_FEATURES, NUM_INPUTS, features
from posestream.training.drawn import folder_of
from posestream.training.faces import __main__ as maker
from posestream.training.faces import columns
from posestream.training.faces.corpus import Portrait, is_plain, sittings, truth
from posestream.training.faces.exam import load_exam, save_exam
from posestream.training.faces.fit import Rows, Sitting, fit, mean_face, network, rows
from posestream.training.faces.judge import Examinee
from posestream.training.faces.people import HELD_OUT, SITTERS
from posestream.training.small_network import Recipe

UNITS = ("browInnerUp", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookUpLeft", "jawOpen", "mouthPucker")
TO_CAMERA = np.array([1.0, -1.0, -1.0])
QUICK = Recipe(hidden=8, steps=600, decay=0.01, noise=0.01)
JAW = READ.index("jawOpen")


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
    values = np.zeros((25, len(READ)))
    values[:, JAW] = amounts
    looks = np.repeat(np.stack(faces)[:, None], 2, axis=1)
    return Sitting(looks, values, np.zeros(25, dtype=np.bool_), amounts == 0.0)


def keep(folder: Path, one: Sitting) -> None:
    """As it lies on the disk once portraits are drawn and marked."""
    folder.mkdir(parents=True, exist_ok=True)
    amounts = one.truth[:, JAW].tolist()
    portraits = [Portrait({"jawOpen": v}, neutral=v == 0.0) for v in amounts]
    (folder / "portraits.json").write_bytes(msgspec.json.encode(portraits))
    np.save(folder / "marks.npy", one.xyz_px)


def test_one_half_of_the_face_teaches_the_other() -> None:
    """What is learnt of the left eye alone holds for the right one."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, NUM_INPUTS))
    y = np.zeros((600, len(READ)))
    y[:, READ.index("eyeBlinkLeft")] = np.clip(0.5 + 0.5 * x[:, 0], 0.0, 1.0)
    y[:, READ.index("eyeBlinkRight")] = np.clip(0.5 + 0.5 * x[:, columns.MIRRORED[0]], 0.0, 1.0)
    found = network([Rows(x, y, np.ones(600))], QUICK)
    probe = np.zeros((2, NUM_INPUTS))
    probe[0, 0] = probe[1, columns.MIRRORED[0]] = 0.8
    left, right = found(probe)
    assert left[READ.index("eyeBlinkLeft")] == pytest.approx(
        right[READ.index("eyeBlinkRight")], abs=0.15
    )
    assert left[READ.index("eyeBlinkLeft")] > left[READ.index("eyeBlinkRight")] + 0.2


def test_the_mirror_is_its_own_inverse() -> None:
    order = np.arange(NUM_INPUTS)
    assert np.array_equal(columns.MIRRORED[columns.MIRRORED], order)
    assert np.array_equal(columns.SIGN[columns.MIRRORED], columns.SIGN)
    assert READ[columns.TWIN[0]] == "eyeBlinkRight"


def test_the_mean_face_is_nearly_its_own_mirror_image() -> None:
    """True of a face, and only if features and their counterparts are paired rightly."""
    rest = features(face_model().canonical)
    mirrored = rest[columns.MIRRORED[:NUM_FEATURES]] * columns.SIGN[:NUM_FEATURES]
    assert np.abs(mirrored - rest).max() < 0.06


def test_an_opening_mouth_is_learnt_whatever_the_head_does() -> None:
    model = fit([sitting(1), sitting(2), sitting(3)], Recipe(8, 1500, 0.01, 0.02))
    one = sitting(5)
    learnt = next(rows(one, model.canonical, model.weight))
    assert np.abs(model.network(learnt.x)[:, JAW] - one.truth[:, JAW]).mean() < 0.06
    assert np.linalg.norm(model.canonical[263] - model.canonical[33]) == pytest.approx(1.0)
    assert model.weight.sum() == pytest.approx(1.0)
    assert model.weight[17] < 0.2 * model.weight[33], "a lip is not firm"
    assert not model.weight[468:].any(), "irises are not firm"


def test_portraits_without_a_face_count_for_nothing() -> None:
    people = [sitting(1), sitting(2)]
    first = fit(people, QUICK)
    one = people[0]
    nobody = np.full((3, 2, NUM_FACE_MARKS, 3), np.nan)
    padded = Sitting(
        np.concatenate([one.xyz_px, nobody]),
        np.concatenate([one.truth, np.ones((3, len(READ)))]),
        np.arange(28) > 24,
        np.append(one.neutral, [False] * 3),
    )
    second = fit([padded, people[1]], QUICK)
    assert np.array_equal(first.network.w1, second.network.w1)
    assert np.array_equal(first.canonical, second.canonical)


def test_held_out_people_leave_no_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "fit", lambda people: fit(people, QUICK))
    for person in SITTERS:
        keep(folder_of(tmp_path / "kept", person), sitting(person))
    maker.make(tmp_path / "kept", tmp_path / "first")
    first = capsys.readouterr().out
    for person in HELD_OUT:
        keep(folder_of(tmp_path / "kept", person), sitting(person, strange=True))
    maker.make(tmp_path / "kept", tmp_path / "second")
    assert capsys.readouterr().out != first, "they are what the model is judged on"
    with (
        np.load(tmp_path / "first/face_model.npz") as one,
        np.load(tmp_path / "second/face_model.npz") as other,
        np.load(FACE_MODEL) as shipped,
    ):
        assert set(one) == set(shipped)
        for array in shipped:
            assert np.array_equal(one[array], other[array])


def test_an_exam_is_kept_to_an_eighth_of_a_pixel(tmp_path: Path) -> None:
    people = [Examinee(sitting(p).xyz_px[:, 0], ("neutral",) + ("jawOpen",) * 24) for p in (1, 2)]
    save_exam(people, tmp_path)
    again = load_exam(tmp_path)
    assert [person.case for person in again] == [person.case for person in people]
    for person, other in zip(people, again, strict=True):
        assert np.abs(person.xyz_px - other.xyz_px).max() <= 1 / 8


def test_an_unfinished_sitting_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no finished sitting"):
        maker.make(tmp_path, tmp_path)


def test_a_neutral_portrait_without_a_face_is_an_error() -> None:
    one = sitting(1)
    faceless = one.xyz_px.copy()
    faceless[0] = np.nan
    with pytest.raises(TrainingError, match="neutral"):
        mean_face([replace(one, xyz_px=faceless)])


def test_gaze_is_labelled_by_how_far_the_eyes_turn() -> None:
    left = dict(zip(READ, truth(Portrait(eyes_rad=(SIDE_RAD, 0.0))), strict=True))
    assert left["eyeLookOutLeft"] == left["eyeLookInRight"] == 1.0
    assert sum(left.values()) == 2.0
    up = dict(zip(READ, truth(Portrait(eyes_rad=(0.0, 0.5 * UP_RAD))), strict=True))
    assert up["eyeLookUpLeft"] == up["eyeLookUpRight"] == 0.5


@pytest.mark.parametrize("examined", [False, True])
def test_every_sitting_begins_neutral_and_comes_again(examined: bool) -> None:
    for person in SITTERS:
        portraits = sittings(person, UNITS, examined)
        assert portraits == sittings(person, UNITS, examined)
        assert portraits[0] == Portrait(neutral=True) and is_plain(portraits[0])
        values = np.stack([truth(portrait) for portrait in portraits])
        assert values.min() >= 0.0 and values.max() <= 1.0 + 1e-9
        assert not values[[portrait.neutral for portrait in portraits]].any()


def test_people_differ_and_several_are_held_out() -> None:
    assert sittings(0, UNITS, examined=False) != sittings(1, UNITS, examined=False)
    assert len({sitter.seed for sitter in SITTERS.values()}) == len(SITTERS)
    examined = [SITTERS[person] for person in HELD_OUT]
    others = [s for person, s in SITTERS.items() if person not in HELD_OUT]
    assert len(examined) >= 4
    assert not {s.skin for s in examined} & {s.skin for s in others}
    assert not {s.brows for s in examined} & {s.brows for s in others}
