"""What a face does, as some seventy numbers: heights, widths and depths of lids, brows and lips.

The indices are those of MediaPipe's face mesh.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, I64
from posestream.geometry.rotation import norm


class Eye(NamedTuple):
    """Points of an eye: three pairs of lids, corners, iris; its brow from inner to outer."""

    upper: tuple[int, ...]
    lower: tuple[int, ...]
    corners: tuple[int, int]
    iris: int
    brow: tuple[tuple[int, ...], ...]


EYES: Final = (
    Eye((385, 386, 387), (380, 374, 373), (362, 263), 473,
        ((336, 285, 296, 295), (334, 282), (300, 276, 293, 283))),
    Eye((158, 159, 160), (153, 145, 144), (133, 33), 468,
        ((107, 55, 66, 65), (105, 52), (70, 46, 63, 53))),
)  # fmt: skip
"""The person's left eye, then the right one."""

_LIPS: Final = (
    (61, "xyz"), (291, "xyz"), (0, "yz"), (13, "yz"), (14, "yz"), (17, "xyz"), (78, "xy"),
    (308, "xy"), (39, "yz"), (269, "yz"), (181, "yz"), (405, "yz"), (82, "y"), (312, "y"),
    (87, "y"), (317, "y"), (152, "xyz"), (205, "yz"), (425, "yz"), (98, "y"), (327, "y"),
    (2, "y"),
)  # fmt: skip
"""Points of lips, chin, cheeks and nose, and which of their coordinates count."""

_POINT: Final[I64] = np.array([point for point, axes in _LIPS for _ in axes])
_AXIS: Final[I64] = np.array(["xyz".index(axis) for _, axes in _LIPS for axis in axes])

GAPS: Final = (0, 5)
"""Where the eyes' openings stand: they count as shares of what they are at rest."""

NUM_FEATURES: Final = 5 * 2 + 4 * 2 + len(_POINT)
NUM_POSE: Final = 5
_POSE_SCALE: Final = 0.02


def features(point: F64) -> F64:
    """(F,) of a face's points (478, 3) in head axes."""
    eyes = [_eye(point, eye) for eye in EYES]
    brows = [_brow(point, eye) for eye in EYES]
    return np.concatenate([*eyes, *brows, point[_POINT, _AXIS]])


def pose_features(turn_rad: F64) -> F64:
    """(P,) what is left of the head's turn (3,) in the mesh: down, left, and their products."""
    down, left = turn_rad[0], turn_rad[1]
    return _POSE_SCALE * np.array([down, left, down * down, left * left, down * left])


def opening(values: F64) -> float:
    """How far the eyes are open by features (F,): the mean gap as a share of the eye's width."""
    return float(np.mean(values[list(GAPS)]))


def _eye(point: F64, eye: Eye) -> F64:
    corners = point[list(eye.corners)]
    middle, width = corners.mean(axis=0), norm(corners[1] - corners[0])
    above = point[list(eye.upper), 1].mean() - middle[1]
    below = point[list(eye.lower), 1].mean() - middle[1]
    iris = point[eye.iris] - middle
    lengths = np.array([above - below, above, below, iris[0], iris[1]])
    return np.asarray(lengths / max(float(width), 1e-6))


def _brow(point: F64, eye: Eye) -> F64:
    level = point[list(eye.corners), 1].mean()
    heights = [point[list(part), 1].mean() - level for part in eye.brow]
    return np.array([*heights, point[list(eye.brow[0]), 0].mean()])
