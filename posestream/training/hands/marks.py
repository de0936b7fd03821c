"""Runs the product's own hand model over the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from posestream.arrays import F64, Bool, Image
from posestream.marks import NUM_HAND_MARKS, HandMarks
from posestream.training.hands.pictures import pictures_of, points_of, shots_of
from posestream.types import Camera, Frame

if TYPE_CHECKING:
    from posestream.estimate.backends.mediapipe_marks import MarksFinder
    from posestream.training.hands.poses import Shot

_FILE: Final = "marks.npz"
LOOKS: Final = 3
"""The first look finds a hand, the next ones follow it."""


@dataclass(frozen=True, slots=True, eq=False)
class Hands:
    """One owner's hands: what was seen of each, first and followed, and what is true."""

    shots: list[Shot]
    points_cam_m: F64  # (P, 21, 3)
    xy_px: F64  # (P, 2, 21, 2) NaN where no hand was found
    xyz_m: F64  # (P, 2, 21, 3)
    same_side: Bool  # (P, 2) whether it was taken for the hand that it is


def hands_in(folder: Path) -> Hands:
    """Drawn hands with their marks; these are found once, then kept beside the pictures.

    Raises BackendError without MediaPipe, TrainingError if pictures are missing.
    """
    shots, points, kept = shots_of(folder), points_of(folder), folder / _FILE
    if not kept.is_file():
        _find(folder, shots, kept)
    with np.load(kept, allow_pickle=False) as found:
        return Hands(shots, points, found["xy_px"], found["xyz_m"], found["same_side"])


def _find(folder: Path, shots: list[Shot], kept: Path) -> None:
    from posestream.estimate.backends.mediapipe_marks import MarksFinder

    xy = np.full((len(shots), 2, NUM_HAND_MARKS, 2), np.nan)
    xyz = np.full((len(shots), 2, NUM_HAND_MARKS, 3), np.nan)
    same = np.zeros((len(shots), 2), dtype=np.bool_)
    finder = MarksFinder(hands=True, face=False)
    try:
        for index, picture in enumerate(pictures_of(folder)):
            for look, hand in enumerate(looks(finder, picture)):
                if hand is not None:
                    xy[index, look], xyz[index, look] = hand.xy_px, hand.xyz_m
                    same[index, look] = hand.side == shots[index].side
    finally:
        finder.close()
    np.savez_compressed(kept, xy_px=xy, xyz_m=xyz, same_side=same)


def looks(finder: MarksFinder, picture: Image) -> tuple[HandMarks | None, HandMarks | None]:
    """The surest hand of a picture at the first look and when it has been followed."""
    finder.find(_frame(np.zeros_like(picture)))  # so that it looks anew, and follows nobody
    found = [finder.find(_frame(picture)).hands for _ in range(LOOKS)]
    first, followed = (
        max(hands, key=lambda hand: hand.score) if hands else None
        for hands in (found[0], found[-1])
    )
    return first, followed


def _frame(picture: Image) -> Frame:
    height, width = picture.shape[:2]
    return Frame(0, 0, picture, Camera(np.eye(3), (width, height)))
