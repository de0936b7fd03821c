"""Pictures for people to look at: small JPEGs."""

from __future__ import annotations

import cv2

from posestream.arrays import Image

MAX_WIDTH_PX = 640
_QUALITY = 75


def encode_jpeg(image: Image) -> tuple[tuple[int, int], bytes]:
    """((width, height), JPEG bytes) of a BGR picture, made smaller if wider than 640 pixels."""
    height, width = image.shape[:2]
    if width > MAX_WIDTH_PX:
        height = round(height * MAX_WIDTH_PX / width)
        image = cv2.resize(image, (MAX_WIDTH_PX, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        width = MAX_WIDTH_PX
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return (width, height), data.tobytes()
