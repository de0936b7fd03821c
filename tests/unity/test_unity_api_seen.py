"""unity_api_seen.tsv names, for every member of Unity that the client uses, where it was seen."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FIRST = (2021, 3)  # the oldest Unity that the package supports
SECOND = (6000, 0)  # Unity 6
UNSEEN = "-"

Row = tuple[str, str, str]


def _members() -> list[str]:
    return (HERE / "unity_api.txt").read_text("utf-8").split("\n")[:-1]


def _rows() -> list[Row]:
    lines = (HERE / "unity_api_seen.tsv").read_text("utf-8").split("\n")[:-1]
    rows: list[Row] = []
    for line in lines:
        if not line.startswith("#"):
            member, old, new = line.split("\t")
            rows.append((member, old, new))
    return rows


def _version(source: str) -> tuple[int, int]:
    """(2019, 1) of "2019.1.0a13 Runtime/Export/Math/Vector3.cs"."""
    match = re.fullmatch(r"(\d+)\.(\d+)(?:\.\d+(?:[abf]\d+)?)? [\w./-]+", source)
    assert match, source
    return int(match[1]), int(match[2])


def _counts() -> tuple[int, int, int, int]:
    """Members seen at both ends, only at the first, only at the second, at neither."""
    seen = [(old != UNSEEN, new != UNSEEN) for _, old, new in _rows()]
    ends = ((True, True), (True, False), (False, True), (False, False))
    both, first, second, neither = (seen.count(end) for end in ends)
    return both, first, second, neither


def test_every_member_has_one_row() -> None:
    assert [member for member, _, _ in _rows()] == _members()


def test_sources_are_at_the_ends_they_speak_for() -> None:
    for member, old, new in _rows():
        assert old == UNSEEN or _version(old) <= FIRST, member
        assert new == UNSEEN or _version(new) >= SECOND, member


def test_readme_says_how_many_were_seen() -> None:
    both, first, second, neither = _counts()
    text = " ".join((ROOT / "unity_client" / "README.md").read_text("utf-8").split())
    said = f"{both} of {len(_members())} at both ends, {first} only at the older, {second} only"
    assert f"{said} at the newer, {neither} at neither" in text
