"""How a hand model does on hands it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.marks import Side
from posestream.perform.fingers import FINGERS, HandPose, solve_hand
from posestream.training.hands.poses import GESTURES

CURLED: Final = 0.6
"""A curled finger must exceed this,"""
STRAIGHT: Final = 0.3
"""and a straight one stay under that."""
_FULL_RAD: Final = np.radians(np.array([125.0, 240.0, 240.0, 240.0, 240.0]))
"""Bends of a finger's joints together where it is quite curled, thumb to little finger."""
_CURL: Final = np.array([0.0, 0.0, -1.0])
_WANTED: Final = {name: np.array(curls) > 0.5 for name, curls in GESTURES.items()}

Reader = Callable[[F64, F64, Side], HandPose]


class KnownHand(NamedTuple):
    """A hand that was seen, and its truth."""

    side: Side
    gesture: str  # "" for none
    points_cam_m: F64  # (21, 3)
    xy_px: F64  # (21, 2)
    xyz_m: F64  # (21, 3)


class Answer(NamedTuple):
    """What came of one hand."""

    gesture: str
    error_rad: F64  # (15,) of each finger joint's rotation
    palm_rad: float
    curl: F64  # (4,) as read, index to little finger, 1 quite curled

    @property
    def passed(self) -> bool:
        """Whether what is curled stands out against what is straight."""
        wanted = _WANTED[self.gesture][1:]
        curled, straight = self.curl[wanted], self.curl[~wanted]
        return bool((curled > CURLED).all() and (straight < STRAIGHT).all())


def curls(finger_xyzw: F64, side: Side) -> F64:
    """(4,) of local rotations (15, 4): index to little finger, 0 straight, 1 quite curled."""
    left = finger_xyzw if side == "left" else frames.mirror_quat(finger_xyzw)
    bends = rot.twist_angle(left[3:], _CURL).reshape(len(FINGERS) - 1, 3).sum(axis=1)
    return np.asarray(bends / _FULL_RAD[1:])


def answer(hand: KnownHand, read: Reader) -> Answer:
    """What a reader of hands makes of one."""
    true, found = solve_hand(hand.points_cam_m, hand.side), read(hand.xy_px, hand.xyz_m, hand.side)
    return Answer(
        hand.gesture,
        rot.angle_between(found.finger_xyzw, true.finger_xyzw),
        float(rot.angle_between(found.palm_xyzw, true.palm_xyzw)),
        curls(found.finger_xyzw, hand.side),
    )


def report(answered: Sequence[Answer]) -> str:
    """Errors of joints and palm, and how many of each gesture are told."""
    error = np.degrees(np.stack([one.error_rad for one in answered]))
    palm = np.degrees([one.palm_rad for one in answered])
    joints = [f"{error[:, 3 + joint :: 3].mean():.1f}" for joint in range(3)]
    lines = [
        f"{len(answered)} hands: fingers {error[:, 3:].mean():.1f} deg (joints {joints}), thumb "
        f"{error[:, :3].mean(axis=0).round(1)}, palm median {np.median(palm):.1f}"
    ]
    for name in GESTURES:
        own = [one for one in answered if one.gesture == name]
        if own:
            share = np.mean([one.passed for one in own])
            middle = np.median([one.curl for one in own], axis=0).round(2)
            lines.append(f"{name:<10} {share:.2f} of {len(own)} pass, curls {middle}")
    return "\n".join(lines)
