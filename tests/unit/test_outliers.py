"""The outlier gate on scripted people whose limbs are misread on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from posestream import config
from posestream.arrays import F64
from posestream.geometry import rotation as so3
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.joints import JOINT, NUM_JOINTS, swap_sides
from posestream.skeleton.scripted import ScriptedPeople
from posestream.smooth import segments as seg
from posestream.smooth.outliers import OutlierGate
from posestream.smooth.settings import SmoothingSettings
from posestream.types import Tracks, TrackState

FPS = 30.0
CAMERA_M = np.array([0.0, 1.4, 0.0])
HOLD_S, RETURN_DEG_S = 0.07, 440.0  # of thighs
LIMBS = [s for s in seg.SEGMENTS[: seg.LIMBS.stop] if s[0].split("_")[1] != "wrist"]


def tracks_of(joints: F64, ids: list[int] | None = None, state: int = 0) -> Tracks:
    n = len(joints)
    ids_ = np.arange(n) if ids is None else np.array(ids, dtype=np.int64)
    score = np.isfinite(joints).all(axis=-1).astype(np.float64)
    states = np.full(n, state, dtype=np.int64)
    return Tracks(ids_, np.arange(n), states, np.ones(n), joints, score, np.arange(n))


def scene(frames: int, people: int = 2) -> F64:
    scripted = ScriptedPeople(people, 1)
    return np.stack([scripted.joints_world_m(i / FPS) for i in range(frames)])


def gated(joints: F64) -> F64:
    gate = OutlierGate()
    tracks = (tracks_of(frame) for frame in joints)
    return np.stack([gate.apply(t, i / FPS).xyz_world_m for i, t in enumerate(tracks)])


def angle_deg(a: F64, b: F64, segment: tuple[str, str]) -> F64:
    """Between the same segment of two clips (F, N, J, 3): (F, N)."""
    start, end = JOINT[segment[0]], JOINT[segment[1]]
    u, v = (so3.normalize(x[..., end, :] - x[..., start, :]) for x in (a, b))
    return np.asarray(np.degrees(2.0 * np.arcsin(np.clip(so3.norm(u - v) / 2.0, 0.0, 1.0))))


def turn_segment(joints: F64, segment: tuple[str, str], along: F64) -> F64:
    """Joints (N, J, 3) of which person 0's segment points along a unit vector."""
    now, length, _ = seg.directions(joints, np.ones(joints.shape[:2]), 0.0)
    row = seg.SEGMENTS.index(segment)
    change = np.zeros_like(now)
    change[0, row] = (along - now[0, row]) * length[0, row]
    return seg.turned(joints, change)


def sideways(joints: F64, segment: tuple[str, str]) -> F64:
    """A direction at right angles to person 0's segment."""
    along = so3.normalize(joints[0, JOINT[segment[1]]] - joints[0, JOINT[segment[0]]])
    return so3.normalize(so3.cross(along, np.array([0.3, 0.2, 0.9])))


def in_depth(joints: F64, segment: tuple[str, str]) -> F64:
    """Person 0's segment mirrored in depth: it looks the same to the camera."""
    start, end = joints[0, JOINT[segment[0]]], joints[0, JOINT[segment[1]]]
    ray = so3.normalize(0.5 * (start + end) - CAMERA_M)
    along = so3.normalize(end - start)
    return np.asarray(along - 2.0 * (along @ ray) * ray)


def test_off_changes_nothing() -> None:
    joints = scene(20)
    joints[10] = turn_segment(
        joints[10], ("left_hip", "left_knee"), sideways(joints[10], ("left_hip", "left_knee"))
    )
    gate = OutlierGate(enabled=False)
    for i, frame in enumerate(joints):
        tracks = tracks_of(frame)
        assert gate.apply(tracks, i / FPS) is tracks


def test_settings_switch_it() -> None:
    assert SmoothingSettings().gates
    assert not SmoothingSettings(outliers=False).gates
    assert not SmoothingSettings(smoothness=0.0).gates  # raw
    assert not config.load(None, ("smooth.outliers=false",)).smooth.gates


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
def test_exact_people_come_through_untouched(fps: float) -> None:
    scripted, gate = ScriptedPeople(4, 3), OutlierGate()
    for i in range(int(10 * fps)):
        tracks = tracks_of(scripted.joints_world_m(i / fps))
        assert gate.apply(tracks, i / fps) is tracks


def test_motion_capture_comes_through_untouched(shared_data) -> None:  # type: ignore[no-untyped-def]
    changed = frames = 0
    for path in sorted((shared_data / "motions" / "bandai").glob("*.bvh")):
        clip, gate = read_bvh(path), OutlierGate()
        for i, joints in enumerate(clip.body_joints()):
            tracks = tracks_of(joints[None])
            changed += gate.apply(tracks, i / clip.fps) is not tracks
            frames += 1
    assert frames > 4000
    assert changed == 0


@pytest.mark.parametrize("segment", LIMBS)
@pytest.mark.parametrize("frames", [1, 2])
def test_a_short_wild_turn_is_removed(segment: tuple[str, str], frames: int) -> None:
    truth = scene(60)
    seen = truth.copy()
    for i in range(30, 30 + frames):
        seen[i] = turn_segment(truth[i], segment, sideways(truth[i], segment))
    assert angle_deg(seen, truth, segment).max() > 85.0
    out = gated(seen)
    assert angle_deg(out, truth, segment).max() < 20.0
    np.testing.assert_array_equal(out[45:], truth[45:])
    np.testing.assert_array_equal(out[:, 1], truth[:, 1])  # nobody else is touched


@pytest.mark.parametrize("frames", [1, 2])
def test_a_short_flip_in_depth_is_removed(frames: int) -> None:
    segment = ("left_shoulder", "left_elbow")
    truth = scene(60)
    truth[:, 0] = truth[:1, 0]
    lean = so3.normalize(np.array([0.5, -0.5, 0.7]))
    truth = np.stack([turn_segment(frame, segment, lean) for frame in truth])
    seen = truth.copy()
    for i in range(30, 30 + frames):
        seen[i] = turn_segment(truth[i], segment, in_depth(truth[i], segment))
    assert angle_deg(seen, truth, segment).max() > 45.0
    assert angle_deg(gated(seen), truth, segment).max() < 4.0


def test_exchanged_legs_are_exchanged_back() -> None:
    truth = np.repeat(scene(1), 90, axis=0)
    for side, x in (("left", 0.5), ("right", -0.5)):  # a wide stance
        thigh, shank = (f"{side}_hip", f"{side}_knee"), (f"{side}_knee", f"{side}_ankle")
        for segment in (thigh, shank):
            along = so3.normalize(np.array([x, -0.8, 0.1]))
            truth = np.stack([turn_segment(frame, segment, along) for frame in truth])
    seen = truth.copy()
    other = [JOINT[swap_sides(name)] for name in JOINT]
    at = slice(40, 44)
    moved = truth[at, 0][:, other]
    for side in ("left", "right"):
        for name in ("knee", "ankle", "heel", "toe"):
            j, hip = JOINT[f"{side}_{name}"], JOINT[f"{side}_hip"]
            seen[at, 0, j] = moved[:, j] - truth[at, 0, other[hip]] + truth[at, 0, hip]
    legs = [s for s in LIMBS if s[0].split("_")[1] in ("hip", "knee", "ankle")]
    wrong = max(angle_deg(seen, truth, s)[:, 0].max() for s in legs)
    out = gated(seen)
    left = max(angle_deg(out, truth, s)[:, 0].max() for s in legs)
    assert wrong > 40.0
    assert left < 15.0  # the two feet differ, and are within what people do
    np.testing.assert_array_equal(out[60:], truth[60:])


def test_a_lasting_change_is_believed_soon() -> None:
    segment = ("right_hip", "right_knee")
    truth = np.repeat(scene(1), 60, axis=0)
    for i in range(30, 60):
        truth[i] = turn_segment(truth[i], segment, sideways(truth[i], segment))
    left = angle_deg(gated(truth), truth, segment)[:, 0]
    arrived = 30 + int(np.ceil((HOLD_S + 90.0 / RETURN_DEG_S) * FPS)) + 1
    assert left[31] > 85.0
    assert left[30 + round(0.15 * FPS)] < 60.0  # on its way
    assert left[arrived:].max() == 0.0


def test_a_lasting_flip_in_depth_is_believed_in_the_end() -> None:
    segment = ("left_hip", "left_knee")
    truth = np.repeat(scene(1), 90, axis=0)
    lean = so3.normalize(np.array([0.1, -0.6, 0.7]))
    truth = np.stack([turn_segment(frame, segment, lean) for frame in truth])
    for i in range(30, 90):
        truth[i] = turn_segment(truth[i], segment, in_depth(truth[i], segment))
    left = angle_deg(gated(truth), truth, segment)[:, 0]
    arrived = 30 + int(np.ceil((HOLD_S + 120.0 / RETURN_DEG_S) * FPS)) + 1
    assert left[31] > 60.0
    assert left[arrived:].max() == 0.0


def noisy(frames: int, seed: int = 0) -> F64:
    rng = np.random.default_rng(seed)
    joints = scene(frames, 3)
    joints += rng.normal(0.0, 0.02, joints.shape)
    wild = rng.random(joints.shape[:3]) < 0.01
    return np.asarray(joints + wild[..., None] * rng.normal(0.0, 0.5, joints.shape))


def test_limbs_keep_their_lengths_unless_exchanged() -> None:
    joints, gate = noisy(200), OutlierGate()
    changed = 0
    for i, frame in enumerate(joints):
        tracks = tracks_of(frame)
        out = gate.apply(tracks, i / FPS)
        changed += out is not tracks
        sizes = [seg.directions(x, tracks.score, 0.3)[1] for x in (frame, out.xyz_world_m)]
        before, after = (np.sort(s[:, seg.LIMBS].reshape(3, 6, 2), axis=-1) for s in sizes)
        np.testing.assert_allclose(after, before, atol=1e-9)
    assert changed > 50


def test_turning_the_world_turns_the_result() -> None:
    joints = noisy(120)
    yaw = so3.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.array(1.1))
    out = gated(joints)
    turned = gated(so3.rotate(yaw, joints))
    assert np.abs(out - joints).max() > 0.1
    np.testing.assert_allclose(turned, so3.rotate(yaw, out), atol=1e-6)


def test_the_order_of_people_does_not_matter() -> None:
    joints = noisy(100)
    plain, mixed = OutlierGate(), OutlierGate()
    rng = np.random.default_rng(5)
    for i, frame in enumerate(joints):
        order = rng.permutation(3)
        a = plain.apply(tracks_of(frame), i / FPS).xyz_world_m
        b = mixed.apply(tracks_of(frame[order], order.tolist()), i / FPS).xyz_world_m
        np.testing.assert_allclose(b, a[order], atol=1e-9)


def test_people_come_and_go() -> None:
    gate, joints = OutlierGate(), scene(1, 2)[0]
    other = joints[:, ::-1].copy()  # a pose as different as can be
    assert len(gate.apply(tracks_of(joints[:0]), 0.0)) == 0
    gate.apply(tracks_of(joints, [3, 4]), 0.1)
    new = tracks_of(np.stack([joints[1], other[0]]), [4, 9])
    assert gate.apply(new, 0.13) is new  # nothing passes from 3 to 9
    gate.apply(tracks_of(joints[:0]), 0.16)
    back = tracks_of(other[:1], [4])
    assert gate.apply(back, 0.2) is back  # who left is forgotten


def test_after_a_gap_or_a_step_back_in_time_everything_is_believed() -> None:
    gate, joints = OutlierGate(), scene(1, 1)[0]
    other = tracks_of(joints[:, ::-1].copy())
    gate.apply(tracks_of(joints), 1.0)
    assert gate.apply(other, 1.5) is other
    again = tracks_of(joints)
    assert gate.apply(again, 0.2) is again


def test_held_people_are_left_alone() -> None:
    gate, joints = OutlierGate(), scene(1, 1)[0]
    gate.apply(tracks_of(joints), 0.0)
    held = tracks_of(joints[:, ::-1].copy(), state=TrackState.HELD)
    np.testing.assert_array_equal(gate.apply(held, 1 / FPS).xyz_world_m, held.xyz_world_m)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_damaged_joints_do_no_harm(bad: float) -> None:
    rng = np.random.default_rng(2)
    joints, gate = noisy(90), OutlierGate()
    for i, frame in enumerate(joints):
        damaged = rng.random(frame.shape[:2]) < 0.1
        tracks = tracks_of(np.where(damaged[..., None], bad, frame))
        out = gate.apply(tracks, i / FPS)
        assert out.xyz_world_m.shape == (3, NUM_JOINTS, 3)
        shown = out.score >= 0.3
        assert np.isfinite(
            out.xyz_world_m[shown & (np.abs(frame).max(axis=-1) < 10) & ~damaged]
        ).all()
