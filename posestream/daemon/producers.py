"""Where avatar frames come from: pictures through the pipeline, or a recording.

A producer yields frames in the worker's thread; its other methods may be called from any.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from posestream.calibrate.applying import with_calibration
from posestream.capture import reopener
from posestream.capture.base import Source
from posestream.capture.live import LatestFrame, ReadCallback, timed_read
from posestream.daemon.ahead import Prepared, first_of, looked_at
from posestream.daemon.guard import RenewableEstimator, StepGuard
from posestream.daemon.replaying import RECENTRED, ReplayProducer
from posestream.daemon.sources import REPLAY, backend_for, first_camera, open_for
from posestream.errors import ConfigError
from posestream.estimate.base import Estimator
from posestream.estimate.registry import create
from posestream.estimate.resting import RestingEstimator
from posestream.performing import Performing
from posestream.pipeline import Look, Pipeline, StepDetails
from posestream.settings import Settings
from posestream.timing import StageTimes, monotonic_ns
from posestream.types import AvatarFrame, Camera, Frame

_COAST_HZ = 15.0
_SILENCE_S = 0.2  # without a picture: shorter gaps are hiccups
_MISSED = 2.5  # pictures of a slow source that may fail to come before it counts as silent


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What other threads ask of the pipeline; taken over between two frames."""

    settings: Settings
    recentre: tuple[int, int | None] = (0, None)  # (how often asked, slot)
    recalibrations: int = 0


class PictureProducer:
    """Pictures through the pipeline. Opens the source at once, the models in the thread.

    ``on_calibration`` is told, in the worker's thread, why ``camera`` is no longer what it was;
    ``on_source_event`` also that frames begin to fail ("failing"); ``on_read`` see LatestFrame.
    ``prepared``: the estimator, already being made; it belongs to the producer from now on.
    """

    def __init__(
        self,
        source: str,
        settings: Settings,
        times: StageTimes,
        on_source_event: Callable[[str, str], None],
        on_calibration: Callable[[str], None],
        on_read: ReadCallback | None = None,
        prepared: Prepared | None = None,
    ) -> None:
        self._prepared = prepared
        self._on_calibration = on_calibration
        self._on_read = on_read
        self._guard: StepGuard | None = None
        self._calibrations = 0
        self._news = ""  # why the camera is to be described again after the next frame
        self._spec = source
        self._uncalibrated = settings
        settings = self._calibrated(settings)
        self._source: Source = open_for(source, settings)
        self._camera = first_camera(self._source, source, settings)
        self._times = times
        self._on_source_event = on_source_event
        self._wishes = self._granted = _Wishes(settings)
        self._latest: LatestFrame | None = None
        self._pipeline: Pipeline | None = None
        self._estimator: Estimator | None = None
        self._closed = self._has_reader = False  # who reads closes the source
        self._reader_lock = threading.Lock()
        self.live = self._source.live
        self._performing = Performing(settings.perform, settings.retarget.mirror, self.live)
        self.backend: str = settings.estimate.backend

    @property
    def camera(self) -> Camera:
        """The camera, with the pose that is believed now."""
        believed = None if self._pipeline is None else self._pipeline.camera
        return believed or self._camera

    @property
    def fps(self) -> float | None:
        """The source's own rate, where it has one."""
        return self._source.fps

    @property
    def locate(self) -> str:
        """How people were placed."""
        return "geometric" if self._pipeline is None else self._pipeline.locates_by

    @property
    def body_scale(self) -> tuple[float, ...]:
        """True sizes of bodies by the estimated ones, by slot, that distances rest on now."""
        scales: tuple[float, ...] = self._granted.settings.locate.body_scale
        return scales

    @property
    def dropped(self) -> int:
        """Pictures that were taken but not processed, for whatever reason."""
        if self._latest is not None:
            return self._latest.stats().dropped
        counts = self._source.counts
        return counts.late + counts.stale + counts.broken

    @property
    def failures(self) -> int:
        """Frames that could not be worked on."""
        return 0 if self._guard is None else self._guard.failures

    @property
    def input_px(self) -> tuple[int, int] | None:
        """Width and height of what the network gets, where it is one of ours."""
        return getattr(self._estimator, "input_px", None)

    @property
    def rested(self) -> int:
        """Pictures that were not looked at because nobody was there and nothing moved."""
        return getattr(self._estimator, "rested", 0)

    @property
    def silent_s(self) -> float:
        """Seconds since a live source gave its last picture; 0 for others."""
        return 0.0 if self._latest is None else self._latest.silent_s

    @property
    def details(self) -> StepDetails | None:
        """What the stages made of the picture that was processed last."""
        return None if self._pipeline is None else self._pipeline.details

    def frames(self) -> Iterator[AvatarFrame]:
        """Everything up to the end of the source, which is then closed. Raises PosestreamError."""
        with self._reader_lock:
            self._has_reader = not self._closed
        if not self._has_reader:
            return
        try:
            yield from self._avatars(self._wishes.settings)
        finally:
            if self._latest is None:  # else closed by the thread that reads
                self._source.close()

    def _avatars(self, settings: Settings) -> Iterator[AvatarFrame]:
        backend = backend_for(self._spec, settings)
        self._estimator = estimator = self._estimating(backend, settings)
        self.backend = estimator.name
        try:
            watched = self._performing.watched(estimator)
            self._pipeline = Pipeline(watched, settings, self._times)
            self._guard = StepGuard(self._pipeline, partial(self._on_source_event, "failing"))
            yield from self._live(self._pipeline) if self.live else self._all(self._pipeline)
        finally:
            self._performing.close()
            estimator.close()

    def _estimating(self, backend: str, settings: Settings) -> Estimator:
        prepared, self._prepared = self._prepared, None
        make = first_of(prepared, lambda: create(backend, settings.estimate))
        estimator = RenewableEstimator(make)
        rest_hz = settings.estimate.rest_hz if self.live else 0.0
        return RestingEstimator(estimator, rest_hz) if rest_hz else estimator

    def _all(self, pipeline: Pipeline) -> Iterator[AvatarFrame]:
        while not self._closed and (frame := timed_read(self._source, self._on_read)) is not None:
            self._grant(pipeline)
            yield self._step(pipeline, frame)

    def _step(
        self, pipeline: Pipeline, frame: Frame, look: Callable[[], Look] | None = None
    ) -> AvatarFrame:
        assert self._guard is not None
        avatars = self._guard.step(frame, look)
        if pipeline.calibrations != self._calibrations:
            self._calibrations = pipeline.calibrations
            self._news = self._news or "the camera's place was learnt better"
        if self._news:
            self._on_calibration(self._news)
            self._news = ""
        return self._dressed(pipeline, avatars)

    def _dressed(self, pipeline: Pipeline, avatars: AvatarFrame) -> AvatarFrame:
        """With hands and face, where they are wanted."""
        details = pipeline.details
        offset_m = None if details is None else details.pose.offset_m
        return self._performing.dressed(avatars, offset_m)

    def _live(self, pipeline: Pipeline) -> Iterator[AvatarFrame]:
        self._latest = LatestFrame(
            self._source,
            self._wishes.settings.source,
            reopener(self._spec, self._wishes.settings.source),
            self._on_source_event,
            on_read=self._on_read,
        )
        last: Frame | None = None
        silence_s = max(_SILENCE_S, _MISSED / (self._source.fps or _COAST_HZ))
        ahead = pipeline.look if self._granted.settings.estimate.overlap else None
        with self._latest as latest, closing(looked_at(self._newest(latest), ahead)) as outcomes:
            for frame, look in outcomes:
                self._grant(pipeline)
                if frame is not None:
                    last = frame
                    avatars = self._step(pipeline, frame, look)
                    pipeline.expect_latency((monotonic_ns() - frame.t_capture_ns) * 1e-9)
                    yield avatars
                elif last is not None and latest.silent_s > silence_s:
                    coasting = pipeline.coast(replace(last, t_capture_ns=monotonic_ns()))
                    yield self._dressed(pipeline, coasting)

    def _newest(self, latest: LatestFrame) -> Iterator[Frame | None]:
        """Frames, and None now and then while none come."""
        while not (self._closed or latest.ended):
            yield latest.get(1.0 / _COAST_HZ)

    def _grant(self, pipeline: Pipeline) -> None:
        wishes, granted = self._wishes, self._granted
        if wishes is granted:
            return
        if wishes.settings is not granted.settings:
            pipeline.configure(wishes.settings)
            mirror = wishes.settings.retarget.mirror
            self._performing.configure(wishes.settings.perform, mirror)
        if wishes.settings.floor != granted.settings.floor:
            self._news = "the floor's settings changed"
        if wishes.recentre != granted.recentre:
            pipeline.recentre(wishes.recentre[1])
            self._news = RECENTRED
        if wishes.recalibrations != granted.recalibrations:
            pipeline.recalibrate()
            self._performing.learn_neutral()
            self._news = "calibration started anew"
        self._granted = wishes

    def _calibrated(self, settings: Settings) -> Settings:
        return with_calibration(settings, self._spec, backend_for(self._spec, settings))

    def configure(self, settings: Settings) -> None:
        """Take over changed settings with the next frame."""
        self._uncalibrated = settings
        self._wishes = replace(self._wishes, settings=self._calibrated(settings))

    def recentre(self, slot: int | None) -> None:
        """Move the origin to that slot's person with the next frame.

        Raises ConfigError where nobody is in the slot.
        """
        details = None if self._pipeline is None else self._pipeline.details
        if slot is not None and (details is None or slot not in details.tracks.slot):
            raise ConfigError(f"Nobody is in slot {slot} at the moment: nothing was recentred.")
        times, _ = self._wishes.recentre
        self._wishes = replace(self._wishes, recentre=(times + 1, slot))

    def recalibrate(self) -> None:
        """Forget what was learnt of floor and bodies with the next frame, read what is stored."""
        settings = self._calibrated(self._uncalibrated)
        times = self._wishes.recalibrations + 1
        self._wishes = replace(self._wishes, settings=settings, recalibrations=times)

    def learn_neutral(self) -> None:
        """Take the performer's face of the next calm moments for the neutral one."""
        self._performing.learn_neutral()

    def close(self) -> None:
        """End the frames and release the source, in the thread that reads it if one does.

        Safe to call twice.
        """
        with self._reader_lock:
            self._closed = True
        if not self._has_reader:
            self._source.close()
            if self._prepared is not None:
                self._prepared.discard()


Producer = PictureProducer | ReplayProducer


def open_producer(
    source: str,
    settings: Settings,
    times: StageTimes,
    on_source_event: Callable[[str, str], None],
    on_calibration: Callable[[str], None],
    on_read: ReadCallback | None = None,
    prepared: Prepared | None = None,
) -> Producer:
    """What ``source`` names. Raises CaptureError or RecordingError."""
    if source.startswith(REPLAY):
        return ReplayProducer(source.removeprefix(REPLAY), settings, on_calibration)
    told = on_source_event, on_calibration, on_read
    return PictureProducer(source, settings, times, *told, prepared)
