"""Video files: exact capture times, at their own pace or as fast as they decode."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

import cv2

from posestream.arrays import Image
from posestream.capture.base import CaptureSettings, SourceCounts, camera_for
from posestream.capture.opencv import Device, DeviceOpener, decoded
from posestream.capture.pace import Pacer
from posestream.errors import CaptureError
from posestream.timing import monotonic_ns
from posestream.types import Camera, Frame

log = logging.getLogger(__name__)

_PLAUSIBLE_FPS: Final = (0.1, 480.0)
_FALLBACK_FPS: Final = 30.0
_LONGEST_GAP_S: Final = 30.0
_SEEKS_PAST_DAMAGE: Final = 100
_KEYFRAME_STEP: Final = 15
_RETRIES: Final = 50
_TOLERATED_DISORDER: Final = 0.2
_MISCOUNTED: Final = 2  # containers round their number of pictures up
_SEEK_HINT: Final = (
    ", or its server sends files only from start to end: download it and play the copy."
)


class VideoSource:
    """A video file, or one behind an address. Turned as its rotation mark says.

    ``index`` counts the file's pictures, so that gaps show what was skipped or broken.
    Raises CaptureError when built if not one picture can be decoded.
    """

    def __init__(
        self,
        opener: DeviceOpener,
        name: str,
        settings: CaptureSettings,
        clock_ns: Callable[[], int] = monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.live = settings.pace == "realtime"
        self.counts = SourceCounts()
        self._closed = False
        self._opener, self._settings = opener, settings
        self._pacer = Pacer(settings.pace, clock_ns, sleep)
        self._device = opener()
        self.fps = _plausible_fps(self._device)
        self._interval_s = 1.0 / (self.fps or _FALLBACK_FPS)
        self._t_s = -self._interval_s
        self._start_over()
        self._index = -1
        self._first = self._next_picture()
        if self._first is None:
            self.close()
            raise CaptureError(
                f"Not one picture of {name} can be decoded: the file is damaged or cut off"
                + (_SEEK_HINT if "://" in name else ".")
            )
        self.camera: Camera = camera_for(_size(self._first), settings)

    @property
    def frame_count(self) -> int | None:
        """Pictures in the file, by its own account; None if it gives none."""
        return self._expected or None

    def read(self) -> Frame | None:
        """The next frame that is not late; None at the end."""
        image, self._first = self._first, None
        if image is None:
            image = self._next_picture()
        if image is None and self._settings.loop and self._passed > 0 and not self._closed:
            self._rewind()
            image = self._next_picture()
        if image is None:
            return None
        t_ns = self._pacer.wait(self._t_s)
        return Frame(self._index, t_ns, image, self._camera(image))

    def close(self) -> None:
        """Close the file; a reader in another thread finds its end."""
        self._closed = True
        self._device.release()

    def _start_over(self) -> None:
        self._expected = max(int(self._device.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        self._passed = 0  # pictures of this pass, good or not
        self._base_s = self._t_s + self._interval_s  # this pass's first picture comes then
        self._first_stamp_s: float | None = None
        self._newest_stamp_s = -1.0
        self._disordered = 0

    def _rewind(self) -> None:
        self._device.release()
        self._device = self._opener()
        self._start_over()

    def _next_picture(self) -> Image | None:
        while self._grab():
            self._t_s = self._capture_s()
            if self._pacer.is_late(self._t_s, self._interval_s):
                self.counts.late += 1
                continue
            image = decoded(self._device)
            if image is not None:
                return image
            self.counts.broken += 1
        return None

    def _grab(self) -> bool:
        if self._device.grab():
            self._passed += 1
            self._index += 1
            return True
        return not self._closed and self._grab_past_damage()

    def _grab_past_damage(self) -> bool:
        """The first picture behind a place where decoding stops; what is lost is counted."""
        missing = max(self._expected - self._passed, 0)
        if missing and (self._try_again() or self._try_further_on(missing)):
            self._count_lost(min(self._lost_by_stamp(), missing - 1))
            self._passed += 1
            self._index += 1
            return True
        if self._passed:  # where nothing was ever decoded, that is what is said
            self._count_lost(missing if missing > _MISCOUNTED else 0)
        return False

    def _try_again(self) -> bool:
        """The decoder gives up at every damaged packet, but often finds its way after some."""
        return any(self._device.grab() for _ in range(_RETRIES))

    def _try_further_on(self, missing: int) -> bool:
        """Look for a key picture to start from."""
        step = max(_KEYFRAME_STEP, missing // _SEEKS_PAST_DAMAGE)
        targets = [self._passed + skipped for skipped in range(step, missing, step)]
        return any(map(self._seek_and_grab, [*targets, self._passed + missing - 1]))

    def _seek_and_grab(self, picture: int) -> bool:
        """Some decoders go back to what they last had: only what comes later counts."""
        if not self._device.set(cv2.CAP_PROP_POS_FRAMES, picture) or not self._device.grab():
            return False
        return self._stamp() > self._newest_stamp_s

    def _lost_by_stamp(self) -> int:
        gap_s = self._stamp() - self._newest_stamp_s
        return max(round(gap_s / self._interval_s) - 1, 0)

    def _count_lost(self, pictures: int) -> None:
        if pictures:
            log.warning("%s: %d damaged pictures were skipped.", self.name, pictures)
        self.counts.broken += pictures
        self._passed += pictures
        self._index += pictures

    def _capture_s(self) -> float:
        """The picture's time by the file's stamps where these make sense, else by its rate.

        Some files stamp pictures in the order of decoding: those stamps mean nothing.
        """
        stamp_s = self._stamp()
        if self._first_stamp_s is None:
            self._first_stamp_s = self._newest_stamp_s = stamp_s
            return self._base_s
        self._disordered += stamp_s <= self._newest_stamp_s
        self._newest_stamp_s = max(self._newest_stamp_s, stamp_s)
        t_s = self._base_s + stamp_s - self._first_stamp_s
        longest_s = max(_LONGEST_GAP_S, 10.0 * self._interval_s)
        gap_s = t_s - self._t_s
        trusted = self._disordered <= _TOLERATED_DISORDER * self._passed
        if trusted and 0.1 * self._interval_s < gap_s <= longest_s:
            return t_s
        return self._t_s + self._interval_s

    def _stamp(self) -> float:
        return self._device.get(cv2.CAP_PROP_POS_MSEC) * 1e-3

    def _camera(self, image: Image) -> Camera:
        if _size(image) != self.camera.size_px:
            self.camera = camera_for(_size(image), self._settings)
        return self.camera


def _size(image: Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _plausible_fps(device: Device) -> float | None:
    fps = float(device.get(cv2.CAP_PROP_FPS))
    return fps if _PLAUSIBLE_FPS[0] <= fps <= _PLAUSIBLE_FPS[1] else None
