"""Exact labels of rendered people, frame by frame, and their file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64
from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.skeleton.joints import BODY, ROOT
from posestream.types import Camera

OUTSIDE: Final = 0  # not in the picture
HIDDEN: Final = 1  # in the picture, behind somebody or something, or behind the own body
VISIBLE: Final = 2
_BODY_DEPTH_M: Final = 0.16  # a visible joint lies at most so deep under the surface


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """One frame's people."""

    xyz_world_m: F64  # (N, J, 3)
    xy_px: F64  # (N, J, 2)
    visibility: NDArray[np.uint8]  # (N, J)
    root_cam_m: F64  # (N, 3)


def label(xyz_world_m: F64, camera: Camera, depth_m: NDArray[np.float32]) -> Label:
    """Project joints (N, J, 3) and tell which are seen, from the picture's depth (H, W)."""
    xyz_cam = rigid.apply(rigid.inverse(camera.T_world_cam), xyz_world_m)
    xy = project(xyz_cam, camera.K_px)
    width, height = camera.size_px
    column, row = np.rint(np.nan_to_num(xy, nan=-1e6)).astype(np.int64).transpose(2, 0, 1)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    surface = depth_m[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    seen = surface > xyz_cam[..., 2] - _BODY_DEPTH_M
    visibility = np.where(inside, np.where(seen, VISIBLE, HIDDEN), OUTSIDE).astype(np.uint8)
    return Label(xyz_world_m, xy, visibility, xyz_cam[:, ROOT])


def save(path: Path, labels: Sequence[Label], camera: Camera, fps: float) -> None:
    """Write the truth of a clip; ``posestream/assets/README.md`` documents the fields."""
    xyz = np.stack([x.xyz_world_m for x in labels])
    np.savez_compressed(
        path,
        joints=np.array(BODY),
        person_id=np.arange(xyz.shape[1]),
        xyz_world_m=xyz.astype(np.float32),
        xy_px=np.stack([x.xy_px for x in labels]).astype(np.float32),
        visibility=np.stack([x.visibility for x in labels]),
        root_cam_m=np.stack([x.root_cam_m for x in labels]).astype(np.float32),
        K_px=camera.K_px,
        T_world_cam=camera.T_world_cam,
        size_px=np.array(camera.size_px),
        fps=np.array(fps),
    )
