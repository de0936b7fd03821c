"""The static checks alone: python3 tools/check.py. They need nothing but the test extras."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools import pythons

_LINT_IMPORTS = "from importlinter.cli import lint_imports_command as run; run()"
CHECKS = (
    ("ruff check", ("-m", "ruff", "check", "--quiet")),
    ("ruff format", ("-m", "ruff", "format", "--check", "--quiet")),
    ("mypy", ("-m", "mypy", "--strict", "--no-error-summary", "-p", "posestream", "-p", "tools")),
    ("lint-imports", ("-c", _LINT_IMPORTS)),
)


def check_all() -> "list[bool]":
    """Run every check, say how each went, and return whether each passed."""
    return [_check(name, command) for name, command in CHECKS]


def _check(name: str, command: "tuple[str, ...]") -> bool:
    import subprocess

    from tools import environment

    started = time.monotonic()
    answer = subprocess.run(
        [environment.Environment().python, *command],
        cwd=environment.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    passed = answer.returncode == 0
    if not passed:
        print(answer.stdout.rstrip())
    verdict = "ok" if passed else "FAILED"
    print(f"{name}: {verdict} ({time.monotonic() - started:.1f} s)", flush=True)
    return passed


def main() -> int:
    """0 if every check passed."""
    from tools import environment

    try:
        environment.ensure(environment.Environment(), environment.TEST)
    except environment.InstallError as error:
        sys.exit(f"posestream: {error}")
    return 0 if all(check_all()) else 1


if __name__ == "__main__":
    pythons.use_supported(__file__)
    sys.exit(main())
