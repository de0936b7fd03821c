"""Pinhole camera: intrinsics, projection, undistorted rays. numpy only."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64


def intrinsics_from_fov(size_px: tuple[int, int], fov_deg: float) -> F64:
    """K (3, 3) of a camera whose *longer* side sees ``fov_deg``, centre in the middle."""
    width, height = size_px
    focal_px = 0.5 * max(width, height) / np.tan(np.radians(fov_deg) / 2.0)
    return np.array(
        [[focal_px, 0.0, (width - 1) / 2.0], [0.0, focal_px, (height - 1) / 2.0], [0.0, 0.0, 1.0]]
    )


def fov_of(side_px: float, focal_px: float) -> float:
    """Degrees that a side of the picture sees."""
    return float(np.degrees(2.0 * np.arctan(0.5 * side_px / focal_px)))


def scale_intrinsics(K_px: F64, scale_x: float, scale_y: float) -> F64:
    """K of the same camera after the picture was resized (pixel centres at integers)."""
    K = K_px.copy()
    K[0] *= scale_x
    K[1] *= scale_y
    K[0, 2] += 0.5 * (scale_x - 1.0)
    K[1, 2] += 0.5 * (scale_y - 1.0)
    return K


def distort(xy: F64, distortion: F64) -> F64:
    """Ideal normalised coordinates (..., 2) to distorted ones (OpenCV k1 k2 p1 p2 k3)."""
    k1, k2, p1, p2, k3 = np.pad(distortion, (0, max(0, 5 - distortion.size)))[:5]
    x, y = xy[..., 0], xy[..., 1]
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return np.stack(
        [
            x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
            y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
        ],
        axis=-1,
    )


def project(xyz_cam_m: F64, K_px: F64, distortion: F64 | None = None) -> F64:
    """Camera points (..., 3) to pixels (..., 2); points at or behind the camera become NaN."""
    z = xyz_cam_m[..., 2:]
    xy: F64 = xyz_cam_m[..., :2] / np.where(z > 1e-6, z, np.nan)
    if distortion is not None and np.any(distortion):
        xy = distort(xy, distortion)
    return np.asarray(xy @ K_px[:2, :2].T + K_px[:2, 2])


def normalized_rays(xy_px: F64, K_px: F64, distortion: F64 | None = None) -> F64:
    """Pixels (..., 2) to undistorted coordinates (..., 2) on the plane z = 1.

    Distortion is inverted by fixed-point iteration; eight steps reach 1e-6 for webcams.
    """
    (a, b), (c, d) = K_px[:2, :2].tolist()
    from_px = np.array([[d, -c], [-b, a]]) / (a * d - b * c)  # transposed inverse
    flat: F64 = (xy_px - K_px[:2, 2]).reshape(-1, 2).dot(from_px)
    xy = flat.reshape(xy_px.shape)
    if distortion is None or not distortion.any():
        return xy
    ideal = xy
    for _ in range(8):
        ideal = ideal - (distort(ideal, distortion) - xy)
    return ideal
