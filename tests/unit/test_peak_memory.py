"""The most memory that a process held is its own, whatever started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
IMPORT = "from posestream.daemon.figures import peak_rss_mb; "


def printed_by(code: str) -> float:
    answer = subprocess.run(
        [sys.executable, "-c", IMPORT + code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    return float(answer.stdout)


def test_what_was_held_counts_even_after_it_was_given_back():
    assert printed_by("x = bytearray(b'x') * 2**28; del x; print(peak_rss_mb())") > 256


def test_a_large_parent_does_not_count():
    large = bytearray(b"x") * 2**28
    assert printed_by("print(peak_rss_mb())") < len(large) / 2**20
