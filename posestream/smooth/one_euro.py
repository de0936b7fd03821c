"""The One Euro filter (Casiez et al., CHI 2012) for many vectors and rotations at once.

A first-order low pass whose cut-off rises with speed: slow is smooth, fast is immediate. Two
changes to the paper: the smoothing factor is exact for any time step, so that results hardly
depend on the frame rate; and speeds below ``quiet`` hardly raise the cut-off, so that noise
does not open the filter. Rotations are filtered in the tangent space at the filtered
rotation; turning all inputs by one rotation, from either side, turns the outputs likewise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, pi
from typing import Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.smooth import tangent

_RATE_HZ: Final = 1.5
"""Cut-off of the speed that opens the filter."""
_FLOW_HZ: Final = 5.0
"""Cut-off of the output's own velocity, which prediction uses."""


@dataclass(frozen=True, slots=True)
class OneEuro:
    """The filter's knobs. Units: m/s for vectors in metres, rad/s for rotations."""

    min_cutoff_hz: float
    beta: float  # Hz per unit of speed
    quiet: float  # speed below which motion counts as noise

    def cutoff_hz(self, speed: F64) -> F64:
        """Cut-off at each speed."""
        above = speed * speed / (speed + self.quiet)
        return np.asarray(self.min_cutoff_hz + self.beta * above)


@dataclass(slots=True)
class FilterState:
    """One column per signal: vectors (3, M), or quaternions (4, M) with rates (3, M)."""

    raw: F64  # last input
    value: F64  # last output
    rate: F64  # smoothed speed of the input, per second
    flow: F64  # smoothed velocity of the output, per second

    def take(self, columns: I64) -> FilterState:
        """The state of some signals only, in that order."""
        return FilterState(*(getattr(self, n)[:, columns] for n in self.__slots__))


def start(values: F64) -> FilterState:
    """State of signals that have just begun: unfiltered, at rest."""
    still = np.zeros((3, values.shape[1]))
    return FilterState(values.copy(), values.copy(), still, still.copy())


def share(cutoff_hz: F64 | float, dt_s: F64 | float) -> F64:
    """Weight in (0, 1) of the newest input after a step of ``dt_s``; 0 for a step of 0."""
    return np.asarray(-np.expm1(cutoff_hz * (-2.0 * np.pi * dt_s)))


def _per_s(dt_s: F64 | float) -> F64 | float:
    if isinstance(dt_s, float):  # as a rule: numpy is slow with single numbers
        return 1.0 / max(dt_s, 1e-6)
    return 1.0 / np.maximum(dt_s, 1e-6)


def _fixed_share(cutoff_hz: float, dt_s: F64 | float) -> F64 | float:
    if isinstance(dt_s, float):
        return -expm1(cutoff_hz * (-2.0 * pi * dt_s))
    return share(cutoff_hz, dt_s)


def filter_vectors(state: FilterState, x: F64, dt_s: F64 | float, euro: OneEuro) -> FilterState:
    """Next state for inputs x (3, M) after steps ``dt_s``, one or (M,); ``value`` is the output."""
    per_s = _per_s(dt_s)
    rate = state.rate + _fixed_share(_RATE_HZ, dt_s) * ((x - state.raw) * per_s - state.rate)
    step = share(euro.cutoff_hz(tangent.length(rate)), dt_s) * (x - state.value)
    flow = state.flow + _fixed_share(_FLOW_HZ, dt_s) * (step * per_s - state.flow)
    return FilterState(x, state.value + step, rate, flow)


def filter_rotations(state: FilterState, q: F64, dt_s: F64 | float, euro: OneEuro) -> FilterState:
    """The same for unit quaternions q (4, M); rates are in the rotation's own axes."""
    per_s = _per_s(dt_s)
    moved = tangent.log(tangent.difference(state.raw, q))
    rate = state.rate + _fixed_share(_RATE_HZ, dt_s) * (moved * per_s - state.rate)
    behind = tangent.log(tangent.difference(state.value, q))
    step = share(euro.cutoff_hz(tangent.length(rate)), dt_s) * behind
    flow = state.flow + _fixed_share(_FLOW_HZ, dt_s) * (step * per_s - state.flow)
    value = tangent.unit(tangent.product(state.value, tangent.exp(step)))
    return FilterState(q, value, rate, flow)
