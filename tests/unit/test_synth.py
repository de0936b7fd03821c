"""The parts of the synthetic generator that need neither a body model nor a GPU."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.geometry import rigid, rotation
from posestream.geometry.camera import project
from posestream.training.synth import clothes, gait, gestures, scene, truth
from posestream.training.synth.assets import parse_wavefront, proper, triangles
from posestream.training.synth.figure import vertex_normals
from posestream.training.synth.gestures import Key
from posestream.training.synth.motion import blur
from posestream.training.synth.render import _camera_matrix, _light_matrix

PROXY = """
# a comment
name cap
x_scale 0 1 2.0
verts 0
material cap.mhmat
0 1 2 0.5 0.25 0.25 1.0 0.0 0.0
3
delete_verts
4 - 6 9
"""


def test_proxy_follows_the_base_mesh() -> None:
    proxy = clothes.parse_proxy(PROXY)
    base = np.array([[0, 0, 0], [4, 0, 0], [0, 8, 0], [1, 2, 3]], dtype=float)
    # twice as wide as the proxy was made for, so the offset doubles along x
    expected = [[0.25 * 4 + 2.0, 0.25 * 8, 0.0], [1.0, 2.0, 3.0]]
    np.testing.assert_allclose(clothes.fit(proxy, base), expected)
    np.testing.assert_array_equal(proxy.hidden, [4, 5, 6, 9])


def test_wavefront_cube_side_faces_outwards() -> None:
    mesh = parse_wavefront("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1 4/1\n")
    faces = triangles(mesh.face)
    assert proper(faces).all()
    np.testing.assert_allclose(vertex_normals(mesh.vertex, faces), [[0, 0, 1]] * 4)


def test_triangle_gives_one_proper_triangle() -> None:
    mesh = parse_wavefront("v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n")
    assert proper(triangles(mesh.face)).sum() == 1


def test_feet_stand_still_between_steps_and_end_where_planned() -> None:
    plan = gait.Plan(0.0, -3.0, 0.0)
    end_s = plan.turn_to(plan.walk_to(0.5, 1.0, -4.0), 0.0)
    t_s = np.arange(0.0, end_s + 1.0, 1.0 / 60.0)
    middle = np.zeros(2)
    for side in gait.SIDES:
        foot = gait.foot_track(plan, side, t_s)
        standing = (foot.airborne[1:] == 0.0) & (foot.airborne[:-1] == 0.0)
        moved = np.hypot(np.diff(foot.x_m), np.diff(foot.z_m))
        assert moved[standing].max() < 1e-12
        assert np.abs(foot.lift_m[foot.airborne == 0.0]).max() < 1e-12
        middle += 0.5 * np.array([foot.x_m[-1], foot.z_m[-1]])
    np.testing.assert_allclose(middle, [1.0, -4.0], atol=1e-9)


def test_a_foot_always_stands_while_walking() -> None:
    plan = gait.Plan(0.0, -3.0, 0.0)
    end_s = plan.walk_to(0.2, 2.0, -3.0)
    t_s = np.arange(0.0, end_s, 0.01)
    left, right = (gait.foot_track(plan, side, t_s) for side in gait.SIDES)
    assert not np.any((left.airborne > 0.0) & (right.airborne > 0.0))


@pytest.mark.parametrize("name", sorted(gestures.ARM_POSES))
def test_arms_mirror_each_other(name: str) -> None:
    for left, right, sign in zip(*_arm_directions(name), (-1.0, -1.0), strict=True):
        np.testing.assert_allclose(left * [sign, 1.0, 1.0], right, atol=1e-9)


def _arm_directions(name: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    out = []
    for side, x in (("left", 1.0), ("right", -1.0)):
        upper, fore, _ = gestures.arm_pose(name, side)
        along = np.array([x, 0.0, 0.0])
        whole = rotation.multiply(upper, fore)
        out.append([rotation.rotate(upper, along), rotation.rotate(whole, along)])
    return out[0], out[1]


def test_number_track_reaches_each_key() -> None:
    t_s = np.array([0.0, 1.0, 2.0, 5.0])
    keys = [Key(0.0, 1.0, 2.0), Key(1.5, 0.5, -1.0)]
    np.testing.assert_allclose(gestures.number_track(keys, t_s), [0.0, 2.0, -1.0, -1.0])


def test_blur_keeps_constants() -> None:
    np.testing.assert_allclose(blur(np.full(20, 3.0), 2.5), 3.0)


def test_renderer_and_camera_model_put_a_point_on_the_same_pixel() -> None:
    camera = scene.pitched_camera((768, 432), 600.0, 1.35, 0.13)
    points = np.array([[0.4, 1.2, -3.0], [-1.0, 0.0, -4.0], [0.0, 2.0, -2.5]])
    clip = np.hstack([points, np.ones((3, 1))]) @ _camera_matrix(camera).T
    ndc = clip[:, :2] / clip[:, 3:]
    pixel = (ndc * [1, -1] + 1) / 2 * camera.size_px - 0.5
    seen = rigid.apply(rigid.inverse(camera.T_world_cam), points)
    np.testing.assert_allclose(pixel, project(seen, camera.K_px), atol=1e-9)


def test_pitched_camera_looks_down() -> None:
    camera = scene.pitched_camera((768, 432), 600.0, 1.35, 0.13)
    np.testing.assert_allclose(camera.T_world_cam[:3, 2], [0.0, -np.sin(0.13), -np.cos(0.13)])


def test_nearer_to_the_light_is_nearer_in_its_map() -> None:
    for light in scene.soft_light(1, 9):
        matrix = _light_matrix(light)
        low = np.array([0.0, 1.0, -3.0, 1.0])
        high = low + np.array([*light.towards, 0.0])
        a, b = matrix @ low, matrix @ high
        np.testing.assert_allclose(a[:2], b[:2], atol=1e-9)
        assert b[2] < a[2]


def test_visibility_tells_hidden_from_outside() -> None:
    camera = scene.pitched_camera((64, 48), 50.0, 1.0, 0.0)
    depth_m = np.full((48, 64), 2.0, dtype=np.float32)
    xyz = np.zeros((1, 32, 3))
    xyz[:] = [0.0, 1.0, -2.1]
    xyz[0, 1] = [0.0, 1.0, -3.0]
    xyz[0, 2] = [9.0, 1.0, -2.0]
    label = truth.label(xyz, camera, depth_m)
    assert label.visibility[0, :3].tolist() == [truth.VISIBLE, truth.HIDDEN, truth.OUTSIDE]
    np.testing.assert_allclose(label.root_cam_m, [[0.0, 0.0, 2.1]], atol=1e-12)


def test_room_is_deterministic() -> None:
    for a, b in zip(scene.room(3), scene.room(3), strict=True):
        np.testing.assert_array_equal(a.vertex_m, b.vertex_m)
        np.testing.assert_array_equal(a.texture, b.texture)
