"""The held-out pictures on which a network errs most, drawn to be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import Image
from posestream.errors import PosestreamError, TrainingError
from posestream.evaluation.sheet import tiled, with_text, write
from posestream.skeleton.network import NetworkSkeleton
from posestream.training.held_out import Found
from posestream.training.judge import Tally
from posestream.training.real.archives import moved, shrunk
from posestream.training.real.sheet import draw
from posestream.training.sample import Sample

_CELL_PX: Final = 256
_COLUMNS: Final = 3


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
    pairs = [_pair(case) for case in cases] or [with_text(nothing, "no mistakes")]
    tallest = max(pair.shape[0] for pair in pairs)
    pairs = [np.pad(p, ((0, tallest - p.shape[0]), (0, 4), (0, 0))) for p in pairs]
    return tiled(pairs, _COLUMNS)


def save(path: Path, picture: Image) -> None:
    """Write the picture. Raises TrainingError if that cannot be."""
    try:
        write(path, picture)
    except PosestreamError as error:
        raise TrainingError(str(error)) from error


def _pair(case: Case) -> Image:
    scale = _CELL_PX / max(case.sample.picture.shape[:2])
    labelled, found = (shrunk(case.sample.picture, scale).copy() for _ in range(2))
    for xy, visible in zip(case.sample.xy_px, case.sample.visible, strict=True):
        draw(labelled, moved(xy, scale), visible)
    for xy in case.found.xy_px:
        draw(found, moved(xy, scale))
    t = case.tally
    right = f"{t.right_2d.sum():.0f} of {t.judged_2d.sum():.0f} joints right"
    return with_text(
        np.hstack([labelled, found]),
        f"{t.matched} of {t.people} people, {t.extra} too many, {right}",
    )
