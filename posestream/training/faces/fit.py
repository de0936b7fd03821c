"""Fits the face model to marks on portraits whose expressions are known. Pure.

The mean face, and which of its points are firm, come first; then a network learns from the
portraits and from their mirror images, each against several neutral faces of the same person,
and is scaled so that what is driven reaches its value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.errors import TrainingError
from posestream.geometry import rotation as rot
from posestream.perform.expressions import READ, FaceModel
from posestream.perform.face_features import NUM_FEATURES, changes, features
from posestream.perform.face_frame import place_face
from posestream.perform.small_network import SmallNetwork
from posestream.training.faces import columns
from posestream.training.small_network import Recipe, fit_network

RECIPE: Final = Recipe(hidden=40, steps=4000, decay=0.3, noise=0.2, members=3)
_OUTER_CORNERS: Final = (33, 263)
_NUM_MESH: Final = 468
"""Points of the mesh; the irises' follow, and do not sit on the skull."""
_ROUNDS: Final = 8
_FIRM: Final = 0.02
"""How far a point may stray and still count as firm."""
_REFERENCES: Final = 3
_PLAIN_WEIGHT: Final = 3.0
_REST_WEIGHT: Final = 4.0
_DRIVEN_WEIGHT: Final = 3.0
_FULL: Final = 0.99
_LEAST_REACHED: Final = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Sitting:
    """One person's marked portraits; the first shows the neutral face, straight ahead."""

    xyz_px: F64  # (P, L, 478, 3) camera axes, of L looks; NaN where no face was found
    truth: F64  # (P, len(READ))
    plain: Bool  # (P,) little is driven and the head is straight: counts more
    neutral: Bool  # (P,) the face is at rest


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a network learns from: one row for each look at a portrait."""

    x: F64  # (R, NUM_INPUTS)
    y: F64  # (R, len(READ))
    weight: F64  # (R,)

    def mirrored(self) -> Rows:
        """The same portraits as a mirror shows them."""
        x = self.x[:, columns.MIRRORED] * columns.SIGN
        return Rows(x, self.y[:, columns.TWIN], self.weight)


def fit(sittings: Sequence[Sitting], recipe: Recipe = RECIPE) -> FaceModel:
    """The model of all these portraits. Raises TrainingError where a neutral face has no marks."""
    canonical, weight = mean_face(sittings)
    learnt = [part for sitting in sittings for part in rows(sitting, canonical, weight)]
    return FaceModel(canonical, weight / weight.sum(), network(learnt, recipe))


def mean_face(sittings: Sequence[Sitting]) -> tuple[F64, F64]:
    """The mean neutral face (478, 3), outer corners 1 apart, and how firm its points are (478,)."""
    found = [_followed(sitting) for sitting in sittings]
    weight = np.where(np.arange(found[0].shape[1]) < _NUM_MESH, 1.0, 0.0)
    mean = np.mean([_rough(xyz_px[0]) for xyz_px in found], axis=0)
    for _ in range(_ROUNDS):
        strays = np.mean([_strays(xyz_px, mean, weight) for xyz_px in found], axis=0)
        weight = np.where(weight > 0.0, 1.0 / (strays + _FIRM**2) ** 2, 0.0)
        mean = np.mean([place_face(xyz_px[0], mean, weight).point for xyz_px in found], axis=0)
    return mean / _eyes_apart(mean), weight


def _followed(sitting: Sitting) -> F64:
    """(Q, 478, 3) the last look at each portrait on which a face was found."""
    faces = sitting.xyz_px[:, -1]
    seen = np.isfinite(faces).all(axis=(1, 2))
    if not seen[0]:
        raise TrainingError("No face was found on a neutral portrait: draw the pictures anew.")
    return np.asarray(faces[seen])


def _rough(xyz_px: F64) -> F64:
    point = (xyz_px - xyz_px[:_NUM_MESH].mean(axis=0)) * np.array([1.0, -1.0, -1.0])
    return np.asarray(point / _eyes_apart(point))


def _eyes_apart(point: F64) -> float:
    first, last = point[list(_OUTER_CORNERS)]
    return float(np.linalg.norm(last - first))


def _strays(xyz_px: F64, mean: F64, weight: F64) -> F64:
    """(478,) mean square distance of each point from where the neutral face has it."""
    points = np.stack([place_face(face, mean, weight).point for face in xyz_px])
    return np.asarray(((points - points[0]) ** 2).sum(axis=-1).mean(axis=0))


def rows(sitting: Sitting, canonical: F64, weight: F64) -> Iterator[Rows]:
    """What each look at a portrait changes against some neutral faces, as ``perform`` sees it."""
    seen = np.isfinite(sitting.xyz_px).all(axis=(2, 3))
    if not seen[0].all():
        raise TrainingError("No face was found on a neutral portrait: draw the pictures anew.")
    shape = sitting.xyz_px.shape[:2]
    value = np.zeros((*shape, NUM_FEATURES))
    turn = np.zeros((*shape, 3))
    for at in zip(*np.nonzero(seen), strict=True):
        face = place_face(sitting.xyz_px[at], canonical, weight)
        value[at], turn[at] = features(face.point), rot.to_rotvec(face.turn_xyzw)
    share = np.where(sitting.plain, _PLAIN_WEIGHT, 1.0)
    share[sitting.neutral] = _REST_WEIGHT
    for portrait, look in _references(sitting, seen):
        rest, rest_rad = value[portrait, look], turn[portrait, look]
        for k in range(shape[1]):
            own = seen[:, k]
            x = changes(value[own, k], turn[own, k], rest, rest_rad)
            yield Rows(x, sitting.truth[own], share[own])


def _references(sitting: Sitting, seen: Bool) -> list[tuple[int, int]]:
    """Looks at neutral faces: the first portrait's, and some of those with turned heads."""
    neutral = np.argwhere(seen & sitting.neutral[:, None])
    step = max(1, len(neutral) // _REFERENCES)
    return [(int(portrait), int(look)) for portrait, look in neutral[::step][:_REFERENCES]]


def network(learnt: Sequence[Rows], recipe: Recipe = RECIPE) -> SmallNetwork:
    """From what changes in a face to expressions."""
    both = [part for one in learnt for part in (one, one.mirrored())]
    x, y = np.concatenate([r.x for r in both]), np.concatenate([r.y for r in both])
    share = np.concatenate([r.weight for r in both])
    weight = share[:, None] * np.where(y > 0.5, _DRIVEN_WEIGHT, 1.0)
    return _full_scale(fit_network(x, y, weight, recipe), x, y, share >= _PLAIN_WEIGHT)


def _full_scale(found: SmallNetwork, x: F64, y: F64, plain: Bool) -> SmallNetwork:
    """The network with every output scaled so that what is fully driven reaches 1 mostly."""
    scale = np.ones(len(READ))
    read = found(x)
    for index in range(len(scale)):
        driven = plain & (y[:, index] > _FULL)
        if driven.any():
            scale[index] = 1.0 / np.clip(np.median(read[driven, index]), _LEAST_REACHED, 2.0)
    return SmallNetwork(found.w1, found.b1, found.w2 * scale, found.b2 * scale)
