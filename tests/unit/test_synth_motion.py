"""Captured and everyday poses: what is held out, and that a body wears them as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posestream.geometry import rotation
from posestream.skeleton.humanoid import BONE
from posestream.training.synth.everyday import Seat, draw_hands, draw_pose, two_bones
from posestream.training.synth.limbs import SIDES, SIGN, Hands, Limbs, humanoid_rotations
from posestream.training.synth.mocap import (
    HELD_OUT_DEEPMIMIC,
    HELD_OUT_SUBJECTS,
    Clip,
    load_clips,
)

SEATS: tuple[Seat, ...] = ("stand", "chair", "floor")


@pytest.fixture(scope="module")
def clips(shared_data: Path) -> list[Clip]:
    return load_clips(shared_data)


def is_held_out(clip: Clip) -> bool:
    if clip.pack == "h36m":
        return clip.name.split("_")[0] in HELD_OUT_SUBJECTS
    return clip.pack == "deepmimic" and clip.name in HELD_OUT_DEEPMIMIC


def test_every_pack_is_read(clips: list[Clip]) -> None:
    count = {pack: sum(c.pack == pack for c in clips) for pack in ("h36m", "bandai", "deepmimic")}
    assert count == {"h36m": 182, "bandai": 384, "deepmimic": 76}  # two are not level


def test_held_out_names_are_in_no_training_clip(clips: list[Clip]) -> None:
    assert all((clip.split == "val") == is_held_out(clip) for clip in clips)
    assert {c.name for c in clips if c.pack == "deepmimic" and c.split == "val"} == set(
        HELD_OUT_DEEPMIMIC
    )
    assert not {c.name for c in clips if c.split == "train"} & {
        c.name for c in clips if c.split == "val"
    }


def test_only_clips_under_the_mit_licence_are_free(clips: list[Clip]) -> None:
    free = [clip for clip in clips if clip.free]
    assert len(free) == 26
    assert not any(clip.name.startswith("sie_") or clip.pack != "deepmimic" for clip in free)
    assert sum(clip.split == "val" for clip in free) == 6


@pytest.mark.parametrize("pack", ["h36m", "bandai", "deepmimic"])
def test_recorded_bones_keep_their_length(clips: list[Clip], pack: str) -> None:
    chain = {"h36m": (17, 18, 19), "bandai": (6, 7, 8), "deepmimic": (12, 13, 14)}[pack]
    lengths = [
        np.linalg.norm(np.diff(clip.pose.joints(frame)[1][list(chain)], axis=0), axis=1)
        for clip in [c for c in clips if c.pack == pack][::17]
        for frame in (0, clip.num_frames // 2, clip.num_frames - 1)
    ]
    assert np.ptp(lengths, axis=0).max() < 0.003
    assert (np.mean(lengths, axis=0) > 0.2).all()


def test_people_mostly_stand_on_the_floor(clips: list[Clip]) -> None:
    low = [clip.pose(clip.num_frames // 2).clearance_m for clip in clips[::5]]
    assert np.median(low) < 0.03
    assert max(low) < 1.2


def worn_directions(limbs: Limbs, hands: Hands) -> tuple[np.ndarray, np.ndarray]:
    """Arms and legs (2, 2, 3) as the humanoid's bones point."""
    turn = humanoid_rotations(limbs, hands)
    arms = [
        [rotation.rotate(turn[BONE[side.capitalize() + b]], np.array([sign, 0.0, 0.0]))
         for b in ("UpperArm", "LowerArm")]
        for side, sign in zip(SIDES, SIGN, strict=True)
    ]  # fmt: skip
    legs = [
        [rotation.rotate(turn[BONE[side.capitalize() + b]], np.array([0.0, -1.0, 0.0]))
         for b in ("UpperLeg", "LowerLeg")]
        for side in SIDES
    ]  # fmt: skip
    return np.array(arms), np.array(legs)


def test_captured_limbs_point_as_recorded(clips: list[Clip]) -> None:
    rng = np.random.default_rng(0)
    for clip in clips[::3]:
        limbs = clip.pose(int(rng.integers(clip.num_frames)))
        arms, legs = worn_directions(limbs, draw_hands(rng))
        np.testing.assert_allclose(arms, limbs.arms, atol=1e-9)
        np.testing.assert_allclose(legs, limbs.legs, atol=1e-9)


@pytest.mark.parametrize("seat", SEATS)
def test_everyday_limbs_point_as_drawn(seat: Seat) -> None:
    for seed in range(40):
        pose = draw_pose(np.random.default_rng(seed), seat)
        arms, legs = worn_directions(pose.limbs, pose.hands)
        np.testing.assert_allclose(arms, pose.limbs.arms, atol=1e-9)
        np.testing.assert_allclose(legs, pose.limbs.legs, atol=1e-9)
        np.testing.assert_allclose(np.linalg.norm(pose.limbs.arms, axis=-1), 1.0)


def test_everyday_knees_bend_the_human_way() -> None:
    for seed in range(60):
        limbs = draw_pose(np.random.default_rng(seed), "chair").limbs
        for k in range(2):
            hinge = rotation.cross(limbs.legs[k, 0], limbs.legs[k, 1])
            assert hinge @ rotation.rotate(limbs.hips, np.array([1.0, 0.0, 0.0])) > 0.0


def test_kneecaps_look_ahead() -> None:
    for seed in range(30):
        pose = draw_pose(np.random.default_rng(seed), "chair")
        turn = humanoid_rotations(pose.limbs, pose.hands)
        for side in ("Left", "Right"):
            kneecap = rotation.rotate(turn[BONE[f"{side}UpperLeg"]], np.array([0.0, 0.0, 1.0]))
            assert kneecap[1] > 0.3  # upwards when seated


def test_a_seed_gives_one_pose() -> None:
    a, b = (draw_pose(np.random.default_rng(5), "stand") for _ in range(2))
    np.testing.assert_array_equal(a.limbs.arms, b.limbs.arms)
    np.testing.assert_array_equal(a.hands.curl, b.hands.curl)


def test_two_bones_reach_their_target() -> None:
    target, pole = np.array([0.3, -0.4, 0.5]), np.array([0.5, -0.8, -0.3])
    middle = two_bones(target, pole, 0.53, 0.47)
    assert np.linalg.norm(middle) == pytest.approx(0.53)
    assert np.linalg.norm(target - middle) == pytest.approx(0.47)


def test_turning_a_pose_turns_all_of_it() -> None:
    pose = draw_pose(np.random.default_rng(2), "stand")
    half = rotation.from_rotvec(np.array([0.0, np.pi, 0.0]))
    turned = pose.limbs.turned(half)
    np.testing.assert_allclose(turned.arms, pose.limbs.arms * [-1, 1, -1], atol=1e-12)
    np.testing.assert_allclose(
        rotation.rotate(turned.head, np.array([0.0, 0.0, 1.0])),
        rotation.rotate(pose.limbs.head, np.array([0.0, 0.0, 1.0])) * [-1, 1, -1], atol=1e-12,
    )  # fmt: skip
