"""Cameras and streams: pictures that come when they come, without the driver's stale ones."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import cv2

from posestream.arrays import Image
from posestream.capture.base import CaptureSettings, SourceCounts, SourceLost, camera_for
from posestream.capture.opencv import DeviceOpener, decoded, granted
from posestream.errors import CaptureError
from posestream.timing import monotonic_ns
from posestream.types import Camera, Frame

log = logging.getLogger(__name__)

_STALE_FRACTION: Final = 0.25
_STALL_INTERVALS: Final = 2.0
_SILENT_INTERVALS: Final = 4.0
_MOST_STALE: Final = 32  # no driver holds more: a device so fast does not wait at all
_MOST_BROKEN: Final = 30
_OLDEST_STAMP_NS: Final = 2_000_000_000
_FALLBACK_FPS: Final = 30.0


class DeviceSource:
    """A camera or stream.

    A picture that the driver had ready was taken some time ago. So after opening and after
    every stall, pictures that come faster than a quarter of the frame interval are dropped
    (``counts.stale``) until one has to be waited for.

    ``stamps_are_clock``: the driver stamps pictures by the monotonic clock (Video4Linux).

    Raises CaptureError when built if the device cannot be opened or sends nothing.
    """

    live = True

    def __init__(
        self,
        opener: DeviceOpener,
        name: str,
        settings: CaptureSettings,
        clock_ns: Callable[[], int] = monotonic_ns,
        *,
        stamps_are_clock: bool = False,
    ) -> None:
        self.name = name
        self.counts = SourceCounts()
        self._settings, self._clock_ns = settings, clock_ns
        self._stamps_are_clock = stamps_are_clock
        self._device = opener()
        self.granted = granted(self._device)
        fps = self.granted.fps
        self.fps: float | None = fps if 1.0 <= fps <= 480.0 else None
        self._interval_ns = int(1e9 / (self.fps or _FALLBACK_FPS))
        self._index = -1
        self._last_ns: int | None = None  # when the last grab returned
        self._was_silent = True  # just opened, or the device itself paused
        self._drains = True  # a device that never waits cannot be drained
        try:
            self._first: Frame | None = self._read_first()
        except CaptureError:
            self.close()
            raise

    def read(self) -> Frame:
        """The next frame, waiting for it. Raises SourceLost if the device stops answering."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        for _ in range(_MOST_BROKEN):
            t_ns = self._grab_fresh()
            image = decoded(self._device)
            if image is not None:
                return Frame(self._index, t_ns, image, self._camera_of(image))
            self.counts.broken += 1
        raise SourceLost(f"{self.name} sends only damaged pictures: check its cable or address.")

    def close(self) -> None:
        """Let go of the device."""
        self._device.release()

    def _read_first(self) -> Frame:
        self._first = None
        self.camera: Camera = camera_for((1, 1), CaptureSettings())
        try:
            return self.read()
        except SourceLost:
            raise CaptureError(
                f"{self.name} is there but sends no pictures: another program may be using it; "
                "close that program, or plug the camera in again."
            ) from None

    def _grab_fresh(self) -> int:
        """Grab a picture that was not waiting in a buffer; returns its capture time."""
        drain = self._drains and self._may_be_stale()
        for _ in range(_MOST_STALE):
            before_ns = self._clock_ns()
            self._grab()
            now_ns = self._last_ns = self._clock_ns()
            waited_ns = now_ns - before_ns
            self._was_silent = waited_ns > _SILENT_INTERVALS * self._interval_ns
            if not drain or waited_ns >= _STALE_FRACTION * self._interval_ns:
                return self._capture_ns(now_ns)
            self.counts.stale += 1
        self._drains = False
        return self._capture_ns(now_ns)

    def _grab(self) -> None:
        if not self._device.grab():
            raise SourceLost(f"{self.name} has stopped sending pictures: is it still connected?")
        self._index += 1

    def _may_be_stale(self) -> bool:
        """Whether pictures may have gathered: after a pause of the device or of the reader."""
        if self._was_silent or self._last_ns is None:
            return True
        return self._clock_ns() - self._last_ns > _STALL_INTERVALS * self._interval_ns

    def _capture_ns(self, now_ns: int) -> int:
        """The driver's own time of the picture where it gives one by our clock, else now."""
        if not self._stamps_are_clock:
            return now_ns
        stamp_ns = int(self._device.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return stamp_ns if 0 <= now_ns - stamp_ns <= _OLDEST_STAMP_NS else now_ns

    def _camera_of(self, image: Image) -> Camera:
        size_px = (image.shape[1], image.shape[0])
        if size_px != self.camera.size_px:
            self.camera = camera_for(size_px, self._settings)
        return self.camera
