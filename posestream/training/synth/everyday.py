"""Poses that people before a webcam take, drawn at random: sitting, standing, gesturing, typing.

Lengths are in units of the person's arm (shoulder to wrist = 1), in the chest's axes: x to the
person's left, y up, z forward, from the mid-point of the shoulders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation
from posestream.training.synth.limbs import SIGN, Hands, Limbs

Seat = Literal["stand", "chair", "floor"]

_UPPER: Final = 0.53  # share of the arm above the elbow
_SHOULDER: Final = 0.33  # half of the shoulders' width
# name: middle, spread of the left wrist's place; pronation, wrist flexion, curl; weight seated,
# weight standing
_WRISTS: Final[
    dict[str, tuple[tuple[float, ...], tuple[float, ...], float, float, float, float, float]]
] = {
    "hang": ((0.42, -0.97, 0.06), (0.07, 0.02, 0.08), 0.2, 0.0, 0.3, 0.3, 4.0),
    "keyboard": ((0.20, -0.62, 0.66), (0.10, 0.07, 0.08), 1.3, -0.15, 0.35, 4.0, 0.3),
    "mouse": ((0.48, -0.62, 0.66), (0.10, 0.06, 0.10), 1.2, -0.2, 0.3, 1.6, 0.1),
    "lap": ((0.18, -0.80, 0.46), (0.14, 0.06, 0.12), 0.9, 0.1, 0.4, 2.0, 0.1),
    "thigh": ((0.34, -0.78, 0.52), (0.08, 0.06, 0.12), 1.3, 0.0, 0.2, 1.6, 0.2),
    "talk": ((0.30, -0.36, 0.56), (0.20, 0.20, 0.16), 0.1, 0.0, 0.3, 4.0, 3.0),
    "offer": ((0.46, -0.42, 0.62), (0.18, 0.16, 0.14), -0.9, -0.1, 0.15, 1.5, 1.5),
    "point": ((0.30, 0.02, 0.86), (0.30, 0.22, 0.06), 0.9, 0.0, 0.9, 0.8, 0.8),
    "wave": ((0.66, 0.30, 0.36), (0.18, 0.20, 0.16), -0.3, -0.2, 0.1, 1.4, 1.4),
    "up": ((0.40, 0.86, 0.10), (0.20, 0.10, 0.20), 0.0, 0.0, 0.2, 0.5, 1.0),
    "side": ((1.12, 0.05, 0.15), (0.12, 0.25, 0.2), 0.3, 0.0, 0.1, 0.4, 1.0),
    "chin": ((0.06, 0.14, 0.40), (0.08, 0.06, 0.04), -0.6, 0.4, 0.6, 1.6, 0.7),
    "cheek": ((0.20, 0.30, 0.30), (0.05, 0.06, 0.06), -0.9, 0.2, 0.5, 1.4, 0.6),
    "forehead": ((0.12, 0.55, 0.34), (0.08, 0.06, 0.05), -0.4, 0.3, 0.3, 0.5, 0.3),
    "ear": ((0.30, 0.38, 0.16), (0.04, 0.06, 0.06), -0.6, 0.3, 0.7, 1.2, 1.0),
    "nape": ((0.18, 0.42, -0.06), (0.06, 0.10, 0.05), 0.6, 0.4, 0.3, 0.4, 0.4),
    "crossed": ((-0.14, -0.40, 0.36), (0.06, 0.06, 0.04), 0.6, 0.1, 0.3, 1.0, 1.2),
    "chest": ((0.02, -0.20, 0.34), (0.12, 0.12, 0.05), 0.7, 0.1, 0.3, 1.2, 1.0),
    "hip": ((0.42, -0.74, 0.02), (0.05, 0.06, 0.06), 0.8, 0.5, 0.7, 0.1, 1.3),
    "pocket": ((0.42, -0.86, 0.14), (0.04, 0.03, 0.05), 0.3, 0.2, 0.3, 0.1, 1.2),
    "back": ((0.08, -0.66, -0.28), (0.14, 0.10, 0.06), -0.6, 0.2, 0.4, 0.1, 0.7),
    "phone": ((0.12, -0.16, 0.52), (0.10, 0.12, 0.08), -0.9, 0.1, 0.6, 1.6, 1.4),
    "cup": ((0.10, 0.10, 0.42), (0.06, 0.10, 0.05), 0.0, 0.0, 0.8, 0.8, 0.5),
    "far": ((0.30, -0.30, 0.94), (0.25, 0.22, 0.04), 0.7, 0.0, 0.2, 0.7, 0.6),
}  # fmt: skip
_TOGETHER: Final = 0.45  # how often both hands do the same


@dataclass(frozen=True, slots=True, eq=False)
class Everyday:
    """A pose, its hands and what it rests on."""

    limbs: Limbs
    hands: Hands
    seat: Seat


def draw_pose(rng: np.random.Generator, seat: Seat) -> Everyday:
    """A pose that faces +z."""
    trunk, twist = _trunk(rng, seat)
    chest = rotation.multiply(twist, trunk)
    head = rotation.multiply(chest, _look(rng))
    names = _what_the_hands_do(rng, seat)
    arms = np.stack([_arm(rng, name, k) for k, name in enumerate(names)])
    legs, feet = _LEGS[seat](rng)
    limbs = Limbs(trunk, chest, head, rotation.rotate(chest, arms), legs, feet)
    return Everyday(limbs, _hands(rng, names), seat)


def _turn(yaw: float, pitch: float, roll: float) -> F64:
    """Left, down, to the left; radians."""
    x, y, z = np.eye(3)
    q = rotation.multiply(rotation.from_rotvec(y * yaw), rotation.from_rotvec(x * pitch))
    return rotation.multiply(q, rotation.from_rotvec(-z * roll))


def _trunk(rng: np.random.Generator, seat: Seat) -> tuple[F64, F64]:
    lean = {"stand": (0.03, 0.08), "chair": (0.02, 0.18), "floor": (-0.05, 0.18)}[seat]
    bent = rng.random() < 0.12
    hips = _turn(0.0, rng.normal(*lean) + (rng.uniform(0.0, 0.5) if bent else 0.0),
                 rng.normal(0.0, 0.05))  # fmt: skip
    slouch = rng.normal(0.08, 0.12) + (rng.uniform(0.0, 0.5) if bent else 0.0)
    return hips, _turn(rng.normal(0.0, 0.18), slouch, rng.normal(0.0, 0.08))


def _look(rng: np.random.Generator) -> F64:
    wide = 0.6 if rng.random() < 0.35 else 0.25
    yaw = float(np.clip(rng.normal(0.0, wide), -1.25, 1.25))
    pitch = float(np.clip(rng.normal(0.02, 0.25), -0.6, 0.75))
    return _turn(yaw, pitch, rng.normal(0.0, 0.14))


def _what_the_hands_do(rng: np.random.Generator, seat: Seat) -> tuple[str, str]:
    names = list(_WRISTS)
    weight = np.array([_WRISTS[n][6 if seat == "stand" else 5] for n in names])
    first, second = rng.choice(names, 2, p=weight / weight.sum())
    return (first, first) if rng.random() < _TOGETHER else (first, second)


def _arm(rng: np.random.Generator, name: str, k: int) -> F64:
    """Upper arm and forearm (2, 3) in the chest's axes."""
    middle, spread = (np.array(v) for v in _WRISTS[name][:2])
    wrist = middle + rng.normal(0.0, 1.0, 3) * spread
    shoulder = np.array([_SHOULDER, 0.0, 0.0])
    pole = np.array([0.5, -0.8, -0.35]) + rng.normal(0.0, 0.3, 3)
    elbow = two_bones(wrist - shoulder, pole, _UPPER, 1.0 - _UPPER)
    reach = _within(wrist - shoulder, _UPPER, 1.0 - _UPPER)
    arm = np.stack([elbow, reach - elbow]) * np.array([SIGN[k], 1.0, 1.0])
    return rotation.normalize(arm)


def _within(target: F64, first: float, second: float) -> F64:
    distance = max(float(np.linalg.norm(target)), 1e-6)
    near, far = abs(first - second) + 0.1, (first + second) * 0.999
    return target * float(np.clip(distance, near, far)) / distance


def two_bones(target: F64, pole: F64, first: float, second: float) -> F64:
    """The middle joint (3,) of a chain from the origin to ``target``, bent towards ``pole``."""
    target = _within(target, first, second)
    d = float(np.linalg.norm(target))
    along = target / d
    a = (first**2 - second**2 + d**2) / (2.0 * d)
    side = rotation.normalize(pole - along * float(pole @ along))
    return np.asarray(along * a + side * np.sqrt(max(first**2 - a**2, 0.0)))


def _hands(rng: np.random.Generator, names: tuple[str, str]) -> Hands:
    pronation, flexion, curl = (
        np.array([_WRISTS[name][column] for name in names]) for column in (2, 3, 4)
    )
    fingers = np.clip(curl[:, None] + rng.normal(0.0, 0.18, (2, 5)), 0.0, 1.3)
    for k, name in enumerate(names):
        if name == "point" or rng.random() < 0.06:
            fingers[k, 1] = 0.05
    return Hands(
        np.clip(pronation + rng.normal(0.0, 0.35, 2), -1.5, 1.6),
        np.clip(flexion + rng.normal(0.0, 0.2, 2), -0.9, 0.9),
        rng.normal(0.0, 0.12, 2), fingers, np.clip(rng.normal(0.05, 0.08, 2), -0.05, 0.3),
    )  # fmt: skip


def draw_hands(rng: np.random.Generator) -> Hands:
    """Hands for a captured pose, whose recording has none."""
    return _hands(rng, ("hang", "hang"))


def _standing(rng: np.random.Generator) -> tuple[F64, F64]:
    legs = np.zeros((2, 2, 3))
    feet = np.zeros((2, 4))
    bend = abs(rng.normal(0.0, 0.06))
    relaxed = int(rng.integers(2)) if rng.random() < 0.5 else -1
    for k, sign in enumerate(SIGN):
        spread = sign * rng.normal(0.05, 0.05)
        knee = bend + (rng.uniform(0.1, 0.5) if relaxed == k else 0.0)
        stride = rng.normal(0.0, 0.09)
        legs[k, 0] = _swing(0.5 * knee + stride, spread)
        legs[k, 1] = _swing(-0.5 * knee + stride, spread)
        feet[k] = _turn(sign * rng.normal(0.18, 0.15), 0.0, 0.0)
    return legs, feet


def _swing(forward_rad: float, left_rad: float) -> F64:
    """Down, swung forward and to the left."""
    return np.array(
        [np.sin(left_rad) * np.cos(forward_rad), -np.cos(left_rad) * np.cos(forward_rad),
         np.sin(forward_rad)]
    )  # fmt: skip


def _on_chair(rng: np.random.Generator) -> tuple[F64, F64]:
    legs = np.zeros((2, 2, 3))
    feet = np.zeros((2, 4))
    tuck = rng.normal(0.0, 0.22)
    crossed = int(rng.integers(2)) if rng.random() < 0.2 else -1
    apart = abs(rng.normal(0.10, 0.14))
    for k, sign in enumerate(SIGN):
        raised = crossed == k
        side = sign * (-0.24 if raised else apart * rng.uniform(0.6, 1.4))
        rise = rng.normal(0.0, 0.07) + (0.28 if raised else 0.0)
        flat = np.cos(rise)
        legs[k, 0] = [np.sin(side) * flat, np.sin(rise), np.cos(side) * flat]
        shank = rng.normal(0.35, 0.2) if raised else tuck + rng.normal(0.0, 0.12)
        legs[k, 1] = _swing(shank, side * 0.4 + sign * rng.normal(0.0, 0.06))
        pitch = -0.5 * shank if raised else 0.0
        feet[k] = _turn(side + sign * rng.normal(0.1, 0.1), pitch, 0.0)
    return legs, feet


def _on_floor(rng: np.random.Generator) -> tuple[F64, F64]:
    """Legs crossed, or stretched out, or knees up."""
    legs = np.zeros((2, 2, 3))
    feet = np.zeros((2, 4))
    kind = int(rng.integers(3))
    for k, sign in enumerate(SIGN):
        if kind == 0:
            thigh, shank = [sign * 0.78, 0.12, 0.60], [-sign * 0.85, -0.16, 0.10 + 0.2 * k]
            foot = _turn(sign * 0.9, 0.7, -sign * 0.6)
        elif kind == 1:
            thigh, shank = [sign * 0.14, 0.04, 1.0], [sign * 0.12, -0.06, 1.0]
            foot = _turn(sign * 0.3, -1.3, 0.0)
        else:
            thigh, shank = [sign * 0.15, 0.75, 0.65], [sign * 0.05, -0.9, 0.35]
            foot = _turn(sign * 0.15, 0.0, 0.0)
        noise = rng.normal(0.0, 0.08, (2, 3))
        legs[k] = rotation.normalize(np.array([thigh, shank]) + noise)
        feet[k] = foot
    return legs, feet


_LEGS: Final = {"stand": _standing, "chair": _on_chair, "floor": _on_floor}
