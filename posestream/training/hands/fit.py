"""Fits the hand model to marks on hands whose pose is known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.perform.fingers import solve_hand
from posestream.perform.hand_angles import NUM_ANGLES, angles_of
from posestream.perform.hand_model import seen
from posestream.perform.small_network import SmallNetwork
from posestream.training.hands.marks import Hands
from posestream.training.small_network import Recipe, fit_network

RECIPE: Final = Recipe(hidden=64, steps=3000, decay=0.3, noise=0.15, members=2)


class Rows(NamedTuple):
    """What a network learns from: one row for each look at a hand."""

    x: F64  # (R, NUM_INPUTS)
    y: F64  # (R, NUM_OUTPUTS) angles, and how the palm is turned against that of the points


def fit(hands: Sequence[Hands], recipe: Recipe = RECIPE) -> SmallNetwork:
    """The network of all these hands."""
    found = [rows(one) for one in hands]
    x, y = np.concatenate([r.x for r in found]), np.concatenate([r.y for r in found])
    middle = x.mean(axis=0)
    network = fit_network(x - middle, y, np.ones_like(y), recipe)
    return SmallNetwork(network.w1, network.b1 - middle @ network.w1, network.w2, network.b2)


def rows(hands: Hands) -> Rows:
    """All looks at which a hand was found."""
    x, y = [], []
    for index, shot in enumerate(hands.shots):
        points = hands.points_cam_m[index]
        left = points if shot.side == "left" else frames.mirror_position(points)
        true = solve_hand(left, "left")
        angles = angles_of(true.finger_xyzw)
        for xy_px, xyz_m in zip(hands.xy_px[index], hands.xyz_m[index], strict=True):
            if np.isfinite(xy_px).all():
                hand = seen(xy_px, xyz_m, shot.side)
                turn = rot.multiply(rot.inverse(hand.palm_xyzw), true.palm_xyzw)
                x.append(hand.inputs)
                y.append(np.concatenate([angles, rot.to_rotvec(turn)]))
    assert not y or len(y[0]) == NUM_ANGLES + 3
    return Rows(np.stack(x), np.stack(y))
