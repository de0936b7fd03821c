"""Points on hands and faces, as a back end finds them in one picture.

Axes of the points are the camera's: x right, y down, z away from it. Left and right are the
person's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from posestream.arrays import F64
from posestream.errors import ShapeError

Side = Literal["left", "right"]

NUM_HAND_MARKS: Final = 21
"""The wrist, then four points of each finger from thumb to little finger, tips last."""

NUM_FACE_MARKS: Final = 478
"""MediaPipe's face mesh with five points of each iris at its end."""


@dataclass(frozen=True, slots=True, eq=False)
class HandMarks:
    """One hand."""

    side: Side  # what the model takes it for
    score: float  # how sure it is of the side
    xy_px: F64  # (21, 2)
    xyz_m: F64  # (21, 3) about the hand's middle

    def __post_init__(self) -> None:
        if self.xy_px.shape != (NUM_HAND_MARKS, 2) or self.xyz_m.shape != (NUM_HAND_MARKS, 3):
            raise ShapeError(f"A hand has {NUM_HAND_MARKS} points in pixels and in metres.")


@dataclass(frozen=True, slots=True, eq=False)
class FaceMarks:
    """One face."""

    xyz_px: F64  # (478, 3) depth in the same unit, from the middle of the head

    def __post_init__(self) -> None:
        if self.xyz_px.shape != (NUM_FACE_MARKS, 3):
            raise ShapeError(f"A face has {NUM_FACE_MARKS} points of three coordinates.")


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What is seen of one person's hands and face in one picture."""

    t_capture_ns: int  # of the picture
    hands: tuple[HandMarks, ...] = ()
    face: FaceMarks | None = None
