"""The files of people counted by hand hold what their README promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posestream.evaluation.hand_counts import read

FOLDER = Path(__file__).resolve().parent.parent / "data" / "hand_counts"
FILES = sorted(FOLDER.glob("*.json"))


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_fifteenth_frame_is_listed_once(path):
    data = load(path)
    frames = [frame["frame"] for frame in data["frames"]]
    assert frames == list(range(0, data["every"] * len(frames), data["every"]))
    assert sorted(read(path)) == frames
    assert Path(data["video"]).stem == path.stem


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_people_are_told_apart_and_lie_in_the_picture(path):
    data = load(path)
    width, height = data["size_px"]
    for frame in data["frames"]:
        ids = [person["id"] for person in frame["people"]]
        assert len(ids) == len(set(ids)), frame["frame"]
        for person in frame["people"]:
            assert set(person) <= {"id", "box_px", "note", "ignore"}
            x0, y0, x1, y1 = person["box_px"]
            assert 0 <= x0 < x1 <= width, (frame["frame"], person)
            assert 0 <= y0 < y1 <= height, (frame["frame"], person)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_readme_states_how_many_are_counted(path):
    frames = load(path)["frames"]
    people = sum(not person.get("ignore") for frame in frames for person in frame["people"])
    row = f"| {path.stem} | {len(frames)} | {people} |"
    assert row in (FOLDER / "README.md").read_text(encoding="utf-8")
