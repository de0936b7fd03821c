"""The thread that owns the models: turns frames into avatar frames and hands them to the hub."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from posestream.daemon.figures import Figures
from posestream.errors import PosestreamError
from posestream.types import AvatarFrame

log = logging.getLogger(__name__)


class Worker(threading.Thread):
    """Runs ``produce`` (frames in order, until its end) and submits what it yields.

    The iterator is built inside the thread, because models belong to the thread that runs
    them. ``pause_s`` says after each frame how long to let others have the processor. An error
    ends the run: ``error`` holds it and ``exit_reason`` says why.
    """

    def __init__(
        self,
        produce: Callable[[], Iterator[AvatarFrame]],
        submit: Callable[[AvatarFrame], None],
        figures: Figures,
        max_frames: int | None,
        on_end: Callable[[], None],
        pause_s: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(name="pipeline", daemon=True)
        self._produce = produce
        self._submit = submit
        self._figures = figures
        self._max_frames = max_frames
        self._on_end = on_end
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self.error: BaseException | None = None
        self.exit_reason = "running"

    def stop(self) -> None:
        """Ask the thread to end after the frame at hand."""
        self._stopping.set()

    def run(self) -> None:
        """Thread body; never raises."""
        try:
            self.exit_reason = self._work()
        except PosestreamError as error:
            self.error, self.exit_reason = error, f"error: {error}"
        except Exception as error:
            log.exception("the pipeline failed")
            self.error, self.exit_reason = error, f"error: {error!r}"
        finally:
            self._on_end()

    def _work(self) -> str:
        if self._stopping.is_set():
            return "stopped"
        for frame in self._produce():
            self._submit(frame)
            self._figures.count(frame)
            if self._max_frames is not None and self._figures.frames >= self._max_frames:
                return "max-frames"
            if self._pause_s is not None:  # live sources skip meanwhile, others wait
                self._stopping.wait(self._pause_s())
            if self._stopping.is_set():
                return "stopped"
        return "stopped" if self._stopping.is_set() else "end of source"
