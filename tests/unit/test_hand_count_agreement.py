"""The two counts by eye, made without sight of each other, agree as their README says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posestream.evaluation.hand_counts import iou, read

FIRST = Path(__file__).resolve().parent.parent / "data" / "hand_counts"
SECOND = FIRST / "second"
SAME = 0.5  # overlap from which two boxes are taken for the same person


def counted(path: Path) -> dict[int, list[dict]]:
    return {f: [p for p in people if not p.get("ignore")] for f, people in read(path).items()}


def shared_people(name: str) -> list[tuple[dict, dict, float]]:
    """Who is counted in both, and how much the boxes overlap."""
    first, second = counted(FIRST / name), counted(SECOND / name)
    pairs = []
    for frame, people in first.items():
        others = second.get(frame, [])
        for person in people if others else []:
            overlap = iou(boxes([person]), boxes(others))[0]
            best = int(overlap.argmax())
            if overlap[best] >= SAME:
                pairs.append((person, others[best], float(overlap[best])))
    return pairs


def boxes(people: list[dict]) -> np.ndarray:
    return np.array([person["box_px"] for person in people], dtype=np.float64)


def total(folder: Path) -> int:
    return sum(len(people) for path in folder.glob("*.json") for people in counted(path).values())


NAMES = sorted(path.name for path in SECOND.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_people_bear_the_same_identity(name):
    pairs = shared_people(name)
    assert pairs
    assert [a["id"] for a, _, _ in pairs] == [b["id"] for _, b, _ in pairs]


def test_readme_states_the_agreement():
    assert sorted(path.name for path in FIRST.glob("*.json")) == NAMES
    overlaps = [overlap for name in NAMES for _, _, overlap in shared_people(name)]
    text = " ".join((FIRST / "README.md").read_text(encoding="utf-8").split())
    stated = (
        f"{total(SECOND)} people where the first has {total(FIRST)}; {len(overlaps)} are the same"
    )
    assert stated in text
    assert f"overlap by {np.median(overlaps):.2f} in the median, {min(overlaps):.2f} at" in text
