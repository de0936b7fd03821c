"""Shards give back what was written, and say clearly when they are damaged."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from posestream.errors import TrainingError
from posestream.skeleton.joints import NUM_JOINTS
from posestream.training.sample import IGNORED, Sample, unlabelled
from posestream.training.shards import ShardSet, ShardWriter, find_shards


def sample(seed: int, people: int = 2) -> Sample:
    rng = np.random.default_rng(seed)
    labels = unlabelled(people)
    labels["xy_px"][:, :20] = rng.uniform(0, 64, (people, 20, 2))
    labels["visible"][:, :10] = True
    labels["depth_m"][:1] = 3.5
    picture = np.full((48, 64, 3), seed * 20, np.uint8)
    owner = rng.choice([0, 1, IGNORED], (48, 64)).astype(np.uint8)
    return Sample(picture, K_px=np.eye(3) * 300, owner=owner, source=f"test/{seed}", **labels)


def write(folder: Path, count: int, **options: int) -> ShardSet:
    with ShardWriter(folder, "some", **options) as writer:
        for seed in range(count):
            writer.add(sample(seed, people=seed % 3))
    return ShardSet(find_shards(folder))


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    shards = write(tmp_path, 5)
    assert len(shards) == 5
    for seed, got in enumerate(shards):
        want = sample(seed, seed % 3)
        for name in ("xy_px", "depth_m", "height_m", "xyz_root_m", "K_px"):
            np.testing.assert_allclose(getattr(got, name), getattr(want, name), rtol=1e-6)
        assert (got.visible == want.visible).all()
        assert (got.owner == want.owner).all()
        assert got.source == want.source
        assert abs(got.picture.astype(int) - want.picture).max() <= 2


def test_a_shard_is_never_larger_than_asked(tmp_path: Path) -> None:
    shards = write(tmp_path, 12, max_bytes=60_000)
    assert len(shards.paths) > 1
    assert all(path.stat().st_size <= 60_000 for path in shards.paths)
    assert [s.source for s in shards] == [f"test/{i}" for i in range(12)]


def test_shards_travel_to_other_processes(tmp_path: Path) -> None:
    shards = write(tmp_path, 3)
    assert shards[1].source == pickle.loads(pickle.dumps(shards))[1].source


def test_a_broken_off_shard_has_no_name(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), ShardWriter(tmp_path, "some") as writer:
        writer.add(sample(1))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TrainingError, match="no shard"):
        find_shards(tmp_path)


def test_damage_is_named(tmp_path: Path) -> None:
    shards = write(tmp_path, 3)
    (path,) = shards.paths
    data = bytearray(path.read_bytes())
    start = data.index(b"test/1")
    data[start - 300 : start] = bytes(300)
    path.write_bytes(data)
    again = ShardSet([path])
    assert again[0].source == "test/0"
    with pytest.raises(TrainingError, match=r"Sample 1 in .*some-00000.tar is damaged"):
        again[1]
    path.write_bytes(b"no tar at all" * 100)
    with pytest.raises(TrainingError, match="not a readable shard"):
        ShardSet([path])


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=f"xy_px.*wanted.*2, {NUM_JOINTS}"):
        Sample(np.zeros((4, 4, 3), np.uint8), **{**unlabelled(2), "xy_px": np.zeros((2, 3, 2))})
