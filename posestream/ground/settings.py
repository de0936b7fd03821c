"""Settings of the ground stage."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FeetLevel = Literal["off", "soft", "locked"]


class GroundSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How feet meet the floor."""

    feet: Annotated[
        FeetLevel,
        Meta(
            description="Standing feet: locked in place, softly held, or off (nobody is put on "
            "the floor either)."
        ),
    ] = "locked"
