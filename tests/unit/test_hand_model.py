"""The hand model without pictures: angles and back, mirrors, and what its network sees."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.perform.fingers import FINGERS, LIMITS, NUM_FINGER_BONES, solve_hand
from posestream.perform.hand_angles import NUM_ANGLES, angles_of, rotations_of
from posestream.perform.hand_model import NUM_INPUTS, NUM_OUTPUTS, hand_network, read_hand, seen
from posestream.training.small_network import Recipe, fit_network

FLAT = np.array([-1.0, 1.0])


def a_hand(rng: np.random.Generator) -> tuple[F64, F64]:
    """Points of something like a left hand: in the picture, and in space."""
    finger = np.repeat(np.arange(5), 4)
    along = np.tile([0.03, 0.06, 0.08, 0.1], 5)
    across = 0.02 * (finger - 2.0)
    points = np.column_stack([across, -along, np.zeros(20)]) + rng.normal(0.0, 0.003, (20, 3))
    xyz = np.vstack([np.zeros(3), points])
    return 1500.0 * xyz[:, :2] + 240.0, xyz


def within_limits(rng: np.random.Generator) -> F64:
    angles = np.empty(NUM_ANGLES)
    angles[:9] = rng.uniform(-0.5, 0.5, 9)
    for number, finger in enumerate(FINGERS[1:]):
        low, high = LIMITS[finger][0].spread
        spread = -rng.uniform(low, high)
        curls = [rng.uniform(*joint.curl) for joint in LIMITS[finger]]
        angles[9 + 4 * number : 13 + 4 * number] = np.radians([curls[0], spread, *curls[1:]])
    return angles


def test_angles_come_back() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        angles = within_limits(rng)
        assert np.abs(angles_of(rotations_of(angles)) - angles).max() < 1e-9


def test_no_joint_leaves_its_limits() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        quat = rotations_of(rng.normal(0.0, 4.0, NUM_ANGLES))
        assert quat.shape == (NUM_FINGER_BONES, 4)
        again = np.degrees(angles_of(quat))
        for number, finger in enumerate(FINGERS[1:]):
            own = again[9 + 4 * number : 13 + 4 * number]
            for value, joint in zip(own[[0, 2, 3]], LIMITS[finger], strict=True):
                assert joint.curl[0] - 1e-6 <= value <= joint.curl[1] + 1e-6
        assert np.degrees(rot.angle_between(quat[:3], rot.IDENTITY)).max() <= 80.0 + 1e-6


def test_a_right_hand_is_a_left_one_in_a_mirror() -> None:
    xy, xyz = a_hand(np.random.default_rng(3))
    left = read_hand(xy, xyz, "left")
    right = read_hand(xy * FLAT, frames.mirror_position(xyz), "right")
    assert np.allclose(frames.mirror_quat(left.finger_xyzw), right.finger_xyzw)
    assert np.allclose(frames.mirror_quat(left.palm_xyzw), right.palm_xyzw)


@pytest.mark.parametrize("roll_deg", [0.0, 35.0, -120.0])
def test_place_size_and_roll_in_the_picture_do_not_matter(roll_deg: float) -> None:
    xy, xyz = a_hand(np.random.default_rng(4))
    roll = rot.from_rotvec(np.array([0.0, 0.0, np.radians(roll_deg)]))
    turned = rot.rotate(roll, np.column_stack([xy, np.zeros(21)]))[:, :2]
    one = seen(xy, xyz, "left")
    other = seen(0.5 * turned + [300.0, -80.0], 2.0 * rot.rotate(roll, xyz) + 1.0, "left")
    assert one.inputs.shape == (NUM_INPUTS,)
    assert np.abs(one.inputs - other.inputs).max() < 1e-9


def test_points_that_coincide_give_no_nan() -> None:
    pose = read_hand(np.zeros((21, 2)), np.zeros((21, 3)), "right")
    assert np.isfinite(pose.finger_xyzw).all()
    assert np.isfinite(pose.palm_xyzw).all()


def test_seen_on_edge_the_points_count_as_they_are() -> None:
    xy, xyz = a_hand(np.random.default_rng(7))
    edge = rot.rotate(rot.from_rotvec(np.array([0.0, np.radians(88.0), 0.0])), xyz)
    pose, plain = read_hand(xy, edge, "left"), solve_hand(edge, "left", 0.7)
    assert np.allclose(pose.finger_xyzw, plain.finger_xyzw)
    assert not np.allclose(
        read_hand(xy, xyz, "left").finger_xyzw, solve_hand(xyz, "left", 0.7).finger_xyzw
    )


def test_the_shipped_network_fits() -> None:
    network = hand_network()
    assert network.w1.shape[0] == NUM_INPUTS
    assert network.w2.shape[1] == NUM_OUTPUTS


@pytest.mark.parametrize("members", [1, 3])
def test_a_small_network_learns_what_no_line_can(members: int) -> None:
    rng = np.random.default_rng(5)
    x = rng.uniform(-1.0, 1.0, (2000, 3)) * [1.0, 50.0, 0.01]
    y = np.column_stack([np.abs(x[:, 0]), x[:, 1] * x[:, 0] / 50.0])
    recipe = Recipe(hidden=24, steps=2500, decay=1e-4, noise=0.0, members=members)
    found = fit_network(x, y, np.ones_like(y), recipe)
    assert found.w1.shape == (3, 24 * members)
    assert np.abs(found(x) - y).mean() < 0.05


def test_rows_without_weight_teach_nothing() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(500, 2))
    y, weight = x[:, :1].copy(), np.ones((500, 1))
    y[250:], weight[250:] = 100.0, 0.0
    found = fit_network(x, y, weight, Recipe(hidden=8, steps=1500, decay=0.0, noise=0.0))
    assert np.abs(found(x[:250]) - y[:250]).mean() < 0.1
