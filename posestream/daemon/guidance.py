"""Leads through a calibration while the daemon runs: one at a time, in a thread of its own.

The thread looks at what the pipeline made of its newest picture; the pipeline knows nothing of
it. Nothing runs, and no picture is kept, while nobody is guided.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Any, Final

from posestream.calibrate.naming import camera_name
from posestream.calibrate.stored import read_camera
from posestream.daemon.control import Controlled
from posestream.daemon.guides import Guide, guide_for
from posestream.daemon.producers import PictureProducer
from posestream.daemon.sources import backend_for
from posestream.daemon.switch import Switch
from posestream.errors import CaptureError, ConfigError, PosestreamError
from posestream.settings import Settings

_log = logging.getLogger(__name__)

COUNTDOWN_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.05
_TELL_EVERY_S: Final = 1.0  # as fast as one can read
_CANCEL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Guided:
    """What a page shows of it."""

    what: str  # "lens", "floor" or "body"
    text: str  # what to do now, or what came of it
    running: bool = True
    countdown_s: int = 0  # until it begins
    share: float = 0.0  # of all that is needed
    done: bool = False  # a result was stored
    error: str = ""  # why there is none


class Guidance:
    """Starts and cancels guides, tells how they stand. Called from the event loop."""

    def __init__(self, daemon: Controlled, producer: Switch) -> None:
        self._daemon, self._producer = daemon, producer
        self._starting = asyncio.Lock()
        self._run: _Run | None = None

    def state(self) -> dict[str, Any] | None:
        """How it stands; None before the first."""
        return None if self._run is None else asdict(self._run.guided)

    async def start(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Begin with the countdown. Raises PosestreamError where that is not possible now."""
        async with self._starting:
            if self._run is not None and self._run.guided.running:
                raise ConfigError("A calibration is going on: finish or cancel it first.")
            source = self._producer.source
            guide = await asyncio.to_thread(self._guide, payload, source)
            loop = asyncio.get_running_loop()

            def stored() -> None:
                with suppress(RuntimeError):  # the daemon has ended
                    loop.call_soon_threadsafe(self._daemon.recalibrate)

            self._run = _Run(payload["what"], guide, self._producer, source, stored)
            self._run.start()
        return {}

    async def cancel(self, payload: dict[str, Any]) -> dict[str, Any]:
        """End without a result. Raises ConfigError where nothing goes on."""
        run = self._run
        if run is None or not run.guided.running:
            raise ConfigError("No calibration is going on.")
        run.cancelled.set()
        await asyncio.to_thread(run.join, _CANCEL_S)
        return {}

    def _guide(self, payload: dict[str, Any], source: str) -> Guide:
        producer, settings = self._producer, self._daemon.settings
        if not isinstance(producer.now, PictureProducer):
            raise CaptureError("A recording holds no pictures: choose a camera first.")
        camera = _stored_as(settings, source)
        read_camera(camera)  # a damaged file is reported before anybody has taken pains
        backend = backend_for(source, settings)
        return guide_for(payload, camera, producer.live, backend, self._scales)

    def _scales(self) -> tuple[float, ...]:
        now = self._producer.now
        if not isinstance(now, PictureProducer) or now.locate == "exact":
            return ()
        return now.body_scale


class _Run(threading.Thread):
    """One guide from its countdown to its end."""

    def __init__(
        self,
        what: str,
        guide: Guide,
        producer: Switch,
        source: str,  # that the result is for
        on_stored: Callable[[], None],
    ) -> None:
        super().__init__(name=f"guide-{what}", daemon=True)
        self.cancelled = threading.Event()
        self.guided = Guided(what, guide.begin, countdown_s=ceil(COUNTDOWN_S))
        self._guide, self._on_stored = guide, on_stored
        self._producer, self._source = producer, source
        self._told_s = 0.0

    def run(self) -> None:
        """Never raises: what went wrong is told."""
        try:
            self._lead()
        except PosestreamError as error:
            self._end(error=str(error))
        except Exception:
            _log.exception("A guided calibration failed.")
            self._end(error="An internal error; see the log.")

    def _lead(self) -> None:
        self._count_down()
        self._look()
        found = None if self.cancelled.is_set() else self._guide.finish()
        if found is None or self.cancelled.is_set():
            self._end(text="Cancelled: nothing was stored.")
            return
        found.keep()
        if self._guide.at_once:
            self._on_stored()
        self._end(text=found.text, share=1.0, done=True)

    def _count_down(self) -> None:
        end_s = time.monotonic() + COUNTDOWN_S
        while (left_s := end_s - time.monotonic()) > 0.0:
            self.guided = replace(self.guided, countdown_s=ceil(left_s))
            if self.cancelled.wait(min(left_s, _LOOK_EVERY_S)):
                break
        self.guided = replace(self.guided, countdown_s=0)

    def _look(self) -> None:
        end_s = time.monotonic() + self._guide.limit_s
        seen = -1
        while time.monotonic() < end_s and not self.cancelled.wait(_LOOK_EVERY_S):
            if self._producer.source != self._source:
                raise CaptureError("The source was changed meanwhile: start again.")
            details = self._producer.now.details
            if details is None or details.frame.index == seen:
                continue
            seen = details.frame.index
            advice = self._guide.offer(details)
            self._tell(advice.text, advice.share)
            if advice.done:
                break

    def _tell(self, text: str, share: float) -> None:
        now_s = time.monotonic()
        if text != self.guided.text and now_s - self._told_s > _TELL_EVERY_S:
            self._told_s = now_s
            self.guided = replace(self.guided, text=text)
        self.guided = replace(self.guided, share=round(share, 3))

    def _end(self, **how: Any) -> None:
        self.guided = Guided(self.guided.what, how.pop("text", ""), running=False, **how)


def _stored_as(settings: Settings, source: str) -> str:
    """The camera's name, as ``posestream calibrate`` has it."""
    chosen: str = settings.source.calibration
    if chosen == "none":
        raise ConfigError(
            "This run leaves calibrations out (source.calibration is none): start it without that."
        )
    return chosen or camera_name(source) or source
