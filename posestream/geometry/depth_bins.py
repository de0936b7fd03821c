"""Depth as an index into logarithmic bins (HDNet eq. 6, 7). numpy only.

Depth is divided by the focal length, d/f in mm per pixel, so that one network serves every
camera: a person of given size and given d/f fills the same number of pixels.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np

from posestream.arrays import F64

_MM = 1000.0


class DepthBins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``count`` log-spaced bins from ``near`` to ``far``, both d/f in mm per pixel."""

    near: Annotated[float, msgspec.Meta(gt=0.0, description="d/f of the first bin, mm/px.")] = 1.0
    far: Annotated[float, msgspec.Meta(gt=0.0, description="d/f of the last bin, mm/px.")] = 8.0
    count: Annotated[int, msgspec.Meta(ge=2, le=4096, description="Number of bins.")] = 71


PAPER_BINS: Final = DepthBins()
"""HDNet's own: f of the original picture, its fixed patch at original scale."""

PICTURE_BINS: Final = DepthBins(near=1.0, far=64.0, count=141)
"""The same 3 % step for a whole picture made small; f at the input's scale."""


def focal_px(K_px: F64) -> float:
    """sqrt(fx * fy) of K (3, 3)."""
    return float(np.sqrt(K_px[0, 0] * K_px[1, 1]))


def index_from_depth(depth_m: F64, f_px: F64 | float, bins: DepthBins = PAPER_BINS) -> F64:
    """b(d), eq. 6: real-valued bin index of each depth; below 0 or above count - 1 if outside."""
    log_near, log_far = np.log(bins.near), np.log(bins.far)
    normalized = depth_m * _MM / f_px
    return np.asarray((np.log(normalized) - log_near) / (log_far - log_near) * (bins.count - 1))


def depth_from_index(index: F64, f_px: F64 | float, bins: DepthBins = PAPER_BINS) -> F64:
    """Depth in metres, eq. 7, of real-valued bin indices."""
    log_near, log_far = np.log(bins.near), np.log(bins.far)
    return np.asarray(
        np.exp(index / (bins.count - 1) * (log_far - log_near) + log_near) * f_px / _MM
    )


def clamp_index(index: F64, bins: DepthBins = PAPER_BINS) -> tuple[F64, int]:
    """Indices forced into the bins, and how many of them lay outside."""
    inside = np.clip(index, 0.0, bins.count - 1.0)
    return inside, int(np.count_nonzero(inside != index))


def soft_target(index: F64, bins: DepthBins = PAPER_BINS) -> F64:
    """(..., count) with weight on the two bins beside each index (...), as in interpolation."""
    index = np.asarray(index, dtype=np.float64)
    return np.maximum(0.0, 1.0 - np.abs(np.arange(bins.count) - index[..., None]))


def softmax(logits: F64) -> F64:
    """Along the last axis."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def expected_index(probabilities: F64) -> tuple[F64, F64]:
    """Mean (soft-argmax of eq. 7) and standard deviation of the index, over the last axis."""
    numbers = np.arange(probabilities.shape[-1])
    mean = probabilities @ numbers
    variance = probabilities @ (numbers**2) - mean**2
    return mean, np.sqrt(np.maximum(variance, 0.0))


def depth_from_logits(logits: F64, f_px: F64 | float, bins: DepthBins) -> tuple[F64, F64]:
    """Depth (N,) and its standard deviation (N,), metres, from bin logits (N, count).

    The deviation comes from the spread of the bins: one bin is a fixed share of the depth.
    """
    mean, spread = expected_index(softmax(np.asarray(logits, dtype=np.float64)))
    depth_m = depth_from_index(mean, f_px, bins)
    share = np.log(bins.far / bins.near) / (bins.count - 1)
    return depth_m, depth_m * np.expm1(share * spread)
