"""Composites' labels agree with each other, and with the camera, whoever is put where."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posestream.errors import TrainingError
from posestream.geometry.camera import project
from posestream.skeleton.joints import JOINT, ROOT
from posestream.skeleton.network import network_skeleton
from posestream.training.composite import CompositeSettings, Compositor, PostureWeights, mirrored
from posestream.training.composite_scene import turned
from posestream.training.random_people import random_poses
from posestream.training.real.cutouts import can_cut, cut
from posestream.training.real.learning import Person
from posestream.training.real.owner import drawn
from posestream.training.sample import Sample, unlabelled
from posestream.training.shards import ShardSet, ShardWriter, find_shards

SIZE = (160, 128)
SKELETON = network_skeleton("avatar22")


def cutout(seed: int) -> Sample:
    """Somebody seen by a far camera; the picture shows the silhouette in one colour."""
    rng = np.random.default_rng(seed)
    xyz = SKELETON.to_body(random_poses(rng, 1, SKELETON))[0]
    px_per_m = rng.uniform(60, 120)
    xy = xyz[:, :2] * px_per_m + 160.0
    silhouette = drawn(xy, (320, 320))
    picture = np.full((320, 320, 3), 40, np.uint8)
    picture[silhouette > 0] = rng.integers(60, 255, 3)
    person = Person(xy, np.isfinite(xy[:, 0]), xyz, 1.7, px_per_m)
    assert can_cut(person, silhouette)
    return cut(picture, person, silhouette, f"test/{seed}")


@pytest.fixture(scope="module")
def compositor(tmp_path_factory: pytest.TempPathFactory) -> Compositor:
    folder = tmp_path_factory.mktemp("shards")
    with ShardWriter(folder, "cutouts_test") as writer:
        for seed in range(12):
            writer.add(cutout(seed))
    with ShardWriter(folder, "rooms") as writer:
        for seed in range(3):
            noise = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
            room = cv2.resize(noise, (240, 180), interpolation=cv2.INTER_CUBIC)
            writer.add(Sample(np.asarray(room, np.uint8), **unlabelled(0)))
    people, rooms = (ShardSet(find_shards(folder, n)) for n in ("cutouts_test", "rooms"))
    return Compositor(people, rooms, CompositeSettings(postures=PostureWeights(acrobat=1.0)))


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_projection_reproduces_the_places(compositor: Compositor, seed: int) -> None:
    sample = compositor.compose(np.random.default_rng(seed), SIZE)
    assert sample.K_px is not None
    K = sample.K_px
    for xy, xyz, depth in zip(sample.xy_px, sample.xyz_root_m, sample.depth_m, strict=True):
        ray = np.array([*(xy[ROOT] - K[:2, 2]) / K[0, 0], 1.0])
        apart = np.linalg.norm(project(ray * depth + xyz, K) - xy, axis=1)
        # What weak perspective leaves out: nearer joints are larger, off the axis all are wider.
        cosine = 1.0 / np.linalg.norm(ray)
        nearer = depth / (depth + xyz[:, 2])
        share = np.maximum(np.abs(nearer - 1.0), np.abs(nearer / cosine - 1.0))
        across = np.linalg.norm(xy - xy[ROOT], axis=1)
        known = np.isfinite(apart)
        assert known.sum() >= 20
        assert (apart <= share * across + 0.5)[known].all()
        assert np.median(apart[known]) < 0.06 * 1.7 * K[0, 0] / depth


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_owner_depth_and_visibility_agree(compositor: Compositor, seed: int) -> None:
    sample = compositor.compose(np.random.default_rng(seed), SIZE)
    assert sample.owner is not None
    assert (np.diff(sample.depth_m) <= 0.0).all()  # nearer people lie over farther ones
    assert set(np.unique(sample.owner)) <= {0, 255, *range(1, len(sample) + 1)}
    for number, (xy, visible) in enumerate(zip(sample.xy_px, sample.visible, strict=True)):
        column, row = np.rint(xy[visible]).astype(int).T
        assert ((column >= 0) & (column < SIZE[0]) & (row >= 0) & (row < SIZE[1])).all()
        assert (sample.owner[row, column] <= number + 1).all()
        assert (sample.owner == number + 1).sum() >= 12


def test_the_same_numbers_make_the_same_picture(compositor: Compositor) -> None:
    again = pickle.loads(pickle.dumps(compositor))
    fresh = Compositor(compositor._people, compositor._backgrounds, compositor.settings)
    for maker in (again, fresh):
        one, two = (c.compose(np.random.default_rng(5), SIZE) for c in (compositor, maker))
        assert (one.picture == two.picture).all() and one.source == two.source
        np.testing.assert_array_equal(one.xyz_root_m, two.xyz_root_m)
    other = compositor.compose(np.random.default_rng(6), SIZE)
    assert (other.picture != one.picture).any()


def test_depths_cover_the_range_that_is_asked_for(compositor: Compositor) -> None:
    samples = [compositor.compose(np.random.default_rng(i), SIZE) for i in range(150)]
    ratio = np.concatenate([1000.0 * s.depth_m / s.K_px[0, 0] for s in samples])  # type: ignore[index]
    assert np.percentile(ratio, 10) < 12.0 and np.percentile(ratio, 90) > 20.0
    assert ratio.min() > 1.0 and ratio.max() < 60.0
    assert {len(s) for s in samples} >= {1, 2, 3}


def test_a_mirrored_person_is_the_other_way_round() -> None:
    one = cutout(3)
    two = mirrored(one)
    left, right = JOINT["left_wrist"], JOINT["right_wrist"]
    np.testing.assert_allclose(two.xyz_root_m[0, left, 0], -one.xyz_root_m[0, right, 0])
    assert two.owner is not None and one.owner is not None
    u, v = np.rint(two.xy_px[0, left]).astype(int)
    assert two.owner[v, u] == 1
    back = mirrored(two)
    np.testing.assert_allclose(back.xy_px, one.xy_px)
    np.testing.assert_array_equal(back.picture, one.picture)


@given(u=st.floats(-200, 200), v=st.floats(-200, 200))
def test_turning_keeps_shape_and_takes_the_axis_to_the_view_ray(u: float, v: float) -> None:
    K = np.array([[150.0, 0.0, 10.0], [0.0, 150.0, 20.0], [0.0, 0.0, 1.0]])
    turn = turned(np.eye(3), np.array([u + 10.0, v + 20.0]), K).T
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) > 0
    ray = np.array([u, v, 150.0])
    np.testing.assert_allclose(turn[:, 2], ray / np.linalg.norm(ray), atol=1e-12)


def test_what_cannot_be_put_together_is_said(compositor: Compositor, tmp_path: Path) -> None:
    rooms = compositor._backgrounds
    with pytest.raises(TrainingError, match="is no cut-out of one person"):
        Compositor(rooms, rooms).compose(np.random.default_rng(0), SIZE)
    with pytest.raises(TrainingError, match="no people, or no backgrounds"):
        Compositor(rooms, ShardSet([]))
