"""System packages that some tests need: installed where this user may, named where not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

UNITY = ("mono-mcs", "mono-runtime", "nunit-console", "libnunit-framework2.6.3-cil")
_TIMEOUT_S = 300.0

Run = Callable[[list[str]], bool]


def ensure_mono(
    find: Callable[[str], str | None] = shutil.which,
    may_install: bool | None = None,
    run: Run | None = None,
) -> bool:
    """Make sure that the Unity client's tests can run; False where they will be skipped."""
    if all(find(tool) for tool in ("mcs", "mono", "nunit-console")):
        return True
    if may_install is None:
        may_install = bool(find("apt-get")) and hasattr(os, "geteuid") and os.geteuid() == 0
    install = ["apt-get", "install", "-y", "--no-install-recommends", *UNITY]
    if not may_install:
        print(f"For the Unity client's tests: sudo {' '.join(install)}", flush=True)
        return False
    print("installing mono for the Unity client's tests ...", flush=True)
    run = run or _run
    done = run(["apt-get", "update"]) and run(install)
    if not done:
        print("mono cannot be installed here: the Unity client's tests are skipped.", flush=True)
    return done


def _run(command: list[str]) -> bool:
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
