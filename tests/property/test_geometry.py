"""Cameras and frames: round trips, and agreement with OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from posestream.geometry import camera, frames, rigid
from posestream.geometry import rotation as so3
from posestream.types import level_camera_pose

RNG = np.random.default_rng(11)
K = np.array([[800.0, 0.0, 321.0], [0.0, 790.0, 241.5], [0.0, 0.0, 1.0]])
POINTS = RNG.uniform([-2, -1.5, 2], [2, 1.5, 9], size=(300, 3))


@pytest.mark.parametrize("distortion", [np.zeros(5), np.array([-0.2, 0.05, 1e-3, -2e-3, 0.01])])
def test_projection_agrees_with_opencv(distortion):
    expected, _ = cv2.projectPoints(POINTS, np.zeros(3), np.zeros(3), K, distortion)
    np.testing.assert_allclose(camera.project(POINTS, K, distortion), expected[:, 0], atol=1e-8)


@pytest.mark.parametrize("distortion", [None, np.array([-0.2, 0.05, 1e-3, -2e-3, 0.01])])
def test_rays_undo_projection(distortion):
    rays = camera.normalized_rays(camera.project(POINTS, K, distortion), K, distortion)
    np.testing.assert_allclose(rays, POINTS[:, :2] / POINTS[:, 2:], atol=2e-5)


def test_points_behind_the_camera_are_missing():
    assert np.isnan(camera.project(np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]), K)).all()


def test_scaled_picture_sees_the_same_rays():
    K_half = camera.scale_intrinsics(K, 0.5, 0.25)
    # A pixel centre at integer i covers [i - 1/2, i + 1/2]: resizing keeps the corners.
    xy = (camera.project(POINTS, K) + 0.5) * [0.5, 0.25] - 0.5
    np.testing.assert_allclose(
        camera.normalized_rays(xy, K_half), POINTS[:, :2] / POINTS[:, 2:], atol=1e-9
    )


def test_field_of_view_spans_the_longer_side():
    K_fov = camera.intrinsics_from_fov((1280, 720), 90.0)
    assert K_fov[0, 0] == pytest.approx(640.0)


def test_level_camera_sees_a_facing_person_with_left_hand_at_plus_x():
    T = level_camera_pose(1.5)
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1.0)
    np.testing.assert_allclose(rigid.apply(T, np.array([0.3, 1.5, 4.0])), [0.3, 0.0, -4.0])


def test_rigid_inverse():
    T = rigid.make(so3.to_matrix(so3.normalize(RNG.normal(size=4))), RNG.normal(size=3))
    np.testing.assert_allclose(rigid.apply(rigid.inverse(T), rigid.apply(T, POINTS)), POINTS)


@pytest.mark.parametrize(
    ("position", "quat"),
    [
        (frames.unity_from_world_position, frames.unity_from_world_quat),
        (frames.world_from_vrm0_position, frames.world_from_vrm0_quat),
        (frames.mirror_position, frames.mirror_quat),
    ],
)
def test_a_change_of_frame_commutes_with_rotation_and_is_its_own_inverse(position, quat):
    q = so3.normalize(RNG.normal(size=(300, 4)))
    np.testing.assert_allclose(
        position(so3.rotate(q, POINTS)), so3.rotate(quat(q), position(POINTS)), atol=1e-12
    )
    np.testing.assert_array_equal(position(position(POINTS)), POINTS)
    np.testing.assert_array_equal(quat(quat(q)), q)
