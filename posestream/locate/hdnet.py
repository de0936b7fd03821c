"""Distance from a network's depth bins (HDNet eq. 6, 7); a drop-in beside ``geometric``.

Two normalisations exist. ``hdnet`` sees a fixed patch at the picture's own scale: f of the
original picture, ``PAPER_BINS``. ``unified`` sees the whole picture made small: f at the
input's scale, ``PICTURE_BINS``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from posestream.arrays import F64
from posestream.geometry.camera import normalized_rays
from posestream.geometry.depth_bins import (
    PAPER_BINS,
    PICTURE_BINS,
    DepthBins,
    focal_px,
)
from posestream.skeleton.joints import ROOT
from posestream.types import Camera, People2D, PeopleCam, PeopleRoot

Normalization = Literal["hdnet", "unified"]
BINS: dict[Normalization, DepthBins] = {"hdnet": PAPER_BINS, "unified": PICTURE_BINS}


def effective_focal_px(camera: Camera, kind: Normalization, input_scale: float = 1.0) -> float:
    """The f that divides depth. ``input_scale``: network input pixels per picture pixel."""
    return focal_px(camera.K_px) * (input_scale if kind == "unified" else 1.0)


def place(
    people2d: People2D, root3d: PeopleRoot, camera: Camera, depth_m: F64, std_m: F64
) -> PeopleCam:
    """People whose pelvis lies on the ray through its pixel, at a depth (N,) along the axis.

    Where the pelvis was not seen in 2D, the mean over the joints seen tells where it is. Of
    whom no joint was seen, or whose depth is NaN, root and joints are NaN, ``depth_score`` is 0.
    """
    rays = normalized_rays(people2d.xy_px, camera.K_px, camera.distortion)  # (N, J, 2)
    xyz = root3d.xyz_root_m
    z = np.maximum(depth_m[:, None] + xyz[..., 2], 1e-3)
    xy_root = rays * z[..., None] - xyz[..., :2]  # where each joint says that the root is
    weight = np.where(np.isfinite(xy_root).all(-1), people2d.score, 0.0)
    weight = np.where((weight[:, ROOT] > 0.0)[:, None], np.eye(weight.shape[1])[ROOT], weight)
    total = weight.sum(1)
    root_xy = (np.nan_to_num(xy_root) * weight[..., None]).sum(1) / np.maximum(total, 1e-9)[:, None]
    seen = (total > 0.0) & np.isfinite(depth_m) & np.isfinite(std_m)
    root = np.where(seen[:, None], np.column_stack([root_xy, depth_m]), np.nan)
    known = np.where(np.isfinite(xyz).all(-1), np.nan_to_num(people2d.score), 0.0)
    sureness = np.where(seen, _score(depth_m, std_m), 0.0)
    return PeopleCam(root, root[:, None] + xyz, known, sureness, np.where(seen, std_m, np.inf))


def _score(depth_m: F64, std_m: F64) -> F64:
    """1 for a sure depth, a half at 5 % deviation, towards 0 beyond."""
    return np.asarray(1.0 / (1.0 + (std_m / np.maximum(0.05 * depth_m, 1e-9)) ** 2))
