"""Every metric on an example computed by hand, and what must not change it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from posestream.evaluation import metrics
from posestream.evaluation.matching import apart_from_all, assign, extent, mean_distance

NAN = np.nan
TREE = np.array([0, 0, 1, 2])  # a chain from joint 0
SEEDS = st.integers(0, 2**32 - 1)


def poses(seed, n=3, joints=14):
    return np.random.default_rng(seed).normal(0.0, 300.0, (n, joints, 3))


def test_pck_counts_errors_up_to_the_threshold():
    errors = np.array([0.0, 149.0, 150.0, 151.0, np.inf])
    assert metrics.pck(errors) == 0.6
    assert np.isnan(metrics.pck(np.zeros(0)))


def test_unknown_joints_are_infinitely_wrong():
    errors = metrics.joint_errors(np.array([[3.0, 4.0, 0.0], [NAN, 0, 0]]), np.zeros((2, 3)))
    np.testing.assert_array_equal(errors, [5.0, np.inf])


def test_auc_is_the_mean_over_31_thresholds():
    # an error of 100 mm is within the thresholds 100, 105 … 150: 11 of 31
    assert metrics.auc(np.array([100.0])) == pytest.approx(11 / 31)
    assert metrics.auc(np.array([0.0, np.inf])) == pytest.approx(0.5)


@given(SEEDS)
def test_auc_equals_the_mean_of_pck(seed):
    errors = np.random.default_rng(seed).uniform(0.0, 300.0, 50)
    expected = np.mean([metrics.pck(errors, t) for t in range(0, 151, 5)])
    assert metrics.auc(errors) == pytest.approx(expected)


@given(SEEDS, st.floats(0.01, 100.0))
def test_alignment_undoes_every_similarity(seed, scale):
    truth = poses(seed)
    R = Rotation.random(random_state=seed).as_matrix()
    moved = scale * truth @ R + [1000.0, -500.0, 3000.0]
    np.testing.assert_allclose(metrics.similarity_align(moved, truth), truth, atol=1e-6)


@given(SEEDS)
def test_alignment_is_no_worse_than_another_implementation(seed):
    truth, found = poses(seed, n=1)[0], poses(seed + 1, n=1)[0]
    aligned = metrics.similarity_align(found, truth)
    centred = truth - truth.mean(axis=0)
    ours = ((aligned - truth) ** 2).sum() / (centred**2).sum()
    _, _, theirs = procrustes(truth, found)  # which may mirror, and then be better
    mirrored = found * [-1.0, 1.0, 1.0]
    other = ((metrics.similarity_align(mirrored, truth) - truth) ** 2).sum() / (centred**2).sum()
    assert min(ours, other) == pytest.approx(theirs, rel=1e-6)
    assert ours >= theirs - 1e-9


def test_alignment_never_mirrors():
    truth = poses(1)
    assert metrics.pa_mpjpe(truth * [-1.0, 1.0, 1.0], truth) > 50.0


def test_alignment_ignores_unknown_joints():
    truth = poses(2)
    found = 2.0 * truth + 7.0
    found[:, 3] = NAN
    aligned = metrics.similarity_align(found, truth)
    known = np.arange(14) != 3
    np.testing.assert_allclose(aligned[:, known], truth[:, known], atol=1e-9)
    assert np.isnan(aligned[:, 3]).all()


@pytest.mark.parametrize("known", [0, 2])
def test_alignment_needs_three_joints(known):
    found = np.full((1, 14, 3), NAN)
    found[:, :known] = poses(3)[:1, :known]
    assert np.isnan(metrics.similarity_align(found, poses(4)[:1])).all()
    assert np.isnan(metrics.similarity_align(np.ones((1, 14, 3)), poses(4)[:1])).all()


def test_mpjpe_is_the_mean_distance_of_known_joints():
    truth = np.zeros((1, 3, 3))
    found = np.array([[[3.0, 4.0, 0.0], [0.0, 0.0, 15.0], [NAN, NAN, NAN]]])
    assert metrics.mpjpe(found, truth) == 10.0
    assert np.isnan(metrics.mpjpe(truth[:0], truth[:0]))


def test_mrpe_by_axis_and_distance():
    truth = np.zeros((3, 3))
    found = np.array([[3.0, 0.0, -4.0], [-1.0, 0.0, 0.0], [NAN, 0.0, 0.0]])
    axes, distance = metrics.mrpe(found, truth)
    np.testing.assert_array_equal(axes, [2.0, 0.0, 2.0])
    assert distance == 3.0


def test_bones_take_the_truths_length_and_keep_their_direction():
    truth = np.array([[0.0, 0, 0], [100, 0, 0], [200, 0, 0], [300, 0, 0]])
    found = np.array([[0.0, 0, 0], [0, 10, 0], [0, 10, 40], [7, 10, 40]])
    out = metrics.rescale_bones(found, truth, TREE)
    np.testing.assert_allclose(out, [[0, 0, 0], [0, 100, 0], [0, 100, 100], [100, 100, 100]])


def test_a_bone_hangs_on_the_nearest_known_joint_above():
    truth = np.array([[0.0, 0, 0], [100, 0, 0], [200, 0, 0], [300, 0, 0]])
    found = np.array([[0.0, 0, 0], [NAN, NAN, NAN], [0, 50, 0], [0, 50, 1]])
    out = metrics.rescale_bones(found, truth, TREE)
    np.testing.assert_allclose(out[[0, 2, 3]], [[0, 0, 0], [0, 200, 0], [0, 200, 100]])
    assert np.isnan(out[1]).all()


@given(SEEDS, st.floats(0.1, 10.0))
def test_rescaled_bones_do_not_depend_on_the_bodys_size(seed, scale):
    truth, found = poses(seed, 2, 4), poses(seed + 1, 2, 4)
    found -= found[:, :1]
    np.testing.assert_allclose(
        metrics.rescale_bones(scale * found, truth, TREE),
        metrics.rescale_bones(found, truth, TREE), atol=1e-6,
    )  # fmt: skip
    order = np.array([3, 1, 0, 2])  # numbered otherwise, with children before their parents
    tree = np.argsort(order)[TREE[order]]
    np.testing.assert_allclose(
        metrics.rescale_bones(found[:, order], truth[:, order], tree),
        metrics.rescale_bones(found, truth, TREE)[:, order], atol=1e-6,
    )  # fmt: skip


def test_average_precision_by_hand():
    # right, wrong, right of three: precision 1 and 2/3, each adding a third of recall
    ap, ar = metrics.average_precision(np.array([True, False, True]), 3)
    assert ap == pytest.approx((1 + 2 / 3) / 3)
    assert ar == pytest.approx(2 / 3)
    assert metrics.average_precision(np.zeros(0, dtype=bool), 2) == (0.0, 0.0)
    assert np.isnan(metrics.average_precision(np.zeros(0, dtype=bool), 0)).all()


def test_a_root_is_taken_once_by_the_surest():
    truth = [np.array([[0.0, 0, 1000], [0, 0, 5000]]), np.zeros((0, 3))]
    frame = np.array([0, 0, 0, 1, 0])
    root = np.array([[0.0, 0, 1100], [0, 0, 1010], [0, 0, 4800], [0, 0, 1000], [NAN, NAN, NAN]])
    score = np.array([0.5, 0.9, 0.8, 0.7, 0.6])
    nearest, distance = metrics.nearest_roots(frame, root, truth)
    np.testing.assert_array_equal(nearest, [0, 0, 1, -1, -1])
    hits = metrics.root_hits(score, nearest, distance, 250.0)
    np.testing.assert_array_equal(hits, [True, True, False, False, False])
    hits = metrics.root_hits(score, nearest, distance, 200.0)  # under, not up to
    np.testing.assert_array_equal(hits, [True, False, False, False, False])


def test_oks_by_hand():
    truth = np.array([[0.0, 0.0], [10.0, 0.0], [NAN, NAN]])
    sigma = np.array([0.1, 0.1, 0.1])
    assert metrics.oks(truth, truth, 100.0, sigma) == 1.0
    found = np.array([[0.0, 0.0], [12.0, 0.0], [5.0, 5.0]])
    # d² = 4, 2 · area · (2 · sigma)² = 8: exp(-1/2)
    assert metrics.oks(found, truth, 100.0, sigma) == pytest.approx((1 + np.exp(-0.5)) / 2)
    found[1] = NAN
    assert metrics.oks(found, truth, 100.0, sigma) == 0.5
    assert np.isnan(metrics.oks(found, truth * NAN, 100.0, sigma))


@given(SEEDS, st.floats(0.1, 10.0))
def test_oks_does_not_depend_on_the_pictures_scale(seed, scale):
    rng = np.random.default_rng(seed)
    truth, sigma = rng.uniform(0, 100, (17, 2)), np.full(17, 0.07)
    found = truth + rng.normal(0, 5, (17, 2))
    expected = metrics.oks(found, truth, 4000.0, sigma)
    scaled = metrics.oks(scale * found, scale * truth, 4000.0 * scale**2, sigma)
    assert scaled == pytest.approx(expected)


def test_assignment_is_one_to_one_and_within_the_limit():
    cost = np.array([[0.1, 0.2], [0.11, 0.3], [0.1, 9.0]])
    # of three who all want the first, one gets it; another the second; no third
    pairs = assign(cost, 0.35)
    assert sorted(pairs.tolist()) == [-1, 0, 1]
    np.testing.assert_array_equal(assign(np.array([[0.35]]), 0.35), [0])
    np.testing.assert_array_equal(assign(np.array([[0.36]]), 0.35), [-1])
    np.testing.assert_array_equal(assign(np.array([[NAN, 0.1], [0.1, NAN]]), 0.35), [1, 0])


def test_a_perfect_pair_is_not_torn_apart_for_a_third():
    np.testing.assert_array_equal(assign(np.array([[0.0, 0.3], [0.3, 0.4]]), 0.35), [0, -1])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nobody_pairs_with_nobody(shape):
    np.testing.assert_array_equal(assign(np.zeros(shape), 1.0), np.full(shape[0], -1))


def test_distances_over_known_joints_if_there_are_enough():
    truth = np.zeros((1, 3, 2))
    found = np.array([[[3.0, 4.0], [0.0, 1.0], [NAN, NAN]], [[1.0, 0.0], [NAN, 0.0], [NAN, 0.0]]])
    np.testing.assert_array_equal(mean_distance(truth, found, 2), [[3.0, NAN]])
    np.testing.assert_array_equal(extent(found), [3.0, 0.0])
    np.testing.assert_array_equal(extent(found * NAN), [0.0, 0.0])


def test_boxes_apart_from_all_others():
    boxes = np.array([[0.0, 0, 10, 10], [100, 100, 110, 110]])
    others = np.array([[1.0, 0, 11, 10]])
    np.testing.assert_array_equal(apart_from_all(boxes, others, 0.1), [False, True])
    np.testing.assert_array_equal(apart_from_all(boxes, others[:0], 0.1), [True, True])
