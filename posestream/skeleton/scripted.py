"""Scripted people: all body joints as a smooth function of time, for tests and trials.

They walk in circles that cross, stand and wave, squat, turn round; the last of them walks to
and fro so far that a camera at the origin loses sight of it and finds it again. Bones keep
their length, feet stand on the floor and do not slide. World frame (right-handed, Y up); the
scene lies before a camera near the origin that looks along -Z.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as so3
from posestream.skeleton.joints import JOINT, NUM_JOINTS, swap_sides
from posestream.skeleton.scripted_gait import ANKLE_M, HIP_HALF_M, Gait, Legs, knee
from posestream.skeleton.scripted_paths import Paths, make_paths

_TORSO_M: Final = 0.50
_SPINE_M: Final = 0.24
_SHOULDER_HALF_M: Final = 0.17
_ARM_M: Final = (0.27, 0.25)
_X: Final = np.array([1.0, 0.0, 0.0])
_Y: Final = np.array([0.0, 1.0, 0.0])
_Z: Final = np.array([0.0, 0.0, 1.0])


def _points(table: dict[str, tuple[float, float, float]]) -> tuple[list[int], F64]:
    """Joint indices and offsets of both sides from a table of the left and middle ones."""
    both = dict(table)
    for name, (x, y, z) in table.items():
        both[swap_sides(name)] = (x if swap_sides(name) == name else -x, y, z)
    return [JOINT[name] for name in both], np.array(list(both.values()))


# From the neck joint, head upright, facing +Z.
_HEAD, _HEAD_M = _points({
    "head": (0.0, 0.19, 0.01), "head_top": (0.0, 0.32, 0.01), "nose": (0.0, 0.18, 0.11),
    "left_eye": (0.032, 0.205, 0.09), "left_ear": (0.075, 0.19, 0.01),
})  # fmt: skip
_SIDES: Final = ("left", "right")
_FINGERS: Final = ("thumb", "index", "pinky")
# From the wrist, arm along +X, palm down; the left half.
_HAND_M: Final = np.array([[0.05, -0.01, 0.045], [0.09, 0.0, 0.028], [0.082, 0.0, -0.033]])
_FOOT_M: Final = np.array([[0.0, -ANKLE_M, -0.05], [0.0, -ANKLE_M, 0.15]])
_MIRROR: Final = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
_SIGN: Final = np.array([1.0, -1.0])[:, None]  # left, right


def _pair(*names: str) -> list[list[int]]:
    return [[JOINT[f"{side}_{name}"] for name in names] for side in _SIDES]


_HIPS, _KNEES, _ANKLES, _SHOULDERS, _ELBOWS, _WRISTS = (
    [JOINT[f"{side}_{name}"] for side in _SIDES]
    for name in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
)
_HANDS: Final = _pair(*_FINGERS)
_FEET: Final = _pair("heel", "toe")


class ScriptedPeople:
    """``n`` people. The same ``n`` and ``seed`` give the same motion; any time may be asked."""

    def __init__(self, n: int, seed: int = 0) -> None:
        if n < 0:
            raise ValueError("there cannot be fewer than 0 people")
        rng = np.random.default_rng(seed)
        self.scale = rng.uniform(0.92, 1.06, n)  # of an adult of 1.70 m
        self.paths: Paths = make_paths(n, rng)
        self._gait = Gait(self.paths, self.scale)

    def __len__(self) -> int:
        return len(self.scale)

    def joints_world_m(self, t_s: float) -> F64:
        """(N, J, 3) joints of everybody, metres, at time ``t_s``."""
        legs = self._gait.at(t_s)
        t = np.full_like(self.scale, t_s)
        xyz = np.empty((NUM_JOINTS, len(self), 3))
        self._write_legs(xyz, legs)
        torso = self._write_torso(xyz, legs, self.paths.squat(t))
        self._write_head(xyz, torso, t)
        self._write_arms(xyz, torso, *self._arm_angles(legs, t))
        return np.ascontiguousarray(xyz.swapaxes(0, 1))

    def _write_legs(self, xyz: F64, legs: Legs) -> None:
        xyz[JOINT["pelvis"]] = legs.pelvis_m
        aside = so3.rotate(legs.heading, _X * HIP_HALF_M * self.scale[:, None])
        hips = legs.pelvis_m + _SIGN[..., None] * aside
        xyz[_HIPS] = hips
        xyz[_KNEES] = knee(hips, legs.ankle_m, legs.heading, self.scale)
        xyz[_ANKLES] = legs.ankle_m
        soles = _FOOT_M[:, None] * self.scale[:, None]
        xyz[_FEET] = legs.ankle_m[:, None] + so3.rotate(legs.foot[:, None], soles)

    def _write_torso(self, xyz: F64, legs: Legs, squat: F64) -> F64:
        """Spine, neck and shoulders; returns the torso's rotation (N, 4)."""
        lean = so3.from_axis_angle(_X, 0.04 + 0.5 * squat)
        twist = so3.from_axis_angle(_Y, 0.12 * legs.effort * legs.swing)
        torso = so3.multiply(so3.multiply(legs.heading, lean), twist)
        up, across = so3.rotate(torso, np.stack([_Y, _X])[:, None] * self.scale[:, None])
        neck = legs.pelvis_m + _TORSO_M * up
        xyz[JOINT["spine"]] = legs.pelvis_m + _SPINE_M * up
        xyz[JOINT["neck"]] = neck
        xyz[_SHOULDERS] = neck + _SIGN[..., None] * _SHOULDER_HALF_M * across
        return torso

    def _write_head(self, xyz: F64, torso: F64, t: F64) -> None:
        look = so3.from_axis_angle(_Y, 0.3 * np.sin(0.9 * t + self.paths.phase))
        head = so3.multiply(torso, look)
        offsets = _HEAD_M[:, None] * self.scale[:, None]
        xyz[_HEAD] = xyz[JOINT["neck"]] + so3.rotate(head, offsets)

    def _write_arms(self, xyz: F64, torso: F64, shoulder: F64, elbow: F64) -> None:
        upper = so3.multiply(torso, shoulder)
        lower = so3.multiply(upper, elbow)
        along = _X * _SIGN[..., None] * self.scale[:, None]
        elbows = xyz[_SHOULDERS] + _ARM_M[0] * so3.rotate(upper, along)
        wrists = elbows + _ARM_M[1] * so3.rotate(lower, along)
        xyz[_ELBOWS], xyz[_WRISTS] = elbows, wrists
        offsets = (_MIRROR[:, None] * _HAND_M)[:, :, None] * self.scale[:, None]
        xyz[_HANDS] = wrists[:, None] + so3.rotate(lower[:, None], offsets)

    def _arm_angles(self, legs: Legs, t: F64) -> tuple[F64, F64]:
        """Shoulders and elbows (2, N, 4) from the T-pose: hanging and swinging, or waving."""
        raised = np.stack([np.zeros_like(t), self.paths.wave(t)])
        drop = np.radians(78.0) - np.radians(93.0) * raised
        swing = _SIGN * 0.45 * legs.effort * legs.swing - 1.1 * self.paths.squat(t)
        shoulder = so3.multiply(
            so3.from_axis_angle(_X, swing), so3.from_axis_angle(_Z, -_SIGN * drop)
        )
        bend = so3.from_axis_angle(_Y, -_SIGN * 0.35 * (1.0 - raised))
        beckon = raised * (1.2 + 0.45 * np.sin(2.0 * np.pi * 1.3 * t))
        return shoulder, so3.multiply(bend, so3.from_axis_angle(_Z, _SIGN * beckon))
