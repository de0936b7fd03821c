"""SO(3): group axioms, and agreement with scipy, which nobody here wrote."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posestream.geometry import rotation as so3

RNG = np.random.default_rng(7)
Q = so3.normalize(RNG.normal(size=(200, 4)))
P = so3.normalize(RNG.normal(size=(200, 4)))
R = so3.normalize(RNG.normal(size=(200, 4)))
V = RNG.normal(size=(200, 3))


def same_rotation(a, b, atol=1e-9):
    np.testing.assert_allclose(so3.same_hemisphere(a, b), b, atol=atol)


def test_product_and_action_agree_with_scipy():
    same_rotation(so3.multiply(Q, P), (Rotation.from_quat(Q) * Rotation.from_quat(P)).as_quat())
    np.testing.assert_allclose(so3.rotate(Q, V), Rotation.from_quat(Q).apply(V), atol=1e-12)


def test_group_axioms():
    same_rotation(
        so3.multiply(so3.multiply(Q, P), R), so3.multiply(Q, so3.multiply(P, R)), atol=1e-12
    )
    same_rotation(so3.multiply(Q, so3.inverse(Q)), so3.identity(200), atol=1e-12)
    same_rotation(so3.multiply(Q, so3.IDENTITY), Q, atol=1e-12)


def test_matrix_round_trip_including_half_turns():
    half_turns = np.concatenate([np.eye(4), so3.normalize(np.c_[V, np.zeros(200)])])
    for q in (Q, half_turns):
        np.testing.assert_allclose(so3.to_matrix(q), Rotation.from_quat(q).as_matrix(), atol=1e-12)
        same_rotation(so3.from_matrix(so3.to_matrix(q)), q)


def test_log_and_exp_are_inverse_near_zero_and_near_pi():
    axis = so3.normalize(V)
    for angle in (0.0, 1e-12, 1e-6, 0.5, 3.0, np.pi - 1e-6):
        np.testing.assert_allclose(
            so3.to_rotvec(so3.from_rotvec(axis * angle)), axis * angle, atol=1e-7
        )


def test_slerp_moves_at_constant_angular_speed():
    whole = so3.angle_between(Q, P)
    for t in (0.0, 0.25, 1.0):
        part = so3.angle_between(Q, so3.slerp(Q, P, t))
        np.testing.assert_allclose(part, whole * t, atol=1e-7)


def test_between_is_the_shortest_rotation():
    a, b = so3.normalize(V), so3.normalize(V[::-1].copy() + 0.1)
    q = so3.between(a, b)
    np.testing.assert_allclose(so3.rotate(q, a), b, atol=1e-9)
    np.testing.assert_allclose(
        so3.angle_between(so3.identity(200), q), np.arccos(np.clip(so3.dot(a, b), -1, 1)), atol=1e-6
    )


def test_between_opposite_vectors_is_a_half_turn():
    a = so3.normalize(V)
    np.testing.assert_allclose(so3.rotate(so3.between(a, -a), a), -a, atol=1e-9)


def test_swing_and_twist_compose_to_the_whole():
    axis = so3.normalize(V)
    swing, twist = so3.swing_twist(Q, axis)
    same_rotation(so3.multiply(swing, twist), Q)
    np.testing.assert_allclose(so3.dot(swing[:, :3], axis), 0.0, atol=1e-9)
    np.testing.assert_allclose(so3.rotate(twist, axis), axis, atol=1e-9)
    same_rotation(so3.from_axis_angle(axis, so3.twist_angle(Q, axis)), twist)


@pytest.mark.parametrize("degrees", [0.0, 90.0, -90.0, 179.0])
def test_heading_turns_from_z_towards_x(degrees):
    q = so3.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.radians(degrees))
    assert np.degrees(so3.yaw_about_y(q)) == pytest.approx(degrees)
    facing = so3.rotate(q, np.array([0.0, 0.0, 1.0]))
    assert np.degrees(np.arctan2(facing[0], facing[2])) == pytest.approx(degrees)
