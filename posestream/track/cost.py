"""What it costs to take a sighting for a known person; infinite where it cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import dot, length, some
from posestream.track import likeness, motion
from posestream.track.people import Known, Sightings

LIMIT: Final = 0.75
_WEIGHTS: Final = np.array([0.45, 0.35, 0.15, 0.05])  # place, picture, pose, build
_LOOK_WEIGHT: Final = 0.5
# picture and pose say less the longer somebody was away
_FADE_PER_S: Final = np.array([0.0, 2.0, 2.0, 0.0])
_GATE_SIGMA: Final = 4.0
_FLOOR_VAR: Final = np.array([0.15, 0.25]) ** 2  # people sway more than their model
_POSE_M: Final = 0.3
_BUILD: Final = 0.3
_LOOK: Final = 0.08  # clothes that differ by so much are other clothes
_PICTURE_WIDTH: Final = 0.075  # of the person's size in the picture
_BODY_WIDTH: Final = 0.05
_FAR: Final = 0.7
_CROWDED: Final = 0.5

_RETURN_LATERAL_M: Final = 0.6
_RETURN_DEPTH_M: Final = 0.9
_RETURN_M_PER_S: Final = 0.3
_RETURN_BUILD: Final = 0.25


@dataclass(slots=True)
class Expected:
    """Where known people should be now."""

    away_s: F64  # (N,) since they were last seen
    root_m: F64  # (N, 3)
    covariance: F64  # (N, 2, 3)
    px: F64  # (N, 13, 2)
    ray: F64  # (N, 3)


def expect(known: Known, t_s: float, camera_m: F64) -> Expected:
    """Everybody's expected place, in the world and in the picture."""
    away = np.maximum(t_s - known.seen_s, 0.0)
    damped = motion.damped_s(away)[:, None]
    root = known.root_m + damped * known.velocity
    px = known.px + (damped * known.px_velocity)[:, None]
    covariance = motion.grown(known.covariance, away[:, None])
    return Expected(away, root, covariance, px, motion.rays(root, camera_m))


def place_distance(across: F64, along: F64, covariance: F64, var: F64) -> F64:
    """Distance in shares of the gate, looser along the ray; NaN if unknown."""
    total = covariance[..., 0] + (var + _FLOOR_VAR)
    squared = dot(across, across) / total[..., 0] + along**2 / total[..., 1]
    return np.asarray(np.sqrt(squared) / _GATE_SIGMA)


@dataclass(slots=True)
class MatchCost:
    """(N, D) costs in [0, 1] of continuing each person with each sighting, as far as is known.

    The mean of some terms, of which only what clothes look like is left open: finding that out
    takes as long as all the others together.
    """

    total: F64  # (N, D) of the weighted terms; infinite where it cannot be
    weight: F64  # (N, D) of all terms but the look
    place: F64  # (N, D) how far from where they are expected, in shares of the gate
    extra: F64  # (N, 1)

    def least(self) -> F64:
        """(N, D) costs of people who look alike."""
        return np.asarray(self.total / (self.weight + _LOOK_WEIGHT) + self.extra)

    def span(self) -> float:
        """By how much the look can raise any of them."""
        return _LOOK_WEIGHT / (_LOOK_WEIGHT + float(self.weight.min(initial=1.0)))

    def exact(self, known: Known, seen: Sightings) -> F64:
        """(N, D) with the look, where it is known."""
        look = np.minimum(likeness.look_distance(known.look, seen.look()) / _LOOK, 1.0)
        weight = np.where(np.isnan(look), 0.0, _LOOK_WEIGHT)
        total = self.total + np.nan_to_num(look) * weight
        return np.asarray(total / (self.weight + weight) + self.extra)


def match_cost(known: Known, expected: Expected, seen: Sightings, extra: F64) -> MatchCost:
    """What is known of the costs without looking closely; ``extra`` (N,) is added to them."""
    offset = motion.split(seen.root_m - expected.root_m[:, None], expected.ray[:, None])
    place = place_distance(*offset, expected.covariance[:, None], seen.var)
    picture = 1.0 - likeness.picture_likeness(expected.px, seen.px, seen.size_px, _PICTURE_WIDTH)
    pose = likeness.pose_distance(known.pose_m, seen.pose_m) / _POSE_M
    build = likeness.build_distance(known.build, seen.build) / _BUILD
    terms = np.empty((len(_WEIGHTS), *place.shape))
    terms[0], terms[1], terms[2], terms[3] = place, picture, pose, build
    weights = _WEIGHTS[:, None] * np.exp(-_FADE_PER_S[:, None] * expected.away_s)
    total, weight = _sum_of_terms(np.minimum(terms, 1.0), weights[..., None])
    total = np.where(_impossible(place, picture), np.inf, total)
    return MatchCost(total, np.maximum(weight, 1e-9), place, extra[:, None])


def _sum_of_terms(terms: F64, weights: F64) -> tuple[F64, F64]:
    """(N, D) weighted sum and its weights, of terms (T, N, D), NaN where not measured."""
    unknown = np.isnan(terms)
    if some(unknown):
        weights = weights * ~unknown
        terms = np.where(unknown, 0.0, terms)
    return np.add.reduce(weights * terms), np.add.reduce(weights)


def _impossible(place: F64, picture: F64) -> Bool:
    """Out of reach in space and elsewhere in the picture, or nothing known of either."""
    return ~((place < 1.0) | (picture < _FAR))


def return_cost(gone: Known, expected: Expected, new: Known) -> F64:
    """(N, M) cost below 1 of taking newcomers for people who had left."""
    reach = _RETURN_M_PER_S * expected.away_s[:, None]
    across, along = motion.split(new.root_m - expected.root_m[:, None], expected.ray[:, None])
    std = np.sqrt(gone.covariance[:, None, motion.DEPTH, 0] + new.covariance[:, motion.DEPTH, 0])
    lateral = length(across) / (_RETURN_LATERAL_M + reach)
    depth = np.abs(along) / (_RETURN_DEPTH_M + reach + 2.0 * std)
    other = likeness.build_distance(gone.build, new.build) > _RETURN_BUILD
    other |= likeness.look_distance(gone.look, new.look) > _LOOK
    return np.where(other, np.inf, np.hypot(lateral, depth))


def overlap(seen: Sightings) -> F64:
    """(D, D) how much two sightings of one frame look like the same body."""
    low, high, n = seen.low_px, seen.high_px, len(seen)
    touch = (high[:, None] > low).all(axis=-1)
    if np.count_nonzero(touch & touch.T) <= n:  # nobody's box meets another's
        return np.eye(n)
    alike = likeness.picture_likeness(seen.px, seen.px, seen.size_px, _BODY_WIDTH)
    return np.asarray(np.fmax(np.fmax(alike, alike.T), 0.0))


def within(seen: Sightings, others: I64) -> Bool:
    """(D,) whose box lies for the most part in the box of another one among ``others``."""
    low, high = seen.low_px, seen.high_px
    shared = np.minimum(high[:, None], high[others]) - np.maximum(low[:, None], low[others])
    area = np.prod(np.maximum(shared, 0.0), axis=-1)
    own = np.maximum(np.prod(high - low, axis=-1), 1e-9)
    inside = area > _CROWDED * own[:, None]
    inside[others, np.arange(others.size)] = False
    return np.asarray(inside.any(axis=1))
