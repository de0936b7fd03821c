"""Floor and tilt learnt from walkers before tilted cameras, with noise in 2D and 3D."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.geometry import rigid
from posestream.geometry.camera import intrinsics_from_fov, project
from posestream.locate.floor import FloorEstimator, FloorSettings, camera_pose, up_from_tilt
from posestream.locate.geometric import locate
from posestream.skeleton.joints import JOINT, NUM_JOINTS
from posestream.types import Camera, People2D, PeopleRoot, level_camera_pose

SIZE_PX = (1280, 720)
K_PX = intrinsics_from_fov(SIZE_PX, 80.0)
FPS = 30


def person(hip_m, thigh_deg=(0.0, 0.0), knee_deg=(0.0, 0.0), lean_deg=0.0):
    """(J, 3) world joints about the point under the hips, facing +Z; 1.7 m tall if upright."""
    xyz = np.full((NUM_JOINTS, 3), np.nan)

    def put(name, *at):
        xyz[JOINT[name]] = at

    def turned(length, degrees):
        a = np.radians(degrees)
        return np.array([0.0, -length * np.cos(a), length * np.sin(a)])

    lean = np.radians(lean_deg)
    up = np.array([0.0, np.cos(lean), np.sin(lean)])
    pelvis = np.array([0.0, hip_m, 0.0])
    put("pelvis", *pelvis)
    put("spine", *(pelvis + 0.25 * up))
    put("neck", *(pelvis + 0.5 * up))
    put("head", *(pelvis + 0.68 * up))
    put("nose", *(pelvis + 0.68 * up + (0, 0, 0.1)))
    for side, sign, i in (("left", 1.0, 0), ("right", -1.0, 1)):
        x = np.array([sign, 0.0, 0.0])
        put(f"{side}_shoulder", *(pelvis + 0.5 * up + 0.18 * x))
        put(f"{side}_elbow", *(pelvis + 0.24 * up + 0.22 * x))
        put(f"{side}_wrist", *(pelvis + 0.0 * up + 0.24 * x))
        hip = pelvis + 0.1 * x
        knee = hip + turned(0.42, thigh_deg[i])
        ankle = knee + turned(0.42, thigh_deg[i] - knee_deg[i])
        put(f"{side}_hip", *hip)
        put(f"{side}_knee", *knee)
        put(f"{side}_ankle", *ankle)
        put(f"{side}_heel", *(ankle + np.array([0, -0.065, -0.05])))
        put(f"{side}_toe", *(ankle + np.array([0, -0.065, 0.14])))
    return xyz


def walker(t_s, phase=0.0):
    """A walking person whose lower foot touches the floor, 3 to 6 m before the camera."""
    swing = np.sin(2.0 * np.pi * 0.9 * t_s + phase)
    bend = 25.0 * np.array([max(0.0, np.cos(2 * np.pi * 0.9 * t_s + phase)), 0.0])
    xyz = person(1.0, (22.0 * swing, -22.0 * swing), bend, lean_deg=3.0)
    xyz[:, 1] -= np.nanmin(xyz[:, 1]) - 0.02
    heading = 0.8 * t_s + phase
    c, s = np.cos(heading), np.sin(heading)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    place = np.array([1.2 * np.sin(0.5 * t_s + phase), 0.0, -4.5 + 1.5 * np.cos(0.5 * t_s + phase)])
    return xyz @ turn.T + place


def sitter(_t_s, _phase=0.0):
    """Seated on a chair 0.45 m high, feet on the floor."""
    xyz = person(0.5, (88.0, 88.0), (88.0, 88.0))
    xyz[:, 1] -= np.nanmin(xyz[:, 1]) - 0.02
    return xyz + np.array([0.0, 0.0, -3.0])


def lying(_t_s, _phase=0.0):
    """Stretched out on the floor, across the view."""
    upright = person(0.95)
    return np.column_stack([upright[:, 1] - 1.0, 0.15 + upright[:, 0], upright[:, 2] - 4.0])


def seen(bodies_world, T_world_cam, rng, noise_m=0.03, noise_px=2.0, unseen=()):
    """What the chain delivers for these people: located from noisy 2D and noisy 3D."""
    camera = Camera(K_PX, SIZE_PX)
    xyz_cam = rigid.apply(rigid.inverse(T_world_cam), np.stack(bodies_world))
    xy_px = project(xyz_cam, K_PX) + rng.normal(0.0, noise_px, (*xyz_cam.shape[:2], 2))
    root = xyz_cam[:, JOINT["pelvis"], None]
    xyz_root = xyz_cam - root + rng.normal(0.0, noise_m, xyz_cam.shape)
    score = np.where(np.isfinite(xy_px[..., 0]), 0.95, 0.0)
    for name in unseen:
        score[:, JOINT[name]] = 0.1
    return locate(People2D(xy_px, score, np.ones(len(xy_px))), PeopleRoot(xyz_root), camera)


def tilted_pose(pitch_deg, roll_deg, height_m):
    return camera_pose(up_from_tilt(np.radians(pitch_deg), np.radians(roll_deg)), height_m)


def run(floor, T_true, seconds, cast=(walker,), start_s=0.0, seed=0, **noise):
    """Feed the estimator; how often it asked to announce the camera."""
    rng, announced = np.random.default_rng(seed), 0
    for i in range(int(seconds * FPS)):
        t_s = start_s + i / FPS
        bodies = [member(t_s, 2.0 * n) for n, member in enumerate(cast)]
        announced += floor.update(seen(bodies, T_true, rng, **noise), t_s)
    return announced


def tilt_error_deg(floor, T_true):
    return np.degrees(np.arccos(np.clip(floor.T_world_cam[1, :3] @ T_true[1, :3], -1.0, 1.0)))


@pytest.mark.parametrize("pitch", [-20.0, 0.0, 20.0])
@pytest.mark.parametrize("roll", [-15.0, 0.0, 20.0])
@pytest.mark.parametrize("height", [0.8, 1.6])
def test_three_seconds_of_walking_give_tilt_and_height(pitch, roll, height):
    T_true = tilted_pose(pitch, roll, height)
    floor = FloorEstimator()
    assert not floor.settled
    run(floor, T_true, 3.0)
    assert floor.settled
    assert tilt_error_deg(floor, T_true) < 2.0
    assert floor.height_m == pytest.approx(height, rel=0.05)
    assert floor.pitch_deg == pytest.approx(pitch, abs=2.0)
    assert floor.roll_deg == pytest.approx(roll, abs=2.0)


def test_two_walkers_and_half_a_minute_do_no_worse():
    T_true = tilted_pose(-15.0, 5.0, 2.0)
    floor = FloorEstimator()
    run(floor, T_true, 30.0, cast=(walker, walker))
    assert tilt_error_deg(floor, T_true) < 1.0
    assert floor.height_m == pytest.approx(2.0, rel=0.02)


def test_the_pose_of_a_level_camera_is_that_of_the_design():
    floor = FloorEstimator(FloorSettings(initial_height_m=1.37))
    np.testing.assert_allclose(floor.T_world_cam, level_camera_pose(1.37), atol=1e-12)


def test_the_signs_of_pitch_and_roll():
    down = tilted_pose(-30.0, 0.0, 2.0)
    assert rigid.apply_direction(down, np.array([0.0, 0.0, 1.0]))[1] == pytest.approx(-0.5)
    clockwise = tilted_pose(0.0, 30.0, 2.0)
    assert rigid.apply_direction(clockwise, np.array([1.0, 0.0, 0.0]))[1] == pytest.approx(-0.5)
    assert np.linalg.det(tilted_pose(-30.0, 20.0, 1.0)[:3, :3]) == pytest.approx(1.0)


def test_people_who_lie_teach_nothing():
    floor = FloorEstimator()
    assert run(floor, level_camera_pose(1.1), 5.0, cast=(lying,)) == 0
    assert not floor.settled
    np.testing.assert_array_equal(floor.T_world_cam, level_camera_pose(1.2))


@pytest.mark.parametrize("cast", [(sitter,), (sitter, sitter)])
@pytest.mark.parametrize("height_m", [0.7, 1.6])
def test_until_somebody_stands_the_floor_is_guessed_under_sitters_feet(cast, height_m):
    floor = FloorEstimator()
    assert run(floor, level_camera_pose(height_m), 5.0, cast=cast) >= 1
    assert not floor.settled
    assert floor.height_m == pytest.approx(height_m, abs=0.1)
    np.testing.assert_array_equal(floor.T_world_cam[:3, :3], level_camera_pose(1.0)[:3, :3])


def test_sitting_down_neither_sinks_nor_tilts_the_floor():
    T_true = tilted_pose(-10.0, 0.0, 1.4)
    floor = FloorEstimator()
    run(floor, T_true, 4.0)
    run(floor, T_true, 10.0, cast=(sitter,), start_s=4.0)
    assert floor.height_m == pytest.approx(1.4, abs=0.06)
    assert tilt_error_deg(floor, T_true) < 1.5


def test_nobody_holds_the_last_value():
    floor = FloorEstimator()
    run(floor, level_camera_pose(1.5), 3.0)
    before = floor.T_world_cam
    nobody = locate(
        People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0)),
        PeopleRoot(np.zeros((0, NUM_JOINTS, 3))),
        Camera(K_PX, SIZE_PX),
    )
    assert not floor.update(nobody, 100.0)
    np.testing.assert_array_equal(floor.T_world_cam, before)


def test_feet_out_of_the_picture_teach_nothing():
    feet = [f"{s}_{p}" for s in ("left", "right") for p in ("ankle", "heel", "toe")]
    floor = FloorEstimator()
    run(floor, level_camera_pose(1.5), 2.0, unseen=feet)
    assert not floor.settled


def test_a_jumper_among_walkers_does_not_raise_the_floor():
    def jumper(t_s, phase=0.0):
        return walker(t_s, phase) + np.array([0.0, 0.4 * abs(np.sin(5.0 * t_s)) ** 4, 0.0])

    floor = FloorEstimator()
    run(floor, level_camera_pose(1.5), 6.0, cast=(walker, jumper))
    assert floor.height_m == pytest.approx(1.5, rel=0.05)


def test_fixed_values_are_kept_exactly_and_the_rest_is_learnt():
    T_true = tilted_pose(-12.0, 4.0, 1.8)
    floor = FloorEstimator(FloorSettings(camera_height_m=1.7, camera_roll_deg=3.0))
    run(floor, T_true, 5.0)
    assert floor.height_m == 1.7
    assert floor.roll_deg == pytest.approx(3.0, abs=1e-9)
    assert floor.pitch_deg == pytest.approx(-12.0, abs=3.0)


def test_all_fixed_needs_nobody():
    settings = FloorSettings(camera_height_m=2, camera_pitch_deg=-20, camera_roll_deg=0)
    floor = FloorEstimator(settings)
    assert floor.settled
    assert run(floor, level_camera_pose(1.0), 2.0) == 0
    np.testing.assert_allclose(floor.T_world_cam, tilted_pose(-20.0, 0.0, 2.0), atol=1e-12)


def test_a_moved_camera_is_learnt_anew_and_announced():
    floor = FloorEstimator()
    assert run(floor, level_camera_pose(1.5), 4.0) > 0
    moved = tilted_pose(-12.0, 0.0, 1.7)
    assert run(floor, moved, 45.0, start_s=4.0) > 0
    assert tilt_error_deg(floor, moved) < 2.0
    assert floor.height_m == pytest.approx(1.7, rel=0.05)


def test_a_settled_floor_is_rarely_announced():
    floor = FloorEstimator()
    T_true = level_camera_pose(1.5)
    run(floor, T_true, 10.0)
    assert run(floor, T_true, 20.0, start_s=10.0, seed=1) <= 3
