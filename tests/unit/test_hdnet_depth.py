"""Depth bins (HDNet eq. 6, 7) and placing people by them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posestream.geometry.camera import project
from posestream.geometry.depth_bins import (
    PAPER_BINS,
    PICTURE_BINS,
    DepthBins,
    clamp_index,
    depth_from_index,
    depth_from_logits,
    index_from_depth,
    soft_target,
)
from posestream.locate.hdnet import BINS, effective_focal_px, place
from posestream.skeleton.joints import NUM_JOINTS, ROOT
from posestream.types import Camera, People2D, PeopleRoot

CAMERA = Camera(np.array([[1500.0, 0, 960.0], [0, 1480.0, 540.0], [0, 0, 1.0]]), (1920, 1080))


def test_ends_of_the_paper_range() -> None:
    """d/f of 1 and 8 mm/px are the first and the last of 71 bins."""
    np.testing.assert_allclose(index_from_depth(np.array([1.5, 12.0]), 1500.0), [0.0, 70.0])
    np.testing.assert_allclose(index_from_depth(np.array([1.5 * 8**0.5]), 1500.0), [35.0])


def test_the_papers_example_of_soft_bins() -> None:
    """b = 2.4 of five bins is 0, 0, 0.6, 0.4, 0."""
    got = soft_target(np.array(2.4), DepthBins(count=5))
    np.testing.assert_allclose(got, [0, 0, 0.6, 0.4, 0], atol=1e-12)
    np.testing.assert_allclose(soft_target(np.array(4.0), DepthBins(count=5)), [0, 0, 0, 0, 1])


def test_both_sets_of_bins_have_the_same_step() -> None:
    steps = [np.log(b.far / b.near) / (b.count - 1) for b in (PAPER_BINS, PICTURE_BINS)]
    assert steps[0] == pytest.approx(steps[1], rel=1e-9)
    assert steps[0] == pytest.approx(0.0297, abs=1e-4)


@given(ratio=st.floats(1.0, 64.0), focal=st.floats(50.0, 5000.0), scale=st.floats(0.1, 10.0))
def test_there_and_back_and_scale(ratio: float, focal: float, scale: float) -> None:
    depth = np.array([ratio * focal / 1000.0])
    index = index_from_depth(depth, focal, PICTURE_BINS)
    np.testing.assert_allclose(depth_from_index(index, focal, PICTURE_BINS), depth, rtol=1e-9)
    again = index_from_depth(depth * scale, focal * scale, PICTURE_BINS)
    np.testing.assert_allclose(again, index, atol=1e-6)


def test_depths_outside_are_clamped_and_counted() -> None:
    index = index_from_depth(np.array([1.0, 6.0, 100.0]), 1500.0)
    inside, outside = clamp_index(index)
    assert outside == 2
    assert inside[0] == 0.0
    assert inside[2] == 70.0
    assert inside[1] == index[1]


def test_both_normalisations() -> None:
    """hdnet: f of the original picture; unified: f at the input's scale."""
    f = np.sqrt(1500.0 * 1480.0)
    assert effective_focal_px(CAMERA, "hdnet", 448 / 1920) == pytest.approx(f)
    assert effective_focal_px(CAMERA, "unified", 448 / 1920) == pytest.approx(f * 448 / 1920)
    for kind in ("hdnet", "unified"):
        focal = effective_focal_px(CAMERA, kind, 448 / 1920)
        bins = BINS[kind]
        index = index_from_depth(np.array([4.2]), focal, bins)
        assert 0.0 < index[0] < bins.count - 1
        logits = np.log(soft_target(index, bins) + 1e-12)
        depth, std = depth_from_logits(logits, focal, bins)
        assert depth[0] == pytest.approx(4.2, rel=1e-6)
        assert std[0] < 0.03 * 4.2


def test_unsure_bins_have_a_wide_deviation() -> None:
    flat = np.zeros((1, 71))
    _, std = depth_from_logits(flat, 1500.0, PAPER_BINS)
    assert std[0] > 1.0


def person(seen: tuple[int, ...]) -> tuple[People2D, PeopleRoot, np.ndarray]:
    rng = np.random.default_rng(2)
    xyz = rng.normal(0.0, 0.4, (1, NUM_JOINTS, 3))
    xyz[:, ROOT] = 0.0
    root = np.array([[0.6, -0.3, 4.0]])
    xy = project(xyz + root[:, None], CAMERA.K_px)
    score = np.zeros((1, NUM_JOINTS))
    score[0, list(seen)] = 1.0
    xy = np.where(score[..., None] > 0, xy, np.nan)
    return People2D(xy, score, np.ones(1)), PeopleRoot(xyz), root


@pytest.mark.parametrize("seen", [(ROOT, 3, 9), (3, 9, 12)])
def test_people_stand_where_they_were_seen(seen: tuple[int, ...]) -> None:
    people, root3d, root = person(seen)
    got = place(people, root3d, CAMERA, root[:, 2], np.array([0.1]))
    np.testing.assert_allclose(got.root_cam_m, root, atol=1e-9)
    np.testing.assert_allclose(got.xyz_cam_m, root3d.xyz_root_m + root[:, None], atol=1e-9)
    assert 0.5 < got.depth_score[0] < 1.0


def test_an_unseen_person_is_nowhere() -> None:
    people, root3d, root = person(())
    got = place(people, root3d, CAMERA, root[:, 2], np.array([0.1]))
    assert np.isnan(got.root_cam_m).all()
    assert got.depth_score[0] == 0.0
    assert np.isinf(got.depth_std_m[0])


def test_nobody() -> None:
    none = People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0))
    empty = PeopleRoot(np.zeros((0, NUM_JOINTS, 3)))
    assert len(place(none, empty, CAMERA, np.zeros(0), np.zeros(0))) == 0
