"""A producer whose source can be changed while the daemon runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import numpy as np

from posestream.daemon.producers import Producer
from posestream.errors import CaptureError
from posestream.settings import Settings
from posestream.types import AvatarFrame, Camera, TrackState

SOURCE_CHANGED = "the source changed"

Open = Callable[[str, Settings], Producer]


class Switch:
    """Passes everything on to the producer of now; ``change`` opens another one first."""

    def __init__(
        self, source: str, settings: Settings, open_: Open, on_change: Callable[[str], None]
    ) -> None:
        self._open = open_
        self._on_change = on_change
        self._settings = settings
        self._lock = threading.Lock()
        self._next: tuple[str, Producer] | None = None
        self._closed = False
        self._past_dropped = self._past_failures = self._past_rested = 0
        self._first_id = 0
        self.source = source
        self.now = open_(source, settings)

    def change(self, source: str) -> None:
        """Go on with another source. Blocks while it is opened.

        Raises PosestreamError where it cannot be opened; the present one then goes on.
        """
        if source == self.source:
            raise CaptureError(f"{source} is what is shown already.")
        files_again = msgspec.structs.replace(self._settings.source, loop=True)
        opened = self._open(source, msgspec.structs.replace(self._settings, source=files_again))
        with self._lock:
            before, self._next = self._next, (source, opened)
            late = self._closed
        for unused in (before[1] if before else None, opened if late else self.now):
            if unused is not None:
                unused.close()

    def frames(self) -> Iterator[AvatarFrame]:
        """Frames of one source after the other. Raises PosestreamError."""
        last: AvatarFrame | None = None
        while True:
            for frame in self.now.frames():
                last = self._renumbered(frame)
                yield last
            if not self._take_next():
                return
            if last is not None:
                yield _farewell(last)
                self._first_id = int(max(last.track_id, default=self._first_id - 1)) + 1
            self._on_change(SOURCE_CHANGED)

    def _take_next(self) -> bool:
        with self._lock:
            if self._next is None or self._closed:
                return False
            self._past_dropped += self.now.dropped
            self._past_failures += self.now.failures
            self._past_rested += self.now.rested
            (self.source, self.now), self._next = self._next, None
            self.now.configure(self._settings)
            return True

    def _renumbered(self, frame: AvatarFrame) -> AvatarFrame:
        """Nobody's number is used again for somebody from another source."""
        if self._first_id == 0 or not len(frame):
            return frame
        return replace(frame, track_id=frame.track_id + self._first_id)

    @property
    def camera(self) -> Camera:
        """See the producer of now."""
        return self.now.camera

    @property
    def fps(self) -> float | None:
        """See the producer of now."""
        return self.now.fps

    @property
    def live(self) -> bool:
        """See the producer of now."""
        return self.now.live

    @property
    def backend(self) -> str:
        """See the producer of now."""
        return self.now.backend

    @property
    def locate(self) -> str:
        """See the producer of now."""
        return self.now.locate

    @property
    def silent_s(self) -> float:
        """See the producer of now."""
        return self.now.silent_s

    @property
    def dropped(self) -> int:
        """Pictures that were not processed, of all sources."""
        return self._past_dropped + self.now.dropped

    @property
    def failures(self) -> int:
        """Frames that could not be worked on, of all sources."""
        return self._past_failures + self.now.failures

    @property
    def input_px(self) -> tuple[int, int] | None:
        """See the producer of now."""
        return self.now.input_px

    @property
    def rested(self) -> int:
        """Pictures that were not looked at, of all sources."""
        return self._past_rested + self.now.rested

    def configure(self, settings: Settings) -> None:
        """Take over changed settings with the next frame."""
        self._settings = settings
        self.now.configure(settings)

    def recentre(self, slot: int | None) -> None:
        """See the producer of now."""
        self.now.recentre(slot)

    def recalibrate(self) -> None:
        """See the producer of now."""
        self.now.recalibrate()

    def learn_neutral(self) -> None:
        """See the producer of now."""
        self.now.learn_neutral()

    def close(self) -> None:
        """End the frames and release the source. Safe to call twice."""
        with self._lock:
            self._closed = True
            waiting, self._next = self._next, None
        if waiting is not None:
            waiting[1].close()
        self.now.close()


def _farewell(last: AvatarFrame) -> AvatarFrame:
    """Everybody leaves, so that receivers remove them."""
    return replace(last, state=np.full(len(last), TrackState.LOST, dtype=np.int64))
