"""Which features an expression is read from, and what a mirror makes of each feature.

Features stand as ``perform.face_features`` has them: five of each eye, four of each brow (left,
then right), then coordinates of single points, then the head's turn.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.marks import NUM_FACE_MARKS
from posestream.perform.face_features import NUM_FEATURES, NUM_POSE, features
from posestream.types import ARKIT_EXPRESSIONS

_EYES: Final = list(range(10))
_BROWS: Final = list(range(10, 18))
_POINTS: Final = list(range(18, NUM_FEATURES))
_POSE: Final = list(range(NUM_FEATURES, NUM_FEATURES + NUM_POSE))
_IRIS_LEFT: Final = (3, 8)
_BROW_LEFT: Final = (13, 17)
_POSE_SIGN: Final = (1.0, -1.0, 1.0, 1.0, -1.0)  # down, left, and their products
_CHIN: Final = (152, 1)  # a point, and the axis upwards
_PAIRS: Final = ((61, 291), (78, 308), (39, 269), (181, 405), (82, 312), (87, 317), (205, 425),
                 (98, 327))  # fmt: skip
"""Points of the right half of the face, and their counterparts; others lie in the middle."""


def used(name: str) -> I64:
    """Columns that an expression is read from: its own part of the face, and the head's turn.

    Brows also see lids, gaze and chin, which drag the mesh's brows along.
    """
    if name.startswith("eye"):
        return np.array(_EYES + _POSE)
    if name.startswith("brow"):
        lids = [column for column in _EYES if column not in _IRIS_LEFT]
        return np.array(_BROWS + lids + [_POINTS[0] + _COORDINATES.index(_CHIN)] + _POSE)
    return np.array(_POINTS + _POSE)


def _coordinates() -> list[tuple[int, int]]:
    """Point and axis of each coordinate: a mesh tells whose coordinates are their own numbers."""
    numbered = np.arange(3.0 * NUM_FACE_MARKS).reshape(NUM_FACE_MARKS, 3)
    return [divmod(int(number), 3) for number in features(numbered)[_POINTS]]


_COORDINATES: Final = _coordinates()


def _mirrored() -> I64:
    partner = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
    points = [_COORDINATES.index((partner.get(p, p), axis)) for p, axis in _COORDINATES]
    eyes, brows = _EYES[5:] + _EYES[:5], _BROWS[4:] + _BROWS[:4]
    return np.array([*eyes, *brows, *(_POINTS[0] + k for k in points), *_POSE])


def _sign() -> F64:
    sign = np.ones(NUM_FEATURES + NUM_POSE)
    sign[[*_IRIS_LEFT, *_BROW_LEFT]] = -1.0
    sign[_POINTS] = [-1.0 if axis == 0 else 1.0 for _, axis in _COORDINATES]
    sign[_POSE] = _POSE_SIGN
    return sign


def _other_side(name: str) -> str:
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


MIRRORED: Final[I64] = _mirrored()
"""(F + NUM_POSE,) for each feature the one that shows it in a mirror, but for its sign."""
SIGN: Final[F64] = _sign()
"""(F + NUM_POSE,) -1 where a mirror turns a feature's sign."""
TWIN: Final[I64] = np.array(
    [ARKIT_EXPRESSIONS.index(_other_side(name)) for name in ARKIT_EXPRESSIONS]
)
"""(len(ARKIT_EXPRESSIONS),) for each expression the one that a mirror shows."""
