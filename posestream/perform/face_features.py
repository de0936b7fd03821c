"""What a face does, as some numbers: heights, widths and depths of lids, irises, brows and lips.

The indices are those of MediaPipe's face mesh.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, I64


class Eye(NamedTuple):
    """Points of an eye: lids from the inner to the outer corner, corners, iris, brow."""

    upper: tuple[int, ...]
    lower: tuple[int, ...]
    corners: tuple[int, int]  # inner, outer
    iris: tuple[int, ...]  # middle, then its rim
    brow: tuple[int, ...]  # upper edge from the inner end outwards, then the lower edge


EYES: Final = (
    Eye((398, 384, 385, 386, 387, 388, 466), (382, 381, 380, 374, 373, 390, 249), (362, 263),
        (473, 474, 475, 476, 477), (336, 296, 334, 293, 300, 285, 295, 282, 283, 276)),
    Eye((173, 157, 158, 159, 160, 161, 246), (155, 154, 153, 145, 144, 163, 7), (133, 33),
        (468, 471, 470, 469, 472), (107, 66, 105, 63, 70, 55, 65, 52, 53, 46)),
)  # fmt: skip
"""The person's left eye, then the right one, whose points are the left one's in a mirror."""

_MIDDLE_LIDS: Final = slice(2, 5)
_BROW_AHEAD: Final = [0, 2, 4]
"""Points of a brow whose places aside and in depth count as well."""

_LIPS: Final = (
    (61, "xyz"), (291, "xyz"), (0, "yz"), (13, "yz"), (14, "yz"), (17, "xyz"), (78, "xy"),
    (308, "xy"), (39, "yz"), (269, "yz"), (181, "yz"), (405, "yz"), (82, "y"), (312, "y"),
    (87, "y"), (317, "y"), (152, "xyz"), (205, "yz"), (425, "yz"), (98, "y"), (327, "y"),
    (2, "y"),
)  # fmt: skip
"""Points of lips, chin, cheeks and nose, and which of their coordinates count."""

_POINT: Final[I64] = np.array([point for point, axes in _LIPS for _ in axes])
_AXIS: Final[I64] = np.array(["xyz".index(axis) for _, axes in _LIPS for axis in axes])
_OUTWARDS: Final = (1.0, -1.0)
"""Which way along x is outwards for the left and the right eye."""

EYE_FEATURES: Final = 1 + 7 + 7 + 2 * 5 + 2
BROW_FEATURES: Final = 10 + 3 + 3
NUM_FEATURES: Final = 2 * (EYE_FEATURES + BROW_FEATURES) + len(_POINT)
NUM_POSE: Final = 6
NUM_INPUTS: Final = NUM_FEATURES + 2 * NUM_POSE
GAPS: Final = (0, EYE_FEATURES)
"""Where the eyes' openings stand: they count as shares of what they are at rest."""


def features(point: F64) -> F64:
    """(F,) of a face's points (478, 3) in head axes."""
    eyes = [_eye(point, eye, way) for eye, way in zip(EYES, _OUTWARDS, strict=True)]
    brows = [_brow(point, eye, way) for eye, way in zip(EYES, _OUTWARDS, strict=True)]
    return np.concatenate([*eyes, *brows, point[_POINT, _AXIS]])


def changes(now: F64, turn_rad: F64, rest: F64, rest_turn_rad: F64) -> F64:
    """(..., NUM_INPUTS): what the model sees of features (..., F), the head turned by (..., 3).

    ``rest`` (F,) and ``rest_turn_rad`` (3,) are those of the same person's neutral face.
    """
    change = now - rest
    for gap in GAPS:
        change[..., gap] /= max(float(rest[gap]), 0.05)
    pose, rest_pose = _pose(turn_rad), _pose(rest_turn_rad)
    return np.concatenate([change, pose, pose - rest_pose], axis=-1)


def _pose(turn_rad: F64) -> F64:
    """(..., 6) the head's turn and its products: what of it is left in the mesh."""
    down, left = turn_rad[..., :1], turn_rad[..., 1:2]
    return np.concatenate([turn_rad, down * down, left * left, down * left], axis=-1)


def opening(values: F64) -> float:
    """How far the eyes are open by features (F,): the mean gap as a share of the eye's width."""
    return float(np.mean(values[list(GAPS)]))


def _eye(point: F64, eye: Eye, way: float) -> F64:
    """Lids and iris along and across the line between the corners, in widths of the eye."""
    inner, outer = point[list(eye.corners), :2]
    across = outer - inner
    width = max(float(np.hypot(*across)), 1e-6)
    along = across / width
    axes = np.array([along, [-along[1] * way, along[0] * way]]).T
    middle = 0.5 * (inner + outer)
    upper, lower, iris = (
        (point[list(part), :2] - middle) @ axes / width for part in (eye.upper, eye.lower, eye.iris)
    )
    height = iris[0, 1]
    over, under = upper[_MIDDLE_LIDS, 1].mean(), lower[_MIDDLE_LIDS, 1].mean()
    gap = upper[:, 1].mean() - lower[:, 1].mean()
    around = [over - height, height - under]
    return np.concatenate([[gap], upper[:, 1], lower[:, 1], iris.ravel(), around])


def _brow(point: F64, eye: Eye, way: float) -> F64:
    """Heights over the eye, then distances from the face's middle, and depths."""
    brow = point[list(eye.brow)] - point[list(eye.corners)].mean(axis=0)
    return np.concatenate([brow[:, 1], way * brow[_BROW_AHEAD, 0], brow[_BROW_AHEAD, 2]])
