"""Settings of the retargeting stage."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class RetargetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How joints become avatar poses."""

    limits: Annotated[bool, Meta(description="keep every joint within human range")] = True
    mirror: Annotated[bool, Meta(description="show people as in a mirror")] = False
    seated: Annotated[
        bool, Meta(description="upper body only: hips stay put, legs rest as on a chair")
    ] = False
    hands: Annotated[bool, Meta(description="turn hands and forearms by the knuckles")] = True
    feet: Annotated[bool, Meta(description="turn feet by toes and heels")] = True
    min_score: Annotated[
        float, Meta(ge=0.0, le=1.0, description="joints below this score count as hidden")
    ] = 0.3
    hold_s: Annotated[
        float, Meta(ge=0.0, le=10.0, description="how long a hidden limb keeps its pose")
    ] = 0.5
    ease_s: Annotated[
        float, Meta(ge=0.01, le=10.0, description="how slowly it then sinks into rest")
    ] = 0.6
    return_deg_per_s: Annotated[
        float, Meta(ge=30.0, le=3600.0, description="fastest turn of a limb that reappears")
    ] = 360.0


class KnownBodies(RetargetSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings with the calibrated bone lengths of who sits in which slot, as ratios (G,)."""

    bodies: dict[int, tuple[float, ...]] = {}
