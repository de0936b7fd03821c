"""A pose without lengths: how trunk, head, limbs and hands are turned, to be worn by any body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation
from posestream.skeleton.humanoid import BONE, NUM_BONES

SIDES: Final = ("left", "right")
SIGN: Final = (1.0, -1.0)
_FINGERS: Final = ("Thumb", "Index", "Middle", "Ring", "Little")
_PHALANGES: Final = ("Proximal", "Intermediate", "Distal")
_DOWN: Final[F64] = np.array([0.0, -1.0, 0.0])
_FORWARD: Final[F64] = np.array([0.0, 0.0, 1.0])
_SHRUG: Final = 0.18  # share of the upper arm's lift that the collar bone takes
_STRAIGHT: Final = 0.2  # sine of a bend below which the hinge comes from the trunk


@dataclass(frozen=True, slots=True, eq=False)
class Hands:
    """How both hands are held, left first; radians. ``plain()`` is at rest."""

    pronation: F64  # (2,) 0 with the palms towards the body when the arms hang
    flexion: F64  # (2,) towards the palm
    deviation: F64  # (2,) towards the thumb
    curl: F64  # (2, 5) of each phalanx, thumb first
    spread: F64  # (2,) of the fingers

    @classmethod
    def plain(cls) -> Hands:
        """Hanging hands, fingers a little bent."""
        zero = np.zeros(2)
        return cls(zero, zero, zero, np.full((2, 5), 0.25), zero)


@dataclass(frozen=True, slots=True, eq=False)
class Limbs:
    """Rotations (4,) are global and of the humanoid's T-pose; directions are unit vectors."""

    hips: F64  # (4,)
    chest: F64  # (4,)
    head: F64  # (4,)
    arms: F64  # (2, 2, 3) left and right; upper arm, forearm
    legs: F64  # (2, 2, 3) left and right; thigh, shank
    feet: F64  # (2, 4)
    clearance_m: float = 0.0  # of the lowest point above the floor

    def turned(self, q: F64) -> Limbs:
        """The whole pose turned by q (4,)."""
        hips, chest, head = (rotation.multiply(q, x) for x in (self.hips, self.chest, self.head))
        arms, legs = rotation.rotate(q, self.arms), rotation.rotate(q, self.legs)
        feet = rotation.multiply(q, self.feet)
        return Limbs(hips, chest, head, arms, legs, feet, self.clearance_m)


def humanoid_rotations(limbs: Limbs, hands: Hands) -> F64:
    """Global rotations (B, 4) of the humanoid bones, T-pose = identity."""
    turn = rotation.identity(NUM_BONES)
    turn[BONE["Hips"]] = limbs.hips
    for name, share in (("Spine", 1 / 3), ("Chest", 2 / 3), ("UpperChest", 1.0)):
        turn[BONE[name]] = rotation.slerp(limbs.hips, limbs.chest, share)
    turn[BONE["Neck"]] = rotation.slerp(limbs.chest, limbs.head, 0.5)
    for name in ("Head", "LeftEye", "RightEye", "Jaw"):
        turn[BONE[name]] = limbs.head
    for k, side in enumerate(SIDES):
        _turn_arm(turn, limbs, hands, k, side.capitalize())
        _turn_leg(turn, limbs, k, side.capitalize())
    return turn


def _turn_arm(turn: F64, limbs: Limbs, hands: Hands, k: int, prefix: str) -> None:
    sign, (upper, fore) = SIGN[k], limbs.arms[k]
    hinge = rotation.cross(upper, fore)
    hanging = rotation.rotate(limbs.chest, _DOWN)
    outwards = rotation.rotate(limbs.chest, np.array([sign, 0.0, 0.0]))
    usual = sign * rotation.rotate(rotation.between(hanging, upper), outwards)
    weight = max(0.0, 1.0 - float(np.linalg.norm(hinge)) / _STRAIGHT)
    up = -sign * hinge + weight * _STRAIGHT * usual
    q_upper, q_fore = _along_x(sign * upper, up), _along_x(sign * fore, up)
    hanging_q = _along_x(sign * hanging, sign * outwards)
    lift = rotation.multiply(q_upper, rotation.inverse(hanging_q))
    shrug = rotation.slerp(rotation.identity(), lift, _SHRUG)
    turn[BONE[f"{prefix}Shoulder"]] = rotation.multiply(shrug, limbs.chest)
    turn[BONE[f"{prefix}UpperArm"]] = q_upper
    turn[BONE[f"{prefix}LowerArm"]] = q_fore
    wrist = np.array([hands.pronation[k], sign * -hands.deviation[k], -sign * hands.flexion[k]])
    hand = q_fore
    for axis in range(3):
        hand = rotation.multiply(hand, rotation.from_rotvec(np.eye(3)[axis] * wrist[axis]))
    turn[BONE[f"{prefix}Hand"]] = hand
    _turn_fingers(turn, hands, k, prefix, hand)


def _turn_fingers(turn: F64, hands: Hands, k: int, prefix: str, hand: F64) -> None:
    sign = SIGN[k]
    for finger, name in enumerate(_FINGERS):
        fan = 0.0 if finger == 0 else hands.spread[k] * (2.5 - finger) / 1.5
        q = rotation.multiply(hand, rotation.from_rotvec(np.array([0.0, -sign * fan, 0.0])))
        bend = float(hands.curl[k, finger]) * (0.5 if finger == 0 else 1.0)
        axis = np.array([0.0, 0.6 * sign, -0.8 * sign] if finger == 0 else [0.0, 0.0, -sign])
        for phalanx in _PHALANGES:
            q = rotation.multiply(q, rotation.from_rotvec(axis * bend))
            turn[BONE[f"{prefix}{name}{phalanx}"]] = q


def _turn_leg(turn: F64, limbs: Limbs, k: int, prefix: str) -> None:
    thigh, shank = limbs.legs[k]
    left = rotation.rotate(limbs.hips, np.array([1.0, 0.0, 0.0]))
    bend = rotation.cross(thigh, shank)  # to the left for a knee that bends as knees do
    weight = max(0.0, 1.0 - float(np.linalg.norm(bend)) / _STRAIGHT)
    straight = rotation.rotate(limbs.feet[k], np.array([1.0, 0.0, 0.0]))
    hinge = bend + weight * _STRAIGHT * rotation.normalize(left + straight)
    if float(hinge @ left) < 0.0 and float(np.linalg.norm(bend)) < 0.6:
        hinge = left  # noise of capture: knees do not bend forwards
    turn[BONE[f"{prefix}UpperLeg"]] = _along_y(-thigh, hinge)
    turn[BONE[f"{prefix}LowerLeg"]] = _along_y(-shank, hinge)
    turn[BONE[f"{prefix}Foot"]] = turn[BONE[f"{prefix}Toes"]] = limbs.feet[k]


def _along_x(x: F64, y_hint: F64) -> F64:
    z = rotation.normalize(rotation.cross(x, y_hint))
    return rotation.from_axes(x, rotation.cross(z, x), z)


def _along_y(y: F64, x_hint: F64) -> F64:
    z = rotation.normalize(rotation.cross(x_hint, y))
    return rotation.from_axes(rotation.cross(y, z), y, z)


def foot_rotation(ankle_to_toe: F64, shank: F64, flat_rad: float) -> F64:
    """A foot's rotation (4,); ``flat_rad`` is how far a flat foot's direction points down."""
    along = rotation.normalize(ankle_to_toe)
    across = rotation.cross(-shank, along)
    if np.linalg.norm(across) < 0.05:
        across = rotation.cross(np.array([0.0, 1.0, 0.0]), along)
    x = rotation.normalize(across)
    q = rotation.from_axes(x, rotation.cross(along, x), along)
    return rotation.multiply(q, rotation.from_rotvec(np.array([-flat_rad, 0.0, 0.0])))
