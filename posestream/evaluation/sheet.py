"""A sheet of pictures on which a back end errs most: truth beside what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from posestream.arrays import F64, Image
from posestream.capture.images import read_picture
from posestream.errors import PosestreamError
from posestream.evaluation.matching import assign, longer_side, mean_distance
from posestream.skeleton.joints import JOINT, LIMBS

_COUNT: Final = 12
_COLUMNS: Final = 3
_HALF_PX: Final = (256, 176)  # width and height of each half of a cell
_TEXT_PX: Final = 16
_FARTHEST, _WRONG = 0.35, 0.1  # of a person's extent
_LEAST_JOINTS: Final = 3
_COLOURS: Final = ((90, 220, 90), (60, 160, 255), (230, 120, 230), (240, 220, 80))


class Case(NamedTuple):
    """One picture. Joints of ``BODY``, pixels of the picture, NaN where unknown or missing."""

    path: Path
    truth_px: F64  # (G, J, 2)
    found_px: F64  # (P, J, 2)


class Judged(NamedTuple):
    """How wrong: labelled joints more than a tenth of their person off or missed, of how many."""

    wrong: int
    labelled: int
    found: int  # people

    @property
    def share(self) -> float:
        """0 where nobody is labelled."""
        return self.wrong / max(self.labelled, 1)


def judge(case: Case) -> Judged:
    """People pair one to one, as everywhere in 2D."""
    known = np.isfinite(case.truth_px).all(axis=-1)
    if not known.any():
        return Judged(0, 0, 0)
    size = longer_side(case.truth_px)
    distance = mean_distance(case.truth_px, case.found_px, _LEAST_JOINTS)
    pairs = assign(distance / np.maximum(size, 1e-9)[:, None], _FARTHEST)
    padded = np.concatenate([case.found_px, np.full((1, *case.truth_px.shape[1:]), np.nan)])
    off = np.linalg.norm(padded[pairs] - case.truth_px, axis=-1)
    right = known & (off <= _WRONG * size[:, None])
    return Judged(int((known & ~right).sum()), int(known.sum()), int((pairs >= 0).sum()))


def draw_worst(cases: Sequence[Case], path: Path) -> None:
    """Write the worst picture of each of twelve stretches of the cases, truth on the left.

    Raises PosestreamError if a picture cannot be read or the sheet cannot be written.
    """
    if not cases:
        raise PosestreamError("There is no picture to draw: name a folder that has some.")
    judged = [judge(case) for case in cases]
    stretches = np.array_split(np.arange(len(cases)), min(_COUNT, len(cases)))
    worst = [max(part, key=lambda i: judged[i].share) for part in stretches]
    write(path, tiled([_cell(cases[i], judged[i]) for i in worst], _COLUMNS))


def tiled(cells: Sequence[Image], columns: int) -> Image:
    """Pictures of one size row by row, black where the last row ends early."""
    full = [*cells, *[np.zeros_like(cells[0])] * (-len(cells) % columns)]
    rows = [np.hstack(full[i : i + columns]) for i in range(0, len(full), columns)]
    return np.vstack(rows)


def with_text(picture: Image, text: str) -> Image:
    """The picture with a line of text below."""
    strip = np.zeros((_TEXT_PX, picture.shape[1], 3), np.uint8)
    cv2.putText(strip, text, (3, _TEXT_PX - 5), 0, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([picture, strip])


def _cell(case: Case, judged: Judged) -> Image:
    picture = read_picture(case.path)
    if picture is None:
        raise PosestreamError(f"{case.path} is missing or cannot be read as a picture.")
    halves = np.hstack([_half(picture, people) for people in (case.truth_px, case.found_px)])
    right = f"{judged.labelled - judged.wrong} of {judged.labelled} joints right"
    text = f"{judged.found} of {len(case.truth_px)} people found, {right}"
    return with_text(halves, text)


def _half(picture: Image, people_px: F64) -> Image:
    """The picture in its half of a cell, with skeletons."""
    width, height = _HALF_PX
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    out = np.zeros((height, width, 3), np.uint8)
    out[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    for xy_px, colour in zip(people_px, _COLOURS * len(people_px), strict=False):
        for ends in (xy_px[[JOINT[a], JOINT[b]]] * scale for a, b in LIMBS):
            if np.isfinite(ends).all():
                start, end = np.rint(ends).astype(int).tolist()
                cv2.line(out, start, end, colour, 2, cv2.LINE_AA)
    return out


def write(path: Path, sheet: Image) -> None:
    """Raises PosestreamError if the sheet cannot be written there."""
    try:
        written = path.parent.is_dir() and cv2.imwrite(str(path), sheet)
    except cv2.error:
        written = False
    if not written:
        raise PosestreamError(
            f"{path} cannot be written: name a .jpg or .png in a folder that exists."
        )
