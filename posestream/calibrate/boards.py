"""The printed board and marker: drawing them and finding them in pictures (OpenCV's ArUco)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import cv2
import numpy as np

from posestream.arrays import F64, I64, Image

COLUMNS: Final = 7
ROWS: Final = 5
MARKER_ID: Final = 49  # not among the board's, so that both may be in view
FEWEST_CORNERS: Final = 8
_SQUARE_MM: Final = 36
_MARKER_SHARE: Final = 0.75
_PX_PER_MM: Final = 10

_DICTIONARY: Final = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
_BOARD: Final = cv2.aruco.CharucoBoard((COLUMNS, ROWS), 1.0, _MARKER_SHARE, _DICTIONARY)


@dataclass(frozen=True, slots=True, eq=False)
class BoardView:
    """The inner corners that were found in one picture."""

    corner: I64  # (n,) which corners of the board
    xy_px: F64  # (n, 2)

    @property
    def board(self) -> F64:
        """(n, 3) the same corners on the board, in squares."""
        return np.asarray(_BOARD.getChessboardCorners(), dtype=np.float64)[self.corner]


def board_picture() -> tuple[Image, float]:
    """(H, W) grey picture of the board without a margin, and its pixels per millimetre."""
    size = COLUMNS * _SQUARE_MM * _PX_PER_MM, ROWS * _SQUARE_MM * _PX_PER_MM
    return cast(Image, _BOARD.generateImage(size, marginSize=0, borderBits=1)), float(_PX_PER_MM)


def marker_picture(side_mm: float) -> tuple[Image, float]:
    """(H, W) grey picture of the floor's marker, and its pixels per millimetre."""
    side_px = 1200
    picture = cv2.aruco.generateImageMarker(_DICTIONARY, MARKER_ID, side_px)
    return cast(Image, picture), side_px / side_mm


def find_board(image: Image) -> BoardView | None:
    """The board in a picture (H, W, 3), with at least 8 of its corners; else None."""
    detector = cv2.aruco.CharucoDetector(_BOARD, _charuco(), _refining())
    corners, ids, _, _ = detector.detectBoard(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    if ids is None or len(ids) < FEWEST_CORNERS:
        return None
    corner = np.asarray(ids, dtype=np.int64).reshape(-1)
    if len(set((corner // (COLUMNS - 1)).tolist())) < 2:
        return None  # all in one row say nothing of the tilt
    return BoardView(corner, np.asarray(corners, dtype=np.float64).reshape(-1, 2))


def find_marker(image: Image) -> F64 | None:
    """(4, 2) corners of the floor's marker, clockwise from its top left; None if not seen."""
    detector = cv2.aruco.ArucoDetector(_DICTIONARY, _refining())
    corners, ids, _ = detector.detectMarkers(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    if ids is None:
        return None
    rows = np.flatnonzero(np.asarray(ids).reshape(-1) == MARKER_ID)
    if len(rows) != 1:
        return None
    return np.asarray(corners[int(rows[0])], dtype=np.float64).reshape(4, 2)


def _refining() -> Any:
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    return parameters


def _charuco() -> Any:
    return cv2.aruco.CharucoParameters()
