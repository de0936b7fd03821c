"""From what the user names to a source of pictures."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from posestream.capture.base import CaptureSettings, Source
from posestream.capture.cameras import CameraInfo, find_camera, list_cameras
from posestream.capture.video_check import check_video_file
from posestream.errors import CaptureError

if TYPE_CHECKING:
    from posestream.capture.opencv import Device

ACCEPTED: Final = (
    "camera:0, camera:NAME, a video file, an rtsp:// or http:// stream, images:FOLDER, "
    "synthetic: or replay:FILE"
)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_URL_SCHEMES: Final = frozenset({"rtsp", "rtsps", "http", "https"})


def open_source(spec: str, settings: CaptureSettings, labelled: bool = False) -> Source:
    """Open a source of pictures; see ``ACCEPTED`` for what ``spec`` may be.

    ``labelled``: a video's frames carry the truth, where labels lie beside it (see ``labels``);
    its camera is then theirs. ``replay:`` is not among them, because recordings hold avatars
    rather than pictures.
    Raises CaptureError, in one sentence, if it cannot be opened or read.
    """
    kind, rest = split_spec(spec)
    if kind == "camera":
        return _open_camera(find_camera(rest or "0"), settings)
    if kind == "images":
        from posestream.capture.images import ImageFolder

        return ImageFolder(Path(rest), settings)
    if kind == "synthetic":
        from posestream.capture.synthetic import SyntheticSource, parse_options

        return SyntheticSource(parse_options(rest), settings)
    if kind in _URL_SCHEMES:
        return _open_url(spec, settings)
    if kind == "replay":
        raise CaptureError(f"{spec} holds avatars, not pictures: play it with posestream run.")
    if kind:
        raise CaptureError(f"{spec} is not a source: use {ACCEPTED}.")
    video = _open_video(Path(rest), settings)
    return _with_labels(video, Path(rest)) if labelled else video


def reopener(spec: str, settings: CaptureSettings) -> Callable[[], Source]:
    """What opens the same source again, also where a camera comes back under another number."""
    name = _camera_name(spec)

    def reopen() -> Source:
        try:
            return open_source(spec, settings)
        except CaptureError:
            if name is None:
                raise
            return open_source(f"camera:{name}", settings)

    return reopen


def split_spec(spec: str) -> tuple[str, str]:
    """("camera", "0") of ``camera:0``; ("", path) of a path, also of ``C:\\clip.mp4``.

    Raises CaptureError if it is empty.
    """
    if not spec.strip():
        raise CaptureError(f"The source is empty: name {ACCEPTED}.")
    match = _SCHEME.match(spec)
    if match is None or (Path(spec).exists() and match[1].lower() not in _URL_SCHEMES):
        return "", spec
    return match[1].lower(), spec[match.end() :]


def _camera_name(spec: str) -> str | None:
    kind, rest = split_spec(spec)
    if kind != "camera" or not rest.isdecimal() or not sys.platform.startswith("linux"):
        return None
    return next((c.name for c in list_cameras() if c.index == int(rest)), None)


def _open_camera(camera: CameraInfo, settings: CaptureSettings) -> Source:
    from posestream.capture.device import DeviceSource
    from posestream.capture.opencv import open_camera

    linux = sys.platform.startswith("linux")
    return DeviceSource(
        lambda: open_camera(camera, settings), str(camera), settings, stamps_are_clock=linux
    )


def _open_video(path: Path, settings: CaptureSettings) -> Source:
    check_video_file(path)
    from posestream.capture.opencv import open_file
    from posestream.capture.video import VideoSource

    return VideoSource(lambda: open_file(path), path.name, settings)


def _with_labels(video: Source, path: Path) -> Source:
    from posestream.capture.labels import LabelledSource, labels_of

    labels = labels_of(path)
    return video if labels is None else LabelledSource(video, labels)


def _open_url(url: str, settings: CaptureSettings) -> Source:
    """A stream, or a file behind an address: that one knows how many pictures it has."""
    from posestream.capture.device import DeviceSource
    from posestream.capture.opencv import is_finite, open_url
    from posestream.capture.video import VideoSource

    shown = without_credentials(url)
    ready = [open_url(url, shown, settings)]
    finite = is_finite(ready[0])

    def opener() -> Device:
        return ready.pop() if ready else open_url(url, shown, settings)

    return (VideoSource if finite else DeviceSource)(opener, shown, settings)


def without_credentials(url: str) -> str:
    """An address that may be shown: without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
