"""What a fuzzed parser is, and how its outcome is named."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from posestream.errors import PosestreamError


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. ``tokens`` are fragments that mean something to it."""

    name: str
    check: Callable[[bytes], str]
    seeds: Callable[[], list[bytes]]
    tokens: tuple[bytes, ...] = ()


def refused(parse: Callable[[], Any], kind: type[PosestreamError], what: str = "ok") -> str:
    """The outcome of a parser that may refuse with ``kind`` alone."""
    try:
        parse()
    except kind as error:
        assert str(error) and "\n" not in str(error), f"not one sentence: {error}"
        return f"{type(error).__name__}: {error}".replace(f"{scratch()}{os.sep}", "")
    return what


@lru_cache(maxsize=1)
def scratch() -> Path:
    """A folder for parsers that want files, in memory where the system has such a place."""
    memory = Path("/dev/shm")  # noqa: S108
    parent = memory if memory.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="posestream-fuzz-", dir=parent))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def as_file(data: bytes, name: str) -> Path:
    """The bytes as a file."""
    path = scratch() / name
    path.write_bytes(data)
    return path
