"""Leads through the calibration of a lens: which view of the board is wanted next."""

from __future__ import annotations

from typing import Final

from posestream.arrays import F64, Image
from posestream.calibrate.advice import Advice
from posestream.calibrate.boards import BoardView, find_board
from posestream.calibrate.coverage import Coverage
from posestream.calibrate.lens_fit import LensFit, fit_lens, view_shape
from posestream.errors import CaptureError

_MOST_VIEWS: Final = 60
_FEWEST_TILTS: Final = 2
_STILL: Final = 0.004  # of the picture's width between two pictures: no motion blur
_GOOD_STD: Final = 0.005  # of the focal length


class LensGuide:
    """Takes pictures of one size, keeps views that add something, stops when it is enough.

    ``live``: a view counts only while the board is held still. One thread at a time.
    """

    def __init__(self, live: bool = False) -> None:
        self._live = live
        self._views: list[BoardView] = []
        self._coverage = Coverage()
        self._size_px: tuple[int, int] | None = None
        self._before: BoardView | None = None
        self._fit: LensFit | None = None
        self._fitted_views = 0

    @property
    def views(self) -> int:
        """How many views were kept."""
        return len(self._views)

    def offer(self, image: Image) -> Advice:
        """Look at a picture (H, W, 3). Raises CaptureError if its size is another than before."""
        size_px = image.shape[1], image.shape[0]
        if self._size_px not in (None, size_px):
            raise CaptureError(
                "The pictures differ in size: calibrate each size of picture on its own."
            )
        self._size_px = size_px
        view = find_board(image)
        before, self._before = self._before, view
        if view is None:
            return self._advice("Show the whole board to the camera, flat and well lit.", None)
        shape = view_shape(view, size_px)
        if shape is None or not self._coverage.is_new(shape):
            return self._advice(self._next(), view)
        if self._live and not _still(before, view, size_px[0]):
            return self._advice("Hold the board still for a moment.", view)
        self._coverage.add(shape)
        self._views.append(view)
        return self._advice(self._next(), view)

    def finish(self) -> LensFit:
        """The lens. Raises CaptureError where what was seen does not tell it."""
        if self._size_px is None or not self._views:
            raise CaptureError(
                "The board was not seen in any picture: print it with posestream calibrate camera "
                "--board board.pdf and hold it flat before the camera."
            )
        if len(self._coverage.tilts) < _FEWEST_TILTS:
            raise CaptureError(
                "The views of the board are too alike to tell the lens: show it at slants to all "
                "sides, near and far."
            )
        if self._fit is None or self._fitted_views != len(self._views):
            self._fit = fit_lens(self._views, self._size_px)
            self._fitted_views = len(self._views)
        return self._fit

    def _next(self) -> str:
        return self._coverage.missing() or "Show a few more views of the board."

    def _advice(self, text: str, view: BoardView | None) -> Advice:
        done = self._is_enough()
        points: F64 | None = None if view is None else view.xy_px
        share = 1.0 if done else min(self._coverage.share, 0.99)
        text = "That is enough." if done else text
        return Advice(text, share, done, view is not None, points)

    def _is_enough(self) -> bool:
        if not self._coverage.complete:
            return False
        if len(self._views) >= _MOST_VIEWS:
            return True
        if self._fitted_views == len(self._views):
            return self._fit is not None and self._fit.focal_std <= _GOOD_STD
        try:
            return self.finish().focal_std <= _GOOD_STD
        except CaptureError:
            self._fitted_views = len(self._views)
            self._fit = None
            return False


def _still(before: BoardView | None, now: BoardView, width_px: int) -> bool:
    if before is None:
        return False
    places = dict(zip(before.corner.tolist(), before.xy_px, strict=True))
    moves = [
        float(abs(xy - places[corner]).max())
        for corner, xy in zip(now.corner.tolist(), now.xy_px, strict=True)
        if corner in places
    ]
    return bool(moves) and max(moves) <= _STILL * width_px
