"""Cameras at the boundary to the driver: stale pictures, stalls, damage, disappearance."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from posestream.capture.base import CaptureSettings, SourceLost
from posestream.capture.device import DeviceSource
from posestream.errors import CaptureError

SETTINGS = CaptureSettings()


class FakeCamera:
    """A driver that keeps ``buffers`` pictures and takes a new one every 1/fps of its own clock.

    A picture's pixels hold its number, so that tests see which one was delivered.
    """

    def __init__(self, buffers: int = 4, fps: float = 30.0) -> None:
        self.now_ns = 1_000_000_000
        self.buffers = buffers
        self.interval_ns = round(1e9 / fps)
        self.taken = 0  # pictures taken so far
        self.waiting: list[int] = []
        self.next_ns = self.now_ns + self.interval_ns
        self.grabbed = -1
        self.plugged = True
        self.damaged: set[int] = set()
        self.released = 0

    def clock_ns(self) -> int:
        return self.now_ns

    def pass_time(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)
        while self.next_ns <= self.now_ns:
            if len(self.waiting) < self.buffers:  # a full queue loses the newest, as drivers do
                self.waiting.append(self.taken)
            self.taken += 1
            self.next_ns += self.interval_ns

    def grab(self) -> bool:
        if not self.plugged:
            return False
        self.pass_time(0.0005)
        if not self.waiting:
            self.pass_time((self.next_ns - self.now_ns) * 1e-9)
        self.grabbed = self.waiting.pop(0)
        return True

    def retrieve(self) -> tuple[bool, Any]:
        if self.grabbed in self.damaged:
            return False, None
        return True, np.full((48, 64, 3), self.grabbed % 256, dtype=np.uint8)

    def get(self, prop: int, /) -> float:
        return {cv2.CAP_PROP_FPS: 30.0}.get(prop, 0.0)

    def set(self, prop: int, value: float, /) -> bool:
        return True

    def release(self) -> None:
        self.released += 1


def _open(camera: FakeCamera, **options: bool) -> DeviceSource:
    return DeviceSource(lambda: camera, "camera:0 (fake)", SETTINGS, camera.clock_ns, **options)


def test_pictures_from_before_opening_are_dropped_and_counted() -> None:
    camera = FakeCamera(buffers=4)
    camera.pass_time(1.0)
    source = _open(camera)
    frame = source.read()
    assert source.counts.stale == 4
    assert int(frame.image[0, 0, 0]) == camera.taken - 1  # the newest there is
    assert frame.t_capture_ns == camera.now_ns


def test_a_reader_in_time_loses_nothing() -> None:
    camera = FakeCamera()
    source = _open(camera)
    numbers = []
    for _ in range(50):
        numbers.append(int(source.read().image[0, 0, 0]))
        camera.pass_time(0.025)  # less than a frame interval
    assert np.all(np.diff(numbers) == 1)
    assert source.counts.stale == 0


def test_pictures_that_gathered_while_nobody_read_are_dropped() -> None:
    camera = FakeCamera(buffers=4)
    source = _open(camera)
    source.read()
    camera.pass_time(2.0)
    frame = source.read()
    assert source.counts.stale == 4
    assert int(frame.image[0, 0, 0]) == camera.taken - 1


def test_a_burst_after_the_device_itself_paused_is_dropped() -> None:
    camera = FakeCamera(buffers=8)
    source = _open(camera)
    source.read()
    before = source.read().index
    camera.next_ns += 500_000_000  # a suspended bus: nothing for half a second …
    source.read()
    camera.waiting = [camera.taken + k for k in range(5)]  # … then all at once
    camera.taken += 5
    frame = source.read()
    assert source.counts.stale == 5
    assert int(frame.image[0, 0, 0]) == camera.taken - 1
    assert frame.index > before + 5  # the gap shows


def test_a_device_that_never_waits_is_not_drained_for_ever() -> None:
    camera = FakeCamera()
    camera.waiting = list(range(10_000))
    camera.buffers = 0
    source = _open(camera)
    source.read()
    stale = source.counts.stale
    for _ in range(100):
        source.read()
    assert stale == source.counts.stale <= 32


def test_damaged_pictures_are_skipped_and_counted() -> None:
    camera = FakeCamera()
    camera.damaged = {3, 4}
    source = _open(camera)
    numbers = [int(source.read().image[0, 0, 0]) for _ in range(6)]
    assert not camera.damaged & set(numbers)
    assert source.counts.broken == 2


def test_unplugging_while_reading_is_a_loss_that_can_be_mended() -> None:
    camera = FakeCamera()
    source = _open(camera)
    source.read()
    camera.plugged = False
    with pytest.raises(SourceLost, match=r"camera:0 \(fake\) has stopped"):
        source.read()


def test_only_damage_is_a_loss() -> None:
    camera = FakeCamera()
    source = _open(camera)
    source.read()
    camera.damaged = set(range(10_000))
    with pytest.raises(SourceLost, match="damaged"):
        source.read()


def test_a_camera_that_opens_but_sends_nothing_is_refused_and_released() -> None:
    camera = FakeCamera()
    camera.plugged = False
    with pytest.raises(CaptureError, match="another program") as caught:
        _open(camera)
    assert not isinstance(caught.value, SourceLost)
    assert camera.released == 1


@pytest.mark.parametrize(("age_ms", "believed"), [(40.0, True), (-5.0, False), (60_000.0, False)])
def test_the_drivers_time_is_taken_where_it_is_plausible(age_ms: float, believed: bool) -> None:
    camera = FakeCamera()
    source = _open(camera, stamps_are_clock=True)
    source.read()
    own = camera.get
    camera.get = lambda prop, /: (  # type: ignore[method-assign]
        camera.now_ns * 1e-6 - age_ms if prop == cv2.CAP_PROP_POS_MSEC else own(prop)
    )
    t_ns = source.read().t_capture_ns
    expected_ns = camera.now_ns - (age_ms * 1e6 if believed else 0.0)
    assert t_ns == pytest.approx(expected_ns, abs=1e3)
