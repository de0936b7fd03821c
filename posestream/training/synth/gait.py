"""Footsteps: where each foot stands when, and how it travels between. Feet never slide.

A plan is made of moves (walk to, turn to); the feet follow it exactly, and the pelvis follows
the feet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from posestream.arrays import F64

SIDES: Final = ("left", "right")
_SIGN: Final = {"left": 1.0, "right": -1.0}
_LONG_STRIDE_M: Final = 1.1
_HEEL_OFF_RAD: Final = 0.70
_TOE_UP_RAD: Final = 0.30
_ROLL_S: Final = 0.22  # heel-off begins so long before the foot leaves the floor
_FLATTEN_S: Final = 0.12


@dataclass(frozen=True, slots=True)
class Pace:
    """How a person walks."""

    step_m: float = 0.60
    step_s: float = 0.52
    swing_s: float = 0.42
    turn_s: float = 0.42
    turn_rad: float = 0.90
    stance_m: float = 0.10  # half the distance of the feet
    toe_out_rad: float = 0.12


@dataclass(frozen=True, slots=True)
class Step:
    """One foot's way from the floor to the floor."""

    side: str
    t_lift_s: float
    t_land_s: float
    x_m: float
    z_m: float
    yaw_rad: float


@dataclass(slots=True)
class Plan:
    """Steps of one person, written move by move."""

    x_m: float
    z_m: float
    yaw_rad: float
    pace: Pace = field(default_factory=Pace)
    steps: list[Step] = field(default_factory=list)
    start: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for side in SIDES:
            self.start[side] = self._foot(side, self.x_m, self.z_m, self.yaw_rad, 1.0)

    def turn_to(self, t_s: float, yaw_rad: float) -> float:
        """Turn on the spot, beginning at ``t_s``; the shorter way unless more than half a
        turn is asked for. Returns when it ends."""
        change = yaw_rad - self.yaw_rad
        count = max(1, int(np.ceil(abs(change) / self.pace.turn_rad)))
        side = "left" if change > 0.0 else "right"
        for k in range(count):
            yaw = self.yaw_rad + change * (k + 1) / count
            t_s = self._step(side, t_s, self.pace.turn_s, self.x_m, self.z_m, yaw, 1.0)
            side = _other(side)
        self.yaw_rad = yaw_rad
        return self._step(side, t_s, self.pace.turn_s, self.x_m, self.z_m, yaw_rad, 1.0)

    def walk_to(self, t_s: float, x_m: float, z_m: float) -> float:
        """Turn towards a place and walk there. Returns when both feet stand."""
        dx, dz = x_m - self.x_m, z_m - self.z_m
        heading = self.yaw_rad + _wrapped(float(np.arctan2(dx, dz)) - self.yaw_rad)
        side = "left" if heading > self.yaw_rad else "right"
        while abs(heading - self.yaw_rad) > self.pace.turn_rad:
            self.yaw_rad += np.sign(heading - self.yaw_rad) * self.pace.turn_rad
            t_s = self._step(side, t_s, self.pace.turn_s, self.x_m, self.z_m, self.yaw_rad, 1.0)
            side = _other(side)
        count = max(1, round(float(np.hypot(dx, dz)) / self.pace.step_m))
        for k in range(count):
            share = (k + 1) / count
            x, z = self.x_m + dx * share, self.z_m + dz * share
            t_s = self._step(side, t_s, self.pace.step_s, x, z, heading, 0.8)
            side = _other(side)
        self.x_m, self.z_m, self.yaw_rad = x_m, z_m, heading
        return self._step(side, t_s, self.pace.step_s, x_m, z_m, heading, 0.9)

    def _step(
        self, side: str, t_s: float, period_s: float, x: float, z: float, yaw: float, wide: float
    ) -> float:
        swing = self.pace.swing_s * period_s / self.pace.step_s
        self.steps.append(Step(side, t_s, t_s + swing, *self._foot(side, x, z, yaw, wide)))
        return t_s + period_s

    def _foot(
        self, side: str, x: float, z: float, yaw: float, wide: float
    ) -> tuple[float, float, float]:
        out = _SIGN[side] * self.pace.stance_m * wide
        toe = _SIGN[side] * self.pace.toe_out_rad
        return x + out * np.cos(yaw), z - out * np.sin(yaw), yaw + toe


@dataclass(frozen=True, slots=True, eq=False)
class FootTrack:
    """One foot over time: the ground point below the ankle, its heading, lift and roll."""

    x_m: F64  # (T,)
    z_m: F64  # (T,)
    yaw_rad: F64  # (T,)
    lift_m: F64  # (T,) of the whole foot
    pitch_rad: F64  # (T,) > 0: heel up about the ball; < 0: toe up about the heel
    airborne: F64  # (T,) 1 while it swings


def foot_track(plan: Plan, side: str, t_s: F64) -> FootTrack:
    """Follow one foot through the plan at the times ``t_s`` (T,)."""
    steps = [s for s in plan.steps if s.side == side]
    pose = np.tile(np.array(plan.start[side]), (len(t_s), 1))
    lift, pitch, airborne = (np.zeros(len(t_s)) for _ in range(3))
    before = np.array(plan.start[side])
    for step in steps:
        after = np.array([step.x_m, step.z_m, step.yaw_rad])
        u = np.clip((t_s - step.t_lift_s) / (step.t_land_s - step.t_lift_s), 0.0, 1.0)
        pose += (after - before) * smooth(u)[:, None]
        stride = min(1.0, float(np.hypot(*(after - before)[:2])) / _LONG_STRIDE_M)
        lift += (0.035 + 0.03 * stride) * np.sin(np.pi * smooth(u)) ** 2
        pitch += stride * _roll(step, u, t_s)
        airborne = np.maximum(airborne, ((u > 0.0) & (u < 1.0)).astype(np.float64))
        before = after
    return FootTrack(pose[:, 0], pose[:, 1], pose[:, 2], lift, pitch, airborne)


def _roll(step: Step, u: F64, t_s: F64) -> F64:
    """Pitch of the foot about one step: heel off, swing, toe up, flat."""
    rise = smooth((t_s - step.t_lift_s + _ROLL_S) / _ROLL_S)
    fall = smooth(u / 0.75)
    flatten = smooth((t_s - step.t_land_s) / _FLATTEN_S)
    toe_up = smooth((u - 0.45) / 0.5) * (1.0 - flatten)
    return np.asarray(_HEEL_OFF_RAD * rise * (1.0 - fall) - _TOE_UP_RAD * toe_up)


def smooth(u: F64) -> F64:
    """0 to 1 with zero slope at both ends."""
    u = np.clip(u, 0.0, 1.0)
    return np.asarray(u * u * (3.0 - 2.0 * u))


def smoother(u: F64) -> F64:
    """0 to 1 with zero slope and curvature at both ends (minimum jerk)."""
    u = np.clip(u, 0.0, 1.0)
    return np.asarray(u * u * u * (10.0 + u * (6.0 * u - 15.0)))


def _other(side: str) -> str:
    return "right" if side == "left" else "left"


def _wrapped(angle_rad: float) -> float:
    return float((angle_rad + np.pi) % (2.0 * np.pi) - np.pi)
