"""The page's files, and the headers that go with them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""Nothing from elsewhere is loaded, nobody else may show the page in theirs."""


@cache
def page_files() -> dict[str, tuple[str, bytes]]:
    """(content type, content) of every file by its path in the address."""
    served: dict[str, tuple[str, bytes]] = {}
    for file in (files("posestream.preview") / "page").iterdir():
        kind = KINDS.get(file.name.rpartition(".")[2])
        if kind is not None:
            served[f"/{file.name}"] = kind, file.read_bytes()
    served["/"] = served["/index.html"]
    return served
