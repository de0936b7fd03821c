"""Settings of hands and face."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class PerformSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fingers, expressions and gaze of a single performer; off with several people."""

    hands: Annotated[bool, Meta(description="Move fingers and wrists (needs MediaPipe).")] = False
    face: Annotated[bool, Meta(description="Move face and eyes (needs MediaPipe).")] = False
    rate_hz: Annotated[
        float, Meta(ge=1.0, le=120.0, description="Look at hands and face at most this often.")
    ] = 30.0
    hold_s: Annotated[
        float, Meta(ge=0.0, le=5.0, description="How long lost hands and faces keep their pose.")
    ] = 0.4
    fade_s: Annotated[
        float, Meta(ge=0.01, le=5.0, description="How long they then take to come to rest.")
    ] = 0.5
    smooth_s: Annotated[
        float, Meta(ge=0.0, le=0.5, description="Time constant that calms fingers and face.")
    ] = 0.04
    neutral_s: Annotated[
        float, Meta(ge=0.2, le=10.0, description="Calm seconds that a neutral face is learnt from.")
    ] = 1.0
    strength: Annotated[
        float, Meta(ge=0.2, le=3.0, description="How strongly the face moves; 1: as measured.")
    ] = 1.0
