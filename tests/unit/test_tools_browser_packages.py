"""three-vrm is fetched once, anew when its versions change, and pinned with checksums."""

from __future__ import annotations

import json

import pytest

from tools import browser_packages


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "package-lock.json").write_text("{}")
    return tmp_path


def fetch(command, folder):
    (folder / "node_modules").mkdir(exist_ok=True)
    return command[:2] == ("npm", "ci")


def must_not_run(command, folder):
    raise AssertionError(command)


def test_fetched_once_and_again_when_the_lock_changes(folder):
    assert browser_packages.ensure(folder, fetch)
    assert browser_packages.ensure(folder, must_not_run)
    (folder / "package-lock.json").write_text('{"name": "other"}')
    with pytest.raises(AssertionError):
        browser_packages.ensure(folder, must_not_run)


def test_what_cannot_be_fetched_is_said_and_skipped(folder, capsys):
    assert not browser_packages.ensure(folder, lambda *_: False)
    assert "skipped" in capsys.readouterr().out


def test_every_package_is_pinned_by_checksum_and_from_no_particular_place():
    lock = json.loads((browser_packages.FOLDER / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert {"node_modules/three", "node_modules/@pixiv/three-vrm"} <= set(packages)
    for entry in packages.values():
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry
