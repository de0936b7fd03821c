"""Feet on the floor: who stands stays put, who jumps, sits, kneels or lies is left alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.ground.legs import Body, body_of, legs_of, reach, with_legs
from posestream.ground.settings import GroundSettings
from posestream.ground.stage import Grounder
from posestream.retarget.rest import rest_pose
from posestream.skeleton.humanoid import BONE, NUM_BONES, REST_HIP_HEIGHT_M, REST_OFFSET_M
from posestream.skeleton.kinematics import positions, world_rotations

FPS = 30.0
CAMERA_M = np.array([0.0, 1.4, 4.0])
FEET = [BONE["LeftFoot"], BONE["RightFoot"]]
TOES = [BONE["LeftToes"], BONE["RightToes"]]
KNEES = [BONE["LeftLowerLeg"], BONE["RightLowerLeg"]]
OFFSET_M = REST_OFFSET_M[None]
BODY = body_of(OFFSET_M, np.array([REST_HIP_HEIGHT_M]))
SEEN = np.ones((1, 2), dtype=np.bool_)
ONE = np.zeros(1, dtype=np.int64)


def turned(**degrees: tuple[float, float, float]) -> F64:
    """(B, 4): standing, with these bones turned."""
    local = rest_pose(seated=False)
    for bone, turn in degrees.items():
        local[BONE[bone]] = rot.from_rotvec(np.radians(turn))
    return local


def places(root_m: F64, local: F64) -> F64:
    """(..., B, 3)."""
    return positions(root_m, world_rotations(local), REST_OFFSET_M)


@dataclass
class Shown:
    """A clip as it comes out: bones' places (T, B, 3), local rotations, who stood."""

    place_m: F64
    local: F64
    stood: F64  # (T, 2)

    @property
    def ankles_m(self) -> F64:
        return self.place_m[:, FEET]

    def slide_mm(self) -> F64:
        """(T - 1, 2) horizontal, frame to frame."""
        steps = np.diff(self.ankles_m[..., [0, 2]], axis=0)
        return 1e3 * np.linalg.norm(steps, axis=-1)


def play(
    root_m: F64, local: F64, feet: str = "locked", known: F64 | None = None, fps: float = FPS
) -> Shown:
    """One person's clip: roots (T, 3), local rotations (T, B, 4) or (B, 4)."""
    grounder = Grounder(GroundSettings(feet=feet))  # type: ignore[arg-type]
    local = np.broadcast_to(local, (len(root_m), NUM_BONES, 4))
    outs, stood = [], []
    for i, (root, pose) in enumerate(zip(root_m, local, strict=True)):
        seen = SEEN if known is None else known[i][None]
        outs.append(
            grounder.apply(ONE, i / fps, root[None], pose[None].copy(), BODY, seen, CAMERA_M)
        )
        stood.append(grounder.standing[0] if len(grounder.standing) else [False, False])
    roots, locals_ = (np.concatenate(column) for column in zip(*outs, strict=True))
    return Shown(places(roots, locals_), locals_, np.array(stood))


def standing_at(seconds: float, height_m: float = REST_HIP_HEIGHT_M) -> F64:
    return np.tile([0.0, height_m, 0.0], (round(seconds * FPS), 1))


def depth_noise(frames: int, std_m: float, seed: int = 0) -> F64:
    """(T, 3) along the line of sight, correlated over a third of a second."""
    rng, out, value = np.random.default_rng(seed), np.zeros((frames, 3)), 0.0
    keep = np.exp(-1.0 / (0.3 * FPS))
    ray = np.array([0.0, 0.9, 0.0]) - CAMERA_M
    for i in range(frames):
        value = keep * value + np.sqrt(1.0 - keep**2) * rng.normal(0.0, std_m)
        out[i] = value * ray / np.linalg.norm(ray)
    return out


def test_who_stands_does_not_slide_though_the_distance_flickers() -> None:
    root = standing_at(6.0) + depth_noise(180, 0.08)
    still, loose = play(root, turned()), play(root, turned(), feet="off")
    assert loose.slide_mm()[60:].mean() > 10.0
    assert still.slide_mm()[60:].mean() < 1.0
    assert still.stood[60:].all()
    assert np.abs(still.ankles_m[60:, :, 1] - BODY.ankle_m[0]).max() < 0.01


def test_soft_feet_follow_slowly_and_slide_less_than_free_ones() -> None:
    root = standing_at(6.0) + depth_noise(180, 0.05)
    locked, soft, off = (
        play(root, turned(), feet=feet).slide_mm()[60:].mean() for feet in ("locked", "soft", "off")
    )
    assert locked < 0.5 * soft < 0.5 * off


@pytest.mark.parametrize("off_m", [0.3, 0.1, -0.1, -0.3])
def test_who_stands_above_or_in_the_floor_is_put_on_it_at_once(off_m: float) -> None:
    shown = play(standing_at(1.0, REST_HIP_HEIGHT_M + off_m), turned())
    assert np.abs(shown.ankles_m[..., 1] - BODY.ankle_m[0]).max() < 0.01
    assert shown.place_m[:, 0, 1] == pytest.approx(REST_HIP_HEIGHT_M, abs=0.01)


def test_a_floor_that_is_learnt_meanwhile_moves_nobody_suddenly() -> None:
    height = REST_HIP_HEIGHT_M + np.interp(np.arange(120) / FPS, [1.0, 2.0], [0.0, 0.25])
    root = np.column_stack([np.zeros(120), height, np.zeros(120)])
    shown = play(root, turned())
    assert np.abs(np.diff(shown.place_m[:, 0, 1])).max() < 0.02
    assert np.abs(shown.ankles_m[:, :, 1] - BODY.ankle_m[0]).max() < 0.03


@pytest.mark.parametrize("rise_m", [0.1, 0.15, 0.45])
def test_a_jump_keeps_its_height(rise_m: float) -> None:
    flight_s = 2.0 * np.sqrt(2.0 * rise_m / 9.81)
    t = np.arange(round(3.0 * FPS)) / FPS - 1.5
    height = np.maximum(rise_m * (1.0 - (2.0 * t / flight_s) ** 2), 0.0)
    root = standing_at(3.0) + height[:, None] * (0.0, 1.0, 0.0)
    shown = play(root, turned())
    top = shown.ankles_m[..., 1].max() - BODY.ankle_m[0]
    assert top > 0.85 * height.max()
    assert shown.ankles_m[-15:, :, 1] == pytest.approx(BODY.ankle_m[0], abs=0.01)


SEATED = {
    "LeftUpperLeg": (-90.0, 0.0, 5.0), "RightUpperLeg": (-90.0, 0.0, -5.0),
    "LeftLowerLeg": (85.0, 0.0, 0.0), "RightLowerLeg": (85.0, 0.0, 0.0),
}  # fmt: skip
KNEELING = {"LeftLowerLeg": (95.0, 0.0, 0.0), "RightLowerLeg": (95.0, 0.0, 0.0)}
LYING = {"Hips": (-90.0, 0.0, 0.0)}


@pytest.mark.parametrize(
    ("pose", "hips_m"), [(SEATED, 1.0), (KNEELING, 0.60), (LYING, 0.55), (LYING, 0.15)]
)
def test_who_does_not_stand_is_not_pulled_down(
    pose: dict[str, tuple[float, float, float]], hips_m: float
) -> None:
    """On a high stool with dangling feet, on the knees, on a bed, on the floor."""
    root = np.tile([0.0, hips_m, 0.0], (120, 1))
    shown = play(root, turned(**pose))
    assert shown.place_m[-1, 0, 1] == pytest.approx(hips_m, abs=0.06)
    legs = shown.place_m[-1, FEET + TOES + KNEES, 1]
    assert legs.min() > -0.001


def test_getting_up_from_a_chair_ends_on_the_floor_without_a_jump() -> None:
    share = np.interp(np.arange(150) / FPS, [1.5, 2.5], [1.0, 0.0])
    local = np.stack(
        [turned(**{k: tuple(s * np.array(v)) for k, v in SEATED.items()}) for s in share]
    )
    root = np.column_stack([np.zeros(150), 0.52 + 0.40 * (1.0 - share), np.zeros(150)])
    shown = play(root, local)
    assert np.linalg.norm(np.diff(shown.place_m[:, 0], axis=0), axis=-1).max() < 0.06
    assert shown.ankles_m[-1, :, 1] == pytest.approx(BODY.ankle_m[0], abs=0.01)


def test_nothing_of_a_foot_is_ever_in_the_ground() -> None:
    rng = np.random.default_rng(4)
    for seed in range(40):
        bones = ("LeftUpperLeg", "RightUpperLeg", "LeftLowerLeg", "RightLowerLeg", "LeftFoot")
        pose = turned(**{b: tuple(rng.uniform(-30.0, 40.0, 3) * (1.0, 0.2, 0.2)) for b in bones})
        root = standing_at(1.0, rng.uniform(0.5, 1.1)) + depth_noise(30, 0.1, seed)
        place = play(root, pose).place_m[6:]
        assert place[:, FEET, 1].min() > 0.03
        assert place[:, TOES, 1].min() > -0.005  # of joints 2 cm above their soles


def test_a_foot_that_is_misread_for_a_moment_is_held_while_the_hips_rest() -> None:
    """Both knees turn inwards by as much as an estimate jumps when it takes one leg for another."""
    frames = np.arange(180)
    wrong = (frames >= 90) & (frames < 96)
    jumps = np.where(wrong, 12.0, 0.0) + np.where(frames >= 130, 2.0, 0.0)
    local = np.stack([turned(LeftUpperLeg=(0.0, 0.0, d), RightUpperLeg=(0.0, 0.0, d))
                      for d in jumps])  # fmt: skip
    shown, loose = (play(standing_at(6.0), local, feet=feet) for feet in ("locked", "off"))
    assert loose.slide_mm()[85:].max() > 150.0
    assert shown.stood[30:].all()
    assert shown.slide_mm()[30:].max() < 5.0


def test_a_foot_that_leaves_for_good_is_let_go_though_the_hips_rest() -> None:
    share = np.clip((np.arange(120) - 60) / 6.0, 0.0, 1.0)
    local = np.stack([turned(LeftUpperLeg=(0.0, 0.0, 25.0 * s)) for s in share])
    shown = play(standing_at(4.0), local)
    wanted = places(standing_at(4.0), local)[:, FEET]
    assert shown.stood[50:60].all()
    assert shown.ankles_m[-1, 0, 0] == pytest.approx(wanted[-1, 0, 0], abs=0.03)
    assert shown.ankles_m[80, 0, 0] == pytest.approx(wanted[80, 0, 0], abs=0.15)


def test_feet_that_are_seen_badly_shake_neither_hips_nor_knees() -> None:
    """Legs on their own err by some 5 cm, and one foot is taken for the other for three frames."""
    rng, frames = np.random.default_rng(7), 300
    noise = np.zeros((frames, 2, 3))
    for i in range(1, frames):
        noise[i] = 0.8 * noise[i - 1] + rng.normal(0.0, 2.0, (2, 3))
    noise[200:203] += (0.0, 0.0, 20.0), (0.0, 0.0, -20.0)
    noise[..., 0] -= 12.0
    local = np.stack([
        turned(
            LeftUpperLeg=left, LeftLowerLeg=(24.0, 0.0, 0.0),
            RightUpperLeg=right, RightLowerLeg=(24.0, 0.0, 0.0),
        )
        for left, right in noise.tolist()
    ])  # fmt: skip
    loose, shown = (play(standing_at(10.0, 0.9), local, feet=feet) for feet in ("off", "locked"))
    assert np.diff(loose.ankles_m[60:, :, 0], axis=0).std() > 0.015
    assert np.diff(shown.place_m[60:, 0], axis=0).std(axis=0).max() < 0.004
    assert np.ptp(shown.place_m[60:, 0], axis=0).max() < 0.08
    knees = np.degrees(rot.norm(rot.to_rotvec(shown.local[60:, KNEES])))
    assert np.abs(np.diff(knees, axis=0)).max() < 10.0
    assert np.median(shown.slide_mm()[60:]) < 1.0


@pytest.mark.parametrize("way", [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)])
def test_who_rolls_along_in_a_chair_is_not_left_behind(way: tuple[float, float, float]) -> None:
    """Hips and feet that move alike look like an error of distance, but not for ever."""
    gone = np.interp(np.arange(240) / FPS, [2.0, 6.0], [0.0, 2.0])
    root = standing_at(8.0) + gone[:, None] * way
    off = np.linalg.norm((play(root, turned()).place_m[:, 0] - root)[:, [0, 2]], axis=-1)
    assert off.max() < 0.7


def test_hidden_feet_are_not_held() -> None:
    root = standing_at(2.0) + np.linspace(0.0, 1.0, 60)[:, None] * (0.05, 0.0, 0.0)
    shown = play(root, turned(), known=np.zeros((60, 2), dtype=np.bool_))
    assert not shown.stood.any()
    assert shown.ankles_m[-1, 0, 0] - shown.ankles_m[0, 0, 0] == pytest.approx(0.05, abs=0.005)


def stepping(seconds: float) -> tuple[F64, F64]:
    """Marching on the spot: each leg is lifted in turn."""
    t = np.arange(round(seconds * FPS)) / FPS
    lift = np.maximum(np.stack([np.sin(2 * np.pi * t), -np.sin(2 * np.pi * t)]), 0.0) ** 2
    local = np.stack([
        turned(
            LeftUpperLeg=(-50.0 * a, 0.0, 0.0), LeftLowerLeg=(80.0 * a, 0.0, 0.0),
            RightUpperLeg=(-50.0 * b, 0.0, 0.0), RightLowerLeg=(80.0 * b, 0.0, 0.0),
        )
        for a, b in lift.T
    ])  # fmt: skip
    return standing_at(seconds), local


def test_the_standing_foot_stays_while_the_other_steps_and_nothing_pops() -> None:
    root, local = stepping(6.0)
    shown = play(root + depth_noise(180, 0.05, 2), local)
    both = shown.stood[1:] & shown.stood[:-1]
    assert both[60:].mean() > 0.4
    assert shown.slide_mm()[60:][both[60:]].mean() < 2.0
    knees = np.degrees(rot.norm(rot.to_rotvec(shown.local[:, KNEES])))
    wanted = np.degrees(rot.norm(rot.to_rotvec(local[:, KNEES])))
    assert np.abs(np.diff(knees, axis=0)).max() < np.abs(np.diff(wanted, axis=0)).max() + 16.0


def test_nobody_owes_anything_to_others_and_rows_may_change_places() -> None:
    root = np.stack([standing_at(1.0) + depth_noise(30, 0.05, s) for s in (1, 2)], axis=1)
    alone, both = Grounder(), Grounder()
    pair = Body(*(np.repeat(column, 2, axis=0) for column in BODY))
    for i in range(30):
        one, _ = alone.apply(ONE + 7, i / FPS, root[i, :1], turned()[None], BODY, SEEN, CAMERA_M)
        order = [0, 1] if i < 12 else [1, 0]
        ids = np.array([7, 9])[order]
        local = np.stack([turned(), turned()])
        two, _ = both.apply(
            ids, i / FPS, root[i, order], local, pair, np.ones((2, 2), bool), CAMERA_M
        )
        assert two[order.index(0)] == pytest.approx(one[0], abs=1e-12)


def test_off_changes_nothing_at_all() -> None:
    root, local = standing_at(0.1, 1.3)[:1], turned()[None]
    out = Grounder(GroundSettings(feet="off")).apply(ONE, 0.0, root, local, BODY, SEEN, CAMERA_M)
    assert out[0] is root and out[1] is local


def test_levels_change_live_without_a_jump() -> None:
    grounder, last = Grounder(), None
    root = standing_at(2.0) + depth_noise(60, 0.03)
    for i in range(60):
        if i == 30:
            grounder.configure(GroundSettings(feet="soft"))
        out, _ = grounder.apply(ONE, i / FPS, root[i : i + 1], turned()[None], BODY, SEEN, CAMERA_M)
        assert last is None or np.linalg.norm(out - last) < 0.05
        last = out


def test_time_may_stand_still_jump_and_go_back() -> None:
    grounder = Grounder()
    for t in (0.0, 0.0, 5.0, 5.03, 900.0, 1.0, 1.03):
        root, local = grounder.apply(
            ONE, t, standing_at(1.0)[:1], turned()[None], BODY, SEEN, CAMERA_M
        )
        assert np.isfinite(root).all() and np.isfinite(local).all()
        assert root[0, 1] == pytest.approx(REST_HIP_HEIGHT_M, abs=0.01)


# Legs


def bent(seed: int) -> F64:
    rng = np.random.default_rng(seed)
    pose = {}
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        pose[f"{side}UpperLeg"] = (rng.uniform(-80, 20), rng.uniform(-20, 20), sign * 10.0)
        pose[f"{side}LowerLeg"] = (rng.uniform(5, 120), 0.0, 0.0)
    return turned(**pose)


def solved(local: F64, move_m: F64) -> tuple[F64, F64, F64]:
    """Places before and after moving both ankles by ``move_m`` (2, 3), and new rotations."""
    root = standing_at(1.0)[:1]
    legs = legs_of(root, local[None], BODY)
    ankle = legs.place_m[:, 2] + move_m
    sole = legs.place_m[:, 3] - legs.place_m[:, 2]
    turned, _ = reach(legs, ankle, lambda _: sole, BODY, np.zeros((1, 2)), np.inf)
    after = with_legs(local[None], turned)
    return places(root, local[None])[0], places(root, after)[0], after[0]


@pytest.mark.parametrize("seed", range(20))
def test_ankles_reach_their_place_and_knees_keep_their_side(seed: int) -> None:
    move = np.random.default_rng(seed).normal(0.0, 0.04, (2, 3))
    local = bent(seed)
    before, after, turns = solved(local, move)
    hips = [BONE["LeftUpperLeg"], BONE["RightUpperLeg"]]
    wanted = before[FEET] + move
    reachable = np.linalg.norm(wanted - before[hips], axis=-1) < 0.799
    assert after[FEET][reachable] == pytest.approx(wanted[reachable], abs=1e-6)
    assert after[TOES] - after[FEET] == pytest.approx(before[TOES] - before[FEET], abs=1e-9)
    assert rot.norm(turns) == pytest.approx(1.0)
    for hip, knee, foot in zip(hips, KNEES, FEET, strict=True):
        line = rot.normalize(after[foot] - after[hip])
        sides = [p[knee] - p[hip] - line * ((p[knee] - p[hip]) @ line) for p in (before, after)]
        assert sides[0] @ sides[1] > 0.0


def test_an_ankle_where_it_is_leaves_the_leg_as_it_is() -> None:
    for seed in range(20):
        local = bent(seed)
        _, _, turns = solved(local, np.zeros((2, 3)))
        assert np.degrees(rot.angle_between(turns, local)).max() < 4.0


def test_stretching_through_straight_never_flips_the_knee() -> None:
    local = turned(LeftLowerLeg=(20.0, 0.0, 0.0), RightLowerLeg=(20.0, 0.0, 0.0))
    bends, last = [], None
    for down in np.linspace(-0.15, 0.10, 200):
        _, place, turns = solved(local, np.tile([0.0, -down, 0.0], (2, 1)))
        knee = rot.to_rotvec(turns[KNEES])
        assert (knee[:, 0] > -1e-6).all()
        assert last is None or np.abs(place[KNEES] - last).max() < 0.03
        bends.append(knee[0, 0])
        last = place[KNEES]
    assert bends[-1] == pytest.approx(min(bends), abs=1e-3)
    assert np.isfinite(bends).all()
