"""People cut out of photos, each in a small picture of its own, for composites.

A cut-out's camera looks straight at the pelvis from ``FOCAL_PX`` away in pixels, so that its
depth is ``FOCAL_PX`` / (pixels per metre). The owner map holds the silhouette; nothing else in
the picture has a label.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import Image
from posestream.skeleton.joints import ROOT
from posestream.training.real.conventions import LIMB_JOINTS
from posestream.training.real.learning import Person
from posestream.training.sample import Sample

FOCAL_PX: Final = 1000.0
_BORDER_PX: Final = 4
_LEAST_PX: Final = 48  # longer side of a silhouette
_LEAST_JOINTS: Final = 10  # of the twelve of the limbs, with place and pose
_LEAST_ABOVE: Final = 5  # of shoulders, elbows and wrists, of people whom their photo's end cuts


def can_cut(person: Person, silhouette: Image) -> bool:
    """Whether somebody is known well enough and large enough."""
    known = np.isfinite(person.xyz_m).all(axis=1) & np.isfinite(person.xy_px).all(axis=1)
    tall = np.ptp(np.flatnonzero(silhouette.any(axis=1))) if silhouette.any() else 0
    wide = np.ptp(np.flatnonzero(silhouette.any(axis=0))) if silhouette.any() else 0
    cut_below = bool(silhouette[-1].any())
    enough = known[LIMB_JOINTS].sum() >= _LEAST_JOINTS
    enough |= cut_below and known[LIMB_JOINTS[:6]].sum() >= _LEAST_ABOVE
    return bool(person.taught and known[ROOT] and enough and max(tall, wide) >= _LEAST_PX)


def cut(picture: Image, person: Person, silhouette: Image, source: str) -> Sample:
    """One person's own sample. The pixels on the lower border stay there if they were cut."""
    rows, columns = (np.flatnonzero(silhouette.any(axis=axis)) for axis in (1, 0))
    height, width = silhouette.shape
    y0, x0 = max(int(rows[0]) - _BORDER_PX, 0), max(int(columns[0]) - _BORDER_PX, 0)
    y1 = min(int(rows[-1]) + 1 + _BORDER_PX, height)
    x1 = min(int(columns[-1]) + 1 + _BORDER_PX, width)
    xy = person.xy_px - [x0, y0]
    K = np.array([[FOCAL_PX, 0.0, xy[ROOT, 0]], [0.0, FOCAL_PX, xy[ROOT, 1]], [0.0, 0.0, 1.0]])
    return Sample(
        picture=np.ascontiguousarray(picture[y0:y1, x0:x1]),
        xy_px=xy[None],
        visible=person.visible[None],
        xyz_root_m=person.xyz_m[None],
        depth_m=np.array([FOCAL_PX / person.px_per_m]),
        height_m=np.array([person.height_m]),
        K_px=K,
        owner=np.ascontiguousarray(silhouette[y0:y1, x0:x1]),
        source=source,
    )
