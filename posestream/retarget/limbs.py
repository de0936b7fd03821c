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
    about,
    between,
    cross,
    dot,
    inv,
    mul,
    pick,
    rotate,
    signed_angle,
    smoothstep,
    unit,
)  # fmt: skip
from posestream.retarget.observe import Observation

LIMB_REST: Final = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, -1.0, 0], [0, -1.0, 0]])
"""(4, 3) at rest: left arm, right arm, left leg, right leg."""

HINGE_REST: Final = np.array([[0, -1.0, 0], [0, 1.0, 0], [1.0, 0, 0], [1.0, 0, 0]])
"""(4, 3) axis about which flexion is positive."""

_BENT_SINE: Final = (np.sin(np.radians(9.0)), np.sin(np.radians(32.0)))
_BELIEVABLE_RAD: Final = np.radians(np.array([[125.0, 165.0]] * 2 + [[75.0, 120.0]] * 2))
_TWIST_RATE_RAD_S: Final = np.radians(500.0)
_RELAX_S: Final = 1.5
_FULL_TRUST_S: Final = 0.033


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
    upper_ok, lower_ok = seen.limb_ok[..., 0], seen.limb_ok[..., 1]
    local = rotate(inv(parent)[:, :, None], seen.limb)  # (N, 4, 2, 3) in the parent's frame
    before = rotate(memory, LIMB_REST)
    along = pick(upper_ok, local[:, :, 0], before)
    swing = between(np.stack([np.broadcast_to(LIMB_REST, before.shape), before]), along)
    natural, carried = swing[0], mul(swing[1], memory)
    carried = pick(fresh[:, None] & upper_ok, natural, carried)
    turn = _twist_step(along, local[:, :, 1], carried, natural, upper_ok & lower_ok, fresh, dt_s)
    in_parent = unit(mul(about(along, turn), carried))[0]
    upper = mul(parent, in_parent)
    lower = mul(between(rotate(upper, LIMB_REST), _lower_direction(seen, upper)), upper)
    return Limbs(upper, lower, in_parent, upper_ok, lower_ok)


def _lower_direction(seen: Observation, upper: F64) -> F64:
    return pick(seen.limb_ok[..., 1], seen.limb[:, :, 1], rotate(upper, LIMB_REST))


def _twist_step(
    along: F64, lower: F64, carried: F64, natural: F64, bendable: Bool, fresh: Bool, dt_s: F64
) -> F64:
    """Angle (N, 4) by which to turn the carried rotation about the limb in this frame."""
    now, rest = rotate(np.stack([carried, natural]), HINGE_REST)  # each (N, 4, 3)
    normal = cross(along, lower)
    sine = np.sqrt(dot(normal, normal))
    to_natural, to_measured, odd = signed_angle(
        np.stack([now, now, rest]), np.stack([rest, normal, normal]), along
    )
    low, high = _BELIEVABLE_RAD[:, 0], _BELIEVABLE_RAD[:, 1]
    weight = smoothstep(sine, *_BENT_SINE) * (1.0 - smoothstep(np.abs(odd), low, high))
    weight = np.where(bendable, weight, 0.0)
    pull = 1.0 - (1.0 - weight) ** (dt_s / _FULL_TRUST_S)[:, None]
    pull = np.where(fresh[:, None], weight, pull)
    relax = (1.0 - weight) * (1.0 - np.exp(-dt_s / _RELAX_S))[:, None]
    cap = np.where(fresh, np.pi, _TWIST_RATE_RAD_S * dt_s)[:, None]
    return np.asarray(np.clip(pull * to_measured + relax * to_natural, -cap, cap))


def shoulder_swing(upper_in_chest: F64, known: Bool) -> F64:
    """Local rotation (N, 2, 4) of the collar bones: they follow a raised or reaching arm.

    Args:
        upper_in_chest: (N, 2, 3) direction of the left and right upper arm in the chest's frame.
        known: (N, 2).
    """
    side = np.array([1.0, -1.0])
    raised = smoothstep(upper_in_chest[..., 1], -0.3, 1.0) * np.radians(18.0)
    reach = upper_in_chest[..., 2] * np.radians(6.0)
    raised, reach = np.where(known, raised, 0.0), np.where(known, reach, 0.0)
    return mul(
        about(np.array([0.0, 1.0, 0.0]), -side * reach),
        about(np.array([0.0, 0.0, 1.0]), side * raised),
    )
