"""mono is installed where the user may, named where not, and never twice."""

from __future__ import annotations

from tools import system_packages


def test_nothing_happens_where_mono_is_there():
    assert system_packages.ensure_mono(lambda tool: f"/usr/bin/{tool}", True, run=_must_not_run)


def test_who_may_not_install_is_told_the_command(capsys):
    assert not system_packages.ensure_mono(lambda _: None, False, run=_must_not_run)
    assert "sudo apt-get install -y --no-install-recommends mono-mcs" in capsys.readouterr().out


def test_lists_are_fetched_before_packages():
    commands = []
    assert system_packages.ensure_mono(lambda _: None, True, lambda c: not commands.append(c))
    assert [command[1] for command in commands] == ["update", "install"]
    assert set(system_packages.UNITY) < set(commands[1])


def test_a_failed_install_is_said_and_skips(capsys):
    assert not system_packages.ensure_mono(lambda _: None, True, lambda _: False)
    assert "skipped" in capsys.readouterr().out


def _must_not_run(command):
    raise AssertionError(command)
