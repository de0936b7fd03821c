"""Real photos to shards, with MediaPipe as the teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posestream.cli import main
from posestream.skeleton.joints import JOINT
from posestream.training.composite import Compositor
from posestream.training.real.bodies import body_of, drawn_stature_m
from posestream.training.real.conventions import LIMB_JOINTS, MIRRORED
from posestream.training.real.datasets import open_dataset
from posestream.training.real.learning import believed, extent_px
from posestream.training.real.lessons import lessons_of
from posestream.training.sample import IGNORED
from posestream.training.shards import ShardSet, find_shards

pytestmark = [pytest.mark.mediapipe, pytest.mark.slow]
COUNT = 40


@pytest.fixture(scope="module")
def packed(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mediapipe", reason="the teacher is MediaPipe")
    out = tmp_path_factory.mktemp("packed")
    arguments = ["--data", str(shared_data), "--out", str(out), "--limit", str(COUNT)]
    assert main(["pack", "lspet", "ccp", "rooms", *arguments]) == 0
    return out


def test_everybody_is_there(packed: Path) -> None:
    for name in ("lspet", "ccp", "rooms"):
        assert len(ShardSet(find_shards(packed, name))) == COUNT
    assert not list(packed.rglob("*.tmp"))


def test_what_is_there_is_not_made_again(packed: Path, shared_data: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in packed.rglob("*") if path.is_file()}
    again = ["--data", str(shared_data), "--out", str(packed), "--limit", str(COUNT)]
    assert main(["pack", "lspet", *again]) == 0
    assert {p: p.stat().st_mtime_ns for p in packed.rglob("*") if p.is_file()} == before


def test_another_limit_is_not_taken_for_complete(
    packed: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = ["--data", str(shared_data), "--out", str(packed), "--limit", str(COUNT + 1)]
    assert main(["pack", "rooms", *again]) == 9
    assert "made with another --limit" in capsys.readouterr().err


def test_labels_made_anew_are_the_same(packed: Path, shared_data: Path) -> None:
    shard = packed / "lspet-00000.tar"
    before = shard.read_bytes()
    shard.unlink()
    again = ["--data", str(shared_data), "--out", str(packed), "--limit", str(COUNT)]
    assert main(["pack", "lspet", *again]) == 0
    assert shard.read_bytes() == before


def test_teacher_and_human_beings_mean_the_same_side(packed: Path, shared_data: Path) -> None:
    dataset = open_dataset("lspet", shared_data)["lspet"]
    path = packed / "teacher" / "lspet-00000.msgpack"
    lessons = lessons_of(path, dataset, range(COUNT), lambda photo: [])
    same, swapped = [], []
    for row, (lesson,) in enumerate(lessons):
        xy = dataset.read(row).xy_px[0]
        if lesson is None or not believed(lesson, xy):
            continue
        ours, _xyz, _score = body_of(lesson, 1.7)
        same += [*np.linalg.norm(ours - xy, axis=1)[LIMB_JOINTS] / extent_px(xy)]
        swapped += [*np.linalg.norm(ours[MIRRORED] - xy, axis=1)[LIMB_JOINTS] / extent_px(xy)]
    assert np.nanmedian(same) < 0.05
    assert np.nanmedian(swapped) > 2.0 * np.nanmedian(same)


@pytest.mark.parametrize("name", ["lspet", "ccp"])
def test_bodies_have_plausible_sizes(packed: Path, name: str) -> None:
    samples = [s for s in ShardSet(find_shards(packed, name)) if np.isfinite(s.height_m).any()]
    assert len(samples) > COUNT / 2
    xyz = np.concatenate([s.xyz_root_m for s in samples])
    for a, b, low, high in (
        ("pelvis", "neck", 0.40, 0.65), ("left_hip", "left_knee", 0.33, 0.52),
        ("right_knee", "right_ankle", 0.33, 0.52), ("left_shoulder", "left_elbow", 0.2, 0.36),
        ("left_shoulder", "right_shoulder", 0.25, 0.45), ("head", "head_top", 0.09, 0.17),
    ):  # fmt: skip
        length = np.linalg.norm(xyz[:, JOINT[a]] - xyz[:, JOINT[b]], axis=1)
        assert low < np.nanmedian(length) < high, (a, b)
    assert all(s.height_m[0] == pytest.approx(_stature(s.source), abs=1e-5) for s in samples)


def _stature(source: str) -> float:
    dataset, _, name = source.partition("/")
    return drawn_stature_m(dataset, f"{name}#0")


def test_owner_maps_tell_people_from_what_is_unknown(packed: Path) -> None:
    for sample in ShardSet(find_shards(packed, "lspet")):
        assert sample.owner is not None
        shares = [(sample.owner == value).mean() for value in (0, 1, IGNORED)]
        assert 0.02 < shares[1] < 0.8
        column, row = np.rint(sample.xy_px[0][sample.visible[0]]).astype(int).T
        assert (sample.owner[row, column] != IGNORED).mean() > 0.9
    for room in ShardSet(find_shards(packed, "rooms")):
        assert len(room) == 0 and room.owner is not None and not room.owner.any()


def test_composites_are_made_of_what_was_cut_out(packed: Path) -> None:
    people = ShardSet([p for n in ("lspet", "ccp") for p in find_shards(packed, f"cutouts_{n}")])
    assert len(people) > COUNT
    compositor = Compositor(people, ShardSet(find_shards(packed, "rooms")))
    samples = [compositor.compose(np.random.default_rng(i), (192, 160)) for i in range(20)]
    assert sum(len(s) for s in samples) > 20
    assert np.mean([s.visible.any(axis=1).mean() for s in samples if len(s)]) > 0.9


def test_a_teachers_file_of_other_pictures_is_refused(
    packed: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = ["--data", str(shared_data), "--out", str(packed), "--limit", str(COUNT - 1)]
    (packed / "ccp-00000.tar").unlink()
    assert main(["pack", "ccp", *again]) == 9
    assert "tells of other pictures" in capsys.readouterr().err
    (packed / "teacher" / "ccp-00000.msgpack").write_bytes(b"nothing")
    assert main(["pack", "ccp", *again]) == 9
    assert "is damaged" in capsys.readouterr().err


def test_examination_material_is_refused(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("mupots_frames", "mmpose_samples", "videos"):
        assert main(["pack", name, "--data", str(shared_data), "--out", str(tmp_path)]) == 9
        assert "nothing may be learnt from it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
