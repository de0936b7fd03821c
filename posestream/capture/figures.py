"""Draws people as capsule figures on a floor grid, quickly: one thick line per limb."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from posestream.arrays import F64, Image
from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.skeleton.joints import JOINT
from posestream.types import Camera

_BACKGROUND: Final = (196, 190, 184)
_FLOOR: Final = (150, 150, 150)
_LINE: Final = (118, 118, 118)
_GRID_M: Final = np.arange(-8.0, 8.5, 1.0)
_GRID_DEPTH_M: Final = (-14.0, -1.0)
_NEAR_M: Final = 0.1
_COLOURS: Final = np.array(
    [(60, 76, 231), (219, 152, 52), (96, 174, 39), (18, 156, 243), (182, 89, 155), (156, 188, 26)],
    dtype=np.float64,
)

# From, to, radius in metres, brightness.
_CAPSULES: Final = (
    ("pelvis", "neck", 0.125, 1.0), ("left_hip", "right_hip", 0.10, 0.75),
    ("left_shoulder", "right_shoulder", 0.07, 1.0), ("neck", "head", 0.05, 1.25),
    ("left_hip", "left_knee", 0.075, 0.75), ("right_hip", "right_knee", 0.075, 0.6),
    ("left_knee", "left_ankle", 0.055, 0.75), ("right_knee", "right_ankle", 0.055, 0.6),
    ("left_heel", "left_toe", 0.035, 0.45), ("right_heel", "right_toe", 0.035, 0.35),
    ("left_shoulder", "left_elbow", 0.05, 1.0), ("right_shoulder", "right_elbow", 0.05, 0.8),
    ("left_elbow", "left_wrist", 0.04, 1.25), ("right_elbow", "right_wrist", 0.04, 1.1),
    ("left_wrist", "left_index", 0.03, 1.3), ("right_wrist", "right_index", 0.03, 1.2),
    ("head", "head", 0.115, 1.3), ("nose", "nose", 0.025, 1.1),
    ("left_eye", "left_eye", 0.018, 0.2), ("right_eye", "right_eye", 0.018, 0.2),
)  # fmt: skip
_FROM: Final = np.array([JOINT[a] for a, *_ in _CAPSULES])
_TO: Final = np.array([JOINT[b] for _, b, *_ in _CAPSULES])
_RADIUS_M: Final = np.array([r for *_, r, _ in _CAPSULES])
_SHADE: Final = np.array([s for *_, s in _CAPSULES])
_FARTHEST_PX: Final = 1 << 14  # OpenCV's line drawing overflows far outside the picture


class FigurePainter:
    """Paints for one camera; floor and grid are drawn once."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._background = _empty_room(camera)

    def paint(self, xyz_cam_m: F64, scale: F64) -> Image:
        """(H, W, 3) BGR picture of people with joints (N, J, 3), the farthest drawn first."""
        image = self._background.copy()
        a, b = xyz_cam_m[:, _FROM], xyz_cam_m[:, _TO]
        depth = 0.5 * (a[..., 2] + b[..., 2])
        visible = np.minimum(a[..., 2], b[..., 2]) > _NEAR_M
        ends = self._pixels(np.stack([a, b], axis=2))
        visible &= (np.abs(ends) < _FARTHEST_PX).all(axis=(2, 3))
        width = _RADIUS_M * scale[:, None] * 2.0 * self._camera.K_px[0, 0] / np.maximum(depth, 0.1)
        thick = np.clip(np.rint(width), 1, 255).astype(int)
        colours = _colours(len(scale))
        # The face lies before the head, whatever the centres of the capsules say.
        order = np.argsort(-(depth - 0.05 * _is_face(a))[visible])
        person, part = (index[order] for index in np.nonzero(visible))
        lines = zip(
            ends[person, part].tolist(), thick[person, part].tolist(),
            colours[person, part].tolist(), strict=True,
        )  # fmt: skip
        for (start, end), thickness, colour in lines:
            cv2.line(image, start, end, colour, thickness)
        return image

    def _pixels(self, xyz_cam_m: F64) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        xy = project(xyz_cam_m, self._camera.K_px, self._camera.distortion)
        return np.rint(np.nan_to_num(xy, nan=10.0 * _FARTHEST_PX)).astype(np.int64)


def _is_face(points: F64) -> F64:
    face = np.zeros(len(_CAPSULES))
    face[-3:] = 1.0
    return np.asarray(face * np.ones(points.shape[:2]))


def _colours(people: int) -> F64:
    base = _COLOURS[np.arange(people) % len(_COLOURS)]
    return np.asarray(np.clip(base[:, None] * _SHADE[:, None], 0.0, 255.0))


def _empty_room(camera: Camera) -> Image:
    width, height = camera.size_px
    image = np.empty((height, width, 3), dtype=np.uint8)
    image[:] = _BACKGROUND
    T_cam_world = rigid.inverse(camera.T_world_cam)
    near, far = _GRID_DEPTH_M[1], -200.0
    floor = np.array([(-200, 0, far), (200, 0, far), (200, 0, near), (-200, 0, near)])
    _polygon(image, camera, rigid.apply(T_cam_world, floor))
    for x in _GRID_M:
        _line(image, camera, T_cam_world, (x, _GRID_DEPTH_M[0]), (x, near))
    for z in np.arange(_GRID_DEPTH_M[0], near + 0.5, 1.0):
        _line(image, camera, T_cam_world, (_GRID_M[0], z), (_GRID_M[-1], z))
    return image


def _polygon(image: Image, camera: Camera, xyz_cam_m: F64) -> None:
    corners = np.rint(project(xyz_cam_m, camera.K_px)).astype(np.int32)
    cv2.fillConvexPoly(image, corners, _FLOOR)


def _line(
    image: Image,
    camera: Camera,
    T_cam_world: F64,
    start: tuple[float, float],
    end: tuple[float, float],
) -> None:
    points = np.array([(start[0], 0.0, start[1]), (end[0], 0.0, end[1])])
    xy = project(rigid.apply(T_cam_world, points), camera.K_px)
    if np.isfinite(xy).all():
        (x0, y0), (x1, y1) = np.rint(xy).astype(int).tolist()
        cv2.line(image, (x0, y0), (x1, y1), _LINE, 1)
