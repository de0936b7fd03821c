"""Rotations from or about directions that never change, by products with constants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posestream.arrays import F64
from posestream.geometry import rotation as rot
from posestream.geometry.fast import HALF_WAY, PRODUCT, whole


class Swing:
    """``between`` from K fixed unit vectors ``rest`` (K, 3): one product with a constant."""

    def __init__(self, rest: F64) -> None:
        self._rest = rest
        self._table = block_diagonal(
            [np.einsum("i,ijk->jk", a, HALF_WAY.reshape(3, 3, 4)) for a in rest]
        )

    def to(self, b: F64) -> F64:
        """(..., 4) the shortest rotations to unit b (..., 3), of which each K belong together."""
        k = len(self._rest)
        q: F64 = b.reshape(-1, 3 * k).dot(self._table).reshape(*b.shape[:-1], 4)
        turn = whole(q)
        if turn is not None:
            return turn
        grouped = b.reshape(-1, k, 3)
        return rot.between(np.broadcast_to(self._rest, grouped.shape), grouped).reshape(q.shape)


class Twist:
    """``mul(q, about(axes, angle))`` for K fixed unit axes (K, 3), without making the second."""

    def __init__(self, axes: F64) -> None:
        turns = PRODUCT.reshape(4, 4, 4)
        self._table = block_diagonal([np.einsum("j,ijk->ik", a, turns[:, :3]) for a in axes])

    def of(self, q: F64, angle_rad: F64) -> F64:
        """q (..., 4), of which each K belong together, turned by angles (...) about their axes."""
        half = (0.5 * angle_rad).reshape(*q.shape[:-1], 1)
        turned: F64 = q.reshape(-1, len(self._table)).dot(self._table).reshape(q.shape)
        return np.asarray(q * np.cos(half) + turned * np.sin(half))


def block_diagonal(blocks: Sequence[F64]) -> F64:
    """(K m, K n): acts on K vectors that lie one after another, on each by its own (m, n)."""
    table = np.zeros((len(blocks), blocks[0].shape[0], len(blocks), blocks[0].shape[1]))
    for k, block in enumerate(blocks):
        table[k, :, k] = block
    return table.reshape(table.shape[0] * table.shape[1], -1)
