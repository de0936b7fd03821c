"""Which views of the board are still missing. Pure geometry; all numbers in parts of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from posestream.arrays import F64

GRID: Final = 3
FEWEST_VIEWS: Final = 12
_CELLS_WANTED: Final = 9
_TILT: Final = np.sin(np.radians(15.0))  # of the board's normal, to count as tilted
_NEAR, _FAR = 0.55, 0.4  # width of the board by the picture's
_NEW: Final = 0.04  # mean move of the corners that makes a view a new one
_PLACES: Final = (
    ("top left", "top middle", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom middle", "bottom right"),
)
_TILTS: Final = {
    "left": "turn its left edge away from the camera",
    "right": "turn its right edge away from the camera",
    "up": "tip its upper edge away from the camera",
    "down": "tip its lower edge away from the camera",
}


@dataclass(frozen=True, slots=True, eq=False)
class ViewShape:
    """How the board lies in one picture."""

    xy: F64  # (n, 2) corners, parts of the picture's width and height
    normal: F64  # (3,) of the board, camera axes, towards the camera
    width: float  # of the whole board at its distance, by the picture's width


@dataclass(slots=True)
class Coverage:
    """Collects views and says what is missing."""

    cells: set[tuple[int, int]] = field(default_factory=set)
    tilts: set[str] = field(default_factory=set)
    near: bool = False
    far: bool = False
    views: int = 0
    _middles: list[F64] = field(default_factory=list)

    def is_new(self, shape: ViewShape) -> bool:
        """Whether this view differs from those taken, in place, distance or tilt."""
        mark = _mark(shape)
        return all(float(np.abs(mark - other).max()) > _NEW for other in self._middles)

    def add(self, shape: ViewShape) -> None:
        """Count this view."""
        self._middles.append(_mark(shape))
        self.views += 1
        inside = np.clip((shape.xy * GRID).astype(np.int64), 0, GRID - 1)
        self.cells |= {(int(y), int(x)) for x, y in inside}
        self.tilts |= _tilts(shape.normal)
        self.near |= shape.width >= _NEAR
        self.far |= shape.width <= _FAR

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.missing() is None

    @property
    def share(self) -> float:
        """Of what is needed, in [0, 1]."""
        have = len(self.cells) + len(self.tilts) + self.near + self.far
        shape = have / (_CELLS_WANTED + len(_TILTS) + 2)
        return 0.5 * shape + 0.5 * min(self.views / FEWEST_VIEWS, 1.0)

    def missing(self) -> str | None:
        """What to do next, in plain words; None when it is enough."""
        for row, names in enumerate(_PLACES):
            for column, name in enumerate(names):
                if (row, column) not in self.cells:
                    return f"Move the board to the {name} of the picture."
        for tilt, words in _TILTS.items():
            if tilt not in self.tilts:
                return f"Hold the board at a slant: {words}."
        if not self.near:
            return "Bring the board nearer, until it fills more than half of the picture."
        if not self.far:
            return "Take the board farther away, to about a third of the picture."
        if self.views < FEWEST_VIEWS:
            return "Show the board in a few more places and at other slants."
        return None


def _mark(shape: ViewShape) -> F64:
    return np.concatenate([shape.xy.mean(axis=0), [shape.width], 0.3 * shape.normal])


def _tilts(normal: F64) -> set[str]:
    """A board whose left edge is farther away faces the picture's left."""
    x, y = float(normal[0]), float(normal[1])
    found = {"left" if x < 0 else "right"} if abs(x) > _TILT else set()
    return found | ({"up" if y < 0 else "down"} if abs(y) > _TILT else set())
