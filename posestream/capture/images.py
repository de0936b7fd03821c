"""A folder of pictures as a source: in natural order, at a rate that the settings give."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np

from posestream.arrays import Image
from posestream.capture.base import CaptureSettings, SourceCounts, camera_for
from posestream.capture.opencv import quiet
from posestream.capture.pace import Pacer
from posestream.errors import CaptureError
from posestream.timing import monotonic_ns
from posestream.types import Camera, Frame

log = logging.getLogger(__name__)

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class ImageFolder:
    """The pictures of a folder. An unreadable one is skipped and counted; its time passes.

    Raises CaptureError when built if the folder holds no picture that can be read.
    """

    def __init__(
        self,
        folder: Path,
        settings: CaptureSettings,
        clock_ns: Callable[[], int] = monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = folder.name or str(folder)
        self.fps: float | None = settings.fps
        self.live = settings.pace == "realtime"
        self.counts = SourceCounts()
        self._settings = settings
        self._pacer = Pacer(settings.pace, clock_ns, sleep)
        self._paths = pictures_in(folder)
        self._index = -1
        quiet()
        self._first = self._next_picture(wrap=False)
        if self._first is None:
            raise CaptureError(
                f"None of the {len(self._paths)} pictures in {folder} can be read: are they "
                "damaged?"
            )
        self.camera: Camera = camera_for(_size(self._first), settings)

    @property
    def frame_count(self) -> int:
        """Pictures in the folder, readable or not."""
        return len(self._paths)

    def read(self) -> Frame | None:
        """The next picture that is not late; None after the last."""
        image, self._first = self._first, None
        if image is None:
            image = self._next_picture(wrap=self._settings.loop)
        if image is None:
            return None
        t_ns = self._pacer.wait(self._index / self._settings.fps)
        if _size(image) != self.camera.size_px:
            self.camera = camera_for(_size(image), self._settings)
        return Frame(self._index, t_ns, image, self.camera)

    def close(self) -> None:
        """Nothing to release."""

    def _next_picture(self, wrap: bool) -> Image | None:
        interval_s = 1.0 / self._settings.fps
        broken = 0
        while broken < len(self._paths):  # one whole round without a picture ends it
            if not wrap and self._index + 1 >= len(self._paths):
                return None
            self._index += 1
            if self._pacer.is_late(self._index * interval_s, interval_s):
                self.counts.late += 1
                continue
            path = self._paths[self._index % len(self._paths)]
            image = read_picture(path)
            if image is not None:
                return image
            broken += 1
            self.counts.broken += 1
            log.warning("%s cannot be read as a picture and is skipped.", path.name)
        return None


def pictures_in(folder: Path) -> list[Path]:
    """Picture files in natural order (2 before 10). Raises CaptureError if there are none."""
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    except FileNotFoundError:
        raise CaptureError(f"There is no folder {folder}: check the name.") from None
    except NotADirectoryError:
        raise CaptureError(f"{folder} is not a folder: name the folder of the pictures.") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CaptureError(f"The folder {folder} cannot be read: {reason}.") from None
    if not found:
        raise CaptureError(f"There are no pictures in {folder}: JPEG, PNG, BMP, WebP or TIFF.")
    return sorted(found, key=lambda path: natural_key(path.name))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorting key in which numbers count by value."""
    parts = re.split(r"(\d+)", name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


def read_picture(path: Path) -> Image | None:
    """(H, W, 3) BGR, turned upright as its EXIF says; None if it cannot be read."""
    try:
        data = np.fromfile(path, dtype=np.uint8)  # unlike imread, also under any name on Windows
        return cast("Image | None", cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None)
    except (OSError, cv2.error):
        return None


def _size(image: Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]
