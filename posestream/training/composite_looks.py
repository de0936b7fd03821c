"""The pixels of composites: backgrounds, people pasted softly in matching light, a desk."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from posestream.arrays import F64, Bool, Image

_SMALL_PX: Final = 14  # width to which a background is shrunk to make the people in it vanish
_RAMP: Final = np.clip((np.arange(256) - 90.0) * 1.7, 0, 255).astype(np.uint8)
"""Cuts the outermost pixels of a silhouette, which show its old background."""
_LEAST_CROP: Final = 0.55


def background(
    rng: np.random.Generator, photo: Image, size_px: tuple[int, int], blurred: bool
) -> Image:
    """A part of a photo in this size, mirrored or not; blurred until nobody is recognised."""
    height, width = photo.shape[:2]
    share = rng.uniform(_LEAST_CROP, 1.0)
    w, h = _fitting(size_px, share * width, share * height)
    x, y = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    part: Image = photo[y : y + h, x : x + w]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    if blurred:
        small = (_SMALL_PX, max(round(_SMALL_PX * h / w), 2))
        dabs = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(dabs, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)
    shrinks = w > size_px[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size_px, interpolation=how), dtype=np.uint8)


def paste(
    picture: Image,
    owner: Image,
    number: int,
    patch: Image,
    silhouette: Image,
    scale: float,
    origin_px: F64,
    rng: np.random.Generator,
    match: float,
) -> int:
    """Put a person into ``picture`` and ``owner`` in place; the pixels in the picture, counted.

    ``origin_px`` is where the patch's first pixel goes, ``scale`` multiplies its sides.
    """
    table = _light(rng, patch, silhouette, picture, match)
    x0, y0 = (max(int(np.floor(v)), 0) for v in origin_px)
    x1 = min(int(np.ceil(origin_px[0] + patch.shape[1] * scale)), picture.shape[1])
    y1 = min(int(np.ceil(origin_px[1] + patch.shape[0] * scale)), picture.shape[0])
    if x1 <= x0 or y1 <= y0:
        return 0
    patch, silhouette, scale, origin_px = _reduced(patch, silhouette, scale, origin_px)
    shift = origin_px + 0.5 - 0.5 * scale - [x0, y0]
    matrix = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
    size = (x1 - x0, y1 - y0)
    colour = cv2.warpAffine(patch, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(silhouette * np.uint8(255), matrix, size)
    alpha = cv2.LUT(cv2.GaussianBlur(alpha, (3, 3), 0), _RAMP)
    colour = cv2.LUT(colour, table)
    _blend(picture[y0:y1, x0:x1], np.asarray(colour, np.uint8), np.asarray(alpha, np.uint8))
    mine = alpha > 127
    owner[y0:y1, x0:x1][mine] = number
    return int(np.count_nonzero(mine))


def patterned_front(rng: np.random.Generator, picture: Image, pattern: Image) -> Bool:
    """Something like a desk, seen from its front, over the lower part; where it covers (H, W)."""
    height, width = picture.shape[:2]
    left, right = rng.uniform(0.55, 0.92) * height + rng.normal(0.0, 0.05, 2) * height
    ends = np.sort(rng.uniform(-0.4, 1.4, 2)) * width
    if ends[1] - ends[0] < 0.3 * width:
        ends = np.array([0.0, float(width)])
    corners = np.array(
        [[ends[0], left], [ends[1], right], [ends[1], 2 * height], [ends[0], 2 * height]]
    )
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), (255,), cv2.LINE_AA)
    colour = rng.uniform(0, 255, 3)
    mixed = cv2.addWeighted(pattern, 0.4, np.full_like(pattern, colour), 0.6, 0.0)
    _blend(picture, np.asarray(mixed, np.uint8), mask)
    return np.asarray(mask > 127)


def _fitting(size_px: tuple[int, int], width: float, height: float) -> tuple[int, int]:
    """The largest width and height of the picture's shape within these."""
    scale = min(width / size_px[0], height / size_px[1])
    return max(int(size_px[0] * scale), 1), max(int(size_px[1] * scale), 1)


def _reduced(
    patch: Image, silhouette: Image, scale: float, origin_px: F64
) -> tuple[Image, Image, float, F64]:
    """A patch that shrinks much is averaged down first, so that nothing flickers."""
    if scale >= 0.6:
        return patch, silhouette, scale, origin_px
    height, width = patch.shape[:2]
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(silhouette * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    solid = (mask > 127).astype(np.uint8)
    return np.asarray(small, np.uint8), solid, width * scale / size[0], origin_px


def _light(
    rng: np.random.Generator, patch: Image, silhouette: Image, picture: Image, match: float
) -> Image:
    """(256, 1, 3) table that brings a person's colours towards the background's, at random."""
    inside = patch[::3, ::3][silhouette[::3, ::3] > 0]
    theirs = inside.mean(axis=0) if len(inside) else np.full(3, 128.0)
    around = picture[::8, ::8].reshape(-1, 3).mean(axis=0)
    towards = rng.uniform(0.0, match) * (around - theirs)
    contrast = np.exp(rng.normal(0.0, 0.12))
    tint = np.exp(rng.normal(0.0, 0.04, 3))
    levels = np.arange(256.0)[:, None]
    table = (levels - theirs) * contrast * tint + theirs + 0.7 * towards
    return np.asarray(np.clip(np.rint(table), 0, 255)[:, None], dtype=np.uint8)


def _blend(target: Image, source: Image, alpha: Image) -> None:
    """Lay ``source`` over ``target`` in place, as dense as ``alpha`` (H, W) says."""
    weight = cv2.merge([alpha, alpha, alpha])
    over = cv2.multiply(source, weight, scale=1.0 / 255.0)
    under = cv2.multiply(target, 255 - weight, scale=1.0 / 255.0)
    cv2.add(over, under, dst=target)
