"""A face in the head's own axes, so that turning the head changes nothing in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as rot

_HEAD_AXES: Final = np.array([1.0, -1.0, -1.0])
"""Camera axes of a face that looks into the camera to head axes: x left, y up, z forward."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedFace:
    """A face in head axes: x to the person's left, y up, z forward."""

    point: F64  # (478, 3) in units of the canonical face: outer corners of the eyes 1 apart
    turn_xyzw: F64  # (4,) of the head from looking straight into the camera, head axes
    size_px: float  # of one unit in the picture


def place_face(xyz_px: F64, canonical: F64, weight: F64) -> PlacedFace:
    """Lay a face's points (478, 3) on the canonical face by the points that no grimace moves.

    Args:
        xyz_px: in camera axes.
        canonical: (478, 3) in head axes.
        weight: (478,) how firmly each point sits on the skull, 0 for those that do not.
    """
    share = weight / weight.sum()
    points = xyz_px * _HEAD_AXES
    seen, rest = points - share @ points, canonical - share @ canonical
    u, s, vt = np.linalg.svd((seen * share[:, None]).T @ rest)
    mirror = np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0
    u[:, 2] *= mirror
    turn = u @ vt
    size = (s[0] + s[1] + mirror * s[2]) / max(float(share @ rot.dot(rest, rest)), 1e-12)
    size = max(float(size), 1e-9)
    return PlacedFace(seen @ turn / size + share @ canonical, rot.from_matrix(turn), size)
