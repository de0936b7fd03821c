"""What the three kinds of calibration share: a source, its frames, and what the user is told."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from posestream import config
from posestream.calibrate.advice import Advice
from posestream.calibrate.applying import with_calibration
from posestream.calibrate.naming import camera_name
from posestream.calibrate.stored import StoredCamera, read_camera, write_camera
from posestream.capture import open_source
from posestream.capture.base import Source
from posestream.errors import ConfigError
from posestream.estimate.registry import resolve
from posestream.settings import Settings
from posestream.types import Frame

_TELL_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks of any calibration."""

    source: str = "camera:0"
    name: str | None = None
    config: str | None = None
    overrides: tuple[str, ...] = ()
    seconds: float | None = None  # of a live source at most
    countdown: int = 0  # seconds to get into place before a live source


@dataclass(frozen=True, slots=True)
class Session:
    """An opened source with the settings that a run on it would have."""

    source: Source
    settings: Settings
    backend: str
    name: str  # under which the camera is stored

    def stored(self) -> StoredCamera:
        """What is stored of this camera so far. Raises ConfigError if it is damaged."""
        return read_camera(self.name) or StoredCamera(name=self.name)

    def store(self, camera: StoredCamera) -> Path:
        """Keep it and say so. Raises ConfigError where it cannot be kept."""
        path = write_camera(camera)
        say(f"Stored for {self.name} in {path}; every run takes it from now on.")
        return path


@contextmanager
def opened(asked: Asked) -> Iterator[Session]:
    """Open the source, every frame of it if it is a file, and look whether results can be kept.

    Raises CaptureError or ConfigError.
    """
    settings = config.load(asked.config, asked.overrides)
    if not asked.source.startswith("camera:"):
        settings = config.load(
            asked.config, [*asked.overrides, 'source.pace="fast"', "source.loop=false"]
        )
    backend = resolve(settings.estimate.backend, asked.source.startswith("synthetic:"))
    calibrated = with_calibration(settings, asked.source, backend)
    labelled = backend == "fake"
    with closing(open_source(asked.source, calibrated.source, labelled=labelled)) as source:
        chosen = "" if settings.source.calibration == "none" else settings.source.calibration
        name = asked.name or chosen or camera_name(asked.source) or asked.source
        read_camera(name)  # a damaged file is reported before anybody has taken pains
        yield Session(source, calibrated, backend, name)


def guide(session: Session, asked: Asked, look: Callable[[Frame], Advice]) -> None:
    """Show frames to ``look`` and pass on what it says until it has enough.

    Files are shown to their end. Ctrl-C ends a live source early: what was seen counts.
    """
    live = session.source.live
    if live:
        count_down(asked.countdown)
    voice = Voice()
    end_s = time.monotonic() + asked.seconds if live and asked.seconds else None
    try:
        while (frame := session.source.read()) is not None:
            advice = look(frame)
            voice.tell(advice)
            if live and (advice.done or (end_s is not None and time.monotonic() > end_s)):
                break
    except KeyboardInterrupt:
        if not live:
            raise
        say("Stopped: taking what was seen.")


def count_down(seconds: int) -> None:
    """Time to get into place."""
    for left in range(seconds, 0, -1):
        say(f"{left} …")
        time.sleep(1.0)


class Voice:
    """Says what is new, not more often than one can read."""

    def __init__(self) -> None:
        self._said = ""
        self._said_s = -_TELL_EVERY_S

    def tell(self, advice: Advice) -> None:
        """Print the advice, unless it is the same as before or comes too soon."""
        now_s = time.monotonic()
        if advice.text == self._said or (now_s - self._said_s < _TELL_EVERY_S and not advice.done):
            return
        self._said, self._said_s = advice.text, now_s
        say(f"[{100 * advice.share:3.0f} %] {advice.text}")


def say(sentence: str) -> None:
    """Tell the user, at once."""
    print(sentence, file=sys.stderr, flush=True)


def first_size(session: Session) -> tuple[int, int]:
    """Width and height of the source's pictures. Raises ConfigError if it gives none."""
    frame = session.source.read()
    if frame is None:
        raise ConfigError(f"{session.name} gives no picture: check that it plays.")
    return frame.image.shape[1], frame.image.shape[0]
