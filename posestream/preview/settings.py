"""Settings of the panel. It listens on this machine alone, whatever is set."""

from __future__ import annotations

from typing import Annotated

import msgspec


class PanelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The live panel in the browser."""

    enabled: Annotated[bool, msgspec.Meta(description="Serve the panel on this machine")] = True
    port: Annotated[int, msgspec.Meta(ge=0, le=65535, description="TCP port; 0 takes any")] = 8766
    motion_hz: Annotated[
        float, msgspec.Meta(ge=1, le=60, description="Most movements shown per second")
    ] = 30.0
    picture_hz: Annotated[
        float, msgspec.Meta(ge=0.5, le=30, description="Most camera pictures shown per second")
    ] = 12.0
