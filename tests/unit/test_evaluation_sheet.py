"""Sheets of a back end's worst pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from posestream.arrays import F64
from posestream.errors import PosestreamError
from posestream.evaluation.sheet import Case, draw_worst, judge
from posestream.skeleton.joints import JOINT, NUM_JOINTS

NAMES = ("neck", "pelvis", "left_knee", "left_ankle", "right_knee", "right_ankle")


def _person(x_px: float) -> F64:
    xy = np.full((1, NUM_JOINTS, 2), np.nan)
    for row, name in enumerate(NAMES):
        xy[0, JOINT[name]] = x_px + 10.0 * (row % 3), 10.0 + 15.0 * row
    return xy


def _case(folder: Path, name: str, found_px: F64, grey: int = 60) -> Case:
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), np.full((120, 160, 3), grey, np.uint8))
    return Case(path, _person(40.0), found_px)


def test_joints_far_off_and_missed_people_count_as_wrong(tmp_path: Path) -> None:
    truth = _person(40.0)
    slipped = truth.copy()
    slipped[0, JOINT["neck"], 0] += 20.0  # a tenth of the person is 7.5
    nobody = np.zeros((0, NUM_JOINTS, 2))
    found = (truth, slipped, np.concatenate([_person(140.0), truth]), nobody)
    results = [judge(_case(tmp_path, str(i), people)) for i, people in enumerate(found)]
    assert [(r.wrong, r.labelled, r.found) for r in results] == [
        (0, 6, 1), (1, 6, 1), (0, 6, 1), (6, 6, 0),
    ]  # fmt: skip
    assert judge(Case(tmp_path / "0.png", nobody, truth)).share == 0.0


def test_the_worst_of_each_stretch_is_drawn(tmp_path: Path) -> None:
    right, wrong = _person(40.0), _person(90.0)
    cases = [
        _case(tmp_path, str(i), wrong if i % 2 else right, grey=200 if i % 2 else 20)
        for i in range(24)
    ]
    draw_worst(cases, tmp_path / "sheet.png")
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape == (4 * (176 + 16), 3 * 2 * 256, 3)
    assert sheet[5, 5].tolist() == [200, 200, 200]
    left, found = sheet[:176, :256], sheet[:176, 256:512]
    assert not np.array_equal(left, found)


def test_what_cannot_be_drawn_is_one_sentence(tmp_path: Path) -> None:
    case = _case(tmp_path, "a", _person(40.0))
    with pytest.raises(PosestreamError, match="cannot be written"):
        draw_worst([case], tmp_path / "nowhere" / "sheet.png")
    with pytest.raises(PosestreamError, match="cannot be written"):
        draw_worst([case], tmp_path / "sheet.what")
    with pytest.raises(PosestreamError, match="missing or cannot be read"):
        draw_worst([case._replace(path=tmp_path / "b.png")], tmp_path / "sheet.png")
    with pytest.raises(PosestreamError, match="no picture"):
        draw_worst([], tmp_path / "sheet.png")
