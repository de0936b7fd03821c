"""Settings of the tracker."""

from __future__ import annotations

from typing import Annotated

import msgspec


class TrackSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people keep their identity, and for how long those are kept who are not seen."""

    birth_score: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=1.0, description="Least score of somebody new."),
    ] = 0.3
    sure_score: Annotated[
        float,
        msgspec.Meta(
            ge=0.0, le=1.0, description="From this score on somebody new is shown at once."
        ),
    ] = 0.95
    keep_score: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=1.0, description="Least score of somebody who is known."),
    ] = 0.15
    confirm_s: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=5.0, description="Others must be seen for so long first."),
    ] = 0.15
    hold_s: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=30.0, description="Somebody not seen stays for so long, fading."),
    ] = 1.0
    remember_s: Annotated[
        float,
        msgspec.Meta(
            ge=0.0,
            le=60.0,
            description="Who comes back within this near the same place is the same.",
        ),
    ] = 4.0
