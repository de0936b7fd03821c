"""The command line keeps numpy's linear algebra from starting threads that spin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MULTIPLY = """
import sys
{before}
import numpy as np, psutil
matrix = np.ones((700, 700))
matrix @ matrix
print("threads", psutil.Process().num_threads())
"""
COMMAND = """
from posestream.cli import main
assert main(["config"]) == 0
assert "numpy" in sys.modules
"""


def threads(before: str, **environment: str) -> int:
    env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"} | environment
    answer = subprocess.run(
        [sys.executable, "-c", MULTIPLY.format(before=before)],
        env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return int(answer.stdout.rpartition("threads")[2])


def test_a_command_starts_no_threads_for_linear_algebra() -> None:
    if threads("") == 1:
        pytest.skip("numpy has no threads of its own here")
    assert threads(COMMAND) == 1


def test_who_sets_the_number_of_threads_gets_it() -> None:
    wanted = threads("", OPENBLAS_NUM_THREADS="2")
    assert threads(COMMAND, OPENBLAS_NUM_THREADS="2") == wanted
