"""From the world to a renderer's clip space, by camera and by light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64
from posestream.geometry import rigid
from posestream.types import Camera


def camera_matrix(camera: Camera, near_m: float, far_m: float) -> F64:
    """World to clip (4, 4), with pixel centres at integers as in ``geometry.camera``."""
    width, height = camera.size_px
    K = camera.K_px
    span = far_m - near_m
    project = np.zeros((4, 4))
    project[0, 0] = 2.0 * K[0, 0] / width
    project[0, 2] = 2.0 * (K[0, 2] + 0.5) / width - 1.0
    project[1, 1] = -2.0 * K[1, 1] / height
    project[1, 2] = 1.0 - 2.0 * (K[1, 2] + 0.5) / height
    project[2, 2] = (far_m + near_m) / span
    project[2, 3] = -2.0 * far_m * near_m / span
    project[3, 2] = 1.0
    return np.asarray(project @ rigid.inverse(camera.T_world_cam))


def light_matrix(towards: F64, centre_m: F64, radius_m: float) -> F64:
    """World to the clip space (4, 4) of parallel light: a ball about a centre, along the light."""
    right = np.cross([0.0, 0.0, 1.0] if abs(towards[1]) > 0.9 else [0.0, 1.0, 0.0], towards)
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(towards, right), -towards])
    view = rigid.make(R, -R @ centre_m)
    return np.asarray(np.diag([1.0, 1.0, 1.0, radius_m]) @ view / radius_m)


def depth_from_window(
    window: NDArray[np.float32], near_m: float, far_m: float
) -> NDArray[np.float32]:
    """Metres along the optical axis from what a depth buffer holds, [0, 1]."""
    ndc = 2.0 * window - 1.0
    metres = 2.0 * near_m * far_m / (far_m + near_m - ndc * (far_m - near_m))
    return np.asarray(metres, dtype=np.float32)
