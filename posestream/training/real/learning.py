"""One person's labels from what a human being and the teacher say.

The teacher is believed where it agrees with the human labels: at least ``AGREE_SHARE`` of the
joints that both know lie within ``NEAR`` of the person's extent. Then its metric pose is taken,
and its places for joints that nobody labelled; a labelled joint keeps the human place. Where
teacher and human being differ, the joint has no 3D.

The pose and the places are brought together: the scale (pixels per metre) is the ratio of the
spreads of both in the picture plane, and across the view ray a joint lies half way between what
its place says and what the teacher says. Along the ray the teacher alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from posestream.arrays import F64, Bool, Image
from posestream.skeleton.joints import JOINT, NUM_JOINTS, ROOT
from posestream.training.real.bodies import body_of
from posestream.training.real.conventions import LIMB_JOINTS, derive, derive_seen
from posestream.training.real.teacher import Lesson

NEAR: Final = 0.12
AGREE_SHARE: Final = 0.75
_LEAST_COMMON: Final = 5
_DOUBTFUL: Final = 0.10  # of the extent, between the teacher's two answers
_SEEN: Final = 0.65  # scores
_HIDDEN: Final = 0.5
_GUESSED: Final = 0.3
_SILHOUETTE: Final = 0.75  # intersection over union
_ON_SILHOUETTE: Final = 0.9  # of the limbs' joints
_MIDDLES: Final = np.array([JOINT[n] for n in ("pelvis", "neck", "spine")])


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Labels of one person; NaN where unknown. ``px_per_m`` is NaN where no 3D is."""

    xy_px: F64  # (BODY, 2)
    visible: Bool  # (BODY,)
    xyz_m: F64  # (BODY, 3) about the pelvis; axes of a camera that looks at the person
    height_m: float
    px_per_m: float

    @property
    def taught(self) -> bool:
        """Whether the teacher was believed."""
        return bool(np.isfinite(self.px_per_m))


def human_only(xy_px: F64, seen: Bool, size_px: tuple[int, int]) -> Person:
    """Without the teacher."""
    nothing = np.full((NUM_JOINTS, 3), np.nan)
    return Person(xy_px, seen & inside(xy_px, size_px), nothing, np.nan, np.nan)


def believed(lesson: Lesson, xy_px: F64) -> bool:
    """Whether the teacher agrees with human labels (BODY, 2)."""
    ours, _xyz, _score = body_of(lesson, 1.7)
    apart = _apart(ours, xy_px)
    common = np.isfinite(apart) & _compared()
    return bool(common.sum() >= _LEAST_COMMON and (apart[common] < NEAR).mean() >= AGREE_SHARE)


def fits_silhouette(lesson: Lesson, mask: Image) -> bool:
    """Whether the teacher's silhouette and joints agree with a person's mask (H, W), 0 or 1."""
    theirs, ours = lesson.mask > 127, mask > 0
    union = int((theirs | ours).sum())
    joints, _xyz, _score = body_of(lesson, 1.7)
    near = cv2.dilate(mask, np.ones((7, 7), np.uint8))
    limbs = joints[LIMB_JOINTS]
    there = inside(limbs, (mask.shape[1], mask.shape[0]))
    column, row = np.rint(np.where(there[:, None], limbs, 0.0)).astype(int).T
    on = there & (near[row, column] > 0)
    overlap = int((theirs & ours).sum()) / max(union, 1)
    return bool(overlap >= _SILHOUETTE and on.mean() >= _ON_SILHOUETTE)


def learn(
    lesson: Lesson, xy_px: F64, seen: Bool, stature_m: float, hidden_told: bool = False
) -> Person:
    """Human labels (BODY, 2), (BODY,) completed by a believed teacher.

    With ``hidden_told`` a limb's joint without a label is one that the human being saw hidden.
    """
    size = (lesson.mask.shape[1], lesson.mask.shape[0])
    ours, xyz, score = body_of(lesson, stature_m)
    labelled = np.isfinite(xy_px).all(axis=1)
    extent = extent_px(np.where(labelled[:, None], xy_px, ours))
    doubtful = _doubt(lesson) > _DOUBTFUL * extent
    guessed = (score < _GUESSED) | doubtful
    with np.errstate(invalid="ignore"):  # where only one of them knows, they do not differ
        differs = labelled & (np.linalg.norm(ours - xy_px, axis=1) >= NEAR * extent)
    places = _places(xy_px, labelled, ours, guessed, size)
    placed = np.isfinite(places).all(axis=1)
    steady = np.isin(np.arange(NUM_JOINTS), LIMB_JOINTS) & placed & ~differs & ~guessed
    if steady.sum() < _LEAST_COMMON:
        return human_only(xy_px, seen, size)
    px_per_m = _scale(places[steady], xyz[steady])
    xyz = _together(places, xyz, px_per_m, known=placed & ~differs)
    places, xyz = _crown(places, xyz, px_per_m)
    visible = _visible(seen, labelled, score, hidden_told) & inside(places, size)
    xyz[differs | guessed & ~labelled] = np.nan
    xyz[ROOT] = 0.0
    return Person(places, visible, xyz, stature_m, px_per_m)


def inside(xy_px: F64, size_px: tuple[int, int]) -> Bool:
    """Which places (..., 2) lie in the picture; unknown ones do not."""
    with np.errstate(invalid="ignore"):
        return np.asarray(((xy_px >= 0.0) & (xy_px <= np.array(size_px) - 1.0)).all(axis=-1))


def extent_px(xy_px: F64) -> float:
    """Longer side of the box of the known places."""
    known = xy_px[np.isfinite(xy_px).all(axis=1)]
    return float(np.ptp(known, axis=0).max()) if len(known) else 0.0


def _compared() -> Bool:
    names = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
    return np.isin(np.arange(NUM_JOINTS), [*LIMB_JOINTS, *(JOINT[n] for n in names)])


def _apart(ours: F64, xy_px: F64) -> F64:
    """(BODY,) distance of the teacher's from the human places, shares of the extent."""
    return np.asarray(np.linalg.norm(ours - xy_px, axis=1) / max(extent_px(xy_px), 1.0))


def _doubt(lesson: Lesson) -> F64:
    from posestream.estimate.backends.mediapipe_people import body_joints

    return np.nan_to_num(body_joints(lesson.doubt_px[None, :, None])[0, :, 0])


def _places(xy_px: F64, labelled: Bool, ours: F64, guessed: Bool, size: tuple[int, int]) -> F64:
    """Human places, else the teacher's where it does not guess and they lie in the picture."""
    usable = ~guessed & inside(ours, size)
    places = np.where(labelled[:, None], xy_px, np.where(usable[:, None], ours, np.nan))
    missing = np.isfinite(xy_px[LIMB_JOINTS]).all()
    if not missing:  # mid-points follow their ends, whoever gave these
        places[_MIDDLES] = np.nan
        places = derive(places[None])[0]
    return np.asarray(places)


def _scale(places: F64, xyz: F64) -> float:
    """Pixels per metre: ratio of the spreads about the mean, across the view ray."""
    spread_px = np.linalg.norm(places - places.mean(axis=0))
    spread_m = np.linalg.norm(xyz[:, :2] - xyz[:, :2].mean(axis=0))
    return float(spread_px / max(float(spread_m), 1e-6))


def _together(places: F64, xyz: F64, px_per_m: float, known: Bool) -> F64:
    """The teacher's pose, moved half of the way to where the places say across the view ray."""
    out = xyz.copy()
    if not known[ROOT]:
        return out
    seen = (places - places[ROOT]) / px_per_m
    out[known, :2] = 0.5 * (out[known, :2] + seen[known])
    return out


def _crown(places: F64, xyz: F64, px_per_m: float) -> tuple[F64, F64]:
    """Places for the head's top where only the pose tells."""
    head, top = JOINT["head"], JOINT["head_top"]
    if np.isnan(places[top]).any():
        places = places.copy()
        places[top] = places[head] + px_per_m * (xyz[top] - xyz[head])[:2]
    return places, xyz


def _visible(seen: Bool, labelled: Bool, score: F64, hidden_told: bool) -> Bool:
    """Human beings decide; else the teacher, who must be surer where a label was left out."""
    limb = np.isin(np.arange(NUM_JOINTS), LIMB_JOINTS)
    sure = score >= np.where(limb & hidden_told, 0.5 * (1.0 + _SEEN), _SEEN)
    visible = np.where(labelled, seen, sure)
    return np.asarray(derive_seen(visible[None])[0], dtype=np.bool_)
