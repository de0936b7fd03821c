"""What is processed from end to end: a video through the whole pipeline, or a recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from posestream.capture.base import Source
from posestream.capture.live import every_frame
from posestream.capture.replay import ReplayReader
from posestream.daemon.sources import REPLAY, backend_for, first_camera, open_for
from posestream.estimate.registry import create
from posestream.hindsight import Hindsight
from posestream.performing import Performing
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.types import EXPRESSIONS, AvatarFrame, Camera

Watch = Callable[[Iterable[AvatarFrame], int | None], Iterable[AvatarFrame]]
"""``watch(frames, total)``: the same frames, with somebody looking on."""


class Take(Protocol):
    """Frames from a beginning to an end."""

    @property
    def camera(self) -> Camera:
        """Before anything was learnt of it."""

    @property
    def fps(self) -> float | None:
        """Where it is known."""

    @property
    def expressions(self) -> tuple[str, ...]:
        """Names of the expressions in the frames."""

    def frames(self, watch: Watch | None) -> Iterable[AvatarFrame]:
        """Every frame. Raises PosestreamError."""

    def close(self) -> None:
        """Release the source."""


def open_take(source: str, settings: Settings) -> Take:
    """Open a video, or a recording as replay:FILE. Raises PosestreamError."""
    if source.startswith(REPLAY):
        return RecordedTake(source.removeprefix(REPLAY))
    return VideoTake(source, settings)


class VideoTake:
    """Pictures, and what the pipeline makes of them."""

    expressions = EXPRESSIONS

    def __init__(self, source: str, settings: Settings) -> None:
        self._name, self._settings = source, settings
        self._source: Source = open_for(source, settings)

    @property
    def camera(self) -> Camera:
        """With its pose as the pipeline believes it at first."""
        return first_camera(self._source, self._name, self._settings)

    @property
    def fps(self) -> float | None:
        """The source's own."""
        return self._source.fps

    def frames(self, watch: Watch | None) -> Iterable[AvatarFrame]:
        """Every frame, calmed both ways in time once all are known, or as if live."""
        hindsight = None
        if self._settings.export.smoothing == "both_ways":
            hindsight = Hindsight(self._settings)
        steps: Iterable[AvatarFrame] = self._steps(hindsight)
        if watch is not None:
            steps = watch(steps, getattr(self._source, "frame_count", None))
        if hindsight is None:
            return steps
        for _ in steps:
            pass
        return hindsight.frames()

    def _steps(self, hindsight: Hindsight | None) -> Iterator[AvatarFrame]:
        backend = backend_for(self._name, self._settings)
        estimator = create(backend, self._settings.estimate)
        mirror = self._settings.retarget.mirror
        performing = Performing(self._settings.perform, mirror, threaded=False)
        try:
            pipeline = Pipeline(performing.watched(estimator), self._settings)
            for picture in every_frame(self._source):
                frame = pipeline.step(picture)
                assert pipeline.details is not None
                frame = performing.dressed(frame, pipeline.details.pose.offset_m)
                if hindsight is not None:
                    remember(hindsight, frame, pipeline)
                yield frame
        finally:
            performing.close()
            estimator.close()

    def close(self) -> None:
        """Release the source."""
        self._source.close()


def remember(hindsight: Hindsight, frame: AvatarFrame, pipeline: Pipeline) -> None:
    """What the stages made of the last step, for a second look."""
    details, camera = pipeline.details, pipeline.camera
    assert details is not None and camera is not None
    hindsight.add(frame, details.tracks, details.pose, camera.T_world_cam[:3, 3])


class RecordedTake:
    """A recording: frames as they were sent, nothing changed."""

    def __init__(self, path: str) -> None:
        self._reader = ReplayReader(Path(path))

    @property
    def camera(self) -> Camera:
        """As recorded."""
        return self._reader.hello.camera

    @property
    def fps(self) -> float | None:
        """As recorded."""
        return self._reader.fps

    @property
    def expressions(self) -> tuple[str, ...]:
        """As recorded."""
        return self._reader.hello.expressions

    def frames(self, watch: Watch | None) -> Iterable[AvatarFrame]:
        """Every frame up to the end or the first damage."""
        if watch is None:
            return self._reader
        return watch(self._reader, self._reader.frame_count)

    def close(self) -> None:
        """Nothing stays open."""
