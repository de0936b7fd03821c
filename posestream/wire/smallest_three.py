"""Unit quaternions in 48 bits: the largest component is left out and recomputed.

Each of three u16 words holds one of the other components, in order x y z w, as
round(c * sqrt(2) * 16383) + 16383 in its low 15 bits. The top bits of the first and second
word are the low and high bit of the largest component's index. The quaternion's sign is
chosen so that the largest is positive.

Error: half a step is 2.2e-5 per component; the one left out errs by at most sqrt(3) times the
length of that error, since it is at least 1/2. So the angle is right within 0.0086 degrees.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64

_HALF: Final = 16383
_SCALE: Final = _HALF * 2.0**0.5
_LOW: Final = np.uint16(0x7FFF)
_OTHERS: Final = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
MAX_ERROR_RAD: Final = 1.5e-4


def pack(q_xyzw: NDArray[Any]) -> NDArray[np.uint16]:
    """(..., 4) unit quaternions to (..., 3) words."""
    q = np.ascontiguousarray(q_xyzw).reshape(-1, 4)
    rows = np.arange(len(q))
    largest = np.argmax(np.abs(q), axis=1)
    sign = np.where(q[rows, largest] < 0.0, -_SCALE, _SCALE)
    small = q[rows[:, None], _OTHERS[largest]] * sign[:, None]
    words = np.clip(np.rint(small) + _HALF, 0, 2 * _HALF).astype(np.uint16)
    words[:, 0] |= ((largest & 1) << 15).astype(np.uint16)
    words[:, 1] |= ((largest >> 1) << 15).astype(np.uint16)
    return np.asarray(words.reshape(*q_xyzw.shape[:-1], 3))


def unpack(words: NDArray[np.uint16]) -> F64:
    """(..., 3) words to (..., 4) unit quaternions; any words give unit quaternions."""
    w = words.reshape(-1, 3)
    rows = np.arange(len(w))
    largest = (w[:, 0] >> 15) | ((w[:, 1] >> 15) << 1)
    small = ((w & _LOW).astype(np.float64) - _HALF) / _SCALE
    q = np.empty((len(w), 4))
    q[rows[:, None], _OTHERS[largest]] = small
    q[rows, largest] = np.sqrt(np.maximum(1.0 - np.sum(small * small, axis=1), 0.0))
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    return q.reshape(*words.shape[:-1], 4)
