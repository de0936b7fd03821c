"""Rendered people and their labels agree; the same seed gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posestream.geometry.camera import project
from posestream.skeleton.joints import JOINT, NUM_JOINTS, ROOT
from posestream.training.sample import IGNORED, Sample
from posestream.training.shards import ShardSet
from posestream.training.synth import generate as module
from posestream.training.synth.generate import SynthSettings, generate

pytestmark = [
    pytest.mark.synth,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of anny and what it imports
]
SIZE_PX = (224, 128)
PER_SHARD = 6
PICTURES = 10


@pytest.fixture(scope="module", autouse=True)
def small_shards(can_draw: None) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHARD_PICTURES", PER_SHARD)
        patch.setattr(module, "_CAST", 12)
        patch.setattr(module, "_PATCHES", 4)
        patch.setattr(module, "_ROOMS", 8)
        yield


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> SynthSettings:
    out = tmp_path_factory.mktemp("synth")
    return SynthSettings(out, shared_data, PICTURES, "a.train", 7, SIZE_PX)


@pytest.fixture(scope="module")
def made(settings: SynthSettings, small_shards: object) -> list[Path]:
    assert generate(settings).made == PICTURES
    return sorted(settings.out.glob("a.train-*.tar"))


@pytest.fixture(scope="module")
def samples(made: list[Path]) -> list[Sample]:
    return list(ShardSet(made))


def test_shards_are_complete_and_named_in_order(made: list[Path]) -> None:
    assert [path.name for path in made] == ["a.train-00000.tar", "a.train-00001.tar"]
    assert [len(ShardSet([path])) for path in made] == [PER_SHARD, PICTURES - PER_SHARD]


def test_a_lost_shard_is_made_again_with_the_same_bytes(
    settings: SynthSettings, made: list[Path]
) -> None:
    before = [path.read_bytes() for path in made]
    made[1].unlink()
    assert generate(settings).made == PICTURES - PER_SHARD
    assert [path.read_bytes() for path in made] == before


def test_permissive_pictures_are_others(settings: SynthSettings, shared_data: Path) -> None:
    free = SynthSettings(settings.out, shared_data, 2, "free.val", 7, SIZE_PX, (2, 3), True)
    generate(free)
    samples = list(ShardSet([settings.out / "free.val-00000.tar"]))
    assert [sample.source for sample in samples] == ["synth_free:7:0", "synth_free:7:1"]
    assert all(2 <= len(sample) <= 3 for sample in samples)


def test_labels_give_the_pixels_back(samples: list[Sample]) -> None:
    for sample in samples:
        assert sample.picture.shape == (128, 224, 3)
        assert sample.xy_px.shape == (len(sample), NUM_JOINTS, 2)
        for xy, xyz_root, depth in zip(
            sample.xy_px, sample.xyz_root_m, sample.depth_m, strict=True
        ):
            ray = np.linalg.inv(sample.K_px) @ np.append(xy[ROOT], 1.0)
            found = project(xyz_root + ray * depth, sample.K_px)
            assert np.abs(found - xy).max() < 0.5


def test_visible_joints_lie_on_their_person(samples: list[Sample]) -> None:
    total = 0
    for sample in samples:
        for n in range(len(sample)):
            for u, v in np.rint(sample.xy_px[n, sample.visible[n]]).astype(int):
                around = sample.owner[max(v - 2, 0) : v + 3, max(u - 2, 0) : u + 3]
                assert (around == n + 1).any()
                total += 1
    assert total > 10 * PICTURES


def test_owners_are_the_people_and_nobody_else(samples: list[Sample]) -> None:
    for sample in samples:
        known = set(np.unique(sample.owner).tolist()) - {0, IGNORED}
        assert known == set(range(1, len(sample) + 1))


def test_people_have_human_sizes(samples: list[Sample]) -> None:
    for sample in samples:
        assert ((sample.height_m > 0.99) & (sample.height_m < 2.11)).all()
        for side in ("left", "right"):
            thigh = (
                sample.xyz_root_m[:, JOINT[f"{side}_hip"]]
                - sample.xyz_root_m[:, JOINT[f"{side}_knee"]]
            )
            share = np.linalg.norm(thigh, axis=1) / sample.height_m
            assert ((share > 0.17) & (share < 0.30)).all()
