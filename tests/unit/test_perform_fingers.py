"""Finger rotations from points of hands that are posed with known angles."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.marks import Side
from posestream.perform.fingers import (
    FINGERS,
    LIMITS,
    NUM_FINGER_BONES,
    PHALANGES,
    solve_hand,
)
from posestream.skeleton.humanoid import BONE, REST_OFFSET_M

BONES = [BONE[f"Left{finger}{phalanx}"] for finger in FINGERS for phalanx in PHALANGES]
CURL = np.array([0.0, 0.0, -1.0])
UP = np.array([0.0, 1.0, 0.0])
SIDES: list[Side] = ["left", "right"]


def points_of(local: F64, palm: F64) -> F64:
    """(21, 3) of a left hand with local finger rotations (15, 4)."""
    points = np.zeros((21, 3))
    for finger in range(5):
        place, world = np.zeros(3), palm
        for joint in range(3):
            row = 3 * finger + joint
            place = place + rot.rotate(world, REST_OFFSET_M[BONES[row]])
            points[4 * finger + joint + 1] = place
            world = rot.multiply(world, local[row])
        tip = REST_OFFSET_M[BONES[3 * finger + 2]]
        points[4 * finger + 4] = place + rot.rotate(world, 0.8 * tip)
    return points


def curled(spread_deg: float, curls_deg: tuple[float, float, float]) -> F64:
    """(3, 4) of one finger."""
    local = rot.from_axis_angle(CURL, np.radians(np.array(curls_deg)))
    local[0] = rot.multiply(rot.from_axis_angle(UP, np.radians(-spread_deg)), local[0])
    return local


def random_hand(rng: np.random.Generator) -> F64:
    """(15, 4) within the limits, not so curled that the spread is out of sight."""
    local = rot.identity(NUM_FINGER_BONES)
    for number, finger in enumerate(FINGERS[1:], start=1):
        low, high = LIMITS[finger][0].spread
        curls = rng.uniform(0.0, (50.0, 100.0, 80.0))
        local[3 * number : 3 * number + 3] = curled(rng.uniform(low, high), tuple(curls))
    return local


def seen(points: F64, side: Side) -> F64:
    return points if side == "left" else frames.mirror_position(points)


def expected(local: F64, side: Side) -> F64:
    return local if side == "left" else frames.mirror_quat(local)


@pytest.mark.parametrize("side", SIDES)
def test_known_fingers_are_found_again_however_the_hand_is_held(side: Side) -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        local, palm = random_hand(rng), rot.normalize(rng.normal(size=4))
        pose = solve_hand(seen(points_of(local, palm), side), side)
        error = np.degrees(rot.angle_between(pose.finger_xyzw, expected(local, side)))
        assert error[3:].max() < 0.01
        assert np.degrees(rot.angle_between(pose.palm_xyzw, expected(palm, side))) < 1e-4


def test_a_flat_hand_is_the_t_pose() -> None:
    rest = points_of(rot.identity(NUM_FINGER_BONES), rot.IDENTITY)
    for side in SIDES:
        pose = solve_hand(seen(rest, side), side)
        assert np.degrees(rot.angle_between(pose.finger_xyzw, rot.IDENTITY)).max() < 0.01


def test_size_and_place_of_the_hand_do_not_matter() -> None:
    local = random_hand(np.random.default_rng(5))
    points = points_of(local, rot.IDENTITY)
    a, b = solve_hand(points, "left"), solve_hand(3.0 * points + [0.3, -1.0, 2.0], "left")
    assert rot.angle_between(a.finger_xyzw, b.finger_xyzw).max() < 1e-6


def thumb_of(points: F64) -> F64:
    """World directions (3, 3) of the thumb's bones."""
    return rot.normalize(np.diff(points[1:5], axis=0))


@pytest.mark.parametrize("side", SIDES)
def test_thumbs_point_where_they_are_seen_whatever_their_bend(side: Side) -> None:
    """Any thumb within its joints' reach: the bones' directions are met, to a few degrees."""
    rng = np.random.default_rng(7)
    errors = []
    for _ in range(300):
        local = random_hand(rng)
        local[0] = rot.from_rotvec(rng.uniform(-0.45, 0.45, 3))
        local[1] = rot.from_axis_angle(thumb_curl(), np.radians(rng.uniform(0.0, 50.0)))
        local[2] = rot.from_axis_angle(thumb_curl(), np.radians(rng.uniform(0.0, 70.0)))
        points = points_of(local, rot.IDENTITY)
        pose = solve_hand(seen(points, side), side)
        again = points_of(expected(pose.finger_xyzw, side), rot.IDENTITY)
        cosine = rot.dot(thumb_of(points), thumb_of(again))
        errors.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    assert np.median(errors) < 1.0
    assert np.percentile(errors, 95) < 6.0


def thumb_curl() -> F64:
    """About which a thumb at rest bends: across itself, half downwards, half to the fingers."""
    along = rot.normalize(np.array([0.03, 0.0, 0.02]))
    pulp = rot.normalize(np.array([0.0, -1.0, 0.0]) + rot.cross(UP, along))
    return rot.cross(along, pulp)


def test_a_bent_thumb_keeps_the_plane_of_its_bend() -> None:
    """Rolled and bent: the roll comes back, so that the nail looks where it should."""
    for roll_deg in (-20.0, 0.0, 20.0, 45.0):
        along = rot.normalize(np.array([0.03, 0.0, 0.02]))
        local = rot.identity(NUM_FINGER_BONES)
        local[0] = rot.from_axis_angle(along, np.radians(roll_deg))
        local[1] = rot.from_axis_angle(thumb_curl(), np.radians(40.0))
        local[2] = rot.from_axis_angle(thumb_curl(), np.radians(45.0))
        pose = solve_hand(points_of(local, rot.IDENTITY), "left")
        assert np.degrees(rot.angle_between(pose.finger_xyzw[0], local[0])) < 8.0


def test_a_hand_that_no_human_has_stays_within_the_limits() -> None:
    rng = np.random.default_rng(11)
    for _ in range(300):
        pose = solve_hand(rng.normal(size=(21, 3)), "left")
        assert np.isfinite(pose.finger_xyzw).all()
        for number, finger in enumerate(FINGERS[1:], start=1):
            for joint in range(3):
                q = pose.finger_xyzw[3 * number + joint]
                spread = np.degrees(rot.twist_angle(q, UP))
                low, high = LIMITS[finger][joint].spread
                assert -high - 0.01 <= spread <= -low + 0.01 or abs(q[2]) > 0.1
                reach = np.hypot(max(map(abs, LIMITS[finger][joint].curl)), max(high, -low))
                assert np.degrees(rot.angle_between(q, rot.IDENTITY)) <= reach + 0.1


def test_points_that_coincide_give_no_nan() -> None:
    pose = solve_hand(np.zeros((21, 3)), "right")
    assert np.isfinite(pose.finger_xyzw).all()
    assert np.isfinite(pose.palm_xyzw).all()
