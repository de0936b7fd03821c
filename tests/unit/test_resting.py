"""Empty rooms are looked at less often, and whoever steps in is seen at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from posestream.estimate.resting import REST_AFTER_S, RestingEstimator, block_means
from posestream.geometry.camera import intrinsics_from_fov
from posestream.skeleton.joints import NUM_JOINTS
from posestream.types import Camera, Estimate, Frame, People2D

SIZE_PX = (320, 180)
CAMERA = Camera(intrinsics_from_fov(SIZE_PX, 60.0), SIZE_PX)
FPS = 30
REST_HZ = 5.0


class Looker:
    """Finds whoever is said to be there; counts its looks."""

    name = "looker"

    def __init__(self) -> None:
        self.people = 0
        self.looks = 0

    def estimate(self, frame: Frame) -> Estimate:
        self.looks += 1
        n = self.people
        return Estimate(
            People2D(np.zeros((n, NUM_JOINTS, 2)), np.ones((n, NUM_JOINTS)), np.ones(n))
        )

    def close(self) -> None:
        pass


@pytest.fixture
def looker() -> Looker:
    return Looker()


class Camera30:
    """Pictures of a dim room with a camera's noise, one every 33 ms."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.index = 0
        self.noise = self.rng.normal(0.0, 4.0, (9, 180, 320, 3)).astype(np.float32)
        self.room = self.rng.integers(20, 160, (180, 320, 3)).astype(np.float32)

    def frames(self, seconds: float) -> Iterator[Frame]:
        for _ in range(round(seconds * FPS)):
            self.index += 1
            yield self.frame()

    def frame(self) -> Frame:
        noisy = self.room + self.noise[self.index % len(self.noise)]
        image = np.clip(noisy, 0, 255).astype(np.uint8)
        return Frame(self.index, round(self.index * 1e9 / FPS), image, CAMERA)


def watch(resting: RestingEstimator, frames: Iterator[Frame]) -> list[int]:
    return [len(resting.estimate(frame).people2d) for frame in frames]


def test_an_empty_room_costs_a_few_looks_a_second(looker: Looker) -> None:
    resting, camera = RestingEstimator(looker, REST_HZ), Camera30()
    watch(resting, camera.frames(REST_AFTER_S))
    assert looker.looks == round(REST_AFTER_S * FPS)  # who was lost is looked for at full rate
    looker.looks = 0
    assert watch(resting, camera.frames(10.0)) == [0] * 300
    assert 10.0 * REST_HZ * 0.8 <= looker.looks <= 10.0 * REST_HZ + 2
    assert resting.rested == 300 - looker.looks


def test_who_steps_in_at_the_edge_is_seen_in_that_frame(looker: Looker) -> None:
    resting, camera = RestingEstimator(looker, REST_HZ), Camera30()
    watch(resting, camera.frames(5.0))
    for _ in range(7):  # at any time between two regular looks
        watch(resting, camera.frames(1.0 / FPS))
        room, looks = camera.room.copy(), looker.looks
        camera.room[60:180, 300:320] = 90.0
        looker.people = 1
        assert watch(resting, camera.frames(1.0 / FPS)) == [1]
        assert looker.looks == looks + 1
        camera.room, looker.people = room, 0
        watch(resting, camera.frames(5.0))


def test_a_change_too_faint_to_notice_waits_for_the_next_look(looker: Looker) -> None:
    resting, camera = RestingEstimator(looker, REST_HZ), Camera30()
    watch(resting, camera.frames(5.0))
    looker.people = 1
    seen = watch(resting, camera.frames(0.5))
    assert seen.index(1) <= FPS / REST_HZ


def test_with_somebody_there_every_frame_is_looked_at(looker: Looker) -> None:
    resting, camera = RestingEstimator(looker, REST_HZ), Camera30()
    watch(resting, camera.frames(5.0))
    looker.people, looker.looks = 2, 0
    watch(resting, camera.frames(1.0))
    assert looker.looks >= FPS - FPS / REST_HZ
    looker.looks = 0
    assert watch(resting, camera.frames(5.0)) == [2] * 150  # nobody moves: still every frame
    assert looker.looks == 150


def test_a_room_that_changes_is_looked_at(looker: Looker) -> None:
    resting, camera = RestingEstimator(looker, REST_HZ), Camera30()
    watch(resting, camera.frames(5.0))
    looker.looks = 0
    for k in range(60):
        camera.room = np.full((180, 320, 3), 40.0 + 10.0 * (k % 2), np.float32)
        watch(resting, camera.frames(1.0 / FPS))
    assert looker.looks == 60


def test_a_clock_that_jumps_back_starts_anew(looker: Looker) -> None:
    resting, camera = RestingEstimator(looker, REST_HZ), Camera30()
    watch(resting, camera.frames(5.0))
    camera.index = 0  # a video that begins again
    looker.looks = 0
    watch(resting, camera.frames(REST_AFTER_S))
    assert looker.looks == round(REST_AFTER_S * FPS)


@pytest.mark.parametrize("shape", [(180, 320), (48, 64), (721, 1283), (3, 5), (1, 1)])
def test_block_means_are_the_pictures(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), (10, 20, 30), np.uint8)
    means = block_means(picture)
    assert means.shape[2] == 3 and means.size
    np.testing.assert_allclose(
        means.reshape(-1, 3), np.broadcast_to((10, 20, 30), (means.size // 3, 3))
    )
