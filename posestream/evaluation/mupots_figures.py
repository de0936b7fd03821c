"""From the outcomes of the sequences to the figures of the report. All shares are fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from posestream.arrays import I64, Bool
from posestream.evaluation import metrics
from posestream.evaluation.mupots import HEAD_TOP, SCORED, Outcome
from posestream.skeleton.joints import MUPOTS17

Figures = dict[str, Any]
AP_CM: Final = (25, 20, 15, 10)


def summarise(outcomes: Sequence[Outcome]) -> Figures:
    """Every sequence's figures and their means over the sequences.

    Joints: 14, or 13 if no head top is ever predicted.
    """
    with_head = any(outcome.has_head_top for outcome in outcomes)
    joints = SCORED if with_head else SCORED[SCORED != HEAD_TOP]
    per_sequence = {outcome.name: figures(outcome, joints) for outcome in outcomes}
    total: Figures = mean_of(list(per_sequence.values()))
    for key in ("frames", "people"):
        total[key] = sum(one[key] for one in per_sequence.values())
    return {"joints": len(joints), **total, "per_sequence": per_sequence}


def figures(outcome: Outcome, joints: I64 = SCORED) -> Figures:
    """One sequence. NaN where nothing could be measured."""
    error, error_abs = outcome.error_mm[:, joints], outcome.error_abs_mm[:, joints]
    axes, distance = metrics.mrpe(outcome.root_mm, outcome.root_truth_mm)
    precision = _root_precision(outcome)
    seen = outcome.matched
    depth_error_mm = (outcome.root_mm - outcome.root_truth_mm)[:, 2]
    depth_error_mm = depth_error_mm[np.isfinite(depth_error_mm)]
    pose, truth = outcome.pose_mm[:, joints], outcome.truth_mm[:, joints]
    return {
        "frames": outcome.frames,
        "people": len(seen),
        "pck_rel": metrics.pck(error),
        "pck_rel_matched": metrics.pck(error[seen]),
        "auc_rel": metrics.auc(error),
        "auc_rel_matched": metrics.auc(error[seen]),
        "pck_abs": metrics.pck(error_abs),
        "pck_abs_matched": metrics.pck(error_abs[seen]),
        "recall": float(seen.mean()) if len(seen) else math.nan,
        "extra_per_frame": outcome.extra / outcome.frames if outcome.frames else math.nan,
        "ap_root": {str(cm): ap for cm, (ap, _) in precision.items()},
        "ar_root": {str(cm): ar for cm, (_, ar) in precision.items()},
        "mrpe_mm": dict(zip("xyz", axes.tolist(), strict=True)),
        "mrpe_distance_mm": distance,
        "depth_bias_mm": float(depth_error_mm.mean()) if len(depth_error_mm) else math.nan,
        "mpjpe_mm": metrics.mpjpe(pose[seen], truth[seen]),
        "pa_mpjpe_mm": metrics.pa_mpjpe(pose[seen], truth[seen]),
        "pck_rel_visible": _pck_where(outcome, joints, occluded=False),
        "pck_rel_occluded": _pck_where(outcome, joints, occluded=True),
        "pck_rel_by_joint": {
            MUPOTS17[j]: metrics.pck(error[:, i]) for i, j in enumerate(joints.tolist())
        },
        "pck_abs_by_joint": {
            MUPOTS17[j]: metrics.pck(error_abs[:, i]) for i, j in enumerate(joints.tolist())
        },
    }


def _root_precision(outcome: Outcome) -> dict[int, tuple[float, float]]:
    """AP and AR by threshold in cm."""
    starts = np.searchsorted(outcome.frame, np.arange(1, outcome.frames))
    roots = np.split(outcome.root_truth_mm, starts)
    nearest, distance = metrics.nearest_roots(
        outcome.candidate_frame, outcome.candidate_root_mm, roots
    )
    return {
        cm: metrics.average_precision(
            metrics.root_hits(outcome.candidate_score, nearest, distance, 10.0 * cm),
            len(outcome.frame),
        )
        for cm in AP_CM
    }


def _pck_where(outcome: Outcome, joints: I64, occluded: bool) -> float:
    chosen: Bool = outcome.occluded[:, joints] == occluded
    return metrics.pck(outcome.error_mm[:, joints][chosen])


def mean_of(parts: Sequence[Figures]) -> Figures:
    """Means of equal figures, dictionaries by key; what is NaN in a part is left out of it."""
    if not parts:
        return {}
    return {key: _mean([part[key] for part in parts]) for key in parts[0]}


def _mean(values: list[Any]) -> Any:
    if isinstance(values[0], dict):
        return mean_of(values)
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def without_nan(figures: Any) -> Any:
    """The same for JSON: NaN, which JSON does not know, becomes null; floats of 6 digits."""
    if isinstance(figures, dict):
        return {key: without_nan(value) for key, value in figures.items()}
    if isinstance(figures, list):
        return [without_nan(value) for value in figures]
    if isinstance(figures, float):
        return round(figures, 6) if math.isfinite(figures) else None
    return figures
