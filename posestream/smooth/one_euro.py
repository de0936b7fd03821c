"""The One Euro filter (Casiez et al., CHI 2012) for many vectors and rotations at once.

A first-order low pass whose cut-off rises with speed: slow is smooth, fast is immediate. Changes
to the paper: the smoothing factor is exact for any time step, so that results hardly depend on
the frame rate; speeds below ``quiet`` hardly raise the cut-off, so that noise does not open the
filter; nor do turns to and fro, if only what is ``steady`` counts. Rotations are filtered in the
tangent space at the filtered rotation; turning all inputs by one rotation turns the outputs
likewise, from either side unless turns about some of their own axes are surer than others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import expm1, pi
from typing import Final

import numpy as np

from posestream.arrays import F64, I64
from posestream.geometry.fast import some
from posestream.smooth import tangent

_RATE_HZ: Final = 1.5
_FLOW_HZ: Final = 5.0
"""Cut-off of the output's own velocity, which prediction uses."""
_FASTEST_RAD_S: Final = 28.0
"""No output turns faster: throwing arms do not, within a frame of 30."""
_UNSURE: Final = 0.1
_NEXT_TO_NOTHING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class OneEuro:
    """The filter's knobs. Units: m/s for vectors in metres, rad/s for rotations."""

    min_cutoff_hz: float
    beta: float  # Hz per unit of speed
    quiet: float  # speed below which motion counts as noise
    rate_hz: float = _RATE_HZ  # cut-off of the speed that opens the filter
    steady: bool = False  # of the speed counts only what keeps its direction

    def cutoff_hz(self, speed: F64) -> F64:
        """Cut-off at each speed."""
        above = speed * speed / (speed + self.quiet)
        return np.asarray(self.min_cutoff_hz + self.beta * above)

    @property
    def unsure(self) -> OneEuro:
        """The same for turns of which little is known."""
        return replace(self, min_cutoff_hz=_UNSURE * self.min_cutoff_hz, beta=_UNSURE * self.beta)


@dataclass(slots=True)
class FilterState:
    """One column per signal: vectors (3, M), or quaternions (4, M) with rates (3, M)."""

    raw: F64  # last input
    value: F64  # last output
    rate: F64  # smoothed speed of the input, per second
    flow: F64  # smoothed velocity of the output, per second
    pace: F64  # (1, M) smoothed speed of the input whatever its direction

    def take(self, columns: I64) -> FilterState:
        """The state of some signals only, in that order."""
        return FilterState(*(getattr(self, n)[:, columns] for n in self.__slots__))


def start(values: F64) -> FilterState:
    """State of signals that have just begun: unfiltered, at rest."""
    still = np.zeros((3, values.shape[1]))
    return FilterState(values.copy(), values.copy(), still, still.copy(), still[:1].copy())


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
    rate, pace, speed = _speed(state, (x - state.raw) * per_s, dt_s, euro)
    step = share(euro.cutoff_hz(speed), dt_s) * (x - state.value)
    flow = state.flow + _fixed_share(_FLOW_HZ, dt_s) * (step * per_s - state.flow)
    return FilterState(x, state.value + step, rate, flow, pace)


def filter_rotations(
    state: FilterState, q: F64, dt_s: F64 | float, euro: OneEuro, sureness: F64 | None = None
) -> FilterState:
    """The same for unit quaternions q (4, M); rates are in the rotation's own axes.

    ``sureness`` (3, M): turns about an axis of which one is less than 1 count for so much less,
    and are let through with so much lower a cut-off.
    """
    per_s = _per_s(dt_s)
    moved, left = _turns(state, q)
    moved = moved * per_s
    if sureness is not None:
        moved *= sureness
    rate, pace, speed = _speed(state, moved, dt_s, euro)
    cutoff = euro.cutoff_hz(speed)
    if sureness is not None:
        cutoff = cutoff * sureness
    step = share(cutoff, dt_s) * left
    step = _no_faster(step, _FASTEST_RAD_S * dt_s)
    flow = state.flow + _fixed_share(_FLOW_HZ, dt_s) * (step * per_s - state.flow)
    value = tangent.unit(tangent.product(state.value, tangent.exp(step)))
    return FilterState(q, value, rate, flow, pace)


def _turns(state: FilterState, q: F64) -> tuple[F64, F64]:
    """(3, M) from the last input and from the last output to q (4, M)."""
    before = np.concatenate([state.raw, state.value], axis=1)
    turns = tangent.log(tangent.difference(before, np.concatenate([q, q], axis=1)))
    return turns[:, : q.shape[1]], turns[:, q.shape[1] :]


def _speed(
    state: FilterState, velocity: F64, dt_s: F64 | float, euro: OneEuro
) -> tuple[F64, F64, F64]:
    """New rate (3, M) and pace (1, M), and the speed (M,) that opens the filter."""
    newest = _fixed_share(euro.rate_hz, dt_s)
    rate = state.rate + newest * (velocity - state.rate)
    speed = tangent.length(rate)
    if not euro.steady:
        return rate, state.pace, speed
    pace = state.pace + newest * (tangent.length(velocity) - state.pace)
    return rate, pace, speed * speed / np.maximum(pace[0], _NEXT_TO_NOTHING)


def _no_faster(step_rad: F64, longest_rad: F64 | float) -> F64:
    """Turns (3, M), none further than ``longest_rad``."""
    size = tangent.length(step_rad)
    if not some(size > longest_rad):  # as nearly always
        return step_rad
    return np.asarray(step_rad * np.minimum(1.0, longest_rad / np.maximum(size, _NEXT_TO_NOTHING)))
