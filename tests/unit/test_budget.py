"""The share of the machine that is left to others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from posestream import config
from posestream.daemon.budget import CpuBudget, Governor

REPOSITORY = Path(__file__).resolve().parents[2]


class Machine:
    """A clock, and the CPU time that a process has used."""

    def __init__(self) -> None:
        self.now_s = self.cpu_s = 0.0

    def work(self, cpu_s: float, wall_s: float) -> None:
        self.cpu_s += cpu_s
        self.now_s += wall_s


@pytest.mark.parametrize("cores", [0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("frame_cpu_s", [0.005, 0.03, 0.2])
def test_the_mean_stays_within_the_budget(cores: float, frame_cpu_s: float) -> None:
    machine = Machine()
    governor = Governor(cores, lambda: machine.cpu_s, lambda: machine.now_s)
    while machine.now_s < 60.0:
        machine.work(frame_cpu_s, frame_cpu_s / 2.0)  # two threads at once
        machine.now_s += governor.pause_s()
    assert machine.cpu_s / machine.now_s <= cores * 1.02
    assert machine.cpu_s / machine.now_s >= min(cores, 2.0) * 0.95  # and it is used


def test_who_stays_within_the_budget_never_waits() -> None:
    machine = Machine()
    governor = Governor(1.0, lambda: machine.cpu_s, lambda: machine.now_s)
    for _ in range(1000):
        machine.work(0.01, 0.033)
        assert governor.pause_s() == 0.0


def test_a_long_step_after_a_rest_is_forgiven_a_little_and_no_pause_is_long() -> None:
    machine = Machine()
    governor = Governor(0.1, lambda: machine.cpu_s, lambda: machine.now_s)
    machine.now_s += 3600.0
    machine.work(0.2, 0.2)
    assert governor.pause_s() == 0.0
    machine.work(100.0, 1.0)
    assert governor.pause_s() == 2.0


def test_everything_is_the_default_and_changes_nothing() -> None:
    settings = config.load(None)
    budget = CpuBudget(settings.cpu.budget)
    assert budget.confine(settings) is settings
    assert budget.governor() is None


@pytest.mark.parametrize(
    ("share", "of", "cores"), [(0.5, 4, 2), (0.3, 4, 2), (0.02, 4, 1), (1, 4, 4)]
)
def test_whole_cores_are_rounded_up(
    share: float, of: int, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posestream.daemon.budget._usable", lambda: list(range(of)))
    assert CpuBudget(share).cores == cores


SCRIPT = """
import os, threading
from posestream import config
from posestream.daemon.budget import CpuBudget
settings = config.load(None, ["cpu.budget=0.5"])
before = sorted(os.sched_getaffinity(0))
after = CpuBudget(settings.cpu.budget).confine(settings)
found = []
thread = threading.Thread(target=lambda: found.append((os.sched_getaffinity(0), os.nice(0))))
thread.start(); thread.join()
(cores, nice), wanted = found[0], max((len(before) + 1) // 2, 1)
assert sorted(cores) == before[-wanted:], (cores, before)
assert nice >= 5, nice
assert after.estimate.threads == min(wanted, 16)
own = config.load(None, ["cpu.budget=0.5", "estimate.threads=3"])
assert CpuBudget(0.5).confine(own).estimate.threads == 3
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="affinity as Linux has it")
def test_threads_that_come_later_inherit_cores_and_priority() -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
