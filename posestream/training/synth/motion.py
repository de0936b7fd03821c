"""A performance: footsteps, gestures and a body's proportions become humanoid motion.

The legs are solved so that the feet stand where the plan says; arms swing with the steps and
gestures blend over the swing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation
from posestream.skeleton.humanoid import BONE, NUM_BONES
from posestream.training.synth import gait, gestures
from posestream.training.synth.gait import FootTrack, Plan
from posestream.training.synth.gestures import Key
from posestream.training.synth.rig import Rig, joints_world, local_rotations

_Y: Final[F64] = np.array([0.0, 1.0, 0.0])
_X: Final[F64] = np.array([1.0, 0.0, 0.0])
_Z: Final[F64] = np.array([0.0, 0.0, 1.0])
_REACH: Final = 0.992  # knees never lock
_SETTLE_S: Final = 0.13  # how softly the pelvis follows the feet


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Humanoid motion: ``root_world_m`` is the mid-point of the hip joints."""

    t_s: F64  # (T,)
    root_world_m: F64  # (T, 3)
    quat_local_xyzw: F64  # (T, B, 4) normalised, Hips row in the world


@dataclass(slots=True)
class Script:
    """What one person does."""

    plan: Plan
    left_arm: Sequence[Key] = ()
    right_arm: Sequence[Key] = ()
    crouch: Sequence[Key] = ()  # 0 stands, 1 squats
    head_yaw: Sequence[Key] = ()  # radians, beside the chest
    bend: Sequence[Key] = ()  # radians, trunk to the person's left
    phase: float = field(default=0.0)  # of breathing and idle sway


@dataclass(frozen=True, slots=True, eq=False)
class LegShape:
    """Lengths of one leg and where the sole touches, from the rig; metres."""

    hip_m: F64  # (3,) from the mid-point of the hips
    thigh_m: float
    shank_m: float
    ball_m: F64  # (3,) from the ankle, foot flat, heading +z
    heel_m: F64  # (3,)
    ankle_height_m: float  # above the floor, shoes on


def leg_shape(rig: Rig, side: str, sole_m: float) -> LegShape:
    """Measure a leg in the T-pose."""
    from posestream.skeleton.joints import JOINT
    from posestream.training.synth.rig import bone_transforms

    rest = bone_transforms(rig, rig.pelvis_m, rotation.identity(NUM_BONES))
    xyz = joints_world(rig, rest)
    hip, knee, ankle, heel, toe = (
        xyz[JOINT[f"{side}_{name}"]] for name in ("hip", "knee", "ankle", "heel", "toe")
    )
    height = float(ankle[1] - rest_floor(rig, rest, side)) + sole_m
    ball = np.array([toe[0] - ankle[0], -height, toe[2] - ankle[2]])
    back = np.array([heel[0] - ankle[0], -height, heel[2] - ankle[2]])
    return LegShape(
        hip - rig.pelvis_m, float(np.linalg.norm(knee - hip)),
        float(np.linalg.norm(ankle - knee)), ball, back, height,
    )  # fmt: skip


def rest_floor(rig: Rig, T_world_rest: F64, side: str) -> float:
    """Height of the bare sole of a foot under these transforms."""
    foot = rig.body.bone(f"foot.{'L' if side == 'left' else 'R'}")
    sole = rig.body.bone_head_m[foot] * [1.0, 0.0, 1.0]
    return float((T_world_rest[foot, :3, :3] @ sole + T_world_rest[foot, :3, 3])[1])


def perform(script: Script, rig: Rig, sole_m: float, t_s: F64) -> Motion:
    """Solve the whole body over the times ``t_s`` (T,), evenly spaced."""
    fps = 1.0 / float(t_s[1] - t_s[0])
    feet = {side: gait.foot_track(script.plan, side, t_s) for side in gait.SIDES}
    legs = {side: leg_shape(rig, side, sole_m) for side in gait.SIDES}
    crouch = gestures.number_track(script.crouch, t_s)
    hips = _hips(script, feet, crouch, t_s, fps)
    ankles = {side: _ankle(feet[side], legs[side]) for side in gait.SIDES}
    root = _root(feet, legs, ankles, hips, crouch, fps)
    turn = rotation.identity(len(t_s), NUM_BONES)
    turn[:, BONE["Hips"]] = hips
    _pose_trunk(turn, script, feet, crouch, t_s, fps)
    for side in gait.SIDES:
        _pose_leg(turn, side, root, legs[side], ankles[side], feet[side])
        _pose_arm(turn, side, script, feet, t_s, fps)
    return Motion(t_s, root, local_rotations(turn))


def _about(axis: F64, angle_rad: F64) -> F64:
    return rotation.from_axis_angle(np.broadcast_to(axis, (*angle_rad.shape, 3)), angle_rad)


def blur(track: F64, sigma_frames: float) -> F64:
    """Gaussian smoothing along time, ends held."""
    reach = int(np.ceil(3.0 * sigma_frames))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma_frames, 1e-9)) ** 2)
    padded = np.pad(track, reach, mode="edge")
    return np.asarray(np.convolve(padded, kernel / kernel.sum(), mode="valid"))


def _hips(script: Script, feet: dict[str, FootTrack], crouch: F64, t_s: F64, fps: float) -> F64:
    yaw = blur(0.5 * (feet["left"].yaw_rad + feet["right"].yaw_rad), _SETTLE_S * fps)
    stride = _stride(feet, yaw, fps)
    sway = 0.02 * np.sin(1.3 * t_s + script.phase) * (1.0 - np.abs(stride))
    lean = 0.02 + 0.04 * np.abs(stride) + 0.38 * crouch
    roll = 0.06 * blur(feet["right"].airborne - feet["left"].airborne, 0.08 * fps)
    q = rotation.multiply(_about(_Y, yaw - 0.10 * stride), _about(_X, lean))
    return rotation.multiply(q, _about(_Z, roll * 0.7 + sway))


def _stride(feet: dict[str, FootTrack], yaw: F64, fps: float) -> F64:
    """How far the left foot is before the right, in steps of 0.6 m."""
    dx = feet["left"].x_m - feet["right"].x_m
    dz = feet["left"].z_m - feet["right"].z_m
    return blur((dx * np.sin(yaw) + dz * np.cos(yaw)) / 0.6, 0.07 * fps)


def _ankle(foot: FootTrack, leg: LegShape) -> F64:
    """Ankles (T, 3): the foot rolls about its ball or its heel."""
    pivot = np.where((foot.pitch_rad > 0.0)[:, None], leg.ball_m, leg.heel_m)
    local = pivot - rotation.rotate(_about(_X, foot.pitch_rad), pivot)
    local[:, 1] += leg.ankle_height_m + foot.lift_m
    world = rotation.rotate(_about(_Y, foot.yaw_rad), local)
    return np.asarray(world + np.stack([foot.x_m, np.zeros_like(foot.x_m), foot.z_m], axis=-1))


def _root(
    feet: dict[str, FootTrack], legs: dict[str, LegShape], ankles: dict[str, F64],
    hips: F64, crouch: F64, fps: float,
) -> F64:  # fmt: skip
    sigma = _SETTLE_S * fps
    root = np.zeros((len(crouch), 3))
    for axis, name in ((0, "x_m"), (2, "z_m")):
        left, right = (getattr(feet[side], name) for side in gait.SIDES)
        # towards the standing foot while the other swings
        share = 0.5 + 0.16 * (feet["right"].airborne - feet["left"].airborne)
        root[:, axis] = blur(share * left + (1.0 - share) * right, sigma)
    back = rotation.rotate(rotation.normalize(hips * [0.0, 1.0, 0.0, 1.0]), -_Z)
    root += back * (0.14 * crouch)[:, None]
    reach = np.min([_reach(root, hips, legs[s], ankles[s]) for s in gait.SIDES], axis=0)
    window = np.lib.stride_tricks.sliding_window_view(np.pad(reach, 2, mode="edge"), 5)
    height = blur(window.min(axis=1), 0.05 * fps)
    root[:, 1] = np.minimum(height, reach) - 0.47 * crouch * (
        legs["left"].thigh_m + legs["left"].shank_m
    )
    return root


def _reach(root: F64, hips: F64, leg: LegShape, ankle: F64) -> F64:
    """The highest root (T,) from which this ankle is reached."""
    offset = rotation.rotate(hips, np.broadcast_to(leg.hip_m, root.shape))
    flat = ankle - root - offset
    span = (leg.thigh_m + leg.shank_m) * _REACH
    rise = np.sqrt(np.maximum(span**2 - flat[:, 0] ** 2 - flat[:, 2] ** 2, 0.01))
    return np.asarray(ankle[:, 1] + rise - offset[:, 1])


def _pose_leg(turn: F64, side: str, root: F64, leg: LegShape, ankle: F64, foot: FootTrack) -> None:
    hips = turn[:, BONE["Hips"]]
    prefix = side.capitalize()
    hip = root + rotation.rotate(hips, np.broadcast_to(leg.hip_m, root.shape))
    ahead = rotation.rotate(_about(_Y, foot.yaw_rad), np.broadcast_to(_Z, root.shape))
    ahead = ahead + rotation.rotate(hips, np.broadcast_to(_Z, root.shape))
    knee = _bend(hip, ankle, ahead, leg.thigh_m, leg.shank_m)
    down, below = rotation.normalize(knee - hip), rotation.normalize(ankle - knee)
    hinge = rotation.normalize(rotation.cross(ahead, ankle - hip))
    for name, along in (("UpperLeg", down), ("LowerLeg", below)):
        z = rotation.normalize(rotation.cross(hinge, -along))
        turn[:, BONE[prefix + name]] = rotation.from_axes(rotation.cross(-along, z), -along, z)
    flat = rotation.multiply(_about(_Y, foot.yaw_rad), _about(_X, foot.pitch_rad))
    turn[:, BONE[prefix + "Foot"]] = flat
    # the toes stay on the floor while the heel rises
    toes = _about(_X, np.where(foot.pitch_rad > 0.0, foot.pitch_rad * 0.35, foot.pitch_rad))
    turn[:, BONE[prefix + "Toes"]] = rotation.multiply(_about(_Y, foot.yaw_rad), toes)


def _bend(hip: F64, ankle: F64, ahead: F64, thigh_m: float, shank_m: float) -> F64:
    """The knee (T, 3) of a two-bone chain that bends towards ``ahead``."""
    line = ankle - hip
    d = np.clip(rotation.norm(line), 0.2, (thigh_m + shank_m) * 0.9999)
    along = rotation.normalize(line)
    a = (thigh_m**2 - shank_m**2 + d**2) / (2.0 * d)
    side = ahead - along * rotation.dot(ahead, along)[:, None]
    out = np.sqrt(np.maximum(thigh_m**2 - a**2, 0.0))
    return np.asarray(hip + along * a[:, None] + rotation.normalize(side) * out[:, None])


def _pose_trunk(
    turn: F64, script: Script, feet: dict[str, FootTrack], crouch: F64, t_s: F64, fps: float
) -> None:
    yaw = 0.5 * (feet["left"].yaw_rad + feet["right"].yaw_rad)
    facing = blur(yaw, _SETTLE_S * fps)
    ahead = round(0.22 * fps)
    lead = np.clip(np.concatenate([facing[ahead:], np.full(ahead, facing[-1])]) - facing, -1, 1)
    stride = _stride(feet, facing, fps)
    bend = gestures.number_track(script.bend, t_s)
    breath = 0.012 * np.sin(2.0 * np.pi * t_s / 3.4 + script.phase)
    upright = turn[:, BONE["Hips"]]
    # the trunk turns against the pelvis and straightens most of its lean
    step = rotation.multiply(
        _about(_Y, (0.20 * stride + 0.25 * lead) / 3.0),
        rotation.multiply(_about(_X, 0.02 + breath / 3.0 + 0.05 * crouch), _about(_Z, -bend / 3.0)),
    )
    for name in ("Spine", "Chest", "UpperChest"):
        upright = rotation.multiply(upright, step)
        turn[:, BONE[name]] = upright
    nod = 0.02 * np.sin(0.9 * t_s + 2.0 * script.phase) - 0.45 * crouch - 0.06
    look = gestures.number_track(script.head_yaw, t_s) + 0.7 * lead - 0.12 * stride
    for name in ("Neck", "Head"):
        half = rotation.multiply(_about(_Y, 0.5 * look), _about(_X, 0.5 * nod))
        upright = rotation.multiply(upright, half)
        turn[:, BONE[name]] = upright


def _pose_arm(
    turn: F64, side: str, script: Script, feet: dict[str, FootTrack], t_s: F64, fps: float
) -> None:
    keys = script.left_arm if side == "left" else script.right_arm
    q, rest = gestures.arm_track(keys, side, t_s)
    sign = 1.0 if side == "left" else -1.0
    yaw = blur(0.5 * (feet["left"].yaw_rad + feet["right"].yaw_rad), _SETTLE_S * fps)
    stride = blur(_stride(feet, yaw, fps), 0.05 * fps) * sign  # this side's foot is before
    swing = rest * (0.42 * stride + 0.025 * np.sin(1.1 * t_s + script.phase))
    chest = turn[:, BONE["UpperChest"]]
    upper = rotation.multiply(_about(_X, swing), q[:, 0])
    elbow = _about(_Y, -sign * rest * np.maximum(0.0, -stride) * 0.35)
    shoulder = rotation.slerp(
        rotation.identity(len(t_s)),
        rotation.multiply(upper, rotation.inverse(gestures.arm_pose("rest", side)[0])),
        0.18,
    )
    prefix = side.capitalize()
    turn[:, BONE[prefix + "Shoulder"]] = rotation.multiply(chest, shoulder)
    turn[:, BONE[prefix + "UpperArm"]] = rotation.multiply(chest, upper)
    fore = rotation.multiply(turn[:, BONE[prefix + "UpperArm"]], rotation.multiply(q[:, 1], elbow))
    turn[:, BONE[prefix + "LowerArm"]] = fore
    hand = rotation.multiply(fore, q[:, 2])
    for name in BONE:
        if name.startswith(prefix) and any(
            part in name for part in ("Hand", "Thumb", "Index", "Middle", "Ring", "Little")
        ):
            turn[:, BONE[name]] = hand
