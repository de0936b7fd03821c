"""JSON Lines: a header, then one avatar frame per line. Plain to read from any language."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from posestream import __version__
from posestream.skeleton import humanoid
from posestream.types import Camera

FORMAT = "posestream.jsonl"
VERSION = 1
_DECIMALS = 6


def header(source: str, fps: float | None, camera: Camera) -> bytes:
    """First line: what the frames below refer to."""
    return _line(
        {
            "format": FORMAT,
            "version": VERSION,
            "posestream": __version__,
            "source": source,
            "fps": fps,
            "axes": "right-handed, Y up, +Z towards the camera, metres; quaternions x y z w",
            "bones": list(humanoid.BONES),
            "parents": list(humanoid.PARENT),
            "camera": {
                "K_px": camera.K_px.tolist(),
                "size_px": list(camera.size_px),
                "distortion": camera.distortion.tolist(),
                "T_world_cam": camera.T_world_cam.tolist(),
            },
        }
    )
