"""The held-out pictures on which a network errs most, drawn to be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from posestream.arrays import Image
from posestream.errors import TrainingError
from posestream.skeleton.network import NetworkSkeleton
from posestream.training.held_out import Found
from posestream.training.judge import Tally
from posestream.training.real.archives import moved, shrunk
from posestream.training.real.sheet import draw
from posestream.training.sample import Sample

_CELL_PX: Final = 256
_COLUMNS: Final = 3
_TEXT_PX: Final = 16


class Case(NamedTuple):
    """A picture, what was found in it, and how that was judged."""

    sample: Sample
    found: Found
    tally: Tally

    @property
    def mistakes(self) -> float:
        """Share of joints that are wrong in 2D: also all of the missed and of people too many."""
        judged, right = self.tally.judged_2d.sum(), self.tally.right_2d.sum()
        strange = self.tally.extra * self.tally.skeleton.num_joints
        return float(judged - right + strange) / max(float(judged) + strange, 1.0)


def worst_cases(
    judged: Iterable[tuple[Sample, Found]], skeleton: NetworkSkeleton, count: int
) -> list[Case]:
    """The ``count`` pictures with most mistakes for their people; faultless ones never."""
    cases = []
    for sample, found in judged:
        tally = Tally(skeleton)
        tally.add(sample, found)
        cases.append(Case(sample, found, tally))
    cases = [case for case in cases if case.mistakes > 0]
    return sorted(cases, key=lambda case: -case.mistakes)[:count]


def draw_cases(cases: list[Case]) -> Image:
    """Pairs, what is labelled beside what was found; one line if there are none."""
    nothing = np.zeros((0, 2 * _CELL_PX, 3), np.uint8)
    pairs = [_pair(case) for case in cases] or [_text(nothing, "no mistakes")]
    pairs += [np.zeros_like(pairs[0])] * (-len(pairs) % _COLUMNS)
    tallest = max(pair.shape[0] for pair in pairs)
    pairs = [np.pad(p, ((0, tallest - p.shape[0]), (0, 4), (0, 0))) for p in pairs]
    rows = [np.hstack(pairs[i : i + _COLUMNS]) for i in range(0, len(pairs), _COLUMNS)]
    return np.vstack(rows)


def save(path: Path, picture: Image) -> None:
    """Write the picture. Raises TrainingError if that cannot be."""
    try:
        written = path.parent.is_dir() and cv2.imwrite(str(path), picture)
    except cv2.error:
        written = False
    if not written:
        raise TrainingError(
            f"{path} cannot be written: name a .jpg or .png in a folder that exists."
        )


def _pair(case: Case) -> Image:
    scale = _CELL_PX / max(case.sample.picture.shape[:2])
    labelled, found = (shrunk(case.sample.picture, scale).copy() for _ in range(2))
    for xy, visible in zip(case.sample.xy_px, case.sample.visible, strict=True):
        draw(labelled, moved(xy, scale), visible)
    for xy in case.found.xy_px:
        draw(found, moved(xy, scale))
    t = case.tally
    right = f"{t.right_2d.sum():.0f} of {t.judged_2d.sum():.0f} joints right"
    return _text(
        np.hstack([labelled, found]),
        f"{t.matched} of {t.people} people, {t.extra} too many, {right}",
    )


def _text(picture: Image, text: str) -> Image:
    strip = np.zeros((_TEXT_PX, picture.shape[1], 3), np.uint8)
    cv2.putText(strip, text, (3, _TEXT_PX - 5), 0, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([picture.astype(np.uint8), strip])
