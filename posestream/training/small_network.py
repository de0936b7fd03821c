"""Fits networks of one hidden layer, small enough for numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.perform.small_network import SmallNetwork

_BATCH: Final = 256
_RATE: Final = 0.004
_MOMENTS: Final = (0.9, 0.999)
_AVERAGED: Final = 0.25
"""Share of the steps, the last, whose weights are averaged."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is fitted."""

    hidden: int = 48
    steps: int = 4000
    decay: float = 1e-3
    noise: float = 0.1  # added to standardised inputs
    members: int = 1  # networks that are fitted apart and averaged


def fit_network(x: F64, y: F64, weight: F64, recipe: Recipe) -> SmallNetwork:
    """The network from rows x (N, F) to y (N, E); ``weight`` (N, E) is how much each counts.

    Adam on the weighted squared error with decaying step, weights averaged at the end. The
    average of several networks is one whose hidden layer has them side by side.
    """
    scale = np.maximum(x.std(axis=0), 1e-6)
    rows = x / scale
    found = [
        _member(rows, y, weight, recipe, np.random.default_rng(seed))
        for seed in range(recipe.members)
    ]
    return SmallNetwork(
        np.hstack([w1 for w1, _, _, _ in found]) / scale[:, None],
        np.concatenate([b1 for _, b1, _, _ in found]),
        np.vstack([w2 for _, _, w2, _ in found]) / recipe.members,
        np.mean([b2 for _, _, _, b2 in found], axis=0),
    )


def _member(x: F64, y: F64, weight: F64, recipe: Recipe, rng: np.random.Generator) -> list[F64]:
    layers = _started(rng, x.shape[1], recipe.hidden, y.shape[1])
    moment = [np.zeros_like(part) for part in layers]
    square = [np.zeros_like(part) for part in layers]
    mean = [np.zeros_like(part) for part in layers]
    first = int(recipe.steps * (1.0 - _AVERAGED))
    for step in range(recipe.steps):
        pick = rng.integers(0, len(x), _BATCH)
        noisy = x[pick] + rng.normal(0.0, recipe.noise, (_BATCH, x.shape[1]))
        slope = _gradient(layers, noisy, y[pick], weight[pick])
        rate = _RATE * 0.5 * (1.0 + np.cos(np.pi * step / recipe.steps))
        for k, part in enumerate(layers):
            moment[k] += (1.0 - _MOMENTS[0]) * (slope[k] - moment[k])
            square[k] += (1.0 - _MOMENTS[1]) * (slope[k] ** 2 - square[k])
            steady = np.sqrt(square[k] / (1.0 - _MOMENTS[1] ** (step + 1))) + 1e-8
            part -= rate * moment[k] / (1.0 - _MOMENTS[0] ** (step + 1)) / steady
            if part.ndim == 2:
                part *= 1.0 - rate * recipe.decay
            if step >= first:
                mean[k] += part / (recipe.steps - first)
    return mean


def _started(rng: np.random.Generator, inputs: int, hidden: int, outputs: int) -> list[F64]:
    return [
        rng.normal(0.0, inputs**-0.5, (inputs, hidden)), np.zeros(hidden),
        rng.normal(0.0, hidden**-0.5, (hidden, outputs)), np.zeros(outputs),
    ]  # fmt: skip


def _gradient(layers: list[F64], x: F64, y: F64, weight: F64) -> list[F64]:
    w1, b1, w2, b2 = layers
    hidden = np.tanh(x @ w1 + b1)
    error = 2.0 * weight * (hidden @ w2 + b2 - y) / len(x)
    back = (error @ w2.T) * (1.0 - hidden**2)
    return [x.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)]
