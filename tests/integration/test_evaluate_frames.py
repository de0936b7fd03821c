"""The MediaPipe back end on real frames of MuPoTS-3D, through the evaluator."""

from __future__ import annotations

import shutil

import pytest

from posestream.evaluation.mupots_run import evaluate_frames

pytest.importorskip("mediapipe")
pytestmark = [pytest.mark.mediapipe, pytest.mark.slow]


@pytest.fixture
def some_frames(shared_data, tmp_path):
    """Twenty consecutive frames of TS10, not the first: pictures are paired by their number."""
    source, folder = shared_data / "mupots_frames" / "TS10", tmp_path / "TS10"
    folder.mkdir()
    for name in ("meta.json", *(f"{n:05d}.jpg" for n in range(100, 120))):
        shutil.copyfile(source / name, folder / name)
    return tmp_path


def test_people_are_found_where_the_truth_has_them(shared_data, some_frames):
    gt = shared_data / "mupots" / "gt.npz"
    result = evaluate_frames(gt, some_frames, "mediapipe", "bones")
    (figures,) = result["per_sequence"].values()
    assert (result["joints"], figures["frames"], figures["people"]) == (13, 20, 40)
    assert figures["recall"] >= 0.9
    assert figures["pck_rel_matched"] >= 0.6  # turned, mirrored or shifted bodies fall below
    assert figures["pa_mpjpe_mm"] < 120.0
    assert figures["mrpe_mm"]["x"] < 200.0  # the affine map and K belong together
    assert figures["mrpe_mm"]["z"] < 600.0
