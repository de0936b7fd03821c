"""A recording as a producer: at its own pace with a timeline, or as fast as it reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from posestream.capture.replay import ReplayReader, rebased
from posestream.errors import RecordingError
from posestream.settings import Settings
from posestream.timing import monotonic_ns
from posestream.types import AvatarFrame, Camera

RECENTRED: Final = "recentred"
_NAP_S: Final = 0.2


class ReplayProducer:
    """A recording, at its own pace with times of now, or as fast as it reads with its own.

    ``pause`` and ``seek`` may be called from any thread.
    """

    backend = "replay"
    locate = "recorded"
    dropped = failures = 0
    silent_s = 0.0
    rested = 0
    input_px: tuple[int, int] | None = None
    details = None  # recordings hold neither pictures nor what the stages made of them

    def __init__(
        self, path: str, settings: Settings, on_calibration: Callable[[str], None]
    ) -> None:
        self._on_calibration = on_calibration
        self.live = settings.source.pace == "realtime"
        self._loop = settings.source.loop
        self._reader = ReplayReader(Path(path))
        self._wanted: int | None = None  # frame to go on from
        self._closed = False
        self.paused = False
        self.position_s = 0.0  # since the first frame

    @property
    def camera(self) -> Camera:
        """The camera, with the pose that is believed now."""
        return self._reader.hello.camera

    @property
    def fps(self) -> float | None:
        """The source's own rate, where it has one."""
        return self._reader.fps

    @property
    def duration_s(self) -> float | None:
        """From the first frame to the last; None for a recording without an index."""
        index = self._reader.index
        return None if index is None or not len(index) else float(index[-1, 0] - index[0, 0]) * 1e-9

    def pause(self, on: bool) -> None:
        """Stand still, or go on."""
        self.paused = on

    def seek(self, position_s: float) -> None:
        """Go on from there, also while paused. Raises RecordingError without an index."""
        index = self._reader.index
        if index is None or not len(index):
            raise RecordingError("This recording was cut off and has no index: it plays on only.")
        times_ns = index[:, 0] - index[0, 0]
        self._wanted = int(times_ns.searchsorted(position_s * 1e9).clip(0, len(index) - 1))

    def frames(self) -> Iterator[AvatarFrame]:
        """Everything up to the end of the source. Raises PosestreamError."""
        goes_on = True
        while goes_on and not self._closed:
            goes_on = False
            for frame in self._paced() if self.live else self._reader:
                if self._closed:
                    return
                goes_on = self._loop
                yield frame

    def _paced(self) -> Iterator[AvatarFrame]:
        """From the start, or from where it is wanted, to the end."""
        first: int | None = 0
        while first is not None and not self._closed:
            yield from self._from(first)
            first, self._wanted = self._wanted, None

    def _from(self, first: int) -> Iterator[AvatarFrame]:
        """From a frame to the end, unless another place is wanted meanwhile."""
        shift_ns: int | None = None
        for frame in self._reader.frames_from(first):
            if shift_ns is None:
                shift_ns = monotonic_ns() - frame.t_capture_ns
            shift_ns += self._wait_until(frame.t_capture_ns + shift_ns)
            if self._closed or self._wanted is not None:
                return
            self.position_s = (frame.t_capture_ns - self._reader.first_t_ns) * 1e-9
            yield rebased(frame, shift_ns)
            shift_ns += self._wait_while_paused()

    def _wait_until(self, t_ns: int) -> int:
        """In naps, so that nobody who closes waits for the end of a long gap."""
        paused_ns = 0
        while not self._stirred and (ahead_s := (t_ns + paused_ns - monotonic_ns()) * 1e-9) > 0.0:
            time.sleep(min(ahead_s, _NAP_S))
            paused_ns += self._wait_while_paused()
        return paused_ns

    def _wait_while_paused(self) -> int:
        """How long that took, ns."""
        began_ns = monotonic_ns()
        if not self.paused:
            return 0
        while self.paused and not self._stirred:
            time.sleep(_NAP_S / 4)
        return monotonic_ns() - began_ns

    @property
    def _stirred(self) -> bool:
        return self._closed or self._wanted is not None

    def configure(self, settings: Settings) -> None:
        """Nothing in a recording can be changed; outputs are changed elsewhere."""

    def recentre(self, slot: int | None) -> None:
        """Recordings keep their origin; who aligns with it does so once more."""
        self._on_calibration(RECENTRED)

    def recalibrate(self) -> None:
        """Recordings keep their calibration."""

    def learn_neutral(self) -> None:
        """Recordings keep their faces."""

    def close(self) -> None:
        """End the frames and release the source. Safe to call twice."""
        self._closed = True
