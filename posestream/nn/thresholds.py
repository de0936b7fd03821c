"""From where on what a network says counts: chosen with its weights, and stored beside them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """How sure a network must be; what validation has chosen, or these where nothing is known."""

    min_joint: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.15
    min_limb: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.25
    min_joints: Annotated[int, Meta(ge=1, le=64)] = 4
