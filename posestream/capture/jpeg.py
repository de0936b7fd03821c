"""Pictures for people to look at: small JPEGs."""

from __future__ import annotations

import cv2
import numpy as np

from posestream.arrays import Image

MAX_WIDTH_PX = 640
_QUALITY = 75


def encode_jpeg(image: Image, width_px: int = MAX_WIDTH_PX) -> tuple[tuple[int, int], bytes]:
    """((width, height), JPEG bytes) of a BGR picture, made smaller if wider than ``width_px``."""
    small = narrowed(image, width_px)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return (small.shape[1], small.shape[0]), data.tobytes()


def narrowed(image: Image, width_px: int) -> Image:
    """The picture with that width; as it is where it is no wider.

    Below half the width, twice the size is interpolated and its pixels are averaged by fours:
    as free of jagged edges to the eye as the mean over the exact area of each pixel, which
    takes OpenCV five times as long.
    """
    height, width = image.shape[:2]
    if width <= width_px:
        return image
    size_px = width_px, max(round(height * width_px / width), 1)
    if width > 2 * width_px:
        image = _resized(image, (2 * size_px[0], 2 * size_px[1]), cv2.INTER_LINEAR)
        return _resized(image, size_px, cv2.INTER_AREA)
    return _resized(image, size_px, cv2.INTER_LINEAR)


def _resized(image: Image, size_px: tuple[int, int], how: int) -> Image:
    return np.asarray(cv2.resize(image, size_px, interpolation=how), dtype=np.uint8)
