"""Exact labels of a rendered picture: who is where, how far, and which joints are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.skeleton.joints import BODY, JOINT, ROOT
from posestream.training.real.conventions import SPINE_SHARE
from posestream.training.sample import IGNORED, Sample
from posestream.training.synth.shot import Rendered
from posestream.types import Camera

_LEAST_PX: Final = 24
"""Of whom less is seen is not labelled: what is seen of them is marked as unknown."""
_REACH_PX: Final = 2  # a joint on the outline is seen if its person is so near in the picture

# How deep under the skin or clothes a joint lies at most where it is in view, metres at 1.7 m.
_DEEP_M: Final = {
    "pelvis": 0.24, "spine": 0.22, "neck": 0.17, "head": 0.15, "head_top": 0.12, "nose": 0.05,
    "eye": 0.05, "ear": 0.05, "shoulder": 0.15, "elbow": 0.09, "wrist": 0.07, "thumb": 0.05,
    "index": 0.05, "pinky": 0.05, "hip": 0.20, "knee": 0.12, "ankle": 0.09, "heel": 0.08,
    "toe": 0.08,
}  # fmt: skip
_DEPTH_M: Final[F64] = np.array([_DEEP_M[name.split("_", 1)[-1]] if name not in _DEEP_M
                                 else _DEEP_M[name] for name in BODY])  # fmt: skip


def label(
    rendered: Rendered,
    camera: Camera,
    xyz_world_m: Sequence[F64],
    height_m: Sequence[float],
    source: str,
) -> Sample:
    """A sample of the people of whom enough is seen; ``rendered.picture`` is taken as it is."""
    xyz_cam = rigid.apply(rigid.inverse(camera.T_world_cam), np.stack(xyz_world_m))
    pelvis, neck = xyz_cam[:, ROOT], xyz_cam[:, JOINT["neck"]]
    xyz_cam[:, JOINT["spine"]] = pelvis + SPINE_SHARE * (neck - pelvis)  # as of real people
    height = np.array(height_m)
    xy = project(xyz_cam, camera.K_px)
    seen = np.stack(
        [_visible(rendered, n + 1, xy[n], xyz_cam[n], height[n]) for n in range(len(xy))]
    )
    area = np.bincount(rendered.owner.reshape(-1), minlength=len(xy) + 1)[1 : len(xy) + 1]
    keep = np.flatnonzero((area >= _LEAST_PX) & seen.any(axis=1))
    names = np.full(256, IGNORED, dtype=np.uint8)
    names[0] = 0
    names[keep + 1] = np.arange(1, len(keep) + 1)
    return Sample(
        picture=rendered.picture,
        xy_px=xy[keep],
        visible=seen[keep],
        xyz_root_m=xyz_cam[keep] - xyz_cam[keep][:, ROOT : ROOT + 1],
        depth_m=xyz_cam[keep, ROOT, 2],
        height_m=height[keep],
        K_px=camera.K_px,
        owner=names[rendered.owner],
        source=source,
    )


def _visible(rendered: Rendered, owner: int, xy: F64, xyz: F64, height_m: float) -> Bool:
    """(J,): in the picture, covered by the own body's near side or by nothing at all."""
    rows, columns = rendered.owner.shape
    column, row = np.rint(xy).astype(np.int64).T
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    r, c = np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)
    own = rendered.owner[r, c] == owner
    surface = rendered.depth_m[r, c]
    deep = _DEPTH_M * height_m / 1.7
    under_own = own & (surface > xyz[:, 2] - deep)
    at_edge = ~own & (surface > xyz[:, 2] - 0.02) & _near(rendered, owner, r, c)
    return np.asarray(inside & (under_own | at_edge))


def _near(rendered: Rendered, owner: int, row: I64, column: I64) -> Bool:
    """Whether one of the owner's pixels is within reach of each place."""
    rows, columns = rendered.owner.shape
    found = np.zeros(len(row), dtype=np.bool_)
    for dy in range(-_REACH_PX, _REACH_PX + 1):
        for dx in range(-_REACH_PX, _REACH_PX + 1):
            r, c = np.clip(row + dy, 0, rows - 1), np.clip(column + dx, 0, columns - 1)
            found |= rendered.owner[r, c] == owner
    return found
