"""System packages that some tests need: installed where this user may, named where not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence

UNITY = (
    "mono-mcs", "mono-runtime", "nunit-console", "libnunit-framework2.6.3-cil", "openssl",
)  # fmt: skip
BROWSER = ("chromium", "npm")
_TIMEOUT_S = 300.0

Find = Callable[[str], str | None]
Run = Callable[[list[str]], bool]


def ensure_mono(
    find: Find = shutil.which, may_install: bool | None = None, run: Run | None = None
) -> bool:
    """Make sure that the Unity client's tests can run; False where they will be skipped."""
    if all(find(tool) for tool in ("mcs", "mono", "nunit-console", "openssl")):
        return True
    return _ensure(UNITY, "mono", "the Unity client's tests", find, may_install, run)


def ensure_chromium(
    find: Find = shutil.which, may_install: bool | None = None, run: Run | None = None
) -> bool:
    """Make sure that the tests in a browser can run; False where they will be skipped."""
    browser = os.environ.get("POSESTREAM_CHROMIUM") or any(
        find(name) for name in ("chromium", "chromium-browser", "google-chrome")
    )
    there = {"chromium": bool(browser), "npm": bool(find("npm"))}
    missing = [package for package in BROWSER if not there[package]]
    if not missing:
        return True
    what = " and ".join(missing)
    return _ensure(missing, what, "the tests in a browser", find, may_install, run)


def _ensure(
    packages: Sequence[str],
    what: str,
    wanted_by: str,
    find: Find,
    may_install: bool | None,
    run: Run | None,
) -> bool:
    if may_install is None:
        may_install = bool(find("apt-get")) and hasattr(os, "geteuid") and os.geteuid() == 0
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not may_install:
        print(f"For {wanted_by}: sudo {' '.join(install)}", flush=True)
        return False
    print(f"installing {what} for {wanted_by} ...", flush=True)
    run = run or _run
    done = run(["apt-get", "update"]) and run(install)
    if not done:
        print(f"{what} cannot be installed here: {wanted_by} are skipped.", flush=True)
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
