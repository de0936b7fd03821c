"""Labelled pictures: reading labels, pairing people, and figures counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from posestream.errors import PosestreamError
from posestream.evaluation.people import People
from posestream.evaluation.sample_sets import LabelledPicture, read_sets
from posestream.evaluation.samples import compare, evaluate_samples, figures, joints_given
from posestream.skeleton.joints import COCO, JOINT, NUM_JOINTS, ROOT

ALL = np.ones(NUM_JOINTS, dtype=bool)


def body_px(offset=0.0):
    """(J, 2) a body 100 px tall at ``offset``."""
    xy = np.random.default_rng(3).uniform(0.0, 100.0, (NUM_JOINTS, 2))
    xy[0], xy[1] = [50.0, 0.0], [50.0, 100.0]
    return xy + offset


def picture(*bodies, xyz_mm=None, boxes=()):
    people = np.array(bodies).reshape(-1, NUM_JOINTS, 2)
    xyz = np.full((len(people), NUM_JOINTS, 3), np.nan) if xyz_mm is None else xyz_mm
    boxes = [*boxes, *([*b.min(axis=0), *b.max(axis=0)] for b in people)]
    return LabelledPicture(
        Path("x.jpg"), None, np.zeros(5), people, xyz, np.full(len(people), 5300.0),
        np.full(len(people), 15.0), np.array(boxes).reshape(-1, 4),
    )  # fmt: skip


def found(*bodies, xyz_m=None, root_m=None):
    n = len(bodies)
    return People(
        np.array(bodies).reshape(n, NUM_JOINTS, 2),
        np.zeros((n, NUM_JOINTS, 3)) if xyz_m is None else xyz_m,
        np.zeros((n, 3)) if root_m is None else root_m,
        np.ones(n),
    )


def test_everybody_found_exactly():
    outcome = compare(picture(body_px(), body_px(300.0)), found(body_px(300.0), body_px()))
    np.testing.assert_array_equal(outcome.matched, [1, 0])
    result = figures([outcome], True, ALL)
    for key in ("recall", "pck", "pckh", "oks", "oks_over_50"):
        assert result[key] == 1.0, key
    assert result["extra_per_picture"] == 0.0


def test_a_missed_person_counts_in_every_share():
    result = figures([compare(picture(body_px(), body_px(300.0)), found(body_px()))], True, ALL)
    for key in ("recall", "pck", "pckh", "oks", "oks_over_50"):
        assert result[key] == 0.5, key


def test_thresholds_are_a_tenth_of_the_body_and_half_the_head():
    off = body_px() + np.array([8.0, 0.0])  # body 100 px: within 10; head 15 px: not within 7.5
    result = figures([compare(picture(body_px()), found(off))], True, ALL)
    assert (result["pck"], result["pckh"]) == (1.0, 0.0)


def test_strangers_and_doubles_are_extra_unless_somebody_unlabelled_is_marked_there():
    far = body_px(1000.0)
    assert compare(picture(body_px()), found(body_px(), far)).extra == 1
    assert compare(picture(body_px()), found(body_px(), body_px(1.0))).extra == 1
    marked = picture(body_px(), boxes=[[1000.0, 1000.0, 1100.0, 1100.0]])
    assert compare(marked, found(body_px(), far)).extra == 0


def test_nobody_there_or_nobody_found():
    assert compare(picture(), found(body_px())).extra == 1
    result = figures([compare(picture(body_px()), found())], True, ALL)
    assert result["recall"] == result["pck"] == result["oks"] == 0.0
    assert np.isnan(result["mpjpe_mm"])


def test_joints_that_a_back_end_never_gives_are_not_asked_of_it():
    body = body_px()
    body[JOINT["head_top"]] = np.nan
    outcome = compare(picture(body_px()), found(body))
    given = joints_given([outcome])
    assert not given[JOINT["head_top"]]
    assert figures([outcome], True, given)["pck"] == 1.0
    assert figures([outcome], True, ALL)["pck"] < 1.0


def test_3d_is_measured_from_the_pelvis_and_roots_in_the_camera():
    xyz_mm = np.random.default_rng(1).normal(0.0, 200.0, (1, NUM_JOINTS, 3))
    xyz_mm[..., 2] += 4000.0
    root_mm = xyz_mm[:, ROOT]
    relative_m = (xyz_mm - root_mm[:, None]) / 1000.0
    relative_m[:, JOINT["nose"], 0] += 0.31  # of 31 joints besides the pelvis: 10 mm on average
    near = found(body_px(), xyz_m=relative_m, root_m=(root_mm - [0, 0, 500.0]) / 1000.0)
    result = figures([compare(picture(body_px(), xyz_mm=xyz_mm), near)], True, ALL)
    assert result["mpjpe_mm"] == pytest.approx(10.0)
    assert result["pck_3d"] == pytest.approx(30 / 31)
    assert result["mrpe_mm"] == pytest.approx({"x": 0.0, "y": 0.0, "z": 500.0})


def labels(tmp_path, **changes):
    person = {"kp2d": [[1.0, 2.0, 2.0]] * 17, "bbox_xywh": [0, 0, 10, 20]}
    unlabelled = {"kp2d": [[0.0, 0.0, 0.0]] * 17, "bbox_xywh": [50, 0, 10, 20]}
    data = {
        "dataset": "coco_val",
        "joints": list(COCO),
        "images": [{"file": "a.jpg", "persons": [person, unlabelled]}],
    } | changes
    (tmp_path / "labels.json").write_text(json.dumps(data), encoding="utf-8")
    return tmp_path


def test_labels_are_read_by_the_joints_names(tmp_path):
    (one,) = read_sets(labels(tmp_path))
    (picture,) = one.pictures
    assert picture.xy_px.shape == (1, NUM_JOINTS, 2)
    assert np.isfinite(picture.xy_px).all(axis=-1).sum() == 17
    assert np.isnan(picture.xy_px[0, JOINT["neck"]]).all()
    assert picture.area_px2 == [0.53 * 200.0]
    assert picture.boxes_px.tolist() == [[0, 0, 10, 20], [50, 0, 60, 20]]


def test_flags_of_ai_challenger_are_reversed(tmp_path):
    person = {"kp2d": [[1.0, 2.0, flag] for flag in (1.0, 2.0, 3.0)]}
    data = {"joints": ["left_wrist", "neck", "head_top"], "dataset": "aic"}
    (one,) = read_sets(labels(tmp_path, images=[{"file": "a", "persons": [person]}], **data))
    known = np.isfinite(one.pictures[0].xy_px[0]).all(axis=-1)
    assert set(np.flatnonzero(known)) == {JOINT["left_wrist"], JOINT["neck"]}


def test_all_sets_of_the_shared_material_can_be_read(shared_data):
    sets = {one.name: one for one in read_sets(shared_data / "mmpose_samples")}
    assert len(sets) == 9  # panoptic_views has no labels of joints
    assert sum(len(p.xy_px) for p in sets["h36m"].pictures) == 4
    for name in ("h36m", "mpi_inf_3dhp"):
        for labelled in sets[name].pictures:
            assert labelled.K_px is not None
            assert np.isfinite(labelled.xyz_cam_mm[:, ROOT]).all()


@pytest.mark.parametrize(
    "changes",
    [{"images": [{"file": "a.jpg"}]}, {"images": 3}, {"joints": ["nose"]}, {"dataset": None}],
)
def test_wrong_labels_are_one_clear_sentence(tmp_path, changes):
    if changes == {"dataset": None}:
        (tmp_path / "labels.json").write_text("[1, 2", encoding="utf-8")
    else:
        labels(tmp_path, **changes)
    with pytest.raises(PosestreamError, match=r"labels\.json is not a file of labels"):
        read_sets(tmp_path)


def test_missing_folders_and_pictures_are_named(tmp_path):
    with pytest.raises(PosestreamError, match="There is no folder"):
        evaluate_samples(tmp_path / "absent", "fake")
    with pytest.raises(PosestreamError, match=r"no labels\.json"):
        evaluate_samples(tmp_path, "fake")
    with pytest.raises(PosestreamError, match=r"a\.jpg is missing"):
        evaluate_samples(labels(tmp_path), "fake")
