"""Hands and face joined to the body: who looks, when, and where it goes in.

Live sources are looked at in a thread of their own, where the newest frame wins, so that the
body never waits; others in line, so that every frame counts and results repeat.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from posestream.arrays import F64
from posestream.errors import PosestreamError
from posestream.estimate.base import Estimator
from posestream.marks import Marks
from posestream.perform.blending import EYE_BONES, FINGER_BONES, Blender, Shown
from posestream.perform.joints import sharpened, wrists_px
from posestream.perform.settings import PerformSettings
from posestream.perform.solving import Performance, Solver
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.types import EXPRESSIONS, AvatarFrame, Estimate, Frame

log = logging.getLogger(__name__)

_JOIN_S = 1.0


class Finder(Protocol):
    """Finds the points on hands and face; see ``estimate.backends.mediapipe_marks``."""

    def find(self, frame: Frame) -> Marks:
        """Hands and face in a picture. Raises BackendError."""
        ...

    def close(self) -> None:
        """Release models."""
        ...


class _Job(NamedTuple):
    frame: Frame
    wrist_px: F64


def mediapipe_finder(settings: PerformSettings) -> Finder:
    """The models that the settings want. Raises BackendError where MediaPipe is missing."""
    from posestream.estimate.backends.mediapipe_marks import MarksFinder

    return MarksFinder(settings.hands, settings.face)


class Looker:
    """Looks at hands and face, in line or in a thread; ``newest`` is what came of it last.

    What cannot be started or fails is said once in the log, and the body goes on without.
    """

    def __init__(
        self, settings: PerformSettings, make: Callable[[PerformSettings], Finder], threaded: bool
    ) -> None:
        self.newest: Performance | None = None
        self.looks = 0
        self._settings, self._make = settings, make
        self._solver = Solver(settings)
        self._finder: Finder | None = None
        self._job: _Job | None = None
        self._wake = threading.Condition()
        self._closed = self._broken = False
        self._learn_again = False
        self._thread: threading.Thread | None = None
        if threaded:
            self._thread = threading.Thread(target=self._run, name="hands-and-face", daemon=True)
            self._thread.start()

    def offer(self, frame: Frame, wrist_px: F64) -> None:
        """A picture of the performer. Blocks only where there is no thread."""
        job = _Job(frame, wrist_px)
        if self._thread is None:
            self._look(job)
            return
        with self._wake:
            self._job = job
            self._wake.notify()

    def learn_neutral(self) -> None:
        """Take the face of the next calm moments for the neutral one."""
        self._learn_again = True

    def configure(self, settings: PerformSettings) -> None:
        """Take over settings that need no other models."""
        self._settings = settings
        self._solver.configure(settings)

    def close(self) -> None:
        """Stop looking and release the models. May be called twice."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is None:
            self._release()
        elif self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            started_s = time.perf_counter()
            self._look(job)
            spare_s = 1.0 / self._settings.rate_hz - (time.perf_counter() - started_s)
            with self._wake:
                self._wake.wait_for(lambda: self._closed, timeout=max(spare_s, 0.0))
        self._release()

    def _next(self) -> _Job | None:
        with self._wake:
            self._wake.wait_for(lambda: self._closed or self._job is not None)
            job, self._job = self._job, None
            return None if self._closed else job

    def _look(self, job: _Job) -> None:
        if self._broken or self._closed:
            return
        if self._learn_again:
            self._learn_again = False
            self._solver.neutral.learn_again()
        try:
            if self._finder is None:
                self._finder = self._make(self._settings)
            marks = self._finder.find(job.frame)
            self.newest = self._solver.solve(marks, job.frame.camera, job.wrist_px)
            self.looks += 1
        except PosestreamError as error:
            self._broken = True
            log.warning("Hands and face stay at rest: %s", error)

    def _release(self) -> None:
        finder, self._finder = self._finder, None
        if finder is not None:
            finder.close()


class Performing:
    """Hands and face of a single performer; costs nothing while both are off."""

    def __init__(
        self,
        settings: PerformSettings,
        mirror: bool,
        threaded: bool,
        make: Callable[[PerformSettings], Finder] = mediapipe_finder,
    ) -> None:
        self._settings, self._mirror = settings, mirror
        self._threaded, self._make = threaded, make
        self._looker: Looker | None = None
        self._blender = Blender()

    @property
    def on(self) -> bool:
        """Whether hands or face are wanted."""
        return self._settings.hands or self._settings.face

    def watched(self, estimator: Estimator) -> Estimator:
        """The estimator, whose pictures are looked at for hands and face as well."""
        return _Watched(estimator, self)

    def configure(self, settings: PerformSettings, mirror: bool) -> None:
        """Take over changed settings."""
        before, self._settings, self._mirror = self._settings, settings, mirror
        if (before.hands, before.face) != (settings.hands, settings.face):
            self.close()
        elif self._looker is not None:
            self._looker.configure(settings)

    def learn_neutral(self) -> None:
        """Take the face of the next calm moments for the neutral one."""
        if self._looker is not None:
            self._looker.learn_neutral()

    def close(self) -> None:
        """Stop looking. May be called twice."""
        looker, self._looker = self._looker, None
        if looker is not None:
            looker.close()

    def guided(self, frame: Frame, estimate: Estimate) -> Estimate:
        """Have the picture looked at; the estimate with what hands and face tell of the body."""
        if len(estimate.people2d) != 1:
            return estimate
        looker = self._looker
        if looker is None:
            looker = self._looker = Looker(self._settings, self._make, self._threaded)
        looker.offer(frame, wrists_px(estimate))
        newest = looker.newest
        if newest is None or frame.t_capture_ns * 1e-9 - newest.t_s > self._settings.hold_s:
            return estimate
        return sharpened(estimate, newest)

    def dressed(self, frame: AvatarFrame, offset_m: F64 | None) -> AvatarFrame:
        """The frame with fingers, eyes and expressions; ``offset_m`` (N, B, 3) of its people."""
        if not self.on or len(frame) == 0:
            return frame
        if len(frame) > 1:  # nobody performs: faces come to rest
            return replace(frame, expressions=np.zeros((len(frame), len(EXPRESSIONS))))
        newest = None if self._looker is None else self._looker.newest
        t_s = frame.t_capture_ns * 1e-9
        return _with(frame, self._blender.show(t_s, newest, self._settings, self._mirror), offset_m)


class _Watched:
    """An estimator whose pictures somebody else sees, too."""

    def __init__(self, inner: Estimator, performing: Performing) -> None:
        self._inner, self._performing = inner, performing
        self.name = inner.name

    def estimate(self, frame: Frame) -> Estimate:
        """See the estimator."""
        estimate = self._inner.estimate(frame)
        return self._performing.guided(frame, estimate) if self._performing.on else estimate

    def close(self) -> None:
        """See the estimator."""
        self._inner.close()


def _with(frame: AvatarFrame, shown: Shown, offset_m: F64 | None) -> AvatarFrame:
    quat, valid = frame.quat_local_xyzw.copy(), frame.bone_valid.copy()
    quat[0, FINGER_BONES], quat[0, EYE_BONES] = shown.finger_xyzw, shown.eye_xyzw
    valid[0, FINGER_BONES], valid[0, EYE_BONES] = shown.hand_seen[:, None], shown.face_seen
    root, places = frame.root_world_m, frame.places
    if offset_m is not None and len(offset_m) == 1:
        own_m = offset_m
        places = lambda: positions(root, world_rotations(quat), own_m)  # noqa: E731
    return replace(
        frame, quat_local_xyzw=quat, bone_valid=valid, places=places,
        expressions=shown.expressions[None],
    )  # fmt: skip
