"""A network's input shrinks to hold a goal, and grows again only when that will hold."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from posestream.errors import BackendError
from posestream.estimate.backends.engine import F32, Maps, NetworkFacts
from posestream.estimate.backends.rrmp import RrmpEstimator
from posestream.estimate.input_size import InputSize
from posestream.geometry.camera import intrinsics_from_fov
from posestream.skeleton.network import network_skeleton
from posestream.types import Camera, Frame

FULL = (448, 256)


def area(size_px: tuple[int, int]) -> int:
    return size_px[0] * size_px[1]


def run(
    size: InputSize, pictures: int, ms_at_full: Callable[[int], float]
) -> list[tuple[int, int]]:
    """Sizes picture by picture, on a machine whose time grows with the area."""
    seen = []
    for k in range(pictures):
        seen.append(size.size_px)
        size.took(ms_at_full(k) * area(size.size_px) / area(FULL))
    return seen


def changes(sizes: list[tuple[int, int]]) -> int:
    return sum(a != b for a, b in pairwise(sizes))


def test_without_a_goal_nothing_changes() -> None:
    assert set(run(InputSize(FULL, 0.0), 500, lambda _: 1e4)) == {FULL}


def test_a_fast_machine_keeps_the_full_size() -> None:
    assert set(run(InputSize(FULL, 25.0), 500, lambda _: 20.0)) == {FULL}


@pytest.mark.parametrize("ms", [28.0, 33.0, 40.0, 60.0])
def test_the_goal_is_held_soon_and_then_kept(ms: float) -> None:
    sizes = run(InputSize(FULL, 25.0), 3000, lambda _: ms)
    settled = sizes[60:]
    assert all(ms * area(size) / area(FULL) <= 25.0 for size in settled)
    assert changes(settled) == 0
    assert all(side % 32 == 0 for size in settled for side in size)


def test_what_cannot_be_held_goes_to_the_smallest_and_stays() -> None:
    sizes = run(InputSize(FULL, 5.0), 1000, lambda _: 60.0)
    assert changes(sizes[60:]) == 0
    assert 0.3 < area(sizes[-1]) / area(FULL) < 0.4


def test_single_slow_pictures_change_nothing() -> None:
    sizes = run(InputSize(FULL, 25.0), 600, lambda k: 200.0 if k % 7 == 0 else 20.0)
    assert set(sizes) == {FULL}


def test_it_grows_back_when_the_machine_is_free_again() -> None:
    sizes = run(InputSize(FULL, 25.0), 1200, lambda k: 50.0 if k < 200 else 18.0)
    assert area(sizes[199]) < area(FULL)
    assert sizes[-1] == FULL


def test_growing_in_vain_is_tried_less_and_less() -> None:
    """A machine whose time does not go by the area, so that growing always looks promising."""
    size = InputSize(FULL, 25.0)
    sizes = []
    for _ in range(12_000):
        sizes.append(size.size_px)
        size.took(30.0 if size.size_px == FULL else 15.0)
    grown = [k for k in range(1, len(sizes)) if area(sizes[k]) > area(sizes[k - 1])]
    waits = [b - a for a, b in pairwise(grown)]
    assert len(grown) >= 3
    assert all(b > a for a, b in pairwise(waits))


@pytest.mark.parametrize("full", [(64, 64), (72, 64), (1920, 1088)])
def test_no_size_is_larger_than_the_full_one(full: tuple[int, int]) -> None:
    size = InputSize(full, 1.0)
    for _ in range(200):
        assert 64 <= size.size_px[0] <= full[0] and 64 <= size.size_px[1] <= full[1]
        size.took(100.0)


class SlowEngine:
    """Finds nobody, in a time that goes by the size of its input, on a clock of its own."""

    def __init__(self, free_size: bool) -> None:
        self.facts = NetworkFacts("mupots17", FULL, False, None, free_size=free_size)
        self.now_s = 0.0
        self.sizes: list[tuple[int, int]] = []

    def maps(self, image: F32, rays: F32 | None) -> Maps:
        height, width = image.shape[2:]
        self.sizes.append((width, height))
        self.now_s += 0.05 * area((width, height)) / area(FULL)
        skeleton = network_skeleton("mupots17")
        joints, limbs = skeleton.num_joints, len(skeleton.limbs)
        cells = (height // 8, width // 8)
        heat, pafs, locations = (
            np.zeros((n, *cells), np.float32) for n in (joints + 1, 2 * limbs, 3 * joints)
        )
        return Maps(heat, pafs, locations, None)

    def depth(self, maps: Maps, xy_cells: F32, score: F32) -> F32:
        raise AssertionError("nobody is there")

    def close(self) -> None:
        pass


def picture() -> Frame:
    size_px = (640, 360)
    image = np.zeros((360, 640, 3), np.uint8)
    return Frame(0, 0, image, Camera(intrinsics_from_fov(size_px, 60.0), size_px))


def test_our_network_gets_smaller_pictures_until_it_is_fast_enough() -> None:
    engine = SlowEngine(free_size=True)
    made = RrmpEstimator(engine, latency_goal_ms=30.0, clock_s=lambda: engine.now_s)
    assert made.input_px == FULL
    for _ in range(60):
        made.estimate(picture())
    assert engine.sizes[0] == FULL
    assert engine.sizes[-1] == made.input_px
    assert 50.0 * area(made.input_px) / area(FULL) <= 30.0


def test_a_goal_for_a_network_of_one_size_is_refused() -> None:
    with pytest.raises(BackendError, match="export the network with free size"):
        RrmpEstimator(SlowEngine(free_size=False), latency_goal_ms=30.0)
    assert RrmpEstimator(SlowEngine(free_size=False)).input_px == FULL
