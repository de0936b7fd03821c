"""MuPoTS-3D protocols: how predicted people are paired with true ones, aligned and scored.

``bones``: truth on the universal skeleton, bodies centred on the pelvis, every predicted bone
rescaled to the truth's length. ``root``: the same without rescaling. ``procrustes``: the
original annotation, each true person takes the pose nearest to it after a similarity.
Absolute errors compare in the camera's frame with the truth of the protocol, unaligned but for
``procrustes``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.errors import PosestreamError
from posestream.evaluation import metrics
from posestream.evaluation.hand_counts import boxes_of
from posestream.evaluation.matching import apart_from_all, assign, extent, mean_distance
from posestream.evaluation.mupots_data import (
    PELVIS,
    UNANNOTATED,
    MupotsTruth,
    SequencePredictions,
    SequenceTruth,
)
from posestream.skeleton.joints import MUPOTS17

Align = Literal["bones", "root", "procrustes"]
ALIGNMENTS: Final[tuple[str, ...]] = get_args(Align)
SCORED: Final = np.arange(14)  # head top to left ankle
_TRUNK_AND_LIMBS = np.arange(1, 14)  # neck to ankles: pair people in 2D
_LEAST_JOINTS = 7
_FARTHEST = 0.35  # mean distance of a pair, as a share of the truth's height
_FARTHEST_MM = 250.0  # of a pair under ``procrustes``
_OVERLAP = 0.1
HEAD_TOP: Final = MUPOTS17.index("head_top")


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of the n valid people of one sequence, and of the predictions."""

    name: str
    frames: int
    frame: I64  # (n,) row of the frame
    matched: Bool  # (n,)
    truth_mm: F64  # (n, 17, 3) centred on the pelvis
    pose_mm: F64  # (n, 17, 3) the prediction, aligned as the protocol says; NaN if missed
    error_abs_mm: F64  # (n, 17), infinite where missed or not placed
    root_truth_mm: F64  # (n, 3)
    root_mm: F64  # (n, 3) NaN where missed or not placed
    occluded: Bool  # (n, 17)
    extra: int  # predictions that pair with nobody, the known stranger apart
    candidate_frame: I64  # (m,) predictions for average precision of roots
    candidate_score: F64  # (m,)
    candidate_root_mm: F64  # (m, 3)
    has_head_top: bool

    @property
    def error_mm(self) -> F64:
        """(n, 17) relative to the pelvis, infinite where unknown."""
        return metrics.joint_errors(self.pose_mm, self.truth_mm)


def evaluate_sequence(
    truth: MupotsTruth, predictions: SequencePredictions, align: Align
) -> Outcome:
    """Pair, align and measure. Raises PosestreamError if the poses have no metric size."""
    if align != "procrustes" and not predictions.metric:
        raise PosestreamError(
            f"The poses of {predictions.name} are not in millimetres: use --align procrustes."
        )
    sequence = _chosen_frames(truth.sequences[predictions.name], predictions)
    return _Scorer(sequence, predictions, truth.parents, align).outcome()


def _chosen_frames(truth: SequenceTruth, predictions: SequencePredictions) -> SequenceTruth:
    rows = predictions.frame
    if rows is None:
        return truth
    if len(rows) and (rows.min() < 0 or rows.max() >= len(truth.valid)):
        raise PosestreamError(
            f"{truth.name} has {len(truth.valid)} frames, but there are predictions for frame "
            f"{int(rows.max())}: name each picture by its frame."
        )
    return SequenceTruth(
        truth.name, truth.xy_px[rows], truth.annot3_mm[rows], truth.univ3_mm[rows],
        truth.valid[rows], truth.occluded[rows],
    )  # fmt: skip


class _Scorer:
    """One sequence under one protocol. n true people, P slots for predictions."""

    def __init__(
        self, truth: SequenceTruth, found: SequencePredictions, parents: I64, align: Align
    ) -> None:
        self.truth, self.found, self.parents, self.align = truth, found, parents, align
        self.frame, self.person = np.nonzero(truth.valid)
        joints = truth.annot3_mm if align == "procrustes" else truth.univ3_mm
        in_camera = joints[self.frame, self.person]
        self.root = in_camera[:, PELVIS]
        self.pose = in_camera - self.root[:, None]
        self.present: Bool = np.any(np.isfinite(found.xyz_root_mm), axis=(2, 3))  # (F, P)
        if found.xy_px is not None:
            self.present |= np.any(np.isfinite(found.xy_px), axis=(2, 3))

    def outcome(self) -> Outcome:
        slot, aligned = self._pair_in_3d() if self.align == "procrustes" else self._pair_and_align()
        matched = slot >= 0
        root = np.where(matched[:, None], self._predicted_root(slot), np.nan)
        aligned = np.where(matched[:, None, None], aligned, np.nan)
        in_camera = self.pose + self.root[:, None]
        placed = aligned if self.align != "bones" else self._take(self.found.xyz_root_mm, slot)
        stranger = self._strangers()
        candidates = self._candidates(slot, root, stranger)
        return Outcome(
            name=self.truth.name,
            frames=len(self.truth.valid),
            frame=self.frame,
            matched=matched,
            truth_mm=self.pose,
            pose_mm=aligned,
            error_abs_mm=metrics.joint_errors(placed + root[:, None], in_camera),
            root_truth_mm=self.root,
            root_mm=root,
            occluded=self.truth.occluded[self.frame, self.person],
            extra=self._extra(slot, stranger),
            candidate_frame=candidates[0],
            candidate_score=candidates[1],
            candidate_root_mm=candidates[2],
            has_head_top=bool(np.isfinite(self.found.xyz_root_mm[:, :, HEAD_TOP]).any()),
        )

    def _pair_in_3d(self) -> tuple[I64, F64]:
        """Each true person takes its nearest pose after a similarity; one may be taken twice."""
        candidates = self.found.xyz_root_mm[self.frame]  # (n, P, 17, 3)
        n, people = candidates.shape[:2]
        if n == 0 or people == 0:
            return np.full(n, -1, dtype=np.int64), np.full((n, *self.pose.shape[1:]), np.nan)
        target = np.broadcast_to(self.pose[:, None], candidates.shape)
        aligned = metrics.similarity_align(candidates, target)
        distance = np.linalg.norm(aligned - target, axis=-1)
        known = np.isfinite(distance)
        mean = np.where(known, distance, 0.0).sum(-1) / np.maximum(known.sum(-1), 1)
        mean = np.where(known.sum(-1) >= _LEAST_JOINTS, mean, np.inf)
        best = mean.argmin(axis=1)
        rows = np.arange(n)
        slot = np.where(mean[rows, best] <= _FARTHEST_MM, best, -1)
        return slot, aligned[rows, best]

    def _pair_and_align(self) -> tuple[I64, F64]:
        slot = np.full(len(self.frame), -1, dtype=np.int64)
        for f in np.unique(self.frame).tolist():
            rows = np.flatnonzero(self.frame == f)
            slot[rows] = self._pair_frame(f, rows)
        pose = self._take(self.found.xyz_root_mm, slot)
        pose = pose - pose[:, PELVIS, None]
        if self.align == "bones":
            pose = metrics.rescale_bones(pose, self.pose, self.parents)
        return slot, pose

    def _pair_frame(self, f: int, rows: I64) -> I64:
        """Slots of the true people ``rows`` of frame f: one to one, in 2D where it is known."""
        if self.found.xy_px is not None:
            true = self.truth.xy_px[f, self.person[rows]]
            found = self.found.xy_px[f]
        else:  # poses alone: as they hang together, wherever they are
            true, found = (_centred(v) for v in (self.pose[rows], self.found.xyz_root_mm[f]))
        height = np.maximum(extent(true[:, SCORED]), 1e-9)
        true, found = true[:, _TRUNK_AND_LIMBS], found[:, _TRUNK_AND_LIMBS]
        return assign(mean_distance(true, found, _LEAST_JOINTS) / height[:, None], _FARTHEST)

    def _take(self, values: F64, slot: I64) -> F64:
        """(n, …) of each true person's prediction; NaN for those without."""
        if values.shape[1] == 0:
            return np.full((len(slot), *values.shape[2:]), np.nan)
        taken = values[self.frame, np.maximum(slot, 0)]
        return np.where((slot >= 0).reshape(-1, *[1] * (taken.ndim - 1)), taken, np.nan)

    def _predicted_root(self, slot: I64) -> F64:
        if self.found.root_mm is not None:
            return self._take(self.found.root_mm, slot)
        if self.found.depth_ratio is not None:
            return self.root * self._take(self.found.depth_ratio, slot)[:, None]
        return np.full((len(slot), 3), np.nan)

    def _strangers(self) -> Bool:
        """(F, P) the surest prediction of each frame that is off every annotated person, in
        sequences where people without annotation are in view."""
        stranger: Bool = np.zeros(self.present.shape, dtype=np.bool_)
        if self.found.xy_px is None or not UNANNOTATED.get(self.truth.name):
            return stranger
        for f, present in enumerate(self.present):
            known = np.any(np.isfinite(self.found.xy_px[f]).all(axis=-1), axis=1)
            rows = np.flatnonzero(present & known)
            annotated = boxes_of(self.truth.xy_px[f])
            rows = rows[apart_from_all(boxes_of(self.found.xy_px[f, rows]), annotated, _OVERLAP)]
            surest = rows[np.argsort(-self.found.score[f, rows], kind="stable")]
            stranger[f, surest[: UNANNOTATED[self.truth.name]]] = True
        return stranger

    def _extra(self, slot: I64, stranger: Bool) -> int:
        extra = self.present & ~stranger
        matched = slot >= 0
        extra[self.frame[matched], slot[matched]] = False
        return int(extra.sum())

    def _candidates(self, slot: I64, root: F64, stranger: Bool) -> tuple[I64, F64, F64]:
        """Frames, scores and roots of everybody predicted, strangers apart.

        Where the file gives depths alone, roots are those of the pairs; the rest have none.
        """
        if self.found.root_mm is not None:
            f, p = np.nonzero(self.present & ~stranger)
            return f, self.found.score[f, p], self.found.root_mm[f, p]
        rows = np.flatnonzero(slot >= 0)
        rest = self.present.copy()
        rest[self.frame[rows], slot[rows]] = False
        f, p = np.nonzero(rest)
        frame = np.concatenate([self.frame[rows], f])
        slots = np.concatenate([slot[rows], p])
        roots = np.concatenate([root[rows], np.full((len(f), 3), np.nan)])
        return frame, self.found.score[frame, slots], roots


def _centred(xyz: F64) -> F64:
    """(N, J, 3) around the mean of the known joints from neck to ankles."""
    part = xyz[:, _TRUNK_AND_LIMBS]
    known = np.isfinite(part)
    mean = np.where(known, part, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(xyz - mean[:, None])
