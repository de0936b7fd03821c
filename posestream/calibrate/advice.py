"""What a guide says after each picture."""

from __future__ import annotations

from dataclasses import dataclass

from posestream.arrays import F64


@dataclass(frozen=True, slots=True, eq=False)
class Advice:
    """One step of a guided calibration."""

    text: str  # what to do now, one sentence
    share: float  # of all that is needed, in [0, 1]
    done: bool = False  # enough: ``finish`` gives the result
    seen: bool = False  # whether this picture showed what is looked for
    points_px: F64 | None = None  # (n, 2) found corners, to be drawn over the picture
