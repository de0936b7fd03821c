"""The evaluator's gate: published predictions must give their published figures."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest

from posestream.evaluation.commands import add_evaluate
from posestream.evaluation.mupots_data import PELVIS

SEQUENCES = ["TS1", "TS12", "TS18"]  # TS12: with people who do not count


@pytest.fixture(scope="module")
def gt(shared_data):
    with np.load(shared_data / "mupots" / "gt.npz") as file:
        return dict(file)


@pytest.fixture
def evaluate(shared_data, tmp_path, capsys):
    """Runs the command on arrays, or on a file, and returns its JSON."""

    def run(predictions, align):
        if isinstance(predictions, dict):
            path = tmp_path / "predictions.npz"
            np.savez(path, **predictions)
        else:
            path = predictions
        parser = argparse.ArgumentParser()
        add_evaluate(parser.add_subparsers())
        arguments = parser.parse_args(
            ["evaluate", "mupots", "--gt", str(shared_data / "mupots" / "gt.npz"),
             "--predictions", str(path), "--align", align, "--json"]
        )  # fmt: skip
        assert arguments.command(arguments) == 0
        return json.loads(capsys.readouterr().out)

    return run


def in_camera(gt, truth="univ3", sequences=SEQUENCES):
    """The truth as a file of predictions, with its own 2D joints."""
    out = {}
    for name in sequences:
        absent = ~gt[f"{name}_valid"]
        xyz, xy = gt[f"{name}_{truth}"].copy(), gt[f"{name}_annot2"].copy()
        xyz[absent], xy[absent] = np.nan, np.nan
        out |= {f"{name}_xyz_cam_mm": xyz, f"{name}_xy_px": xy}
    return out


def relative(gt, truth="univ3", sequences=SEQUENCES):
    """The truth in the format of the published predictions."""
    out = {}
    for name in sequences:
        depth = gt[f"{name}_annot3"][:, :, PELVIS, 2]
        out |= {
            f"{name}_pose": gt[f"{name}_{truth}"],
            f"{name}_rootz": depth,
            f"{name}_rootz_ref": depth,
        }
    return out


def test_published_predictions_give_the_published_figures(evaluate, shared_data):
    result = evaluate(shared_data / "mupots" / "pred_cheng2021.npz", "procrustes")
    assert result["pck_rel"] == pytest.approx(0.8995, abs=5e-4)
    assert result["pck_abs"] == pytest.approx(0.4852, abs=5e-4)
    # an independent computation of the same protocol
    assert result["pck_rel"] == pytest.approx(0.8995168, abs=2e-6)
    assert result["pck_abs"] == pytest.approx(0.4852466, abs=2e-6)
    assert result["people"] == 20_760
    missed = sum((1.0 - s["recall"]) * s["people"] for s in result["per_sequence"].values())
    assert round(missed) == 22


@pytest.mark.parametrize("form", [in_camera, relative])
@pytest.mark.parametrize("align", ["bones", "root", "procrustes"])
def test_truth_as_prediction_is_perfect(evaluate, gt, form, align):
    truth = "annot3" if align == "procrustes" else "univ3"
    result = evaluate(form(gt, truth), align)
    for figures in (result, *result["per_sequence"].values()):
        for key in ("pck_rel", "pck_rel_matched", "auc_rel", "pck_abs", "recall"):
            assert figures[key] == 1.0, key
        assert set(figures["ap_root"].values()) == set(figures["ar_root"].values()) == {1.0}
        assert max(figures["mrpe_mm"].values()) < 1e-3
    if form is in_camera:
        assert result["extra_per_frame"] == 0.0


@pytest.mark.parametrize("form", [in_camera, relative])
@pytest.mark.parametrize(("shift_mm", "expected"), [(149.0, 1.0), (151.0, 0.0)])
def test_shift_of_every_joint_but_the_pelvis(evaluate, gt, form, shift_mm, expected):
    predictions = form(gt)
    for key in predictions:
        if key.endswith(("_xyz_cam_mm", "_pose")):
            joints = predictions[key] + np.array([0.0, 0.0, shift_mm])
            joints[:, :, PELVIS] -= np.array([0.0, 0.0, shift_mm])
            predictions[key] = joints
    result = evaluate(predictions, "root")
    assert result["recall"] == 1.0
    assert result["pck_rel"] == result["pck_abs"] == expected


@pytest.mark.parametrize("form", [in_camera, relative])
def test_annotation_against_the_universal_skeleton(evaluate, gt, form):
    result = evaluate(form(gt, "annot3", ["TS18"]), "root")
    assert result["pck_rel"] == pytest.approx(0.947, abs=5e-4)
    assert evaluate(form(gt, "annot3", ["TS18"]), "bones")["pck_rel"] == 1.0


@pytest.mark.parametrize("form", [in_camera, relative])
@pytest.mark.parametrize("align", ["bones", "root"])
def test_swapped_slots_change_nothing(evaluate, gt, form, align):
    swapped = {key: value[:, ::-1] for key, value in form(gt, sequences=["TS7"]).items()}
    result = evaluate(swapped, align)
    assert result["pck_rel"] == result["pck_abs"] == result["recall"] == 1.0


def test_people_in_each_others_place_are_wrong_in_the_world_only(evaluate, gt):
    """2D of one person with the other's 3D: pairs are made in 2D, so both bodies are wrong."""
    predictions = in_camera(gt, sequences=["TS2"])
    predictions["TS2_xyz_cam_mm"] = predictions["TS2_xyz_cam_mm"][:, ::-1]
    result = evaluate(predictions, "root")
    assert result["recall"] == 1.0
    assert result["pck_abs"] < 0.1
    assert result["pck_rel"] < 1.0
    assert result["ap_root"]["25"] == 1.0  # every root is somebody's


def test_duplicates_are_extra_and_cost_precision(evaluate, gt):
    predictions = in_camera(gt, sequences=["TS2"])
    doubled = {key: np.concatenate([v, v], axis=1) for key, v in predictions.items()}
    doubled["TS2_score"] = np.concatenate([np.ones((251, 2)), np.full((251, 2), 0.5)], axis=1)
    result = evaluate(doubled, "root")
    assert result["pck_rel"] == result["recall"] == 1.0
    assert result["extra_per_frame"] == 2.0
    assert result["ap_root"]["10"] == 1.0  # all the surer ones come first
    doubled["TS2_score"] = 1.5 - doubled["TS2_score"]
    doubled["TS2_xyz_cam_mm"][:, 2:] += 10_000.0  # now the surer half is nowhere near
    result = evaluate(doubled, "root")
    assert result["ar_root"]["25"] == 1.0
    assert 0.25 < result["ap_root"]["25"] < 0.5


def test_a_person_never_found_is_wrong_in_every_joint(evaluate, gt):
    predictions = in_camera(gt, sequences=["TS2"])
    for key in predictions:
        predictions[key] = predictions[key][:, :1]
    result = evaluate(predictions, "bones")
    assert result["recall"] == result["pck_rel"] == result["pck_abs"] == 0.5
    assert result["pck_rel_matched"] == result["pck_abs_matched"] == 1.0
    assert result["ap_root"]["25"] == result["ar_root"]["25"] == 0.5


def test_the_known_stranger_is_neither_extra_nor_a_false_root(evaluate, gt):
    """One find a frame far from every annotated person is forgiven in TS1, not in TS2."""
    for name, expected in (("TS1", 0.0), ("TS2", 1.0)):
        predictions = in_camera(gt, sequences=[name])
        stranger = {key: value[:, :1] + 5000.0 for key, value in predictions.items()}
        both = {k: np.concatenate([stranger[k], v], axis=1) for k, v in predictions.items()}
        result = evaluate(both, "root")
        assert result["extra_per_frame"] == expected
        assert (result["ap_root"]["25"] == 1.0) == (name == "TS1")


def test_nobody_found_anywhere(evaluate, gt):
    for align in ("bones", "root", "procrustes"):
        nobody = {key: v[:, :0] for key, v in in_camera(gt, sequences=["TS12"]).items()}
        result = evaluate(nobody, align)
        assert result["recall"] == result["pck_rel"] == result["ap_root"]["25"] == 0.0
        assert result["pck_rel_matched"] is None
        assert result["mrpe_mm"] == {"x": None, "y": None, "z": None}


def test_without_head_tops_thirteen_joints_count(evaluate, gt):
    predictions = in_camera(gt, sequences=["TS2"])
    for key in predictions:
        predictions[key][:, :, 0] = np.nan
    result = evaluate(predictions, "bones")
    assert (result["joints"], result["pck_rel"]) == (13, 1.0)
    assert "head_top" not in result["pck_rel_by_joint"]


@pytest.mark.parametrize("align", ["bones", "root", "procrustes"])
def test_unknown_joints_are_wrong_but_harm_no_other(evaluate, gt, align):
    truth = "annot3" if align == "procrustes" else "univ3"
    predictions = in_camera(gt, truth, ["TS2"])
    for key in predictions:
        predictions[key][:, :, [4, 15]] = np.nan  # right wrist and spine
    result = evaluate(predictions, align)
    wrong = {joint for joint, value in result["pck_rel_by_joint"].items() if value < 0.999}
    assert wrong == {"right_wrist"}
    assert result["pck_rel_by_joint"]["right_wrist"] == 0.0
