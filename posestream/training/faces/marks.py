"""Runs the product's own face mesh over the portraits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from posestream.arrays import F64, Image
from posestream.marks import NUM_FACE_MARKS
from posestream.training.faces.corpus import is_plain, truth
from posestream.training.faces.fit import Sitting
from posestream.training.faces.pictures import pictures_of, portraits_of
from posestream.types import Camera, Frame

if TYPE_CHECKING:
    from posestream.estimate.backends.mediapipe_marks import MarksFinder

_FILE: Final = "marks.npy"
_LOOKS: Final = 3


def sitting_in(folder: Path) -> Sitting:
    """A drawn sitting with its marks; these are found once, then kept beside the pictures.

    Raises BackendError without MediaPipe, TrainingError if pictures are missing.
    """
    portraits = portraits_of(folder)
    kept = folder / _FILE
    if not kept.is_file():
        np.save(kept, _find(folder))
    return Sitting(
        np.load(kept, allow_pickle=False).astype(np.float64),
        np.stack([truth(portrait) for portrait in portraits]),
        np.array([is_plain(portrait) for portrait in portraits]),
        np.array([portrait.neutral for portrait in portraits]),
    )


def _find(folder: Path) -> F64:
    """(P, 2, 478, 3) pixels, camera axes, of the first look and of one that follows the face."""
    from posestream.estimate.backends.mediapipe_marks import MarksFinder

    finder = MarksFinder(hands=False, face=True)
    try:
        found = [looks(finder, picture) for picture in pictures_of(folder)]
    finally:
        finder.close()
    return np.array(found, dtype=np.float32)


def looks(finder: MarksFinder, picture: Image) -> list[F64]:
    """(478, 3) pixels at the first look and when the face has been followed; NaN without one."""
    finder.find(_frame(np.zeros_like(picture)))  # so that it looks anew, and follows nobody
    faces = [finder.find(_frame(picture)).face for _ in range(_LOOKS)]
    nobody = np.full((NUM_FACE_MARKS, 3), np.nan)
    return [nobody if face is None else face.xyz_px for face in (faces[0], faces[-1])]


def _frame(picture: Image) -> Frame:
    height, width = picture.shape[:2]
    return Frame(0, 0, picture, Camera(np.eye(3), (width, height)))
