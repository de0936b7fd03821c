"""Whose pixel is it: the owner map of a photo, and which people can be cut out.

A person's silhouette is the dataset's mask, else the teacher's near the person's skeleton, else
the skeleton itself, drawn as thick as limbs are. Around silhouettes lies a ring that is known to
be nobody's; beyond it, where a dataset does not label everybody, anybody may stand (255).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from posestream.arrays import F64, Bool, Image
from posestream.skeleton.joints import JOINT, LIMBS
from posestream.training.real.conventions import LIMB_JOINTS
from posestream.training.real.datasets import Annotated
from posestream.training.real.learning import Person, extent_px, inside
from posestream.training.sample import IGNORED

_LIMB: Final = 0.08  # thickness of a limb, head and hand included, of the person's extent
_REACH: Final = 0.13  # how far a body reaches beyond its skeleton
_RING: Final = 0.10  # how far around a silhouette nobody else can be
_NARROW: Final = 0.04  # the same where nobody counted the people
_JOINTS_ON: Final = 0.85  # of the visible limb joints, on a silhouette worth cutting out
_AREA: Final = (0.7, 3.5)  # of the drawn skeleton's
_BORDER_SHARE: Final = 0.12  # of a side of the picture that a silhouette may touch


@dataclass(frozen=True, slots=True, eq=False)
class Silhouette:
    """One person's pixels, (H, W) 0 or 1, and whether they are good enough to be cut out."""

    mask: Image
    clean: bool


def silhouettes(
    photo: Annotated, people: Sequence[Person], masks: Sequence[Image | None]
) -> list[Silhouette]:
    """Of each person; ``masks`` are the teacher's (H, W), 0 to 255, where it was believed."""
    out = []
    for number, (person, mask) in enumerate(zip(people, masks, strict=True)):
        skeleton = drawn(person.xy_px, photo.picture.shape)
        given = None if photo.mask is None else (photo.mask == number + 1).astype(np.uint8)
        if given is not None and given.any():
            out.append(Silhouette(given, _is_clean(given, skeleton, number, people)))
        elif mask is not None:
            reach = _REACH if photo.labelled else 0.5 * _REACH
            found = _near(mask, skeleton, reach * extent_px(person.xy_px))
            out.append(Silhouette(found, _is_clean(found, skeleton, number, people)))
        else:
            out.append(Silhouette(skeleton, False))
    return out


def owner_map(
    photo: Annotated,
    people: Sequence[Person],
    found: Sequence[Silhouette],
    masks: Sequence[Image | None],
) -> Image:
    """(H, W) as ``Sample.owner``; smaller people over larger ones."""
    shape = photo.picture.shape[:2]
    owner = np.full(shape, 0 if photo.exhaustive else IGNORED, dtype=np.uint8)
    ring = _RING if photo.labelled else _NARROW
    for person, silhouette in zip(people, found, strict=True):
        body = silhouette.mask | drawn(person.xy_px, shape)
        owner[_within(body, ring * extent_px(person.xy_px))] = 0
    if not photo.labelled:  # what the teacher took for the person may be a neighbour, too
        for mask in masks:
            owner[(mask if mask is not None else owner) > 127] = IGNORED
    if photo.mask is not None:
        owner[photo.mask == IGNORED] = IGNORED
    for number in sorted(range(len(found)), key=lambda n: -int(found[n].mask.sum())):
        owner[found[number].mask > 0] = number + 1
    return owner


def drawn(xy_px: F64, shape: tuple[int, ...]) -> Image:
    """(H, W) 0 or 1: a skeleton (BODY, 2) as thick as a body."""
    canvas: Image = np.zeros(shape[:2], np.uint8)
    thick = max(round(_LIMB * extent_px(xy_px)), 2)
    for a, b in (*LIMBS, ("head", "head_top")):
        ends = xy_px[[JOINT[a], JOINT[b]]]
        if np.isfinite(ends).all():
            cv2.line(canvas, _pixel(ends[0]), _pixel(ends[1]), (1,), thick)
    trunk = xy_px[[JOINT[n] for n in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]]
    if np.isfinite(trunk).all():
        cv2.fillConvexPoly(canvas, np.rint(trunk).astype(np.int32), (1,))
    for point in xy_px[np.isfinite(xy_px).all(axis=1)]:
        cv2.circle(canvas, _pixel(point), thick // 2, (1,), -1)
    head = xy_px[[JOINT["head"], JOINT["nose"]]]
    for point in head[np.isfinite(head).all(axis=1)][:1]:
        cv2.circle(canvas, _pixel(point), round(0.8 * thick), (1,), -1)
    return canvas


def _pixel(xy_px: F64) -> tuple[int, int]:
    return int(np.rint(xy_px[0])), int(np.rint(xy_px[1]))


def _near(mask: Image, skeleton: Image, reach_px: float) -> Image:
    """The part of a soft mask that hangs together with the skeleton and lies near it."""
    solid = ((mask > 127) & _within(skeleton, reach_px)).astype(np.uint8)
    count, parts = cv2.connectedComponents(solid)
    touching = np.bincount(parts[skeleton > 0], minlength=count) > 0
    touching[0] = False
    return np.asarray(touching[parts], dtype=np.uint8)


def _within(mask: Image, reach_px: float) -> Bool:
    """Pixels no farther than this from the mask."""
    if not mask.any():
        return np.zeros(mask.shape, np.bool_)
    return np.asarray(cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3) <= reach_px)


def _is_clean(mask: Image, skeleton: Image, number: int, people: Sequence[Person]) -> bool:
    """Whole, of plausible size, holding its owner's joints and nobody else's, in the picture."""
    person = people[number]
    grown = np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)), np.uint8)
    others = [on_mask(p.xy_px, mask).sum() for i, p in enumerate(people) if i != number]
    own = on_mask(person.xy_px, grown)[LIMB_JOINTS][person.visible[LIMB_JOINTS]]
    area = int(mask.sum()) / max(int(skeleton.sum()), 1)
    return bool(
        own.size >= 6
        and own.mean() >= _JOINTS_ON
        and max(others, default=0) <= 1
        and _AREA[0] <= area <= _AREA[1]
        and not _is_cut(mask)
    )


def on_mask(xy_px: F64, mask: Image) -> Bool:
    """(BODY,) which places lie on the mask."""
    there = inside(xy_px, (mask.shape[1], mask.shape[0]))
    column, row = np.rint(np.where(there[:, None], xy_px, 0.0)).astype(int).T
    return np.asarray(there & (mask[row, column] > 0))


def _is_cut(mask: Image) -> bool:
    """Whether the picture's left, right or upper side cuts much off; its lower side may."""
    width = mask.shape[1]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return True
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    left, right = int(mask[:, 0].sum()), int(mask[:, width - 1].sum())
    return bool(
        max(left, right) > _BORDER_SHARE * tall or int(mask[0].sum()) > _BORDER_SHARE * wide
    )
