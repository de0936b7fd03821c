"""Who may open the panel: pages of its own on loopback that know its key. No sockets.

Any web page can send requests to this machine, so the Host must be loopback with the panel's
own port (against DNS rebinding) and the Origin of a WebSocket must be the panel itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from posestream.publish.access import is_loopback
from posestream.publish.token import matches

_PURPOSE: Final = b"posestream panel"
_KEY_LENGTH: Final = 24


def key_from(token: str | None) -> str:
    """The panel's key: the same in every run of a user, but worth nothing elsewhere.

    Without a token (it could not be kept) a key for this run alone.
    """
    if token is None:
        return secrets.token_hex(_KEY_LENGTH // 2)
    return hmac.new(token.encode(), _PURPOSE, hashlib.sha256).hexdigest()[:_KEY_LENGTH]


def key_matches(key: str, offered: object) -> bool:
    """Whether the offered key is the right one; takes the same time wherever they differ."""
    return isinstance(offered, str) and matches(key, offered[: 2 * _KEY_LENGTH])


def host_is_ours(hosts: list[str], port: int) -> bool:
    """Whether the Host headers are one that names this machine and the panel's port."""
    if len(hosts) != 1:
        return False
    try:
        url = urlsplit(f"//{hosts[0]}")
        given = url.port or 80
    except ValueError:
        return False
    plain = not (url.username or url.password or url.path or url.query or url.fragment)
    return plain and given == port and bool(url.hostname) and is_loopback(str(url.hostname))


def origin_is_ours(origins: list[str], host: str) -> bool:
    """Whether a WebSocket was opened by the panel's own page, or by no web page at all."""
    return not origins or origins == [f"http://{host}"]
