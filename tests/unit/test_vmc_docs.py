"""The pages for users name what the code has."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from posestream.wire.vmc_presets import PRESETS, VmcPreset
from posestream.wire.vmc_target import BONE_GROUPS, VmcTarget
from posestream.wire.vrchat import TRACKERS, VrchatTarget

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(("page", "struct"), [("vmc", VmcTarget), ("vrchat", VrchatTarget)])
def test_every_setting_is_described(page: str, struct: type[msgspec.Struct]) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert [name for name in struct.__struct_fields__ if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", PRESETS)
def test_presets_stand_in_the_table_with_what_is_unverified(name: str) -> None:
    preset: VmcPreset = PRESETS[name]  # type: ignore[index]
    text = (DOCS / "vmc.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
    _, _, *facts, _, _ = (cell.strip() for cell in row.split("|"))
    marked = {
        fact
        for fact, cell in zip(("port", "facing", "expressions", "travel"), facts, strict=True)
        if cell.endswith("unverified")
    }
    assert marked == set(preset.unverified)
    assert facts[0].startswith(str(preset.port))
    assert facts[3].startswith(preset.travel)


def test_groups_and_trackers_are_named() -> None:
    assert all(f"`{g}`" in (DOCS / "vmc.md").read_text(encoding="utf-8") for g in BONE_GROUPS)
    page = (DOCS / "vrchat.md").read_text(encoding="utf-8")
    assert all(f"`{t}`" in page for t in TRACKERS if t != "feet")
