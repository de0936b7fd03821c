"""Fits the face model to marks on portraits whose expressions are known. Pure.

Every expression is a ridge regression on the features of its own part of the face, fitted to the
portraits and to their mirror images alike, and scaled so that what is driven reaches its value
on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.errors import TrainingError
from posestream.geometry import rotation as rot
from posestream.perform.expressions import FaceModel
from posestream.perform.face_features import GAPS, features, pose_features
from posestream.perform.face_frame import place_face
from posestream.training.faces import columns
from posestream.types import ARKIT_EXPRESSIONS

_OUTER_CORNERS: Final = (33, 263)
_NUM_MESH: Final = 468
"""Points of the mesh; the irises' follow, and do not sit on the skull."""
_ROUNDS: Final = 8
_FIRM: Final = 0.02
"""How far a point may stray and still count as firm."""
_PLAIN_WEIGHT: Final = 3.0
_EYE_PENALTY: Final = 0.008
_PENALTY: Final = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Sitting:
    """One person's marked portraits; the first shows the neutral face, straight ahead."""

    xyz_px: F64  # (P, 478, 3) camera axes; NaN where no face was found
    truth: F64  # (P, len(ARKIT_EXPRESSIONS))
    plain: Bool  # (P,) little is driven and the head is straight: counts more


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a regression learns from: one row for each portrait."""

    x: F64  # (P, F + NUM_POSE) what changed against the neutral face, and the head's turn
    y: F64  # (P, len(ARKIT_EXPRESSIONS))
    plain: Bool  # (P,)

    def mirrored(self) -> Rows:
        """The same portraits as a mirror shows them."""
        x = self.x[:, columns.MIRRORED] * columns.SIGN
        return Rows(x, self.y[:, columns.TWIN], self.plain)


def fit(sittings: Sequence[Sitting], steady: Sequence[Sitting]) -> FaceModel:
    """The model of all these portraits.

    Args:
        sittings: the matrix is fitted to them.
        steady: the mean face is made of them, and which points are firm: one for each person,
            with grimaces of every kind.

    Raises TrainingError where a neutral face has no marks.
    """
    canonical, weight = mean_face(steady)
    learnt = [rows(sitting, canonical, weight) for sitting in sittings]
    return FaceModel(canonical, weight / weight.sum(), matrix(learnt))


def mean_face(sittings: Sequence[Sitting]) -> tuple[F64, F64]:
    """The mean neutral face (478, 3), outer corners 1 apart, and how firm its points are (478,)."""
    found = [_found(sitting).xyz_px for sitting in sittings]
    weight = np.where(np.arange(found[0].shape[1]) < _NUM_MESH, 1.0, 0.0)
    mean = np.mean([_rough(xyz_px[0]) for xyz_px in found], axis=0)
    for _ in range(_ROUNDS):
        strays = np.mean([_strays(xyz_px, mean, weight) for xyz_px in found], axis=0)
        weight = np.where(weight > 0.0, 1.0 / (strays + _FIRM**2) ** 2, 0.0)
        mean = np.mean([place_face(xyz_px[0], mean, weight).point for xyz_px in found], axis=0)
    return mean / _eyes_apart(mean), weight


def _found(sitting: Sitting) -> Sitting:
    """Without the portraits on which no face was found."""
    seen = np.isfinite(sitting.xyz_px).all(axis=(1, 2))
    if not seen[0]:
        raise TrainingError("No face was found on a neutral portrait: draw the pictures anew.")
    return Sitting(sitting.xyz_px[seen], sitting.truth[seen], sitting.plain[seen])


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


def rows(sitting: Sitting, canonical: F64, weight: F64) -> Rows:
    """What each portrait changes against the sitting's first, as ``perform`` measures it."""
    sitting = _found(sitting)
    faces = [place_face(xyz_px, canonical, weight) for xyz_px in sitting.xyz_px]
    values = np.stack([features(face.point) for face in faces])
    change = values - values[0]
    change[:, list(GAPS)] /= values[0, list(GAPS)]
    straight = rot.inverse(faces[0].turn_xyzw)
    turns = [rot.to_rotvec(rot.multiply(straight, face.turn_xyzw)) for face in faces]
    pose = np.stack([pose_features(turn) for turn in turns])
    return Rows(np.hstack([change, pose]), sitting.truth, sitting.plain)


def matrix(learnt: Sequence[Rows]) -> F64:
    """(len(ARKIT_EXPRESSIONS), F + NUM_POSE) from features to expressions."""
    both = [part for one in learnt for part in (one, one.mirrored())]
    x, y = np.concatenate([r.x for r in both]), np.concatenate([r.y for r in both])
    share = np.where(np.concatenate([r.plain for r in both]), _PLAIN_WEIGHT, 1.0)
    found = np.zeros((len(ARKIT_EXPRESSIONS), x.shape[1]))
    for index, name in enumerate(ARKIT_EXPRESSIONS):
        used = columns.used(name)
        # gaze is learnt from turned heads as much as from straight ones
        w = np.ones(len(x)) if name.startswith("eyeLook") else share
        penalty = _EYE_PENALTY if name.startswith("eye") else _PENALTY
        found[index, used] = _ridge(x[:, used] * w[:, None], y[:, index] * w, penalty)
    return found


def _ridge(x: F64, y: F64, penalty: float) -> F64:
    """Ridge regression without an offset, scaled so that driven rows keep their size."""
    gram = x.T @ x + penalty**2 * len(x) * np.eye(x.shape[1])
    found = np.linalg.solve(gram, x.T @ y)
    reached = float((x @ found) @ y)
    return np.asarray(found * (float(y @ y) / reached)) if reached > 0.0 else found
