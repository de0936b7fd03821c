"""The token: who has it may control the daemon and see the camera's picture.

It lives in the user's configuration folder, readable by that user alone, so that programs of
the same user need no set-up.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from posestream.errors import PublishError

_FILE: Final = "token"
_MIN_LENGTH: Final = 16
_MAX_LENGTH: Final = 256


def config_folder(
    platform: str = sys.platform,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> Path:
    """Where this user's posestream files live on this platform.

    Raises PublishError where nobody says what the user's home is, as in some containers.
    """
    home = _home() if home is None else home
    if platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "posestream"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "posestream"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "posestream"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise PublishError(
            "The token cannot be kept because this user has no home folder: set HOME to a "
            "folder that can be written."
        ) from None


def load_or_create(folder: Path | None = None) -> str:
    """The user's token, made on first use, kept with permissions 0600.

    Raises PublishError where the file cannot be read or written, or holds something else.
    """
    path = (config_folder() if folder is None else folder) / _FILE
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _create(path)
    except FileExistsError:
        return _load(path)
    except OSError as error:
        raise PublishError(f"The token cannot be kept in {path}: {error.strerror}.") from error


def _create(path: Path) -> str:
    """Raises FileExistsError where there is one already; a reader never sees half a token."""
    if path.exists():
        raise FileExistsError
    token = secrets.token_urlsafe(32)
    fresh = path.with_name(f"{_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
        _move_unless_there(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return token


def _move_unless_there(fresh: Path, path: Path) -> None:
    if sys.platform == "win32":
        fresh.rename(path)  # refuses to replace there
        return
    try:
        os.link(fresh, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        fresh.replace(path)


def _load(path: Path) -> str:
    try:
        if sys.platform != "win32" and path.stat().st_mode & 0o077:
            path.chmod(0o600)
        token = path.read_text(encoding="ascii")[: _MAX_LENGTH + 2].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PublishError(f"The token in {path} cannot be read: {error}.") from error
    if not _MIN_LENGTH <= len(token) <= _MAX_LENGTH or not token.isprintable():
        raise PublishError(
            f"{path} does not hold a token of at least {_MIN_LENGTH} characters: remove the "
            "file and a new one is made."
        )
    return token


def matches(token: str, offered: str) -> bool:
    """Whether the offered token is the right one; takes the same time wherever they differ."""
    return hmac.compare_digest(token.encode("utf-8", "replace"), offered.encode("utf-8", "replace"))
