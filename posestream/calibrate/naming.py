"""Under which name a source's camera is stored."""

from __future__ import annotations

from pathlib import Path

from posestream.capture.cameras import find_camera
from posestream.capture.opening import split_spec, without_credentials
from posestream.errors import CaptureError


def camera_name(source: str) -> str | None:
    """A camera's own name, a file's or folder's place, a stream's address without its secrets.

    None where there is no such camera.
    """
    kind, rest = split_spec(source)
    if kind == "camera":
        try:
            return f"camera {find_camera(rest or '0').name}"
        except CaptureError:
            return None
    if kind == "synthetic":
        return kind
    if kind in ("", "images"):
        return str(Path(rest).resolve())
    return without_credentials(source)
