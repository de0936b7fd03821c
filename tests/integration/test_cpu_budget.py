"""A run that is told to leave the processor to others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

BUSY = "synthetic:people=4,fps=240,seconds=8,size=1280x720"


@pytest.mark.slow
def test_a_budget_is_kept_and_motion_goes_on(posestream: Any, tmp_path: Path) -> None:
    share = 0.2 / (os.cpu_count() or 1)  # a fifth of one core
    summary = tmp_path / "summary.json"
    run = posestream(
        "run", BUSY, "--set", "vmc=[]", "--set", "websocket.port=0", "--no-panel",
        "--cpu-budget", f"{share:.4f}", "--summary", str(summary),
    )  # fmt: skip
    run.wait()
    figures = json.loads(summary.read_text())
    assert figures["exit_reason"] == "end of source"
    assert figures["dropped"] > figures["frames"] > 5


def test_a_budget_that_is_none_is_refused(posestream: Any) -> None:
    run = posestream("run", "synthetic:seconds=1", "--cpu-budget", "half")
    assert run.wait() == 2
    assert "cpu.budget" in run.lines[0] and "from 0.02 to 1" in run.lines[0]
