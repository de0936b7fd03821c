"""What is done before its turn: models loaded beside the camera, the next picture estimated."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Full, Queue
from typing import Final, NamedTuple

import numpy as np

from posestream.daemon.sources import REPLAY, backend_for
from posestream.estimate.base import Estimator
from posestream.estimate.registry import create
from posestream.geometry.camera import intrinsics_from_fov
from posestream.pipeline import Look
from posestream.settings import Settings
from posestream.timing import monotonic_ns
from posestream.types import Camera, Frame

log = logging.getLogger(__name__)

_BLANK_PX: Final = (160, 96)  # no camera's size: estimators that remember a picture start anew
_PATIENCE_S: Final = 0.1
_JOIN_S: Final = 1.0


class Prepared:
    """An estimator that is being made in a thread of its own; taken once, or thrown away."""

    def __init__(self, make: Callable[[], Estimator]) -> None:
        self._future: Future[Estimator] = Future()
        # No daemon: a process must not end in the middle of a library's start.
        threading.Thread(target=self._run, args=(make,), name="warm-up").start()

    def _run(self, make: Callable[[], Estimator]) -> None:
        try:
            made = make()
        except BaseException as error:
            self._future.set_exception(error)
        else:
            self._future.set_result(made)

    def take(self) -> Estimator:
        """What was made, waiting for it. Raises what making it raised."""
        return self._future.result()

    def discard(self) -> None:
        """Close it as soon as it is there: nobody will take it."""
        self._future.add_done_callback(_close)


def _close(future: Future[Estimator]) -> None:
    if future.exception() is None:
        future.result().close()


def prepare(source: str, settings: Settings) -> Prepared | None:
    """Begin to load the models for a source that is about to be opened.

    None where there are none to load or the source is a file that does not exist.
    """
    backend = backend_for(source, settings)
    place = source.partition(":")[0]
    kind = len(place) > 1 and place != source  # one letter is a drive
    if backend == "fake" or source.startswith(REPLAY) or not (kind or Path(source).exists()):
        return None
    return Prepared(lambda: warmed(create(backend, settings.estimate)))


def first_of(prepared: Prepared | None, make: Callable[[], Estimator]) -> Callable[[], Estimator]:
    """Gives what is prepared when it is called first, and makes anew after that."""
    waiting = [] if prepared is None else [prepared]
    return lambda: waiting.pop().take() if waiting else make()


def warmed(estimator: Estimator) -> Estimator:
    """The estimator after a first picture, on which engines plan and reserve memory."""
    width, height = _BLANK_PX
    camera = Camera(intrinsics_from_fov(_BLANK_PX, 60.0), _BLANK_PX)
    blank = np.zeros((height, width, 3), np.uint8)
    try:
        estimator.estimate(Frame(0, monotonic_ns(), blank, camera))
    except Exception:  # whoever runs it will hear of it with the first real picture
        log.debug("the blank picture failed", exc_info=True)
    return estimator


class Outcome(NamedTuple):
    """A frame, and how to get what came of it; no frame where none came in time."""

    frame: Frame | None
    look: Callable[[], Look] | None


def looked_at(
    frames: Iterator[Frame | None], look: Callable[[Frame], Look] | None
) -> Generator[Outcome, None, None]:
    """Every frame, with its look where ``look`` runs ahead."""
    if look is not None:
        return one_ahead(frames, look)
    return (Outcome(frame, None) for frame in frames)


def one_ahead(
    frames: Iterator[Frame | None], look: Callable[[Frame], Look]
) -> Generator[Outcome, None, None]:
    """Every frame in order with its look, which runs in a thread of its own.

    The thread asks for the next frame as soon as it has looked at one, and waits where the
    one before has not been taken: so at most one look lies there, and live frames are as new as
    without it. Raises what ``frames`` raises.
    """
    stopping = threading.Event()
    slot: Queue[Outcome | BaseException | None] = Queue(maxsize=1)

    def put(outcome: Outcome | BaseException | None) -> None:
        while not stopping.is_set():
            with suppress(Full):
                slot.put(outcome, timeout=_PATIENCE_S)
                return

    def run() -> None:
        try:
            for frame in frames:
                put(Outcome(frame, None if frame is None else _answer(look, frame)))
                if stopping.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=run, name="network", daemon=True)
    thread.start()
    try:
        yield from _taken(slot)
    finally:
        stopping.set()
        thread.join(_JOIN_S)


def _taken(slot: Queue[Outcome | BaseException | None]) -> Iterator[Outcome]:
    while (outcome := slot.get()) is not None:
        if isinstance(outcome, BaseException):
            raise outcome
        yield outcome


def _answer(look: Callable[[Frame], Look], frame: Frame) -> Callable[[], Look]:
    """Look now; what came of it is given or raised when it is asked for."""
    future: Future[Look] = Future()
    try:
        future.set_result(look(frame))
    except Exception as error:
        future.set_exception(error)
    return future.result
