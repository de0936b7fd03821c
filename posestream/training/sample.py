"""One labelled picture: what every source of training data delivers, real or rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, Bool, Image
from posestream.skeleton.joints import NUM_JOINTS

IGNORED: Final = 255
"""In ``Sample.owner``: somebody may be here whom no label tells of."""
MAX_PEOPLE: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture and what is known of its N people; joints in ``BODY`` order, NaN where unknown.

    ``visible`` is True for a joint that is not hidden by anything nearer and lies in the
    picture. A joint may have a place and not be visible. Raises ValueError if shapes disagree.
    """

    picture: Image  # (H, W, 3) uint8 BGR
    xy_px: F64  # (N, BODY, 2)
    visible: Bool  # (N, BODY)
    xyz_root_m: F64  # (N, BODY, 3) relative to the pelvis, camera axes
    depth_m: F64  # (N,) of the pelvis along the optical axis
    height_m: F64  # (N,) of the person, standing
    K_px: F64 | None = None  # (3, 3)
    owner: NDArray[np.uint8] | None = None  # (H, W) 0 nobody, n + 1 person n, 255 IGNORED
    source: str = ""

    def __post_init__(self) -> None:
        n, size = len(self.xy_px), self.picture.shape[:2]
        wanted = {
            "picture": (*size, 3), "xy_px": (n, NUM_JOINTS, 2), "visible": (n, NUM_JOINTS),
            "xyz_root_m": (n, NUM_JOINTS, 3), "depth_m": (n,), "height_m": (n,),
            "K_px": (3, 3), "owner": size,
        }  # fmt: skip
        for name, shape in wanted.items():
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                raise ValueError(f"{name} has shape {value.shape}, wanted {shape}.")
        if n > MAX_PEOPLE:
            raise ValueError(f"{n} people in one picture; at most {MAX_PEOPLE} can be stored.")

    def __len__(self) -> int:
        return len(self.xy_px)


def unlabelled(count: int) -> dict[str, NDArray[np.float64] | NDArray[np.bool_]]:
    """The label fields of ``count`` people of whom nothing is known; to be filled."""
    return {
        "xy_px": np.full((count, NUM_JOINTS, 2), np.nan),
        "visible": np.zeros((count, NUM_JOINTS), dtype=np.bool_),
        "xyz_root_m": np.full((count, NUM_JOINTS, 3), np.nan),
        "depth_m": np.full(count, np.nan),
        "height_m": np.full(count, np.nan),
    }
