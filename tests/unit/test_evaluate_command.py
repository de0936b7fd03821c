"""``posestream evaluate``: unusable input is one clear sentence, never a traceback."""

from __future__ import annotations

import argparse
import json

import cv2
import numpy as np
import pytest

from posestream.errors import PosestreamError
from posestream.evaluation.commands import add_evaluate
from posestream.skeleton.joints import MUPOTS17

PARENTS = [16, 15, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, 14, 14, 1]


def run(*words):
    parser = argparse.ArgumentParser(prog="posestream")
    add_evaluate(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["evaluate", *(str(word) for word in words)])
    return arguments.command(arguments)


@pytest.fixture
def truth():
    rng = np.random.default_rng(0)
    xyz = rng.normal(0.0, 300.0, (4, 2, 17, 3)) + np.array([0.0, 0.0, 4000.0])
    K = np.array([[1000.0, 0, 500], [0, 1000, 500], [0, 0, 1]])
    xy = xyz[..., :2] / xyz[..., 2:] * 1000.0 + 500.0
    return {
        "TS1_annot2": xy, "TS1_annot3": xyz, "TS1_univ3": xyz,
        "TS1_valid": np.ones((4, 2), dtype=bool),
        "TS1_occluded": np.zeros((4, 2, 17), dtype=bool),
        "K": K[None], "parents": np.array(PARENTS),
    }  # fmt: skip


@pytest.fixture
def gt(truth, tmp_path):
    np.savez(tmp_path / "gt.npz", **truth)
    return tmp_path / "gt.npz"


def saved(tmp_path, **arrays):
    np.savez(tmp_path / "found.npz", **arrays)
    return tmp_path / "found.npz"


def test_joints_that_nobody_projected_are_projected_here(truth, gt, tmp_path, capsys):
    path = saved(tmp_path, TS1_xyz_cam_mm=truth["TS1_univ3"])
    assert run("mupots", "--gt", gt, "--predictions", path, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["align"] == "bones"
    assert result["pck_rel"] == result["pck_abs"] == result["recall"] == 1.0
    assert set(result["per_sequence"]) == {"TS1"}
    for figures in (result, result["per_sequence"]["TS1"]):
        for key in ("pck_rel", "pck_rel_matched", "auc_rel", "pck_abs", "recall",
                    "extra_per_frame"):  # fmt: skip
            assert isinstance(figures[key], float), key
        assert set(figures["ap_root"]) == set(figures["ar_root"]) == {"25", "20", "15", "10"}
        assert set(figures["mrpe_mm"]) == {"x", "y", "z"}


def test_the_table_names_sequences_and_joints(truth, gt, tmp_path, capsys):
    path = saved(tmp_path, TS1_xyz_cam_mm=truth["TS1_univ3"])
    run("mupots", "--gt", gt, "--predictions", path, "--align", "root")
    text = capsys.readouterr().out
    assert "TS1" in text
    assert all(name in text for name in MUPOTS17[:14])


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": np.zeros(3)}, "neither TSn_xyz_cam_mm nor TSn_pose"),
        ({"TS9_xyz_cam_mm": np.zeros((4, 1, 17, 3))}, "the truth has no TS9"),
        ({"TS1_xyz_cam_mm": np.zeros((3, 1, 17, 3))}, "TS1_xyz_cam_mm is float64"),
        ({"TS1_xyz_cam_mm": np.zeros((4, 1, 16, 3))}, "instead of numbers"),
        ({"TS1_xyz_cam_mm": np.full((4, 1, 17, 3), "x")}, "instead of numbers"),
        ({"TS1_pose": np.zeros((4, 1, 17, 3))}, "no array TS1_rootz"),
    ],
)
def test_unusable_predictions(gt, tmp_path, arrays, sentence):
    with pytest.raises(PosestreamError, match=sentence):
        run("mupots", "--gt", gt, "--predictions", saved(tmp_path, **arrays))


def test_poses_without_a_size_need_procrustes(gt, truth, tmp_path):
    depth = np.ones((4, 2))
    pose = truth["TS1_annot3"] / 1000.0
    path = saved(tmp_path, TS1_pose=pose, TS1_rootz=depth, TS1_rootz_ref=depth)
    with pytest.raises(PosestreamError, match="use --align procrustes"):
        run("mupots", "--gt", gt, "--predictions", path, "--align", "root")
    assert run("mupots", "--gt", gt, "--predictions", path, "--align", "procrustes") == 0


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 damaged"])
def test_files_that_are_no_archives(gt, tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    for words in (("--gt", path, "--predictions", path), ("--gt", gt, "--predictions", path)):
        with pytest.raises(PosestreamError, match=r"bad\.npz cannot be used as"):
            run("mupots", *words)


def test_pickles_are_never_loaded(gt, tmp_path):
    path = saved(tmp_path, TS1_xyz_cam_mm=np.array([{"a": 1}], dtype=object))
    with pytest.raises(PosestreamError, match="cannot be read"):
        run("mupots", "--gt", gt, "--predictions", path)


def test_missing_files_and_folders(gt, tmp_path):
    absent = tmp_path / "absent"
    with pytest.raises(PosestreamError, match="There is no file"):
        run("mupots", "--gt", absent, "--predictions", gt)
    with pytest.raises(PosestreamError, match="There is no folder"):
        run("mupots", "--gt", gt, "--frames", absent)
    with pytest.raises(PosestreamError, match="no folders TS1"):
        run("mupots", "--gt", gt, "--frames", tmp_path)
    with pytest.raises(PosestreamError, match="There is no folder"):
        run("video", "synthetic:seconds=1", "--backend", "fake", "--counts", absent)


@pytest.mark.parametrize(
    ("meta", "sentence"),
    [(None, "There is no"), ("{", "not readable JSON"), ("[]", "not a JSON object"),
     ("{}", "meta.json needs K")],
)  # fmt: skip
def test_folders_of_frames_that_lack_their_camera(gt, tmp_path, meta, sentence):
    folder = tmp_path / "frames" / "TS1"
    folder.mkdir(parents=True)
    if meta is not None:
        (folder / "meta.json").write_text(meta, encoding="utf-8")
    with pytest.raises(PosestreamError, match=sentence):
        run("mupots", "--gt", gt, "--frames", tmp_path / "frames")


def test_pictures_of_frames_that_the_truth_has_not(gt, tmp_path):
    pytest.importorskip("mediapipe")
    folder = tmp_path / "frames" / "TS1"
    folder.mkdir(parents=True)
    meta = {"K": np.eye(3).tolist(), "affine_gt_px_to_small": [[1, 0, 0], [0, 1, 0]]}
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    cv2.imwrite(str(folder / "00007.jpg"), np.zeros((64, 64, 3), dtype=np.uint8))
    with pytest.raises(PosestreamError, match="TS1 has 4 frames"):
        run("mupots", "--gt", gt, "--frames", tmp_path / "frames", "--backend", "mediapipe")


@pytest.mark.parametrize(
    "words",
    [["mupots"], ["mupots", "--gt", "x"], ["mupots", "--gt", "x", "--predictions", "y",
     "--frames", "z"], ["mupots", "--gt", "x", "--predictions", "y", "--align", "none"],
     ["video"], ["samples"]],
)  # fmt: skip
def test_usage_errors_exit_with_2(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(*words)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err
