"""three-vrm, which some tests in a browser compare our avatars with.

Fetched with npm from whatever registry this machine is set up for, in exactly the versions and
with the checksums of ``tests/browser/three_vrm/package-lock.json``, into a folder that git ignores.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "browser" / "three_vrm"
_COMMAND = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev")
_TIMEOUT_S = 180.0

Run = Callable[[Sequence[str], Path], bool]


def ensure(folder: Path = FOLDER, run: Run | None = None) -> bool:
    """Make sure that the packages are there; False where the comparison will be skipped."""
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / "posestream.stamp"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return True
    print("fetching three-vrm for the tests in a browser ...", flush=True)
    if not (run or _run)(_COMMAND, folder):
        print("three-vrm cannot be fetched here (npm ci): its comparison is skipped.", flush=True)
        return False
    stamp.write_text(digest, encoding="utf-8")
    return True


def _run(command: Sequence[str], folder: Path) -> bool:
    npm = shutil.which(command[0])
    if npm is None:
        return False
    try:
        answer = subprocess.run(
            [npm, *command[1:]],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


if __name__ == "__main__":
    sys.exit(0 if ensure() else 1)
