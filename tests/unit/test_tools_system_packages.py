"""mono and Chromium are installed where the user may, named where not, and never twice."""

from __future__ import annotations

import pytest

from tools import system_packages

ENSURE = (system_packages.ensure_mono, system_packages.ensure_chromium)


@pytest.fixture(autouse=True)
def no_browser_of_the_users(monkeypatch):
    monkeypatch.delenv("POSESTREAM_CHROMIUM", raising=False)


@pytest.mark.parametrize("ensure", ENSURE)
def test_nothing_happens_where_it_is_there(ensure):
    assert ensure(lambda tool: f"/usr/bin/{tool}", True, run=_must_not_run)


def test_who_may_not_install_is_told_the_command(capsys):
    assert not system_packages.ensure_mono(lambda _: None, False, run=_must_not_run)
    assert "sudo apt-get install -y --no-install-recommends mono-mcs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ensure", "packages"),
    [(ENSURE[0], system_packages.UNITY), (ENSURE[1], system_packages.BROWSER)],
)
def test_lists_are_fetched_before_packages(ensure, packages):
    commands = []
    assert ensure(lambda _: None, True, lambda c: not commands.append(c))
    assert [command[1] for command in commands] == ["update", "install"]
    assert set(packages) <= set(commands[1])


def test_a_browser_of_the_users_own_is_enough(monkeypatch):
    monkeypatch.setenv("POSESTREAM_CHROMIUM", "/opt/browser")
    npm = {"npm": "/usr/bin/npm"}
    assert system_packages.ensure_chromium(npm.get, True, run=_must_not_run)


@pytest.mark.parametrize("ensure", ENSURE)
def test_a_failed_install_is_said_and_skips(ensure, capsys):
    assert not ensure(lambda _: None, True, lambda _: False)
    assert "skipped" in capsys.readouterr().out


def _must_not_run(command):
    raise AssertionError(command)
