"""``posestream run``: capture and pipeline in threads, everything that is sent in asyncio."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from posestream import __version__, config
from posestream.capture.jpeg import encode_jpeg
from posestream.daemon.ahead import prepare
from posestream.daemon.budget import CpuBudget, Governor
from posestream.daemon.control import Control
from posestream.daemon.figures import (
    Figures,
    check_writable,
    peak_rss_mb,
    sent_by_kind,
    write_summary,
)
from posestream.daemon.health import SourceHealth
from posestream.daemon.outputs import Outputs, load_avatar
from posestream.daemon.panel import PanelFeed, Places, panel_key
from posestream.daemon.panel_state import Moment
from posestream.daemon.producers import Producer, open_producer
from posestream.daemon.replaying import RECENTRED
from posestream.daemon.run_pages import RunPages
from posestream.daemon.services import Services
from posestream.daemon.signals import on_signals, set_from_thread
from posestream.daemon.sources import choose_source, loops_by_default
from posestream.daemon.status import Status, notify, show_status
from posestream.daemon.switch import Switch
from posestream.daemon.trace import Trace
from posestream.daemon.worker import Worker
from posestream.errors import PosestreamError, PublishError
from posestream.publish.base import Sink
from posestream.publish.hub import Hub
from posestream.publish.recorder import RecorderSink
from posestream.publish.token import load_or_create
from posestream.publish.websocket import WebSocketSink
from posestream.settings import Settings
from posestream.timing import monotonic_ns
from posestream.types import AvatarFrame
from posestream.wire.messages import Event, EventKind, Hello, Picture

_JOIN_S = 1.0
_HAND_OVER_S = 5.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line asks of one run."""

    source: str | None = None
    config: str | None = None
    overrides: tuple[str, ...] = ()
    avatar: str | None = None
    max_frames: int | None = None
    summary: str | None = None
    record: str | None = None
    trace: str | None = None
    panel: bool = True


def run(options: RunOptions) -> int:
    """Run until the source ends or the user stops it. Returns the exit code."""
    overrides = list(options.overrides)
    if options.avatar is not None:
        overrides.append(f"avatar.file={options.avatar}")
    config.load(options.config, overrides)  # a wrong key is reported before anything else
    source, notice = choose_source(options.source)
    if loops_by_default(source):
        overrides.insert(0, "source.loop=true")
    settings = config.load(options.config, overrides)
    for path, what in ((options.summary, "summary"), (options.trace, "trace")):
        if path is not None:
            check_writable(path, what)
    if notice is not None:
        notify(notice)
    budget = CpuBudget(settings.cpu.budget)
    daemon = Daemon(budget.confine(settings), source, options, budget.governor())
    try:
        asyncio.run(daemon.run())
    finally:
        if options.summary is not None:
            write_summary(options.summary, daemon.summary())
        if daemon.trace is not None and options.trace is not None:
            daemon.trace.write(options.trace)
    return 0


class Daemon:
    """One run: owns the threads and the sinks."""

    def __init__(
        self, settings: Settings, source: str, options: RunOptions, limit: Governor | None = None
    ) -> None:
        self.settings = settings
        self._limit = limit
        self._options = options
        self.trace = trace = None if options.trace is None else Trace()
        self._figures = Figures() if trace is None else Figures(trace.times)
        self._source = SourceHealth()
        self._rig = load_avatar(settings)
        self._hub = Hub((), self._delivered, None if trace is None else trace.published)
        self._outputs = Outputs(self._hub, self._rig)
        self._prepared = prepare(source, settings)
        self._producer = Switch(source, settings, self._open, self._describe_again)
        self._places = Places.of(options.config)
        self._control = Control(
            self, self._outputs, self._places.folder / "recordings", self._hub.announce
        )
        self._services = Services(settings.vmc_control, self.recalibrate)
        self._worker: Worker | None = None
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Run to the end. Raises PosestreamError: what ended it, if an error did."""
        loop = asyncio.get_running_loop()
        on_signals(loop, self._stop)
        status = None
        try:
            await self._hub.start()
            await self._outputs.start(self._own_sinks(), self.settings)
            await self._services.start()
            await self._start_panel()
            self._worker = Worker(
                self._producer.frames,
                self._submit,
                self._figures,
                self._options.max_frames,
                partial(set_from_thread, loop, self._ended),
                None if self._limit is None else self._limit.pause_s,
            )
            self._worker.start()
            status = asyncio.create_task(show_status(self._status))
            await self._ended.wait()
        finally:
            await self._shut_down(status)
        if isinstance(self._worker.error, PosestreamError):
            raise self._worker.error
        if self._worker.error is not None:  # the worker has logged where
            raise PosestreamError(
                f"The run ended by an error of posestream itself ({self._worker.error!r}): please "
                "report it with what is printed above."
            )

    def configure(self, settings: Settings) -> None:
        """See ``control.Controlled``."""
        self.settings = settings
        self._producer.configure(settings)

    def recentre(self, slot: int | None) -> None:
        """See ``control.Controlled``."""
        self._producer.recentre(slot)

    def recalibrate(self) -> None:
        """See ``control.Controlled``."""
        self._producer.recalibrate()

    def learn_neutral(self) -> None:
        """See ``control.Controlled``."""
        self._producer.learn_neutral()

    def hello(self) -> Hello:
        """See ``control.Controlled``."""
        slots = max([self.settings.estimate.max_people, *(t.people for t in self.settings.vmc)])
        return Hello(__version__, self._producer.camera, self._producer.fps, slots)

    def summary(self) -> dict[str, Any]:
        """The figures of the run, in the form that ``--summary`` promises."""
        figures = self._figures
        reason = "not started" if self._worker is None else self._worker.exit_reason
        mean = figures.people_sum / figures.frames if figures.frames else 0.0
        return {
            "frames": figures.frames,
            "seconds": round(figures.seconds(), 3),
            "fps": round(figures.mean_fps(), 2),
            "source_fps": self._producer.fps,
            "people_max": figures.people_max,
            "people_mean": round(mean, 3),
            "latency_ms": figures.latency.summary(),
            "stage_ms": figures.times.summary(),
            "dropped": self._producer.dropped + self._hub.dropped,
            "sent": sent_by_kind(self._outputs.stats),
            "backend": self._producer.backend,
            "locate": self._producer.locate,
            "peak_rss_mb": round(peak_rss_mb(), 1),
            "exit_reason": reason,
        }

    def _own_sinks(self) -> list[Sink]:
        sinks: list[Sink] = []
        hello = self.hello()
        if self.settings.websocket.enabled:
            try:
                sinks.append(self._stream(hello))
            except PublishError as error:  # the token cannot be kept
                if not (self.settings.vmc or self.settings.vrchat):
                    raise
                notify(f"posestream: {error} The outputs but the WebSocket stream go on.")
        if self._options.record is not None:
            path = Path(self._options.record)
            sinks.append(RecorderSink(path, hello, on_event=self._hub.announce))
        return sinks

    def _open(self, source: str, settings: Settings) -> Producer:
        prepared, self._prepared = self._prepared, None  # the first source alone
        captured = None if self.trace is None else self.trace.captured
        return open_producer(
            source, settings, self._figures.times, self._on_source_event, self._describe_again,
            captured, prepared,
        )  # fmt: skip

    async def _start_panel(self) -> None:
        """A port in use is said in one sentence and the rest goes on."""
        if not (self._options.panel and self.settings.panel.enabled):
            return
        from posestream.preview.server import PanelSink

        moment = Moment(self._figures, self._producer, self._outputs)
        feed = PanelFeed(self, self._producer, self._outputs, self._control, moment, self._places)
        panel = PanelSink(self.settings.panel, panel_key(), feed)
        try:
            await self._outputs.add(panel)
        except PublishError as error:
            notify(f"posestream: {error} The rest goes on.")
            return
        notify(f"Panel: {panel.address}")

    def _stream(self, hello: Hello) -> WebSocketSink:
        return WebSocketSink(
            self.settings.websocket,
            hello,
            token=load_or_create(),
            on_control=self._control,
            picture=self._picture,
            pages=RunPages(
                self._figures, self._source, self._producer, self._hub, self._outputs.stats
            ).all,
        )

    def _submit(self, frame: AvatarFrame) -> None:
        """In the worker's thread. Live sources hand over at once, others lose nothing."""
        if self.trace is not None:
            self.trace.frame_done(frame.index)
        self._hub.submit(frame, wait_s=0.0 if self._producer.live else _HAND_OVER_S)

    def _delivered(self, frame: AvatarFrame) -> None:
        if self._producer.live:
            self._figures.latency.add((monotonic_ns() - frame.t_capture_ns) / 1e6)

    def _picture(self) -> Picture | None:
        """The newest picture for clients that asked for it; called in a thread of its own."""
        details = self._producer.now.details
        if details is None:
            return None
        frame = details.frame
        size_px, jpeg = encode_jpeg(frame.image)
        return Picture(frame.index, frame.t_capture_ns, size_px, jpeg)

    def _on_source_event(self, kind: str, sentence: str) -> None:
        notify(f"posestream: {sentence}")
        if kind == "failing":
            return
        self._source.note(kind)
        lost = EventKind.SOURCE_LOST if kind == "lost" else EventKind.SOURCE_RECOVERED
        self._hub.announce(Event(lost, monotonic_ns(), text=sentence))

    def _describe_again(self, why: str) -> None:
        """The camera's place in the world has changed with the next frame."""
        self._hub.describe(self.hello())
        if why == RECENTRED:
            self._hub.call(self._outputs.realign)
        self._hub.announce(Event(EventKind.CALIBRATION_CHANGED, monotonic_ns(), text=why))

    def _status(self) -> Status:
        return Status(
            self._figures.recent_fps(),
            self._figures.people_now,
            self._figures.latency.percentile(50),
            sum(s.kind in ("vmc", "vrchat") for s in self._outputs.all),
            sum(s.stats().clients for s in self._outputs.all if s.kind == "websocket"),
        )

    def _stop(self) -> None:
        if self._worker is None or self._ended.is_set():
            self._ended.set()
            return
        self._worker.stop()
        self._producer.close()

    async def _shut_down(self, status: asyncio.Task[None] | None) -> None:
        self._producer.close()
        if self._worker is not None:
            self._worker.stop()
            await asyncio.to_thread(self._worker.join, _JOIN_S)
        await self._services.close()
        await self._hub.close()
        if status is not None:
            status.cancel()
            await asyncio.gather(status, return_exceptions=True)
