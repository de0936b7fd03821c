"""Targets are examined by decoding them back (test_decode) and by hand here."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.geometry.cells import cells_to_px, px_to_cells
from posestream.geometry.depth_bins import (
    PAPER_BINS,
    PICTURE_BINS,
    depth_from_index,
    expected_index,
)
from posestream.skeleton.joints import JOINT
from posestream.skeleton.network import network_skeleton
from posestream.training.random_people import random_people
from posestream.training.targets import (
    LabelledPeople,
    build_maps,
    depth_targets,
    probability_heatmaps,
)

SKELETON = network_skeleton()
SIZE = (448, 256)
K = np.array([[400.0, 0.0, 223.5], [0.0, 400.0, 127.5], [0.0, 0.0, 1.0]])
WRIST = SKELETON.index["left_wrist"]
ELBOW = SKELETON.index["left_elbow"]


def some_people(count: int = 2, seed: int = 0) -> LabelledPeople:
    return random_people(np.random.default_rng(seed), count, SKELETON, K, SIZE)


def test_shapes_and_ranges() -> None:
    maps = build_maps(some_people(3), SIZE, SKELETON)
    joints, limbs = SKELETON.num_joints, SKELETON.num_limbs
    assert maps.heatmaps.shape == maps.heat_mask.shape == (joints + 1, 32, 56)
    assert maps.pafs.shape == (2 * limbs, 32, 56)
    assert maps.paf_mask.shape == (limbs, 32, 56)
    assert maps.locations.shape == (3 * joints, 32, 56)
    assert maps.location_mask.shape == maps.owner.shape == (joints, 32, 56)
    assert maps.heatmaps.min() >= 0.0
    assert maps.heatmaps.max() <= 1.0
    length = np.linalg.norm(maps.pafs.reshape(limbs, 2, 32, 56), axis=1)
    assert length.max() <= 1.0 + 1e-6
    np.testing.assert_allclose(maps.heatmaps[-1], 1.0 - maps.heatmaps[:-1].max(axis=0))


def test_cells_and_pixels() -> None:
    """The first cell of stride 8 covers pixels 0…7: its centre is pixel 3.5."""
    np.testing.assert_allclose(cells_to_px(np.array([[0.0, 1.0]]), 8), [[3.5, 11.5]])
    xy = np.random.default_rng(0).uniform(0, 400, (5, 2))
    np.testing.assert_allclose(cells_to_px(px_to_cells(xy, 8), 8), xy)


def test_the_closest_person_wins_wherever_two_overlap() -> None:
    people = some_people(2)
    people.xy_px[1] = people.xy_px[0]
    people.depth_m[:] = [4.0, 3.0]
    first = build_maps(people, SIZE, SKELETON)
    assert set(np.unique(first.owner)) == {-1, 1}
    people.depth_m[:] = [3.0, 4.0]
    assert set(np.unique(build_maps(people, SIZE, SKELETON).owner)) == {-1, 0}


@pytest.mark.parametrize("place", ["left_wrist", "left_elbow", "left_shoulder", "neck", "pelvis"])
def test_a_wrist_is_stored_along_its_limb_even_where_hidden(place: str) -> None:
    people = some_people(1)
    people.visible[:] = False
    maps = build_maps(people, SIZE, SKELETON)
    assert maps.heatmaps[:-1].max() == 0.0
    x, y = np.rint(px_to_cells(people.xy_px[0, SKELETON.index[place]], 8)).astype(int)
    stored = maps.locations[3 * WRIST : 3 * WRIST + 3, y, x]
    np.testing.assert_allclose(stored, people.xyz_root_m[0, WRIST], rtol=1e-6)
    assert maps.location_mask[WRIST, y, x] == 1.0


def test_a_wrist_is_not_stored_on_other_limbs() -> None:
    people = random_people(np.random.default_rng(0), 1, SKELETON, K, SIZE, (2.0, 2.2))
    knee = px_to_cells(people.xy_px[0, SKELETON.index["right_knee"]], 8)
    others = px_to_cells(people.xy_px[0, [SKELETON.pelvis, SKELETON.neck, WRIST, ELBOW]], 8)
    assert np.linalg.norm(others - knee, axis=1).min() > 3.0
    x, y = np.rint(knee).astype(int)
    assert build_maps(people, SIZE, SKELETON).location_mask[WRIST, y, x] == 0.0


def test_unknown_joints_are_no_negatives() -> None:
    """An unlabelled wrist: its maps do not count within the person, and do elsewhere."""
    people = some_people(1)
    people.xy_px[0, WRIST] = np.nan
    maps = build_maps(people, SIZE, SKELETON)
    x, y = np.rint(px_to_cells(people.xy_px[0, ELBOW], 8)).astype(int)
    forearm = SKELETON.limb_of[ELBOW, WRIST]
    assert maps.heat_mask[WRIST, y, x] == maps.heat_mask[-1, y, x] == 0.0
    assert maps.paf_mask[forearm, y, x] == 0.0
    assert maps.heat_mask[ELBOW].min() == 1.0
    assert maps.heat_mask[WRIST, 0, 0] == 1.0
    assert np.isfinite(maps.locations).all()


def test_unknown_3d_is_masked_and_the_rest_is_not() -> None:
    people = some_people(1)
    people.xyz_root_m[0, WRIST] = np.nan
    maps = build_maps(people, SIZE, SKELETON)
    assert maps.location_mask[WRIST].max() == 0.0
    assert maps.location_mask[ELBOW].max() == 1.0
    assert np.isfinite(maps.locations).all()


def test_unlabelled_people_are_ignored() -> None:
    people = some_people(1)
    ignore = np.zeros((32, 56), dtype=bool)
    ignore[4:9, 30:40] = True
    maps = build_maps(
        LabelledPeople(people.xy_px, people.visible, people.xyz_root_m, people.depth_m, ignore),
        SIZE, SKELETON,
    )  # fmt: skip
    assert maps.heat_mask[:, ignore].max() == 0.0
    assert maps.paf_mask[:, ignore].max() == 0.0
    assert maps.heat_mask[:, ~ignore].min() == 1.0


def test_nobody_and_people_outside_the_picture() -> None:
    nobody = LabelledPeople(
        np.zeros((0, 17, 2)), np.zeros((0, 17), bool), np.zeros((0, 17, 3)), np.zeros(0)
    )
    assert build_maps(nobody, SIZE, SKELETON).heatmaps[:-1].max() == 0.0
    people = some_people(1)
    people.xy_px[:] += 10_000.0
    maps = build_maps(people, SIZE, SKELETON)
    assert maps.heatmaps[:-1].max() == maps.location_mask.max() == np.abs(maps.pafs).max() == 0.0


def test_building_changes_nothing_that_it_was_given() -> None:
    people, again = some_people(2), some_people(2)
    build_maps(people, SIZE, SKELETON)
    for name in ("xy_px", "visible", "xyz_root_m", "depth_m"):
        np.testing.assert_array_equal(getattr(people, name), getattr(again, name))


@pytest.mark.parametrize(("bins", "focal"), [(PAPER_BINS, 1500.0), (PICTURE_BINS, 300.0)])
def test_depth_targets_decode_back(bins, focal: float) -> None:
    depth = np.array([2.0, 3.7, 9.0, np.nan, 1000.0])
    target = depth_targets(depth, focal, bins)
    assert target.known.tolist() == [True, True, True, False, True]
    assert target.clamped == 1
    np.testing.assert_allclose(target.bins.sum(axis=1), [1, 1, 1, 0, 1])
    mean, _ = expected_index(target.bins[:3])
    np.testing.assert_allclose(depth_from_index(mean, focal, bins), depth[:3], rtol=1e-12)
    np.testing.assert_allclose(depth_from_index(mean, focal, bins) * 0 + mean, target.index[:3])


def test_probability_heatmaps_have_their_mean_at_the_joint() -> None:
    xy = np.array([[[20.3, 33.8], [5.0, 6.0]]])
    maps = probability_heatmaps(xy, np.array([[True, False]]), (64, 64))
    assert maps[0, 1].max() == 0.0
    assert maps[0, 0].sum() == pytest.approx(1.0, abs=1e-5)
    mean = [(maps[0, 0].sum(axis) * np.arange(64)).sum() for axis in (0, 1)]
    np.testing.assert_allclose(mean, xy[0, 0], atol=1e-2)


@pytest.mark.parametrize("name", ["mupots17", "avatar22"])
def test_joint_sets_are_sound(name) -> None:
    s = network_skeleton(name)
    assert s.num_tree == s.num_joints - 1
    reached = {s.pelvis}
    for a, b in s.limbs[: s.num_tree]:  # a tree, from the pelvis outwards
        assert a in reached
        assert b not in reached
        reached.add(b)
    assert [JOINT[n] for n in s.joints] == s.body_index.tolist()
    grouped = sorted(j for g in s.groups for j in g)
    trunk = [s.index[n] for n in ("neck", "pelvis", "spine")]
    assert sorted([*grouped, *trunk]) == list(range(s.num_joints))
    np.testing.assert_array_equal(s.mirrored_joints[s.mirrored_joints], np.arange(s.num_joints))
    np.testing.assert_array_equal(s.mirrored_limbs[s.mirrored_limbs], np.arange(s.num_limbs))
    np.testing.assert_allclose(s.adjacency.sum(axis=1), 1.0)
    assert (np.diag(s.adjacency) > 0.0).all()
    values = np.random.default_rng(0).normal(size=(2, s.num_joints, 3))
    np.testing.assert_array_equal(s.from_body(s.to_body(values)), values)
