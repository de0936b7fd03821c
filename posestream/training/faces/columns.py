"""What a mirror makes of each of the face model's inputs and of each expression.

Inputs stand as ``perform.face_features`` has them: left eye, right eye, left brow, right brow,
each in its own outward axes, then coordinates of single points, then the head's turns.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.marks import NUM_FACE_MARKS
from posestream.perform.expressions import READ
from posestream.perform.face_features import (
    BROW_FEATURES,
    EYE_FEATURES,
    NUM_FEATURES,
    NUM_POSE,
    features,
)

_FIRST_POINT: Final = 2 * (EYE_FEATURES + BROW_FEATURES)
_POINTS: Final = slice(_FIRST_POINT, NUM_FEATURES)
_POSE_SIGN: Final = (1.0, -1.0, -1.0, 1.0, 1.0, -1.0)  # down, left, aside, and products
_PAIRS: Final = ((61, 291), (78, 308), (39, 269), (181, 405), (82, 312), (87, 317), (205, 425),
                 (98, 327))  # fmt: skip
"""Points of the right half of the face, and their counterparts; others lie in the middle."""


def _coordinates() -> list[tuple[int, int]]:
    """Point and axis of each coordinate: a mesh tells whose coordinates are their own numbers."""
    numbered = np.arange(3.0 * NUM_FACE_MARKS).reshape(NUM_FACE_MARKS, 3)
    return [divmod(int(number), 3) for number in features(numbered)[_POINTS]]


_COORDINATES: Final = _coordinates()


def _mirrored() -> I64:
    partner = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
    points = [_COORDINATES.index((partner.get(p, p), axis)) for p, axis in _COORDINATES]
    eyes = np.roll(np.arange(2 * EYE_FEATURES), EYE_FEATURES)
    brows = 2 * EYE_FEATURES + np.roll(np.arange(2 * BROW_FEATURES), BROW_FEATURES)
    pose = np.arange(NUM_FEATURES, NUM_FEATURES + 2 * NUM_POSE)
    return np.concatenate([eyes, brows, _FIRST_POINT + np.array(points), pose])


def _sign() -> F64:
    points = [-1.0 if axis == 0 else 1.0 for _, axis in _COORDINATES]
    return np.concatenate([np.ones(_FIRST_POINT), points, _POSE_SIGN, _POSE_SIGN])


def _other_side(name: str) -> str:
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


MIRRORED: Final[I64] = _mirrored()
"""(NUM_INPUTS,) for each input the one that shows it in a mirror, but for its sign."""
SIGN: Final[F64] = _sign()
"""(NUM_INPUTS,) -1 where a mirror turns an input's sign."""
TWIN: Final[I64] = np.array([READ.index(_other_side(name)) for name in READ])
"""(len(READ),) for each expression the one that a mirror shows."""
