"""What pages take of the panel: how often, how large, and not before they show the last."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.protocol import State

from posestream.capture.jpeg import encode_jpeg, narrowed
from posestream.errors import ProtocolError
from posestream.preview.viewer import Pace, Turns, Viewer, _pace


@given(st.floats(0.5, 60.0), st.floats(1.0, 120.0), st.randoms(use_true_random=False))
def test_turns_are_as_many_as_asked_for_whatever_the_beat(
    wanted_hz: float, beat_hz: float, random: Any
) -> None:
    turns, taken, seconds = Turns(), 0, 20
    for beat in range(int(seconds * beat_hz)):
        now_s = 5.0 + (beat + 0.2 * random.random()) / beat_hz
        if turns.due(now_s):
            turns.take(now_s, wanted_hz)
            taken += 1
    assert taken <= wanted_hz * seconds + 2.25  # the first, one at once after it, and a bit early
    assert taken >= 0.9 * min(wanted_hz, beat_hz) * seconds - 2


def test_a_pause_is_not_made_up_for() -> None:
    turns = Turns()
    turns.take(0.0, 10.0)
    taken = 0
    for now_s in np.arange(100.0, 100.5, 0.001):
        if turns.due(now_s):
            turns.take(now_s, 10.0)
            taken += 1
    assert taken <= 7


class _Connection:
    def __init__(self) -> None:
        self.state = State.OPEN
        self.transport = SimpleNamespace(get_write_buffer_size=lambda: 0)


@pytest.fixture
def viewer() -> Viewer:
    made = Viewer(_Connection(), None)  # type: ignore[arg-type]
    made.greeted = True
    return made


async def test_a_picture_comes_when_the_last_one_is_shown(viewer: Viewer) -> None:
    assert viewer.takes_picture(0.0)
    viewer.waits_for(7, 0.0)
    assert not viewer.takes_picture(1.0)
    assert await viewer._answer('{"name": "shown"}') is None
    assert viewer.takes_picture(1.0)
    viewer.waits_for(8, 1.0)
    assert viewer.takes_picture(60.0)  # the page has lost one


async def test_a_page_that_is_not_seen_takes_nothing(viewer: Viewer) -> None:
    await viewer._answer('{"name": "visible", "payload": {"on": false}}')
    assert not viewer.ready and not viewer.takes_picture(0.0)


async def test_a_page_says_how_much_it_takes(viewer: Viewer) -> None:
    wanted = '{"motion_hz": 5, "picture_hz": 4, "figures_hz": 1, "picture_px": 320}'
    assert await viewer._answer(f'{{"name": "pace", "payload": {wanted}}}') is None
    assert viewer.pace == Pace(5.0, 4.0, 1.0, 320)


@pytest.mark.parametrize(
    "payload", [{"motion_hz": 0}, {"picture_px": 1e9}, {"hz": 3}, {"figures_hz": "often"}]
)
def test_a_pace_that_there_is_not_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="pace"):
        _pace(payload)


@pytest.mark.parametrize("size_px", [(640, 480), (960, 540), (1280, 720), (1920, 1080)])
def test_small_pictures_look_like_the_exact_mean(size_px: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (27, 48, 3), dtype=np.uint8)
    image = np.asarray(cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)
    small = narrowed(image, 352)
    assert small.shape[1] == 352
    exact = cv2.resize(image, (352, small.shape[0]), interpolation=cv2.INTER_AREA)
    difference = small.astype(float) - exact.astype(float)
    assert np.sqrt((difference**2).mean()) < 3.0
    assert abs(difference.mean()) < 0.3  # nothing is shifted or darker
    shape, jpeg = encode_jpeg(image, 352)
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None and decoded.shape[1::-1] == shape


def test_pictures_are_never_made_larger() -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    assert narrowed(image, 640) is image
    assert encode_jpeg(image)[0] == (160, 90)
