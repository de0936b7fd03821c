"""Accuracy on labelled pictures: 2D everywhere, 3D where the set knows it.

Every picture is new to the back end. People pair one to one in 2D: at least half of the labelled
joints (and three) found, at a mean distance of at most 0.35 of the person's extent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from posestream.arrays import F64, I64, Bool, Image
from posestream.capture.base import CaptureSettings, camera_for
from posestream.capture.images import read_picture
from posestream.errors import PosestreamError
from posestream.evaluation import metrics
from posestream.evaluation.hand_counts import boxes_of
from posestream.evaluation.matching import apart_from_all, assign, longer_side, mean_distance
from posestream.evaluation.mupots_figures import Figures, mean_of
from posestream.evaluation.people import MakeFinder, People, maker
from posestream.evaluation.sample_sets import LabelledPicture, read_sets
from posestream.evaluation.sheet import Case, draw_worst
from posestream.settings import Settings
from posestream.skeleton.joints import COCO, JOINT, NUM_JOINTS, ROOT
from posestream.types import Camera

_FARTHEST, _OVERLAP = 0.35, 0.1
_LEAST_JOINTS = 3
_COCO_SIGMA: Final = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062,
    0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
)  # fmt: skip
_OTHER_SIGMA = 0.079  # joints that COCO has not, as CrowdPose takes its head and neck
SIGMA: F64 = np.full(NUM_JOINTS, _OTHER_SIGMA)
SIGMA[[JOINT[name] for name in COCO]] = _COCO_SIGMA


@dataclass(frozen=True, slots=True, eq=False)
class PictureOutcome:
    """G labelled people beside what was found for each: rows of NaN if missed."""

    truth: LabelledPicture
    matched: I64  # (G,) -1 if missed
    xy_px: F64  # (G, J, 2)
    xyz_root_mm: F64  # (G, J, 3)
    root_mm: F64  # (G, 3)
    extra: int


def evaluate_samples(
    folder: Path, backend: str, settings: Settings | None = None, sheet: Path | None = None
) -> Figures:
    """Every set's figures and their means; ``sheet`` becomes a picture of the worst.

    Raises PosestreamError for unusable folders.
    """
    labelled = read_sets(folder)
    make = maker(backend, settings)
    outcomes = [[_run(picture, make) for picture in one.pictures] for one in labelled]
    if sheet is not None:
        draw_worst([Case(o.truth.path, o.truth.xy_px, o.xy_px) for p in outcomes for o in p], sheet)
    given = joints_given([outcome for part in outcomes for outcome in part])
    sets = {
        one.name: figures(part, one.complete, given)
        for one, part in zip(labelled, outcomes, strict=True)
    }
    total = mean_of(list(sets.values()))
    for key in ("pictures", "people"):
        total[key] = sum(one[key] for one in sets.values())
    return {"backend": backend, **total, "sets": sets}


def joints_given(outcomes: Sequence[PictureOutcome]) -> Bool:
    """(J,) joints that the back end gives at all: the others are not asked of it."""
    found = np.concatenate([np.isfinite(o.xy_px).all(axis=-1) for o in outcomes]).any(axis=0)
    return np.asarray(found | ~found.any())


def _run(truth: LabelledPicture, make: MakeFinder) -> PictureOutcome:
    image = read_picture(truth.path)
    if image is None:
        raise PosestreamError(f"{truth.path} is missing or cannot be read as a picture.")
    finder = make()
    try:
        return compare(truth, finder.find(image, _camera(truth, image), 0, 30.0))
    finally:
        finder.close()


def _camera(truth: LabelledPicture, image: Image) -> Camera:
    size_px = (image.shape[1], image.shape[0])
    if truth.K_px is None:
        return camera_for(size_px, CaptureSettings())
    return Camera(truth.K_px, size_px, truth.distortion)


def compare(truth: LabelledPicture, found: People) -> PictureOutcome:
    """Pair the people of one picture."""
    matched = np.array([], dtype=np.int64)
    if len(truth.xy_px):
        matched = assign(_costs(truth.xy_px, found.xy_px), _FARTHEST)
    xyz_mm = 1000.0 * (found.xyz_root_m - found.xyz_root_m[:, ROOT, None])
    rest = np.setdiff1d(np.arange(len(found.score)), matched)
    rest = rest[np.isfinite(found.xy_px[rest]).all(axis=-1).any(axis=-1)]
    marked = apart_from_all(boxes_of(found.xy_px[rest]), truth.boxes_px, _OVERLAP)
    on_labelled = len(rest) - int(marked.sum())
    spare = max(len(truth.boxes_px) - len(truth.xy_px), 0)  # marked people without joints
    extra = int(marked.sum()) + max(on_labelled - spare, 0)
    return PictureOutcome(
        truth,
        matched,
        xy_px=_taken(found.xy_px, matched),
        xyz_root_mm=_taken(xyz_mm, matched),
        root_mm=_taken(1000.0 * found.root_cam_m, matched),
        extra=extra,
    )


def _costs(truth_px: F64, found_px: F64) -> F64:
    """(G, P) mean distance over the true extent; NaN where too few joints are found."""
    labelled = np.isfinite(truth_px).all(axis=-1).sum(axis=1)
    size = longer_side(truth_px)
    costs = [
        mean_distance(truth_px[i : i + 1], found_px, max(_LEAST_JOINTS, (int(n) + 1) // 2))
        for i, n in enumerate(labelled)
    ]
    return np.asarray(np.concatenate(costs) / np.maximum(size, 1e-9)[:, None])


def _taken(values: F64, matched: I64) -> F64:
    if len(values) == 0:
        return np.full((len(matched), *values.shape[1:]), np.nan)
    hit = (matched >= 0).reshape(-1, *[1] * (values.ndim - 1))
    return np.where(hit, values[np.maximum(matched, 0)], np.nan)


def figures(outcomes: Sequence[PictureOutcome], complete: bool, given: Bool) -> Figures:
    """One set. Shares are fractions of labelled joints among those ``given`` (J,); every
    labelled person counts, found or not.
    """
    matched = np.concatenate([o.matched for o in outcomes]) >= 0
    distance = np.where(given, np.concatenate([_distances_px(o) for o in outcomes]), np.nan)
    size = np.concatenate([longer_side(o.truth.xy_px) for o in outcomes])
    head = np.concatenate([o.truth.head_px for o in outcomes])
    scores = [
        metrics.oks(
            o.xy_px[i][given], o.truth.xy_px[i][given], float(o.truth.area_px2[i]), SIGMA[given]
        )
        for o in outcomes
        for i in range(len(o.matched))
    ]
    known = [score for score in scores if not math.isnan(score)]
    return {
        "pictures": len(outcomes),
        "people": len(matched),
        "recall": float(matched.mean()) if len(matched) else math.nan,
        "extra_per_picture": float(np.mean([o.extra for o in outcomes])) if complete else math.nan,
        "pck": _share_within(distance, 0.1 * size),
        "pckh": _share_within(distance, 0.5 * head),
        "oks": sum(known) / len(known) if known else math.nan,
        "oks_over_50": sum(s >= 0.5 for s in known) / len(known) if known else math.nan,
        **_figures_3d(outcomes, given),
    }


def _distances_px(outcome: PictureOutcome) -> F64:
    """(G, J) infinite where not found, NaN where not labelled."""
    distance = np.linalg.norm(outcome.xy_px - outcome.truth.xy_px, axis=-1)
    labelled = np.isfinite(outcome.truth.xy_px).all(axis=-1)
    return np.where(labelled, np.where(np.isfinite(distance), distance, np.inf), np.nan)


def _share_within(distance: F64, limit: F64) -> float:
    """Share of labelled joints within each person's limit; NaN limits are left out."""
    counted = np.isfinite(limit)[:, None] & ~np.isnan(distance)
    if not counted.any():
        return math.nan
    return float((distance <= limit[:, None])[counted].mean())


def _figures_3d(outcomes: Sequence[PictureOutcome], given: Bool) -> dict[str, Any]:
    """Millimetres, pelvis-relative; NaN where the set has no 3D."""
    truth = np.concatenate([o.truth.xyz_cam_mm for o in outcomes])
    pose = np.concatenate([o.xyz_root_mm for o in outcomes])
    root = np.concatenate([o.root_mm for o in outcomes])
    body = np.setdiff1d(np.flatnonzero(given), ROOT)
    relative = truth - truth[:, ROOT, None]
    known = np.isfinite(relative[:, body]).all(axis=-1)
    errors = metrics.joint_errors(pose[:, body], relative[:, body])
    axes, distance = metrics.mrpe(root, truth[:, ROOT])
    return {
        "pck_3d": metrics.pck(errors[known]),
        "auc_3d": metrics.auc(errors[known]),
        "mpjpe_mm": metrics.mpjpe(pose[:, body], relative[:, body]),
        "pa_mpjpe_mm": metrics.pa_mpjpe(pose[:, body], relative[:, body]),
        "mrpe_mm": dict(zip("xyz", axes.tolist(), strict=True)),
        "mrpe_distance_mm": distance,
    }
