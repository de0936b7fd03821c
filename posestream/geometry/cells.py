"""Coordinates on network maps: cells with centres at integers, and pixels of the input."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64

SIGMA_CELLS: Final = 0.9
"""Width of the unit-peak Gaussians that the networks learn for joints."""


def cells_to_px(xy_cells: F64, stride_px: float) -> F64:
    """Cell coordinates to pixels (pixel centres at integers, too)."""
    return np.asarray((xy_cells + 0.5) * stride_px - 0.5)


def px_to_cells(xy_px: F64, stride_px: float) -> F64:
    """Pixels to cell coordinates."""
    return np.asarray((xy_px + 0.5) / stride_px - 0.5)
