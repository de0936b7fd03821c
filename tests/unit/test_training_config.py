"""Files of training runs: strict, and helpful about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install torch")

from posestream.errors import ConfigError
from posestream.training.config_file import (
    first_difference,
    load,
    what_counts,
    with_defaults,
)

pytestmark = pytest.mark.networks
FILES = sorted((Path(__file__).parents[2] / "configs" / "train").glob("*.toml"))
FILE = next(f for f in FILES if f.stem == "unified-half")


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_file_that_ships_is_valid(file: Path) -> None:
    assert load(file).data.sources


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimiser.rat=1", r"no setting optimiser.rat .*did you mean optimiser.rate\?"),
        ("optimiser.size_px=1", r"did you mean .*size_px"),
        ("data.sources.0.ratoi=2", r"no setting data.sources.0.ratoi .*data.sources.0.ratio\?"),
        ("optimiser.rate=-1", "optimiser.rate must be a number above 0"),
        ('network.kind="resnet"', "network.kind must be rrmp, hdnet or unified"),
        ("data.size_px=[100, 96]", r"data.size_px must be multiples of 32"),
        ("optimiser.accumulate=3", "optimiser.batch must be a multiple of accumulate"),
        ("data.sources.0.backgrounds=[]", "'composites' must name backgrounds"),
        ("name.x=1", "name.x does not name a setting"),
        ("nonsense", "must have the form key=value"),
    ],
)
def test_mistakes_are_explained(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(FILE, [override])


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nothing.toml")
    (tmp_path / "bad.toml").write_text("name = [")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load(tmp_path / "bad.toml")


def test_only_what_decides_the_weights_counts() -> None:
    base = what_counts(load(FILE))
    free = load(FILE, ["machine.workers=7", "validation.every=3", "name=o", "data.folder=d"])
    assert first_difference(base, what_counts(free)) == ""
    other = what_counts(load(FILE, ["loss.pafs=9"]))
    assert first_difference(base, other) == "loss.pafs is 9.0, not 5.0"
    unused = what_counts(load(FILE, ["network.hdnet.width=0.5"]))
    assert first_difference(base, unused) == ""


def test_settings_that_came_later_do_not_part_a_run_from_its_checkpoint() -> None:
    old = what_counts(load(FILE))
    del old["data"]["sources"][0]["pictures"], old["loss"]["halve_every"]
    assert first_difference(what_counts(load(FILE)), with_defaults(old)) == ""
