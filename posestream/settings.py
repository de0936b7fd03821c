"""The whole configuration, composed of the settings that each stage declares for itself."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from posestream.capture.base import CaptureSettings
from posestream.estimate.base import EstimateSettings
from posestream.export.settings import ExportSettings
from posestream.ground.settings import GroundSettings
from posestream.lift.rrmp import LiftSettings
from posestream.locate.floor import FloorSettings
from posestream.locate.geometric import LocateSettings
from posestream.perform.settings import PerformSettings
from posestream.preview.settings import PanelSettings
from posestream.publish.vmc_control import VmcControlSettings
from posestream.publish.websocket_settings import WebSocketSettings
from posestream.retarget.settings import RetargetSettings
from posestream.smooth.chain import SmoothingSettings
from posestream.track.settings import TrackSettings
from posestream.wire.vmc_target import VmcTarget
from posestream.wire.vrchat import VrchatTarget

MAX_TARGETS: Final = 16
RESTART_SECTIONS: Final = frozenset(
    {"source", "estimate", "websocket", "vmc_control", "avatar", "panel", "cpu", "export"}
)
"""Sections that are fixed while the daemon runs; all others change live."""


class AvatarSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The avatar whose rest pose receivers expect."""

    file: Annotated[str, Meta(description="VRM, glTF or BVH file; empty: our own skeleton.")] = ""


class CpuSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the machine is left to the avatar application."""

    budget: Annotated[
        float,
        Meta(ge=0.02, le=1.0, description="Share of the cores to use at most; 1: all."),
    ] = 1.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting; sections in the order in which the data flows."""

    source: CaptureSettings = CaptureSettings()
    estimate: EstimateSettings = EstimateSettings()
    lift: LiftSettings = LiftSettings()
    locate: LocateSettings = LocateSettings()
    floor: FloorSettings = FloorSettings()
    track: TrackSettings = TrackSettings()
    retarget: RetargetSettings = RetargetSettings()
    smooth: SmoothingSettings = SmoothingSettings()
    ground: GroundSettings = GroundSettings()
    perform: PerformSettings = PerformSettings()
    avatar: AvatarSettings = AvatarSettings()
    vmc: Annotated[tuple[VmcTarget, ...], Meta(max_length=MAX_TARGETS)] = (VmcTarget(people=4),)
    vmc_control: VmcControlSettings = VmcControlSettings()
    vrchat: Annotated[tuple[VrchatTarget, ...], Meta(max_length=MAX_TARGETS)] = ()
    websocket: WebSocketSettings = WebSocketSettings()
    panel: PanelSettings = PanelSettings()
    cpu: CpuSettings = CpuSettings()
    export: ExportSettings = ExportSettings()
