"""How good found people are, picture by picture, and the figures of a whole set.

Who is whom is decided in 2D as in ``evaluation.matching``: one to one, mean distance of the
joints at most 0.35 of the person's longer side. People with fewer than five joints in view or
smaller than 24 px are judged neither as missed nor as extra.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.evaluation.matching import assign, longer_side, mean_distance
from posestream.skeleton.network import NetworkSkeleton
from posestream.training.example import labelled_people
from posestream.training.held_out import Found
from posestream.training.sample import IGNORED, Sample

_PCK_2D: Final = 0.1  # of the person's longer side
_PCK_3D_M: Final = 0.15
_MATCH: Final = 0.35
_LEAST_JOINTS: Final = 5
_LEAST_COMMON: Final = 3
_LEAST_PX: Final = 24.0
_OKS_SIGMA: Final = 0.08  # of every joint, against COCO's 0.03 to 0.11
_EXCUSED_SHARE: Final = 0.3
_STRIDE_PX: Final = 8


@dataclass
class Tally:
    """Sums over pictures; J joints in network order."""

    skeleton: NetworkSkeleton
    pictures: int = 0
    people: int = 0
    matched: int = 0
    extra: int = 0
    right_2d: F64 = field(init=False)  # (J,)
    judged_2d: F64 = field(init=False)
    oks: list[float] = field(default_factory=list)
    errors_m: list[F64] = field(default_factory=list)  # (J,) per person; inf missed, NaN unknown
    depth_error: list[float] = field(default_factory=list)  # share of the true depth

    def __post_init__(self) -> None:
        self.right_2d = np.zeros(self.skeleton.num_joints)
        self.judged_2d = np.zeros(self.skeleton.num_joints)

    def add(self, sample: Sample, found: Found, self_hidden: bool = True) -> None:
        """Judge one picture."""
        skeleton = self.skeleton
        truth = labelled_people(sample, skeleton, self_hidden, _STRIDE_PX)
        inside = _inside(truth.xy_px, sample.picture.shape[:2])
        xy = np.where((truth.visible & inside)[..., None], truth.xy_px, np.nan)
        size = longer_side(xy)
        judged = np.isfinite(xy).all(-1).sum(axis=1) >= _LEAST_JOINTS
        judged &= size >= _LEAST_PX
        mine = skeleton.from_body(found.xy_px)
        cost = mean_distance(xy, mine, _LEAST_COMMON) / np.maximum(size, 1.0)[:, None]
        pairs = assign(cost, _MATCH)  # the others too, so that they excuse who finds them
        self.pictures += 1
        self.people += int(judged.sum())
        self.matched += int((judged & (pairs >= 0)).sum())
        free = np.setdiff1d(np.arange(len(mine)), pairs)
        self.extra += int((~_excused(sample, found.xy_px[free], judged)).sum())
        self.add_2d(xy[judged], _paired(mine, pairs[judged]), size[judged])
        read = skeleton.from_body(found.xyz_root_m)
        self._add_3d(truth.xyz_root_m[judged], _paired(read, pairs[judged]))
        self.add_depth(truth.depth_m[judged], _paired(found.depth_m, pairs[judged]))

    def add_2d(self, truth: F64, mine: F64, size: F64) -> None:
        """Judge joints (G, J, 2) of people of these longer sides (G,); NaN in truth: unknown."""
        known = np.isfinite(truth).all(axis=-1)
        distance = np.linalg.norm(truth - mine, axis=-1) / np.maximum(size, 1.0)[:, None]
        distance = np.where(np.isfinite(distance), distance, np.inf)
        self.right_2d += (known & (distance <= _PCK_2D)).sum(axis=0)
        self.judged_2d += known.sum(axis=0)
        likeness = np.exp(-(distance**2) / (2.0 * (2.0 * _OKS_SIGMA) ** 2)) * known
        self.oks += (likeness.sum(axis=1) / known.sum(axis=1)).tolist()

    def _add_3d(self, truth: F64, mine: F64) -> None:
        known = np.isfinite(truth).all(axis=-1)
        known[:, self.skeleton.pelvis] = False  # the origin
        distance = np.linalg.norm(truth - mine, axis=-1)
        errors = np.where(known, np.where(np.isfinite(distance), distance, np.inf), np.nan)
        self.errors_m += list(errors[known.any(axis=1)])

    def add_depth(self, truth: F64, mine: F64) -> None:
        """Judge distances (G,); NaN: unknown or not found."""
        error = np.abs(mine / truth - 1.0)
        self.depth_error += error[np.isfinite(error)].tolist()

    def figures(self) -> dict[str, float]:
        """Shares, per picture, mm; NaN where nothing was judged."""
        errors = np.array(self.errors_m).reshape(-1, self.skeleton.num_joints)
        known, reached = ~np.isnan(errors), np.isfinite(errors)
        return {
            "pictures": float(self.pictures),
            "people": float(self.people),
            "recall": _ratio(self.matched, self.people),
            "extra": _ratio(self.extra, self.pictures),
            "pck_2d": _ratio(self.right_2d.sum(), self.judged_2d.sum()),
            "oks": float(np.mean(self.oks)) if self.oks else float("nan"),
            "pck_3d": _ratio((errors[known] <= _PCK_3D_M).sum(), known.sum()),
            "mpjpe_mm": 1000.0 * _ratio(errors[reached].sum(), reached.sum()),
            "depth_error": float(np.median(self.depth_error)) if self.depth_error else float("nan"),
        }

    def per_joint(self) -> dict[str, dict[str, float]]:
        """2D and 3D shares of right joints, by name."""
        errors = np.array(self.errors_m).reshape(-1, self.skeleton.num_joints)
        known = ~np.isnan(errors)
        right = np.where(known, errors, np.inf) <= _PCK_3D_M
        return {
            name: {
                "pck_2d": _ratio(self.right_2d[j], self.judged_2d[j]),
                "pck_3d": _ratio(right[:, j].sum(), known[:, j].sum()),
            }
            for j, name in enumerate(self.skeleton.joints)
        }


def tally(samples: Sequence[Sample], found: Iterable[Found], skeleton: NetworkSkeleton) -> Tally:
    """All pictures of a set."""
    out = Tally(skeleton)
    for sample, people in zip(samples, found, strict=True):
        out.add(sample, people)
    return out


def _paired(values: F64, pairs: I64) -> F64:
    """(G, ...) rows of ``values``, NaN where a truth has none."""
    padded = np.concatenate([values, np.full((1, *values.shape[1:]), np.nan)])
    return np.asarray(padded[pairs])


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole > 0 else float("nan")


def _inside(xy: F64, shape: tuple[int, ...]) -> Bool:
    with np.errstate(invalid="ignore"):
        limit = np.array(shape[1::-1]) - 0.5
        return np.asarray(((xy >= -0.5) & (xy < limit)).all(axis=-1))


def _excused(sample: Sample, xy_px: F64, judged: Bool) -> Bool:
    """(N,) which found people stand where nobody is judged."""
    if sample.owner is None or not len(xy_px):
        return np.zeros(len(xy_px), dtype=np.bool_)
    unjudged = np.concatenate([np.flatnonzero(~judged) + 1, [IGNORED]])
    there = np.isin(_owners(sample.owner, xy_px), unjudged)
    found = np.isfinite(xy_px).all(axis=-1)
    return np.asarray((there & found).sum(1) >= _EXCUSED_SHARE * np.maximum(found.sum(1), 1))


def _owners(owner: NDArray[np.uint8], xy_px: F64) -> NDArray[np.uint8]:
    height, width = owner.shape
    cell = np.rint(np.nan_to_num(xy_px)).astype(np.int64)
    rows, columns = np.clip(cell[..., 1], 0, height - 1), np.clip(cell[..., 0], 0, width - 1)
    return np.asarray(owner[rows, columns])
