"""Settings of motion files."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class ExportSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``posestream process`` writes, and how."""

    smoothing: Annotated[
        Literal["both_ways", "live"],
        Meta(
            description="both_ways: what comes later calms motion, too, and nothing lags; live: "
            "as run would have sent it."
        ),
    ] = "both_ways"
    min_s: Annotated[
        float,
        Meta(ge=0.0, le=3600.0, description="Who is seen for less gets no BVH, GLB or VRMA file."),
    ] = 0.5
    bvh_unit: Annotated[
        Literal["cm", "m"], Meta(description="Unit of lengths in BVH files, which cannot tell.")
    ] = "cm"
    bvh_fps: Annotated[
        float, Meta(ge=0.0, le=1000.0, description="Frames per second of BVH; 0: the source's.")
    ] = 0.0
