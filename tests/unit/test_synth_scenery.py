"""Furniture, textures and lenses of the synthetic generator: none needs a body or a GPU."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.training.synth import furniture, textures
from posestream.training.synth.clip_space import camera_matrix, depth_from_window, light_matrix
from posestream.training.synth.furniture import Pile
from posestream.training.synth.sensor import degrade
from posestream.training.synth.staging import make_camera


def pile() -> Pile:
    return Pile(np.random.default_rng(4), 6)


def test_boxes_face_outwards() -> None:
    heap = pile()
    heap.box((1.0, 2.0, 3.0), np.array([5.0, 1.0, -2.0]), 0.7, 0, 0.2)
    (thing,) = heap.things()
    corner = thing.vertex[thing.triangle, :3].astype(np.float64)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    outwards = corner.mean(axis=1) - [5.0, 1.0, -2.0]
    assert ((normal * outwards).sum(axis=1) > 0.0).all()
    stated = thing.vertex[thing.triangle[:, 0], 3:6]
    assert ((normal * stated).sum(axis=1) > 0.0).all()


@pytest.mark.parametrize("kind", ["chair", "desk", "clutter", "room"])
def test_furniture_is_finite_and_stands_on_the_floor(kind: str) -> None:
    heap, place = pile(), np.array([0.3, 0.0, -2.0])
    if kind == "chair":
        furniture.chair(heap, place + np.array([0.0, 0.45, 0.0]), 0.4, 1.0)
    elif kind == "desk":
        furniture.desk(heap, place, 0.72, 0.4, 0.7)
    elif kind == "clutter":
        for _ in range(20):
            furniture.clutter(heap, place, 0.4)
    else:
        furniture.room(heap, 1, [2, 3], 1.0, 4.0, 2.5)
    vertex = np.vstack([thing.vertex for thing in heap.things()])
    assert np.isfinite(vertex).all()
    assert vertex[:, 1].min() > -0.45  # a plant's leaves may hang
    np.testing.assert_allclose(np.linalg.norm(vertex[:, 3:6], axis=1), 1.0, atol=1e-5)


def test_textures_follow_from_their_seed() -> None:
    for make in (textures.cloth, textures.surface, textures.floor, textures.artwork):
        a, b = (make(np.random.default_rng(9)) for _ in range(2))
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.uint8
        assert a.shape[-1] == 4
        assert (a[..., 3] == 255).all()


def test_a_camera_keeps_its_place_when_it_rolls() -> None:
    camera = make_camera((448, 256), 400.0, 1.4, 0.3, 0.2)
    ahead = rigid.apply(camera.T_world_cam, np.array([0.0, 0.0, 2.0]))
    np.testing.assert_allclose(ahead, [0.0, 1.4 - 2.0 * np.sin(0.3), -2.0 * np.cos(0.3)])
    np.testing.assert_allclose(camera.T_world_cam[:3, 3], [0.0, 1.4, 0.0])


def test_clip_space_agrees_with_the_pinhole_and_gives_depth_back() -> None:
    camera = make_camera((448, 256), 400.0, 1.4, 0.3, 0.2)
    points = np.array([[0.4, 1.2, -3.0], [-1.0, 0.0, -4.0], [0.0, 2.0, -30.0]])
    clip = np.hstack([points, np.ones((3, 1))]) @ camera_matrix(camera, 0.1, 80.0).T
    ndc = clip[:, :3] / clip[:, 3:]
    pixel = (ndc[:, :2] * [1, -1] + 1) / 2 * camera.size_px - 0.5
    seen = rigid.apply(rigid.inverse(camera.T_world_cam), points)
    np.testing.assert_allclose(pixel, project(seen, camera.K_px), atol=1e-9)
    window = (ndc[:, 2] / 2 + 0.5).astype(np.float32)
    np.testing.assert_allclose(depth_from_window(window, 0.1, 80.0), seen[:, 2], rtol=0.01)


def test_light_sees_its_whole_ball() -> None:
    centre, rng = np.array([1.0, 1.0, -4.0]), np.random.default_rng(0)
    towards = np.array([0.3, 0.8, 0.52])
    towards /= np.linalg.norm(towards)
    ball = rng.normal(size=(200, 3))
    ball = centre + 2.0 * ball / np.linalg.norm(ball, axis=1, keepdims=True)
    clip = np.hstack([ball, np.ones((200, 1))]) @ light_matrix(towards, centre, 2.0).T
    assert np.abs(clip[:, :3]).max() <= 1.0 + 1e-9


def test_lenses_change_pixels_and_nothing_else() -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[20:40, 30:50] = 220
    for seed in range(12):
        out = degrade(np.random.default_rng(seed), picture)
        assert out.shape == picture.shape
        assert out.dtype == np.uint8
        bright = out.astype(float).sum(axis=-1)
        y, x = np.mgrid[:60, :80]
        weight = np.clip(bright - np.median(bright) - 120.0, 0.0, None)
        assert (weight * x).sum() / weight.sum() == pytest.approx(39.5, abs=1.0)
        assert (weight * y).sum() / weight.sum() == pytest.approx(29.5, abs=1.0)
    a, b = (degrade(np.random.default_rng(3), picture) for _ in range(2))
    np.testing.assert_array_equal(a, b)
