"""Arms and legs: swing onto the limb, twist by the plane of elbow or knee.

The plane is known only while the limb is bent. The twist therefore has a memory, relative
to the parent bone: it is carried along with the limb by the shortest rotation, pulled to
the measured plane the more the limb is bent, and sinks slowly to the natural twist while the
limb is straight. Nothing flips when an arm passes behind the back or a leg straightens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import (
    between,
    clamp,
    cross,
    difference,
    matrix,
    mul,
    pick,
    seen_from,
    smoothstep,
    some,
    twist_angle,
    unit,
)  # fmt: skip
from posestream.geometry.fixed import Swing, Twist, block_diagonal
from posestream.geometry.rotation import arctan2
from posestream.retarget.observe import Observation

LIMB_REST: Final = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, -1.0, 0], [0, -1.0, 0]])
"""(4, 3) at rest: left arm, right arm, left leg, right leg."""

HINGE_REST: Final = np.array([[0, -1.0, 0], [0, 1.0, 0], [1.0, 0, 0], [1.0, 0, 0]])
"""(4, 3) axis about which flexion is positive."""

_BENT_SINE: Final = (np.sin(np.radians(9.0)), np.sin(np.radians(32.0)))
_BELIEVABLE_RAD: Final = np.radians([[125.0, 125.0, 75.0, 75.0], [165.0, 165.0, 120.0, 120.0]])
_TWIST_RATE_RAD_S: Final = np.radians(500.0)
_RELAX_S: Final = 1.5
_FULL_TRUST_S: Final = 0.033
_TURN_RAD: Final = 2.0 * np.pi
_HALF_RAISE: Final = np.radians([9.0, -9.0])
_HALF_REACH: Final = np.radians([-3.0, 3.0])
# The hinge's direction follows from the lower limb's by two products: limb × lower against
# hinge and against limb × hinge.
_BEND_AXES: Final = block_diagonal(
    np.stack([HINGE_REST, cross(HINGE_REST, LIMB_REST)], axis=2)
)  # (4 · 3, 4 · 2)
_FROM_REST: Final = Swing(LIMB_REST)
_TWIST: Final = Twist(LIMB_REST)
_REST_TURNED: Final = block_diagonal([np.kron(np.eye(3), rest[:, None]) for rest in LIMB_REST])
"""(4 · 9, 4 · 3): where rotation matrices lead limbs from rest."""


@dataclass(slots=True)
class Limbs:
    """World rotations wanted of the limbs' bones."""

    upper: F64  # (N, 4, 4)
    lower: F64  # (N, 4, 4)
    in_parent: F64  # (N, 4, 4) of the upper bones, relative to shoulder or hips: next memory
    upper_ok: Bool  # (N, 4)
    lower_ok: Bool  # (N, 4)


def solve_limbs(seen: Observation, parent: F64, memory: F64, fresh: Bool, dt_s: F64) -> Limbs:
    """Upper and lower limb rotations.

    Args:
        seen: this frame's joints.
        parent: (N, 4, 4) world rotations of shoulder, shoulder, hips, hips.
        memory: (N, 4, 4) ``in_parent`` of the last frame.
        fresh: (N,) people without memory.
        dt_s: (N,) seconds since the last frame.
    """
    ok = seen.limb_ok.reshape(-1, 2)  # limbs of all people one after another: rows are faster
    upper_ok, lower_ok = ok[:, 0], ok[:, 1]
    limb, memory, parent = seen.limb.reshape(-1, 2, 3), memory.reshape(-1, 4), parent.reshape(-1, 4)
    turned = matrix(parent)
    local = np.matmul(limb, turned)  # (4 N, 2, 3) in the parent's frame
    before = matrix(memory).reshape(-1, 36).dot(_REST_TURNED).reshape(-1, 3)
    along = pick(upper_ok, local[:, 0], before)
    natural, carried = _FROM_REST.to(along), mul(between(before, along), memory)
    if some(fresh):
        carried = pick(np.repeat(fresh, 4) & upper_ok, natural, carried)
    bendable = (upper_ok & lower_ok).reshape(-1, 4)
    turn = _twist_step(local[:, 1], carried, natural, bendable, fresh, dt_s)
    in_parent = unit(_TWIST.of(carried, turn))[0]  # about the limb at rest, before it is carried
    upper = mul(parent, in_parent)
    straight = np.matmul(turned, along[..., None])[..., 0]
    lower = mul(between(straight, pick(lower_ok, limb[:, 1], straight)), upper)
    upper, lower, in_parent = (q.reshape(-1, 4, 4) for q in (upper, lower, in_parent))
    return Limbs(upper, lower, in_parent, seen.limb_ok[..., 0], seen.limb_ok[..., 1])


def _twist_step(
    lower: F64, carried: F64, natural: F64, bendable: Bool, fresh: Bool, dt_s: F64
) -> F64:
    """Angle (N, 4) by which to turn the carried rotation about the limb in this frame.

    Both rotations (4 N, 4) lead the limb to the same direction; all angles are about it, from the
    natural twist.
    """
    twist = twist_angle(difference(natural, carried).reshape(-1, 4, 4), LIMB_REST)
    bend = (seen_from(natural, lower).reshape(-1, 12).dot(_BEND_AXES)).reshape(-1, 4, 2)
    measured, sine = arctan2(bend[..., 0], bend[..., 1]), np.hypot(bend[..., 0], bend[..., 1])
    to_measured = measured - twist
    to_measured -= _TURN_RAD * np.rint(to_measured / _TURN_RAD)
    weight = smoothstep(sine, *_BENT_SINE) * (1.0 - smoothstep(np.abs(measured), *_BELIEVABLE_RAD))
    weight = weight * bendable
    pull = 1.0 - (1.0 - weight) ** (dt_s / _FULL_TRUST_S)[:, None]
    cap = _TWIST_RATE_RAD_S * dt_s
    if some(fresh):
        pull = np.where(fresh[:, None], weight, pull)
        cap = np.where(fresh, np.pi, cap)
    relax = (1.0 - weight) * (1.0 - np.exp(-dt_s / _RELAX_S))[:, None]
    return clamp(pull * to_measured - relax * twist, -cap[:, None], cap[:, None])


def shoulder_swing(upper_in_chest: F64, known: Bool) -> F64:
    """Local rotation (N, 2, 4) of the collar bones: they follow a raised or reaching arm.

    Args:
        upper_in_chest: (N, 2, 3) direction of the left and right upper arm in the chest's frame.
        known: (N, 2).
    """
    half_raised = smoothstep(upper_in_chest[..., 1], -0.3, 1.0) * (known * _HALF_RAISE)
    half_reach = upper_in_chest[..., 2] * (known * _HALF_REACH)
    sin_y, cos_y = np.sin(half_reach), np.cos(half_reach)
    sin_z, cos_z = np.sin(half_raised), np.cos(half_raised)
    q = np.empty((*known.shape, 4))  # about y, after about z
    q[..., 0], q[..., 1] = sin_y * sin_z, sin_y * cos_z
    q[..., 2], q[..., 3] = cos_y * sin_z, cos_y * cos_z
    return q
