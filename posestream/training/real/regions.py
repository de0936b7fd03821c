"""Where the teacher has to look: a turned square about a person, from labels or from a box."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.skeleton.joints import JOINT

_MARGIN: Final = 1.25  # the landmark model was taught with regions so much wider than the body
_HANDS: Final = 1.12  # hands and feet reach beyond wrists and ankles
_RADIUS_PER_TRUNK: Final = 1.75  # of a whole body about its hips, trunk from pelvis to neck
_TRUNK_PER_SHOULDERS: Final = 1.4
_TRUNK_PER_HEAD: Final = 2.0  # from the base of the neck to the face
_BOX_CENTRE: Final = 0.5  # of a standing person's box, from its top


def region_of(xy_px: F64, box_px: F64) -> F64:
    """(4,) centre x, y, side and rotation, from places (BODY, 2) where known, else the box (4,)."""
    pelvis, neck = xy_px[JOINT["pelvis"]], xy_px[JOINT["neck"]]
    if not np.isfinite(neck).all():
        return _of_box(box_px)
    known = xy_px[np.isfinite(xy_px).all(axis=1)]
    if not np.isfinite(pelvis).all():
        return _of_upper_body(xy_px, neck)
    trunk = neck - pelvis
    reach = _HANDS * np.linalg.norm(known - pelvis, axis=1).max()
    radius = max(reach, _RADIUS_PER_TRUNK * float(np.hypot(*trunk)))
    turn = np.arctan2(trunk[0], -trunk[1])
    return np.array([*pelvis, 2.0 * _MARGIN * radius, turn])


def _of_box(box_px: F64) -> F64:
    (x0, y0, x1, y1) = box_px
    side = _MARGIN * max(x1 - x0, y1 - y0) * 1.04
    return np.array([0.5 * (x0 + x1), y0 + _BOX_CENTRE * (y1 - y0), side, 0.0])


def _of_upper_body(xy_px: F64, neck: F64) -> F64:
    """Hips are not labelled: they lie at the end of an upright trunk as long as is usual."""
    shoulders = xy_px[[JOINT["left_shoulder"], JOINT["right_shoulder"]]]
    face = xy_px[[JOINT["nose"], JOINT["left_eye"], JOINT["right_eye"], JOINT["head"]]]
    face = face[np.isfinite(face).all(axis=1)]
    above = float(np.linalg.norm(face - neck, axis=1).max()) if len(face) else 0.0
    width = float(np.linalg.norm(shoulders[1] - shoulders[0]))
    trunk = max(_TRUNK_PER_SHOULDERS * width, _TRUNK_PER_HEAD * above)
    side = 2.0 * _MARGIN * _RADIUS_PER_TRUNK * trunk
    return np.array([neck[0], neck[1] + trunk, side, 0.0])
