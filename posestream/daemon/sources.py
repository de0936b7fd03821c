"""Which source to run, and where its camera stands before anybody was seen."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Final

from posestream.assets import DEMO_CLIP
from posestream.capture import list_cameras, open_source
from posestream.capture.base import Source
from posestream.errors import CaptureError
from posestream.estimate.registry import resolve
from posestream.locate.floor import FloorEstimator
from posestream.settings import Settings
from posestream.types import Camera

REPLAY: Final = "replay:"
"""Begins the source that is a recording."""


def choose_source(named: str | None) -> tuple[str, str | None]:
    """What the user named, else the first camera, else the bundled clip.

    Gives (source, sentence for the user or None).
    Raises CaptureError if nothing was named, no camera is there and the clip is missing.
    """
    if named is not None:
        return named, None
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


def open_for(spec: str, settings: Settings) -> Source:
    """The source; a video with what is known of its people where the back end hands that on."""
    return open_source(spec, settings.source, labelled=backend_for(spec, settings) == "fake")


def backend_for(spec: str, settings: Settings) -> str:
    """The back end that runs on this source: ``auto`` decided."""
    return resolve(settings.estimate.backend, spec.startswith("synthetic:"))


def first_camera(opened: Source, spec: str, settings: Settings) -> Camera:
    """The camera with its pose as the pipeline believes it until it has learnt more."""
    if backend_for(spec, settings) == "fake":  # exact, and so is the source's own pose
        return opened.camera
    return replace(opened.camera, T_world_cam=FloorEstimator(settings.floor).T_world_cam)
