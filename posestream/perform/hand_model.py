"""Fingers and palm as a network reads them from a hand's points.

The points' depth is poor and their curls too small; a small network that was fitted to rendered
hands whose pose is known knows how they err (``assets/README.md``). Right hands are read as left
ones in a mirror.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.assets import HAND_MODEL
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.geometry.fast import slerp, smoothstep
from posestream.marks import NUM_HAND_MARKS, Side
from posestream.perform.fingers import NUM_FINGER_BONES, HandPose, palm_rotation, solve_hand
from posestream.perform.hand_angles import NUM_ANGLES, rotations_of
from posestream.perform.small_network import SmallNetwork

_KNUCKLES: Final = [5, 9, 13, 17]
_PALM: Final = [0, 5, 17]
_BACK: Final = np.array([0.0, 1.0, 0.0])
_IN_SIGHT: Final = (0.3, 0.55)
"""How far palm or back must face the camera for the network to know such hands."""
_COUPLING: Final = 0.7
_MIRROR_X: Final = np.array([-1.0, 1.0])
NUM_INPUTS: Final = 5 * (NUM_HAND_MARKS - 1) + 9
NUM_OUTPUTS: Final = NUM_ANGLES + 3


class HandSeen(NamedTuple):
    """What the network sees of a left hand, and how its palm lies in the points."""

    inputs: F64  # (NUM_INPUTS,)
    palm_xyzw: F64  # (4,)


@cache
def hand_network() -> SmallNetwork:
    """The model that ships with the package."""
    with np.load(HAND_MODEL, allow_pickle=False) as data:
        parts = [data[name].astype(np.float64) for name in ("w1", "b1", "w2", "b2")]
    return SmallNetwork(*parts)


def seen(xy_px: F64, xyz_m: F64, side: Side) -> HandSeen:
    """What there is to see in a hand's points in the picture (21, 2) and in space (21, 3)."""
    if side == "right":
        xy_px, xyz_m = xy_px * _MIRROR_X, frames.mirror_position(xyz_m)
    palm = palm_rotation(xyz_m)
    on_palm = rot.rotate(rot.inverse(palm), xyz_m - xyz_m[0])
    on_palm = on_palm / max(float(rot.norm(on_palm[_KNUCKLES]).mean()), 1e-9)
    ahead = xy_px[_KNUCKLES].mean(axis=0) - xy_px[0]
    turn = _upright(float(np.arctan2(ahead[1], ahead[0])))
    corners = xy_px[_PALM]
    size = float(rot.norm(corners - np.roll(corners, 1, axis=0)).max())
    flat = (xy_px - xy_px[0]) @ turn[:2, :2].T / max(size, 1e-9)
    view = turn @ rot.to_matrix(palm)
    return HandSeen(np.concatenate([on_palm[1:].ravel(), flat[1:].ravel(), view.ravel()]), palm)


def read_hand(xy_px: F64, xyz_m: F64, side: Side) -> HandPose:
    """The pose of a hand from its points in the picture (21, 2) and in space (21, 3)."""
    return read_with(hand_network())(xy_px, xyz_m, side)


def read_with(network: SmallNetwork) -> Callable[[F64, F64, Side], HandPose]:
    """``read_hand`` by another network."""

    def read(xy_px: F64, xyz_m: F64, side: Side) -> HandPose:
        hand = seen(xy_px, xyz_m, side)
        found = network(hand.inputs)
        palm = rot.multiply(hand.palm_xyzw, rot.from_rotvec(found[NUM_ANGLES:]))
        local = rotations_of(found[:NUM_ANGLES])
        if side == "right":
            palm, local = frames.mirror_quat(palm), frames.mirror_quat(local)
        trust = _trust(hand.palm_xyzw)
        if trust == 1.0:
            return HandPose(palm, local)
        return _blended(solve_hand(xyz_m, side, _COUPLING), HandPose(palm, local), trust)

    return read


def _trust(palm_xyzw: F64) -> float:
    """1 where palm or back is in sight, 0 where the hand is seen on edge."""
    towards = abs(float(rot.rotate(palm_xyzw, _BACK)[2]))
    return float(smoothstep(np.array(towards), *_IN_SIGHT))


def _blended(plain: HandPose, read: HandPose, trust: float) -> HandPose:
    return HandPose(
        slerp(plain.palm_xyzw, read.palm_xyzw, trust),
        slerp(plain.finger_xyzw, read.finger_xyzw, np.full(NUM_FINGER_BONES, trust)),
    )


def _upright(angle_rad: float) -> F64:
    """(3, 3) turns the picture so that what points along ``angle_rad`` points along x."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
