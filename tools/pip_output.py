"""What pip prints, as progress for a terminal and as one sentence when it fails."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_NO_NETWORK = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "getaddrinfo failed",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ProxyError",
    "Could not fetch URL",
)
_NO_SPACE = ("No space left on device", "not enough space on the disk")


def count(files: Iterable[Path]) -> int:
    """How many packages the requirement files list."""
    lines = [line.strip() for file in files for line in file.read_text("utf-8").splitlines()]
    return sum(bool(line) and not line.startswith(("#", "-")) for line in lines)


class Progress:
    """Turns pip's lines into ``fetching 12 of 23: mediapipe``."""

    def __init__(self, packages: int) -> None:
        self._packages = packages
        self._number = 0

    def after(self, line: str) -> str:
        """The new text after this line, or nothing if it stays."""
        word, _, rest = line.strip().partition(" ")
        rest = rest.removeprefix("already satisfied: ")
        if word in ("Collecting", "Processing") or line.startswith("Requirement already"):
            self._number = min(self._number + 1, self._packages)
            file_or_name = rest.split(" ")[0].replace("\\", "/").rpartition("/")[2]
            name = re.split(r"==|-\d", file_or_name)[0]
            return f"  fetching {self._number} of {self._packages}: {name}"
        if line.startswith("Installing collected packages"):
            return "  installing ..."
        return ""


def problem(output: str, machine: str) -> str:
    """One sentence about why pip failed; ``machine`` names system and processor."""
    if any(sign in output for sign in _NO_NETWORK):
        return (
            "The packages cannot be fetched because the package index is not reachable: connect "
            "to the internet (or set HTTPS_PROXY) and start again; what is here already is kept."
        )
    if any(sign in output for sign in _NO_SPACE):
        return "The disk is full: installing needs 1.5 GB (with the tests, 4 GB); start again then."
    errors = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    last = errors[-1].removeprefix("ERROR: ") if errors else "no reason given"
    if "No matching distribution found for" in last:
        package = last.rpartition(" ")[2]
        return (
            f"There is no build of {package} for this machine ({machine}): posestream runs on "
            "64-bit Windows, macOS, and x86-64 Linux."
        )
    return f"pip failed ({last.rstrip('.')}): mend that and start again."
