"""Find a Python that posestream supports and go on with it.

Python 3.6 and later read this file: that is how an old one can say so in a sentence.
"""

import os
import shutil
import subprocess
import sys

SUPPORTED = ((3, 12), (3, 11))
"""Newest first."""
_ASK = "import sys; print('%d.%d' % sys.version_info[:2])"


def use_supported(script: str) -> None:
    """Return if this Python is supported; else go on with one that is, or exit saying why."""
    if sys.version_info[:2] in SUPPORTED:
        return
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    command = find(os.name == "nt")
    if not command:
        sys.exit(missing(here, os.name == "nt"))
    going_on = f"posestream: Python {here} is not supported, going on with {' '.join(command)}."
    print(going_on, file=sys.stderr, flush=True)
    replace_process([*command, script, *sys.argv[1:]], os.name == "nt")


def find(windows: bool) -> "list[str]":
    """The command that starts a supported Python here, or nothing."""
    for command in candidates(windows):
        if shutil.which(command[0]) and _version_of(command) in SUPPORTED:
            return command
    return []


def candidates(windows: bool) -> "list[list[str]]":
    """Commands that may start a supported Python, best first."""
    names = [f"{major}.{minor}" for major, minor in SUPPORTED]
    launcher = [["py", "-" + name] for name in names] if windows else []
    return [*launcher, *(["python" + name] for name in names), ["python3"], ["python"]]


def missing(here: str, windows: bool) -> str:
    """The sentence for a machine that has no supported Python."""
    how = "winget install Python.Python.3.12" if windows else "your package manager or python.org"
    return (
        f"posestream: Python 3.11 or 3.12 is needed, this is Python {here}, and neither of them "
        f"was found: install Python 3.12 ({how}) and start again."
    )


def replace_process(command: "list[str]", windows: bool) -> None:
    """Become ``command``; on Windows, which cannot, wait for it and exit with its code."""
    if not windows:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    sys.exit(wait_for(command))


def wait_for(command: "list[str]") -> int:
    """Run ``command`` to its end and return its exit code, leaving Ctrl-C to it.

    A console sends Ctrl-C to every process in it: the child stops cleanly by itself, and
    this process only has to outlive it. A termination signal is passed on.
    """
    import signal

    child = subprocess.Popen(command)
    ignored = [signal.SIGINT] + [s for s in [getattr(signal, "SIGBREAK", None)] if s is not None]
    before = [(s, signal.signal(s, lambda *_: None)) for s in ignored]
    before.append((signal.SIGTERM, signal.signal(signal.SIGTERM, lambda *_: child.terminate())))
    try:
        return child.wait()
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _version_of(command: "list[str]") -> "tuple[int, ...]":
    """(major, minor), or () where the command is there but does not work (a version shim)."""
    try:
        answer = subprocess.check_output([*command, "-c", _ASK], stderr=subprocess.DEVNULL)
        return tuple(int(part) for part in answer.split(b"."))
    except (OSError, ValueError, subprocess.CalledProcessError):
        return ()
