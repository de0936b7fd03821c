"""``posestream synth``: its arguments, what is skipped, and what is said when something lacks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posestream.cli import main
from posestream.errors import TrainingError
from posestream.training.sample import Sample, unlabelled
from posestream.training.shards import ShardWriter
from posestream.training.synth.generate import SHARD_PICTURES, SynthSettings, generate
from posestream.training.synth.material import load_material


def settings(out: Path, pictures: int, data: Path = Path("nowhere")) -> SynthSettings:
    return SynthSettings(out, data, pictures)


def write(out: Path, shard: int, count: int) -> None:
    with ShardWriter(out, "train", first_shard=shard) as writer:
        for _ in range(count):
            writer.add(Sample(np.zeros((8, 8, 3), np.uint8), **unlabelled(0)))


def test_complete_shards_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, 0, SHARD_PICTURES)
    write(tmp_path, 1, 30)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert generate(settings(tmp_path, SHARD_PICTURES + 30)).made == 0
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_short_or_torn_shard_is_made_again(tmp_path: Path) -> None:
    write(tmp_path, 0, 29)
    with pytest.raises(TrainingError, match="makehuman_assets"):
        generate(settings(tmp_path, 30))
    (tmp_path / "train-00000.tar").write_bytes(b"not a tar")
    with pytest.raises(TrainingError, match="makehuman_assets"):
        generate(settings(tmp_path, 30))


def test_larger_pictures_make_smaller_shards(tmp_path: Path) -> None:
    large = SynthSettings(tmp_path, tmp_path, 1000, size_px=(1792, 1024))
    assert settings(tmp_path, 1000).per_shard == SHARD_PICTURES
    assert large.per_shard == SHARD_PICTURES // 16
    counts = [large.count(n) for n in range(-(-1000 // large.per_shard))]
    assert sum(counts) == 1000
    assert min(counts) > 0


@pytest.mark.parametrize(
    ("name", "split"), [("train", "train"), ("val", "val"), ("synth.val", "val"),
                        ("synth_free.val2", "val"), ("value.train", "train")],
)  # fmt: skip
def test_the_name_tells_what_may_be_shown(tmp_path: Path, name: str, split: str) -> None:
    assert SynthSettings(tmp_path, tmp_path, 1, name).split == split


@pytest.mark.parametrize(
    "arguments",
    [("--people", "0-3"), ("--people", "4-11"), ("--people", "5-2"), ("--size", "448"),
     ("--size", "20x20"), ("--size", "9999x64"), ("--pictures", "0"), ("--workers", "-1")],
)  # fmt: skip
def test_wrong_arguments_are_refused(arguments: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["synth", "--out", str(tmp_path), "--pictures", "3", *arguments])
    assert stop.value.code == 2


def test_missing_material_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = main(["synth", "--out", str(out), "--pictures", "3", "--shared", str(tmp_path)])
    assert code == TrainingError.exit_code
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "--shared" in said[0]
    assert not out.exists()


def test_permissive_material_has_no_photos_and_only_free_motion(shared_data: Path) -> None:
    free = load_material(shared_data, "train", permissive=True)
    assert not free.rooms
    assert not free.clothes
    assert len(free.clips) == 20
    assert all(clip.free for clip in free.clips)


def test_rooms_and_clothes_of_the_two_splits_differ(shared_data: Path) -> None:
    train, val = (load_material(shared_data, split, permissive=False) for split in ("train", "val"))
    assert not set(train.rooms) & set(val.rooms)
    assert not set(train.clothes) & set(val.clothes)
    assert len(train.rooms) + len(val.rooms) == 700
    assert min(len(val.rooms), len(val.clothes)) > 40
