"""Photos' labels become BODY joints by the stated conventions; bad archives are named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.errors import TrainingError
from posestream.skeleton.joints import JOINT, NUM_JOINTS
from posestream.training.real import conventions
from posestream.training.real.datasets import EXAM, is_validation, open_dataset
from posestream.training.real.owner import drawn, owner_map, silhouettes
from posestream.training.real.posture import posture, upright_2d
from posestream.training.sample import IGNORED

STANDING = {
    "head": (0.0, -0.75), "neck": (0.0, -0.5), "left_shoulder": (0.18, -0.5),
    "right_shoulder": (-0.18, -0.5), "left_elbow": (0.2, -0.2), "right_elbow": (-0.2, -0.2),
    "left_wrist": (0.2, 0.05), "right_wrist": (-0.2, 0.05), "pelvis": (0.0, 0.0),
    "left_hip": (0.1, 0.0), "right_hip": (-0.1, 0.0), "left_knee": (0.1, 0.42),
    "right_knee": (-0.1, 0.42), "left_ankle": (0.1, 0.84), "right_ankle": (-0.1, 0.84),
}  # fmt: skip


def body(**changed: tuple[float, float, float]) -> np.ndarray:
    xyz = np.full((NUM_JOINTS, 3), np.nan)
    for name, (x, y) in STANDING.items():
        xyz[JOINT[name]] = (x, y, 0.0)
    for name, place in changed.items():
        xyz[JOINT[name]] = place
    return xyz


def write_lspet(folder: Path, count: int = 3, joints: int = 14, labels: int | None = None) -> Path:
    """A small dataset in LSPET's form; its last person stands on the head."""
    home = folder / "lspet"
    home.mkdir(parents=True)
    rng = np.random.default_rng(1)
    names = [f"im{i:05d}.jpg" for i in range(count)]
    with zipfile.ZipFile(home / "lspet_00.zip", "w") as archive:
        for name in names:
            picture = rng.integers(0, 255, (80, 60, 3), dtype=np.uint8)
            archive.writestr(name, cv2.imencode(".jpg", picture)[1].tobytes())
    xyv = np.ones((labels or count, joints, 3), np.float32)
    for column, name in enumerate(conventions.LSP14[:joints]):
        x, y = STANDING.get(name, (0.0, -0.65))
        xyv[:, column, :2] = (30 + 30 * x, 40 + 30 * y)
    xyv[-1, :, 1] = 80 - xyv[-1, :, 1]
    np.savez(home / "labels.npz", joints=xyv, names=np.array(names))
    return folder


def test_derived_joints_follow_their_formulas() -> None:
    xyv = np.ones((1, 14, 3))
    xyv[0, :, :2] = np.arange(28).reshape(14, 2)
    xy, seen = conventions.to_body(xyv * [1, 1, 2], conventions.LSP14)
    at = {name: xyv[0, i, :2] for i, name in enumerate(conventions.LSP14)}
    pelvis = (at["left_hip"] + at["right_hip"]) / 2
    neck = (at["left_shoulder"] + at["right_shoulder"]) / 2
    head = (at["upper_neck"] + at["head_top"]) / 2
    for name, want in (("pelvis", pelvis), ("neck", neck), ("head", head)):
        np.testing.assert_allclose(xy[0, JOINT[name]], want)
    np.testing.assert_allclose(xy[0, JOINT["spine"]], pelvis + 0.46 * (neck - pelvis))
    assert np.isnan(xy[0, JOINT["nose"]]).all()
    assert seen[0, JOINT["pelvis"]] and not seen[0, JOINT["nose"]]


def test_unlabelled_joints_stay_unknown_and_hidden_ones_unseen() -> None:
    xyv = np.full((1, 17, 3), 2.0)
    xyv[0, conventions.COCO17.index("left_hip")] = 0.0
    xyv[0, conventions.COCO17.index("left_knee"), 2] = 1.0
    xy, seen = conventions.to_body(xyv, conventions.COCO17)
    assert np.isnan(xy[0, [JOINT["left_hip"], JOINT["pelvis"], JOINT["spine"]]]).all()
    assert np.isfinite(xy[0, JOINT["left_knee"]]).all() and not seen[0, JOINT["left_knee"]]
    with pytest.raises(ValueError, match=r"wanted \(N, 17, 3\)"):
        conventions.to_body(xyv[:, :16], conventions.COCO17)


def test_mirroring_joints_twice_changes_nothing() -> None:
    assert (conventions.MIRRORED[conventions.MIRRORED] == np.arange(NUM_JOINTS)).all()
    assert conventions.MIRRORED[JOINT["left_wrist"]] == JOINT["right_wrist"]


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, "upright"),
        ({"left_wrist": (0.3, -0.5, 0.0)}, "gesturing"),
        (
            {
                "left_knee": (0.1, 0.1, -0.4), "right_knee": (-0.1, 0.1, -0.4),
                "left_ankle": (0.1, 0.5, -0.4), "right_ankle": (-0.1, 0.5, -0.4),
            },
            "seated",
        ),
        ({"neck": (0.0, 0.5, 0.0)}, "acrobat"),
        ({"left_knee": (0.1, -0.4, 0.0)}, "acrobat"),
    ],
)  # fmt: skip
def test_postures(changed: dict[str, tuple[float, float, float]], kind: str) -> None:
    assert posture(body(**changed)) == kind


@pytest.mark.parametrize("name", [*EXAM, "mupots_frames.train"])
def test_examination_material_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="kept for examinations"):
        open_dataset(name, tmp_path)


def test_upright_people_come_first(tmp_path: Path) -> None:
    dataset = open_dataset("lspet", write_lspet(tmp_path))["lspet"]
    assert list(dataset.names) == ["im00000.jpg", "im00001.jpg", "im00002.jpg"]
    photos = [dataset.read(i) for i in range(3)]
    assert [bool(upright_2d(p.xy_px)[0]) for p in photos] == [True, True, False]
    assert photos[0].picture.shape == (80, 60, 3)


def test_a_wrong_count_of_labels_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="4 joints, 3 names"):
        open_dataset("lspet", write_lspet(tmp_path / "a", labels=4))
    with pytest.raises(TrainingError, match=r"joints in .* has shape \(3, 13, 3\), wanted"):
        open_dataset("lspet", write_lspet(tmp_path / "b", joints=13))


def test_damage_is_named(tmp_path: Path) -> None:
    data = write_lspet(tmp_path)
    with zipfile.ZipFile(data / "lspet" / "lspet_00.zip", "w") as archive:
        archive.writestr("im00000.jpg", b"no picture")
    dataset = open_dataset("lspet", data)["lspet"]
    for row in (0, 1):  # damaged, missing
        with pytest.raises(TrainingError, match=f"im0000{row}.jpg is missing or damaged"):
            dataset.read(row)
    (data / "lspet" / "lspet_00.zip").write_bytes(b"no zip")
    with pytest.raises(TrainingError, match=r"lspet_00\.zip is missing or no zip"):
        open_dataset("lspet", data)
    (data / "lspet" / "labels.npz").write_bytes(b"no labels")
    with pytest.raises(TrainingError, match=r"labels\.npz is missing or damaged"):
        open_dataset("lspet", data)
    with pytest.raises(TrainingError, match="There is no dataset nobody"):
        open_dataset("nobody", data)
    with pytest.raises(TrainingError, match="ccp is no folder"):
        open_dataset("ccp", data)


def test_only_a_labelled_persons_neighbourhood_is_known(tmp_path: Path) -> None:
    from posestream.training.real.learning import human_only

    photo = open_dataset("lspet", write_lspet(tmp_path))["lspet"].read(0)
    person = human_only(photo.xy_px[0], photo.seen[0], photo.size_px)
    found = silhouettes(photo, [person], [None])
    owner = owner_map(photo, [person], found, [None])
    assert set(np.unique(owner)) == {0, 1, IGNORED}
    assert owner[0, 0] == IGNORED
    assert ((owner == 1) == (drawn(person.xy_px, owner.shape) > 0)).all()
    assert not found[0].clean


def test_a_fifth_is_for_validation_whatever_else_is_there() -> None:
    names = [f"coco_val_{i:012d}.jpg" for i in range(5000)]
    chosen = [is_validation(name) for name in names]
    assert 0.18 < np.mean(chosen) < 0.22
    assert [is_validation(name) for name in names[::-1]] == chosen[::-1]


@pytest.mark.parametrize("name", ["coco_multi", "mpii_sub"])
def test_training_and_validation_share_no_picture(shared_data: Path, name: str) -> None:
    parts = open_dataset(name, shared_data)
    train, val = (set(parts[f"{name}.{kind}"].names) for kind in ("train", "val"))
    assert not train & val
    assert 0.15 < len(val) / len(train | val) < 0.25
    photo = parts[f"{name}.val"].read(0)
    assert photo.name in val and is_validation(photo.name)


def test_unlabelled_pictures_are_none_of_the_labelled_ones(shared_data: Path) -> None:
    people = open_dataset("people", shared_data)["people"]
    labelled = open_dataset("coco_multi", shared_data)
    held = {name[-16:] for part in labelled.values() for name in part.names}
    assert len(people) > 2000
    assert not {name[-16:] for name in people.names} & held


@pytest.mark.parametrize("name", ["lspet", "mpii_sub.train", "coco_multi.train"])
def test_human_labels_lie_on_plausible_people(shared_data: Path, name: str) -> None:
    dataset = open_dataset(name.split(".")[0], shared_data)[name]
    ratios = []
    for row in range(0, len(dataset), max(1, len(dataset) // 60)):
        photo = dataset.read(row)
        for xy in photo.xy_px:
            trunk = np.linalg.norm(xy[JOINT["neck"]] - xy[JOINT["pelvis"]])
            thigh = np.linalg.norm(xy[JOINT["left_knee"]] - xy[JOINT["left_hip"]])
            ratios.append(thigh / max(float(trunk), 1.0))
    assert 0.6 < np.nanmedian(ratios) < 1.2
