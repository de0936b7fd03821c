"""The fifteen finger bones and the palm of a hand from its 21 points.

Every joint is solved as what it is: knuckles spread and curl, the joints beyond them only
curl, and the thumb's saddle joint also rolls the thumb towards the fingers. Right hands are
solved as left ones in a mirror.

Axes are those of the left hand at rest in the T-pose (``skeleton.humanoid``): fingers along
+x, palm down, thumb towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.geometry.fast import (
    about,
    clamp,
    inv,
    mul,
    rotate,
    slerp,
    smoothstep,
    twist_angle,
)  # fmt: skip
from posestream.marks import Side
from posestream.skeleton.humanoid import BONE, REST_OFFSET_M

FINGERS: Final = ("Thumb", "Index", "Middle", "Ring", "Little")
PHALANGES: Final = ("Proximal", "Intermediate", "Distal")
NUM_FINGER_BONES: Final = len(FINGERS) * len(PHALANGES)


class Range(NamedTuple):
    """Degrees that a joint may turn: curl towards the palm, spread towards the thumb's side."""

    curl: tuple[float, float]
    spread: tuple[float, float] = (0.0, 0.0)


LIMITS: Final[dict[str, tuple[Range, Range, Range]]] = {
    "Index": (Range((-30, 95), (-20, 30)), Range((-5, 115)), Range((-10, 90))),
    "Middle": (Range((-30, 95), (-20, 20)), Range((-5, 115)), Range((-10, 90))),
    "Ring": (Range((-30, 95), (-25, 15)), Range((-5, 115)), Range((-10, 90))),
    "Little": (Range((-30, 95), (-40, 15)), Range((-5, 115)), Range((-10, 90))),
    "Thumb": (Range((-35, 50), (-35, 55)), Range((-20, 70), (-15, 15)), Range((-20, 85))),
}
"""From the clinical ranges of motion (AAOS), a little widened; thumbs count from their rest."""

_THUMB_ROLL_DEG: Final = (-25.0, 55.0)
_BENT: Final = (np.sin(np.radians(12.0)), np.sin(np.radians(40.0)))
"""Bends of the thumb between which the plane of the bend gains its say over the roll."""
_UPRIGHT: Final = (0.25, 0.6)
"""How far a finger must point along the palm for its spread to be seen: none when curled."""

_TENDON: Final = 0.6
"""Bend of a finger's last joint by that of its middle one where nothing holds it."""

_CURL: Final = np.array([0.0, 0.0, -1.0])
_ALONG: Final = np.array([1.0, 0.0, 0.0])
_PALM_MARKS: Final = np.array([0, 5, 9, 13, 17])


def _rest(bone: str) -> F64:
    return np.asarray(REST_OFFSET_M[BONE[f"Left{bone}"]])


_PALM_M: Final = np.stack([np.zeros(3), *(_rest(f"{f}Proximal") for f in FINGERS[1:])])
_KNUCKLES: Final = _PALM_MARKS[1:]
_PALM_LENGTH_M: Final = float(rot.norm(_PALM_M[1:]).mean())
_SADDLE_M: Final = _rest("ThumbProximal")
"""The thumb's saddle joint sits fast in the palm: better known from there than seen, for its
point jitters by a quarter of the bone that it begins."""
_THUMB: Final = rot.normalize(
    np.stack([_rest("ThumbIntermediate"), _rest("ThumbDistal"), _rest("ThumbDistal")])
)
"""(3, 3) directions of the thumb's bones at rest; its tip continues the bone before."""
# A thumb at rest lies in the palm's plane and looks half at the floor, half at the fingers.
_DOWN: Final = np.array([0.0, -1.0, 0.0])
_PULP: Final = rot.normalize(_DOWN + rot.normalize(rot.cross(-_DOWN, _THUMB)))
_THUMB_CURL: Final = rot.normalize(rot.cross(_THUMB, _PULP))


@dataclass(frozen=True, slots=True, eq=False)
class HandPose:
    """One hand: its palm's orientation and the finger bones on it, normalised rotations."""

    palm_xyzw: F64  # (4,) from the hand bone's axes to the axes of the points
    finger_xyzw: F64  # (15, 4) local; thumb to little finger, proximal to distal


def solve_hand(xyz_m: F64, side: Side, coupling: float = 0.0) -> HandPose:
    """The pose of a hand from its points (21, 3), in any right-handed axes and any unit.

    ``coupling`` in [0, 1]: how far the last joint of each finger follows the one before, as
    tendons make it do, instead of its own point, which is the least well seen of all.
    """
    points = xyz_m if side == "left" else frames.mirror_position(xyz_m)
    palm = palm_rotation(points)
    on_palm = rotate(inv(palm), points - points[0])
    on_palm[1] = _SADDLE_M * (rot.norm(on_palm[_KNUCKLES]).mean() / _PALM_LENGTH_M)
    bones = rot.normalize(np.diff(on_palm, axis=0))
    local = np.empty((NUM_FINGER_BONES, 4))
    local[:3] = _thumb(bones[1:4])
    for number, finger in enumerate(FINGERS[1:], start=1):
        local[3 * number : 3 * number + 3] = _finger(
            bones[4 * number + 1 : 4 * number + 4], finger, coupling
        )
    if side == "right":
        palm, local = frames.mirror_quat(palm), frames.mirror_quat(local)
    return HandPose(palm, local)


def palm_rotation(points: F64) -> F64:
    """(4,) the rotation that lays wrist and knuckles of a left hand at rest on ``points``."""
    seen = points[_PALM_MARKS] - points[_PALM_MARKS].mean(axis=0)
    u, _, vt = np.linalg.svd(seen.T @ (_PALM_M - _PALM_M.mean(axis=0)))
    u[:, 2] *= np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0
    return rot.from_matrix(u @ vt)


def _finger(bone: F64, finger: str, coupling: float) -> F64:
    """Local rotations (3, 4) from the directions (3, 3) of a finger's bones in palm axes."""
    limits = LIMITS[finger]
    out = np.empty((3, 4))
    world = rot.IDENTITY
    for joint in range(3):
        seen = rotate(inv(world), bone[joint])
        out[joint] = _bend(seen, _ALONG, _CURL, limits[joint])
        world = mul(world, out[joint])
    if coupling > 0.0:
        follows = about(_CURL, _TENDON * clamp(twist_angle(out[1], _CURL), 0.0, np.pi))
        out[2] = slerp(out[2], follows, coupling)
    return out


def _thumb(bone: F64) -> F64:
    """The same for the thumb: its first bone may also roll."""
    limits = LIMITS["Thumb"]
    out = np.empty((3, 4))
    world = rot.IDENTITY
    for joint in range(3):
        seen = rotate(inv(world), bone[joint])
        q = _bend(seen, _THUMB[joint], _THUMB_CURL[joint], limits[joint])
        if joint == 0:
            q = mul(q, _roll(rotate(inv(q), bone)))
        out[joint] = q
        world = mul(world, q)
    return out


def _roll(bone: F64) -> F64:
    """About the thumb's own axis, so that it curls in the plane in which it is bent.

    ``bone`` (3, 3): directions in the axes of the first one. A straight thumb is not rolled.
    """
    across = rot.cross(bone[0], bone[1]) + rot.cross(bone[1], bone[2])
    bent = smoothstep(rot.norm(across), *_BENT)
    side = rot.dot(across, rot.cross(_THUMB[0], _THUMB_CURL[0]))
    along = rot.dot(across, _THUMB_CURL[0])
    angle = rot.arctan2(side * np.copysign(1.0, along), np.abs(along))  # bent back: as well
    low, high = np.radians(_THUMB_ROLL_DEG)
    return about(_THUMB[0], bent * clamp(angle, low, high))


def _bend(seen: F64, rest: F64, curl_axis: F64, limit: Range) -> F64:
    """Spread, then curl, that turn the direction ``rest`` to the side of ``seen``, within limits.

    A joint without spread turns only about ``curl_axis``.
    """
    up = rot.cross(rest, curl_axis)  # the back of the bone: curling turns away from it
    ahead, back, aside = rot.dot(seen, rest), rot.dot(seen, up), rot.dot(seen, curl_axis)
    spread = np.zeros(())
    if limit.spread != (0.0, 0.0):
        known = smoothstep(np.hypot(ahead, aside), *_UPRIGHT)
        spread = known * _within(rot.arctan2(-aside, np.abs(ahead)), limit.spread)
        ahead = np.cos(spread) * ahead - np.sin(spread) * aside
    curl = _within(rot.arctan2(-back, ahead), limit.curl)
    return mul(about(up, -spread), about(curl_axis, curl))


def _within(angle_rad: F64, degrees: tuple[float, float]) -> F64:
    return clamp(angle_rad, np.radians(degrees[0]), np.radians(degrees[1]))
