"""VMC protocol, incoming: the optional messages that a performer accepts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from posestream.wire import osc_decode

ControlKind = Literal[
    "period",
    "request",
    "response",
    "calibration_ready",
    "calibrate",
    "eye",
    "config",
    "shortcut",
    "ignored",
]

_KINDS: Final[dict[str, tuple[ControlKind, frozenset[str]]]] = {
    "/VMC/Ext/Set/Period": ("period", frozenset({"iiiiii"})),
    "/VMC/Ext/Set/Req": ("request", frozenset({""})),
    "/VMC/Ext/Set/Res": ("response", frozenset({"s"})),
    "/VMC/Ext/Set/Calib/Ready": ("calibration_ready", frozenset({""})),
    "/VMC/Ext/Set/Calib/Exec": ("calibrate", frozenset({"i"})),
    "/VMC/Ext/Set/Eye": ("eye", frozenset({"ifff"})),
    "/VMC/Ext/Set/Config": ("config", frozenset({"s"})),
    "/VMC/Ext/Set/Shortcut": ("shortcut", frozenset({"s"})),
}


@dataclass(frozen=True, slots=True)
class VmcControl:
    """One message. ``ignored`` stands for any address or arguments that we do not take."""

    kind: ControlKind
    address: str
    args: tuple[int | float | str, ...] = ()


def parse_control(data: bytes) -> list[VmcControl]:
    """The control messages in one datagram, in order.

    Raises:
        ProtocolError: the datagram is not OSC.
    """
    return [_control(message) for message in osc_decode.messages(osc_decode.decode(data))]


def _control(message: osc_decode.OscMessage) -> VmcControl:
    kind, accepted = _KINDS.get(message.address, ("ignored", frozenset()))
    tags = (message.typetags or ",")[1:]
    if tags not in accepted:
        return VmcControl("ignored", message.address)
    args = tuple(arg for arg in message.args if isinstance(arg, int | float | str))
    if not all(math.isfinite(arg) for arg in args if isinstance(arg, float)):
        return VmcControl("ignored", message.address)
    return VmcControl(kind, message.address, args)
