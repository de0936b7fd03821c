"""Settings of the WebSocket stream."""

from __future__ import annotations

from typing import Annotated

import msgspec


class WebSocketSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Our own stream for Unity, browsers and own code."""

    enabled: Annotated[bool, msgspec.Meta(description="Serve the WebSocket stream")] = True
    host: Annotated[
        str,
        msgspec.Meta(
            description="Address to listen on; beyond loopback every client needs the token"
        ),
    ] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535, description="TCP port; 0 takes any")] = 8765
    allowed_origins: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="Web pages that may connect, such as http://localhost:8080"),
    ] = ()
    allowed_hosts: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="Names under which clients may reach this machine"),
    ] = ()
    max_clients: Annotated[
        int, msgspec.Meta(ge=1, le=1000, description="Connections at a time")
    ] = 128
    rate_cap_hz: Annotated[
        float, msgspec.Meta(ge=0, le=1000, description="Most frames per second per client; 0 = all")
    ] = 0.0
    picture_hz: Annotated[
        float, msgspec.Meta(ge=0.1, le=60, description="Most pictures per second")
    ] = 10.0
    max_message_bytes: Annotated[
        int, msgspec.Meta(ge=1024, le=1 << 20, description="Largest message a client may send")
    ] = 64 << 10
    handshake_timeout_s: Annotated[
        float, msgspec.Meta(gt=0, le=60, description="Time a client has to open its connection")
    ] = 5.0
    ping_s: Annotated[
        float,
        msgspec.Meta(gt=0, le=600, description="Interval and time-out of keep-alive pings"),
    ] = 10.0
    requests_per_s: Annotated[
        float, msgspec.Meta(ge=1, le=1000, description="Messages a client may send per second")
    ] = 50.0
