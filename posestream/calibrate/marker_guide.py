"""The camera's place from a printed marker of known size that lies on the floor."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from posestream.arrays import F64, Image
from posestream.calibrate.advice import Advice
from posestream.calibrate.boards import find_marker
from posestream.calibrate.floor_guide import FloorFit, stored_floor
from posestream.errors import CaptureError
from posestream.geometry.camera import normalized_rays, project
from posestream.types import Camera

_WANTED: Final = 30
_FEWEST: Final = 3
_WORST_DEG: Final = 4.0
_WORST_SHARE: Final = 0.08


class MarkerFloorGuide:
    """Sees the floor's plane through a marker; the lens should be calibrated before."""

    def __init__(self, side_m: float) -> None:
        self._side_m = side_m
        self._planes: list[F64] = []  # (4,) up and height

    def offer(self, image: Image, camera: Camera) -> Advice:
        """Look for the marker in a picture."""
        corners = find_marker(image)
        if corners is None:
            return self._advice("Lay the marker flat on the floor, in full view and well lit.")
        plane = floor_plane(corners, self._side_m, camera)
        if plane is None:
            return self._advice("Lay the marker nearer to the camera: it is seen too small.")
        self._planes.append(plane)
        return self._advice("Good: leave the marker and the camera as they are.", corners)

    def finish(self) -> FloorFit:
        """The camera's place. Raises CaptureError where the marker was not seen steadily."""
        if len(self._planes) < _FEWEST:
            raise CaptureError(
                "The marker was not seen on the floor: print it with posestream calibrate floor "
                "--print-marker marker.pdf, lay it flat, in full view of the camera."
            )
        planes = np.array(self._planes)
        up = np.median(planes[:, :3], axis=0)
        up = up / np.linalg.norm(up)
        height_m = float(np.median(planes[:, 3]))
        apart_deg = np.degrees(np.arccos(np.clip(planes[:, :3] @ up, -1.0, 1.0)))
        off_m = np.abs(planes[:, 3] - height_m)
        if np.median(apart_deg) > _WORST_DEG or np.median(off_m) > _WORST_SHARE * abs(height_m):
            raise CaptureError(
                "The marker says something else in every picture: let the camera stand still, and "
                "lay the marker nearer or print it larger."
            )
        return FloorFit(stored_floor(up, height_m), len(planes), float(np.median(off_m)))

    def _advice(self, text: str, corners: F64 | None = None) -> Advice:
        share = min(len(self._planes) / _WANTED, 1.0)
        text = "That is enough." if share == 1.0 else text
        return Advice(text, share, share == 1.0, corners is not None, corners)


def floor_plane(corners_px: F64, side_m: float, camera: Camera) -> F64 | None:
    """(4,) up in camera axes and the camera's height; None where it cannot be told.

    ``corners_px`` (4, 2) clockwise from the top left. Of the two planes that a small square
    allows, the one is taken whose corners fall nearest to those seen.
    """
    h = 0.5 * side_m
    square = np.array([[-h, h, 0.0], [h, h, 0.0], [h, -h, 0.0], [-h, -h, 0.0]])
    rays = normalized_rays(corners_px, camera.K_px, camera.distortion)
    count, turns, places, _ = cv2.solvePnPGeneric(
        square, rays, np.eye(3), np.zeros(5), flags=cv2.SOLVEPNP_IPPE_SQUARE
    )
    planes = []
    for turn, place in zip(turns[:count], places[:count], strict=True):
        R, t = np.asarray(cv2.Rodrigues(turn)[0]), np.asarray(place).reshape(3)
        up, height_m = R[:, 2], float(-R[:, 2] @ t)
        seen = project(square @ R.T + t, camera.K_px, camera.distortion)
        if height_m > 0.0 and t[2] > 0.0 and np.isfinite(seen).all():
            planes.append((float(np.abs(seen - corners_px).max()), np.append(up, height_m)))
    return min(planes, key=lambda plane: plane[0])[1] if planes else None
