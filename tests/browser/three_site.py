"""Pages that use three-vrm, on a small server of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

HERE = Path(__file__).parent / "three_vrm"
ABOUT_Y = np.array([0.0, 1.0, 0.0, 0.0])  # by 180 degrees


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")  # files change under their name
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


def fill(folder: Path, package: str, pages: Sequence[str]) -> Path:
    """Put the pages and npm's packages into the folder; skips where ``package`` is missing."""
    if not (HERE / "node_modules" / "@pixiv" / package).is_dir():
        pytest.skip(
            "three-vrm is not here: run tools/test.py --only browser, or npm ci in its folder"
        )
    for name in pages:
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's address while it is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
