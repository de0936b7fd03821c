"""Which source to run: what the user named, else the first camera, else the bundled clip."""

from __future__ import annotations

import sys

from posestream.assets import DEMO_CLIP
from posestream.errors import CaptureError


def choose_source(named: str | None) -> tuple[str, str | None]:
    """(source, sentence for the user or None).

    Raises CaptureError if nothing was named, no camera is there and the clip is missing.
    """
    if named is not None:
        return named, None
    from posestream.capture import list_cameras

    if list_cameras():
        return "camera:0", None
    if not DEMO_CLIP.is_file():
        raise CaptureError(
            "No camera is connected and the bundled clip is missing: name a video, such as "
            "posestream run clip.mp4."
        )
    return str(DEMO_CLIP), "No camera found: playing the bundled clip. Ctrl-C stops."


def loops_by_default(source: str) -> bool:
    """The bundled clip plays on while somebody watches, so that there is time to connect."""
    return source == str(DEMO_CLIP) and sys.stderr.isatty()
