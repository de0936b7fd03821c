"""Fifteen finger rotations as the angles that a hand really has, and back.

The thumb's three joints as rotation vectors; then of each finger curl and spread of the
knuckle, curl of the middle and of the last joint; radians, for a left hand.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.perform.fingers import FINGERS, LIMITS, NUM_FINGER_BONES

_CURL: Final = np.array([0.0, 0.0, -1.0])
_UP: Final = np.array([0.0, 1.0, 0.0])
_THUMB: Final = 9
NUM_ANGLES: Final = _THUMB + 4 * (len(FINGERS) - 1)


def _limits() -> F64:
    """(4, 4, 2) radians: of each finger curl, spread, curl, curl; spread towards the thumb."""
    rows = []
    for finger in FINGERS[1:]:
        knuckle, middle, last = LIMITS[finger]
        low, high = knuckle.spread
        rows.append([knuckle.curl, (-high, -low), middle.curl, last.curl])
    return np.radians(np.array(rows, dtype=np.float64))


_LOW, _HIGH = np.moveaxis(_limits(), -1, 0)
_MOST_THUMB_RAD: Final = np.radians(80.0)


def angles_of(finger_xyzw: F64) -> F64:
    """(NUM_ANGLES,) of a left hand's local rotations (15, 4)."""
    fingers = finger_xyzw[3:].reshape(-1, 3, 4)
    curl = rot.twist_angle(fingers, _CURL)
    aside = rot.multiply(fingers[:, 0], rot.inverse(rot.from_axis_angle(_CURL, curl[:, 0])))
    rows = [curl[:, 0], rot.twist_angle(aside, _UP), curl[:, 1], curl[:, 2]]
    return np.concatenate([rot.to_rotvec(finger_xyzw[:3]).ravel(), np.stack(rows, axis=1).ravel()])


def rotations_of(angles: F64) -> F64:
    """(15, 4) of angles (NUM_ANGLES,), kept within the joints' limits."""
    out = np.empty((NUM_FINGER_BONES, 4))
    thumb = angles[:_THUMB].reshape(3, 3)
    far = np.linalg.norm(thumb, axis=1, keepdims=True)
    out[:3] = rot.from_rotvec(thumb * np.minimum(1.0, _MOST_THUMB_RAD / np.maximum(far, 1e-9)))
    fingers = np.clip(angles[_THUMB:].reshape(-1, 4), _LOW, _HIGH)
    curl = rot.from_axis_angle(_CURL, fingers[:, [0, 2, 3]])
    curl[:, 0] = rot.multiply(rot.from_axis_angle(_UP, fingers[:, 1]), curl[:, 0])
    out[3:] = curl.reshape(-1, 4)
    return out
