"""A square of the picture about each person, as HDNet sees it; and where in it the person is.

Two sorts of squares. Those made to measure are as large as the person asks for, so f counts at
the patch's scale: so this package trains. Those of a fixed side keep the picture's own scale,
so f of the original picture counts: so does the paper.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, I64, Bool, Image
from posestream.estimate.backends.engine import F32
from posestream.geometry.cells import px_to_cells

PERSON_SHARE: Final = 0.6
"""Of a patch made to measure, that a person's longer side takes."""

_STRIDE: Final = 4  # of HDNet's maps
_BOX_MARGIN: Final = 0.1  # of a person's extent
_GREY: Final = 127
_LEAST_JOINTS: Final = 2
_LEAST_SIDE_PX: Final = 8


class Squares(NamedTuple):
    """Squares of whole pixels; they may reach beyond the picture."""

    row: I64  # (M,) whose each is, of all people
    corner_px: I64  # (M, 2) x and y of the first pixel
    side_px: I64  # (M,)


def squares(xy_px: F64, seen: Bool, fixed_px: int | None = None) -> Squares:
    """About the box of each person's joints (N, J, 2) that are ``seen`` (N, J).

    Made to measure, or with sides of ``fixed_px``. Whoever shows fewer than two joints has none.
    """
    row = np.flatnonzero(seen.sum(axis=1) >= _LEAST_JOINTS)
    low, high = _box(xy_px[row], seen[row])
    side = np.rint((high - low).max(axis=1, initial=0.0) / PERSON_SHARE).astype(np.int64)
    side = np.maximum(side if fixed_px is None else np.full_like(side, fixed_px), _LEAST_SIDE_PX)
    corner = np.rint((low + high) / 2.0 - (side[:, None] - 1) / 2.0).astype(np.int64)
    return Squares(row, corner, side)


def cut(picture: Image, where: Squares, size_px: int) -> F32:
    """(M, 3, S, S) RGB in [-1, 1], grey beyond the picture."""
    out = np.empty((len(where.row), 3, size_px, size_px), dtype=np.float32)
    for patch, corner, side in zip(out, where.corner_px, where.side_px, strict=True):
        small = _resized(_square(picture, corner, int(side)), size_px)
        np.multiply(small[..., ::-1].transpose(2, 0, 1), 1.0 / 127.5, out=patch, casting="unsafe")
    out -= 1.0
    return out


def to_patch(xy_px: F64, where: Squares, size_px: int) -> F64:
    """Pixels (M, ..., 2) of the picture to those of each one's patch."""
    shape = (-1,) + (1,) * (xy_px.ndim - 1)
    scale = (size_px / where.side_px).reshape(shape)
    corner = where.corner_px.reshape(*shape[:-1], 2)
    return np.asarray((xy_px - corner + 0.5) * scale - 0.5)


def box_masks(xy_px: F64, seen: Bool, where: Squares, size_px: int) -> F32:
    """(M, 1, S/4, S/4): 1 in the widened box of the joints (M, J, 2) seen in the patch.

    Everywhere, if there are none.
    """
    cells = size_px // _STRIDE
    xy = px_to_cells(to_patch(xy_px, where, size_px), _STRIDE)
    with np.errstate(invalid="ignore"):
        seen = seen & ((xy >= 0.0) & (xy <= cells - 1.0)).all(axis=-1)
    low, high = _box(xy, seen)
    pad = _BOX_MARGIN * (high - low).max(axis=1, initial=0.0, keepdims=True) + 1.0
    (x0, y0), (x1, y1) = np.floor(low - pad).T, np.ceil(high + pad).T
    n = np.arange(cells)
    columns, rows = ((n >= a[:, None]) & (n <= b[:, None]) for a, b in ((x0, x1), (y0, y1)))
    inside = rows[:, :, None] & columns[:, None] | ~seen.any(axis=1)[:, None, None]
    return np.asarray(inside[:, None], dtype=np.float32)


def _box(xy: F64, seen: Bool) -> tuple[F64, F64]:
    """Smallest and largest x and y (N, 2) of the joints that are seen; 0 where none is."""
    nobody = ~seen.any(axis=1)[:, None]
    low = np.where(seen[..., None], xy, np.inf).min(axis=1, initial=np.inf)
    high = np.where(seen[..., None], xy, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(nobody, 0.0, low), np.where(nobody, 0.0, high)


def _square(picture: Image, corner: I64, side: int) -> Image:
    """(side, side, 3); nothing is copied where the square lies within the picture."""
    x, y = (int(v) for v in corner)
    inside = picture[max(y, 0) : max(y + side, 0), max(x, 0) : max(x + side, 0)]
    if inside.shape[:2] == (side, side):
        return inside
    out = np.full((side, side, 3), _GREY, dtype=np.uint8)
    top, left = max(-y, 0), max(-x, 0)
    out[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return out


def _resized(picture: Image, size_px: int) -> Image:
    import cv2

    how = cv2.INTER_AREA if picture.shape[0] > size_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (size_px, size_px), interpolation=how), np.uint8)
