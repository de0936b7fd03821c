"""What the command line prints reaches files and pipes of any encoding."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", ["config", "--help"])
@pytest.mark.parametrize("encoding", ["ascii", "cp932", "utf-8"])
def test_characters_that_an_encoding_lacks_are_replaced(command: str, encoding: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "posestream", command],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        cwd=REPOSITORY,
        capture_output=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    text = answer.stdout.decode(encoding)
    wanted = {"config": "source.width = 1280", "--help": "exit codes: 0 done or stopped by you"}
    assert wanted[command] in text
