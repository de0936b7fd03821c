"""From views of the board to the lens: OpenCV's bundle adjustment, and whether to believe it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np

from posestream.arrays import F64
from posestream.calibrate.boards import COLUMNS, ROWS, BoardView
from posestream.calibrate.coverage import ViewShape
from posestream.capture.base import Lens
from posestream.errors import CaptureError
from posestream.geometry.camera import intrinsics_from_fov

FEWEST_TO_FIT: Final = 6
_STRAIGHT: Final = np.zeros(5)
_GUESSED_FOV_DEG: Final = 63.0
_WILD: Final = 3.0  # times the median error of all views: a view that contradicts them
_WILD_LEAST_PX: Final = 1.0
_MOST_WILD: Final = 0.34
_WORST_PX: Final = 2.0
_WORST_FOCAL: Final = 0.03  # standard deviation of the focal length by itself
_K3_GAIN: Final = 0.9  # error with by error without, for a third radial term to be worth it


class LensFit(NamedTuple):
    """A lens and how it was found."""

    lens: Lens
    views: int
    left_out: int  # views that contradicted the others
    focal_std: float  # by the focal length


class _Solution(NamedTuple):
    error_px: float
    K_px: F64
    distortion: F64
    focal_std: float
    view_px: F64  # (V,) error of each view


def view_shape(view: BoardView, size_px: tuple[int, int]) -> ViewShape | None:
    """How the board lies, by a usual lens; None where that cannot be told."""
    K = intrinsics_from_fov(size_px, _GUESSED_FOV_DEG)
    ok, turn, place = cv2.solvePnP(view.board, view.xy_px, K, _STRAIGHT, flags=cv2.SOLVEPNP_IPPE)
    if not ok:
        return None
    R = np.asarray(cv2.Rodrigues(turn)[0], dtype=np.float64)
    centre = R @ [COLUMNS / 2.0, ROWS / 2.0, 0.0] + np.asarray(place).reshape(3)
    if centre[2] <= 0.0:
        return None
    normal = R[:, 2] if R[2, 2] < 0.0 else -R[:, 2]
    width = K[0, 0] * COLUMNS / centre[2] / size_px[0]
    return ViewShape(view.xy_px / np.array(size_px), np.asarray(normal), float(width))


def fit_lens(views: Sequence[BoardView], size_px: tuple[int, int]) -> LensFit:
    """The lens that explains the views; views that contradict the others are left out.

    Raises CaptureError where they are too few or too alike, or contradict one another.
    """
    if len(views) < FEWEST_TO_FIT:
        raise CaptureError(
            f"Only {len(views)} different views of the board were seen, {FEWEST_TO_FIT} are the "
            "least: show it in more places and at other slants."
        )
    first = _solve(views, size_px)
    limit_px = max(_WILD * float(np.median(first.view_px)), _WILD_LEAST_PX)
    kept = [v for v, error in zip(views, first.view_px, strict=True) if error <= limit_px]
    left_out = len(views) - len(kept)
    best = first if not left_out else _solve_some(kept, size_px)
    if best is None or left_out > _MOST_WILD * len(views) or best.error_px > _WORST_PX:
        raise CaptureError(
            "The views of the board contradict one another: keep it flat on something stiff, do "
            "not zoom or refocus meanwhile, and show one camera only."
        )
    if not np.isfinite(best.focal_std) or best.focal_std > _WORST_FOCAL:
        raise CaptureError(
            "The views of the board are too alike to tell the lens: show it at slants to all "
            "sides, near and far."
        )
    return LensFit(_lens(best, size_px), len(kept), left_out, best.focal_std)


def _solve_some(views: Sequence[BoardView], size_px: tuple[int, int]) -> _Solution | None:
    return _solve(views, size_px) if len(views) >= FEWEST_TO_FIT else None


def _solve(views: Sequence[BoardView], size_px: tuple[int, int]) -> _Solution:
    plain = _calibrate(views, size_px, cv2.CALIB_FIX_K3)
    full = _calibrate(views, size_px, 0)
    return full if full.error_px < _K3_GAIN * plain.error_px else plain


def _calibrate(views: Sequence[BoardView], size_px: tuple[int, int], flags: int) -> _Solution:
    points = [v.board.astype(np.float32) for v in views]
    pixels = [v.xy_px.astype(np.float32) for v in views]
    guess = intrinsics_from_fov(size_px, _GUESSED_FOV_DEG)
    try:
        error, found, distortion, _, _, std, _, per_view = cv2.calibrateCameraExtended(
            points,
            pixels,
            size_px,
            guess,
            _STRAIGHT.copy(),
            flags=flags | cv2.CALIB_USE_INTRINSIC_GUESS,
        )
    except cv2.error:
        raise CaptureError(
            "The lens cannot be told from these views of the board: show it at more slants."
        ) from None
    K = np.asarray(found, dtype=np.float64)
    return _Solution(
        float(error), K, np.asarray(distortion, dtype=np.float64).reshape(-1)[:5],
        float(np.asarray(std).reshape(-1)[0] / K[0, 0]),
        np.asarray(per_view, dtype=np.float64).reshape(-1),
    )  # fmt: skip


def _lens(found: _Solution, size_px: tuple[int, int]) -> Lens:
    K = found.K_px
    values = [*K[[0, 1, 0, 1], [0, 1, 2, 2]].tolist(), *found.distortion.tolist()]
    if not np.all(np.isfinite(values)) or np.abs(values).max() > 1e5 or K[0, 0] <= 0.0:
        raise CaptureError(
            "The lens that explains these views is none that exists: print the board anew in "
            "true proportions and keep it flat."
        )
    return Lens(
        width=size_px[0], height=size_px[1],
        fx=float(K[0, 0]), fy=float(K[1, 1]), cx=float(K[0, 2]), cy=float(K[1, 2]),
        distortion=tuple(found.distortion.tolist()), error_px=found.error_px,
    )  # fmt: skip
