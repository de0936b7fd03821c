"""Figures of merit as pure functions of arrays. Unknown joints are NaN and never correct.

Errors are distances in any one unit; thresholds in the same unit. ``J`` joints, ``...`` any
leading shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posestream.arrays import F64, I64, Bool

PCK_MM = 150.0
AUC_MM: F64 = np.arange(0.0, PCK_MM + 1.0, 5.0)
_COINCIDENT = 1e-24  # spread over size, squared, of joints that differ by rounding alone
_ROUNDING = 1e-6  # so that an error of nothing but rounding is within a threshold of 0


def joint_errors(predicted: F64, truth: F64) -> F64:
    """(..., J) distances; infinite where either joint is unknown."""
    distance = np.linalg.norm(predicted - truth, axis=-1)
    return np.where(np.isfinite(distance), distance, np.inf)


def pck(errors: F64, threshold: float = PCK_MM) -> float:
    """Share of errors within the threshold; NaN if there are none."""
    return float((errors <= threshold + _ROUNDING).mean()) if errors.size else float("nan")


def auc(errors: F64, thresholds: F64 = AUC_MM) -> float:
    """Mean of ``pck`` over the thresholds (0, 5, … 150 mm)."""
    if not errors.size:
        return float("nan")
    ordered = np.sort(errors, axis=None)
    within = np.searchsorted(ordered, thresholds + _ROUNDING, side="right")
    return float((within / errors.size).mean())


def similarity_align(source: F64, target: F64) -> F64:
    """Source (..., J, 3) scaled, turned and moved onto the target; never mirrored.

    Only joints known in both count (others of the source are carried along). Where fewer than
    three are, or they all coincide, the result is NaN.
    """
    known = np.all(np.isfinite(source) & np.isfinite(target), axis=-1)
    weight = known[..., None] / np.maximum(known.sum(axis=-1), 1)[..., None, None]
    mean_s, mean_t = (
        (np.where(known[..., None], v, 0.0) * weight).sum(axis=-2, keepdims=True)
        for v in (source, target)
    )
    s = np.where(known[..., None], source - mean_s, 0.0)
    t = np.where(known[..., None], target - mean_t, 0.0)
    u, stretch, vt = np.linalg.svd(np.swapaxes(s, -1, -2) @ t)
    sign = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0.0, -1.0, 1.0)
    stretch[..., -1] *= sign
    u[..., :, -1] *= sign[..., None]
    spread = (s**2).sum(axis=(-1, -2))
    size = np.where(known[..., None], source**2, 0.0).sum(axis=(-1, -2))
    usable = (known.sum(axis=-1) >= 3) & (spread > _COINCIDENT * size)
    scale = np.where(usable, stretch.sum(axis=-1) / np.where(usable, spread, 1.0), np.nan)
    return np.asarray(scale[..., None, None] * ((source - mean_s) @ (u @ vt)) + mean_t)


def mpjpe(predicted: F64, truth: F64) -> float:
    """Mean distance over the joints known in both; NaN if there are none."""
    errors = joint_errors(predicted, truth)
    known = np.isfinite(errors)
    return float(errors[known].mean()) if known.any() else float("nan")


def pa_mpjpe(predicted: F64, truth: F64) -> float:
    """``mpjpe`` after the best similarity of each pose (..., J, 3)."""
    return mpjpe(similarity_align(predicted, truth), truth)


def mrpe(predicted: F64, truth: F64) -> tuple[F64, float]:
    """Mean root position error: per axis (3,) and as a distance; NaN without any root."""
    error = predicted - truth
    error = error[np.all(np.isfinite(error), axis=-1)].reshape(-1, 3)
    if not len(error):
        return np.full(3, np.nan), float("nan")
    return np.abs(error).mean(axis=0), float(np.linalg.norm(error, axis=-1).mean())


def rescale_bones(predicted: F64, truth: F64, parents: I64) -> F64:
    """Predicted joints (..., J, 3) with each bone as long as the truth's, from the root outward.

    ``parents`` (J,) is the tree; the root is its own parent and must be the predicted origin.
    A bone whose upper end is unknown is measured from the nearest known joint above.
    """
    out = np.full_like(predicted, np.nan)
    anchors: dict[int, tuple[F64, F64, F64]] = {}
    for j in _outward(parents):
        parent = int(parents[j])
        if parent == j:
            out[..., j, :] = predicted[..., j, :]
            anchors[j] = (predicted[..., j, :], out[..., j, :], truth[..., j, :])
            continue
        from_pred, from_out, from_truth = anchors[parent]
        bone = predicted[..., j, :] - from_pred
        length = np.linalg.norm(bone, axis=-1, keepdims=True)
        wanted = np.linalg.norm(truth[..., j, :] - from_truth, axis=-1, keepdims=True)
        out[..., j, :] = from_out + bone / np.maximum(length, 1e-12) * wanted
        known = np.isfinite(length)
        own = (predicted[..., j, :], out[..., j, :], truth[..., j, :])
        above = (from_pred, from_out, from_truth)
        a, b, c = (np.where(known, x, y) for x, y in zip(own, above, strict=True))
        anchors[j] = (a, b, c)
    return out


def _outward(parents: I64) -> list[int]:
    """Joints in an order in which every parent precedes its children."""
    order = [j for j, parent in enumerate(parents.tolist()) if parent == j]
    for joint in order:
        order += [j for j, p in enumerate(parents.tolist()) if p == joint and j != joint]
    return order


def average_precision(hits: Bool, truths: int) -> tuple[float, float]:
    """AP and AR of predictions ordered by falling score, ``hits`` (N,) telling the true ones.

    AP = Σ precision · Δrecall, without envelope; AR = final recall. NaN without any truth.
    """
    if truths == 0:
        return float("nan"), float("nan")
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    return float(precision[hits].sum() / truths), float(hits.sum() / truths)


def nearest_roots(frame: I64, root: F64, truth_roots: Sequence[F64]) -> tuple[I64, F64]:
    """Of each predicted root (N, 3) the nearest of ``truth_roots[frame]`` (P, 3).

    Returns its number over all frames (N,), -1 where the frame has none or the root is unknown,
    and the distance (N,).
    """
    nearest, distance = np.full(len(frame), -1, dtype=np.int64), np.full(len(frame), np.inf)
    first = np.cumsum([0, *(len(roots) for roots in truth_roots)])
    for row, f in enumerate(frame.tolist()):
        apart = np.linalg.norm(truth_roots[f] - root[row], axis=-1)
        if len(apart) and np.isfinite(apart).all():
            nearest[row] = first[f] + apart.argmin()
            distance[row] = apart.min()
    return nearest, distance


def root_hits(score: F64, nearest: I64, distance: F64, threshold: float) -> Bool:
    """(N,) in order of falling score: which predictions are true.

    One is if its nearest root is under the threshold and nobody surer has taken that root.
    """
    taken: set[int] = set()
    hits = np.zeros(len(score), dtype=np.bool_)
    for rank, row in enumerate(np.argsort(-np.nan_to_num(score), kind="stable").tolist()):
        key = int(nearest[row])
        if distance[row] < threshold and key not in taken:
            taken.add(key)
            hits[rank] = True
    return hits


def oks(predicted_px: F64, truth_px: F64, area_px2: float, sigma: F64) -> float:
    """Object keypoint similarity of one person (J, 2) over the labelled joints, as COCO has it.

    Unlabelled joints are NaN in the truth and do not count; joints that are labelled but not
    predicted count 0. NaN if no joint is labelled.
    """
    labelled = np.all(np.isfinite(truth_px), axis=-1)
    if not labelled.any():
        return float("nan")
    squared = ((predicted_px - truth_px) ** 2).sum(axis=-1)
    exponent = squared / (2.0 * (2.0 * sigma) ** 2 * (area_px2 + np.spacing(1.0)))
    return float(np.where(np.isfinite(squared), np.exp(-exponent), 0.0)[labelled].mean())
