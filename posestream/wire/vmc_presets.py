"""What the receiving applications expect, and where that is documented.

A fact without a citation in ``sources`` is an assumption nobody has confirmed, and the
preset says so through ``unverified``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from posestream.wire.expressions import ExpressionSet

VmcPresetName = Literal["generic", "vseeface", "warudo", "vnyan", "vmagicmirror", "unity-evmc4u"]
Travel = Literal["root", "hips"]
Fact = Literal["port", "facing", "expressions", "travel"]

_SPECIFICATION = "https://protocol.vmc.info/english"
_EVMC4U = "github.com/gpsnmeajp/EasyVirtualMotionCaptureForUnity EVMC4U/ExternalReceiver.cs"


@dataclass(frozen=True, slots=True)
class VmcPreset:
    """Defaults for one receiving application."""

    application: str
    port: int = 39539
    facing_deg: float = 0.0  # turn about the vertical; 0: the avatar faces its own front
    expressions: ExpressionSet = "vrm0"
    travel: Travel = "hips"
    sources: Mapping[Fact, str] = field(default_factory=dict)
    note: str = ""

    @property
    def unverified(self) -> tuple[Fact, ...]:
        """Facts that no page or source file confirms."""
        facts: tuple[Fact, ...] = ("port", "facing", "expressions", "travel")
        return tuple(fact for fact in facts if fact not in self.sources)

    @property
    def verified(self) -> bool:
        """Whether every fact is documented by the application's own pages or source."""
        return not self.unverified


PRESETS: Final[dict[VmcPresetName, VmcPreset]] = {
    "generic": VmcPreset(
        "any VMC receiver",
        sources={"port": _SPECIFICATION, "expressions": _SPECIFICATION},
        note="The specification names the port and the VRM 0.x expression names.",
    ),
    "unity-evmc4u": VmcPreset(
        "Unity with EVMC4U",
        travel="root",
        sources={
            "port": _SPECIFICATION,
            "facing": f"{_EVMC4U}: rotations go to the bones' localRotation unchanged",
            "expressions": f"{_EVMC4U}: both generations of names, any case",
            "travel": f"{_EVMC4U}: Root/Pos moves the model's own transform",
        },
        note="It stops for good at one malformed message; bones are positioned only where "
        "bone position synchronisation is on.",
    ),
    "warudo": VmcPreset(
        "Warudo",
        sources={"port": "github.com/HakuyaLabs/warudo-docs docs/mocap/vmc.md"},
        note="Its documentation asks for avatars whose bones rest unrotated.",
    ),
    "vseeface": VmcPreset(
        "VSeeFace",
        sources={
            "expressions": "github.com/emilianavt/VSeeFaceManual README.md: special blendshapes "
            "and expression detection use VRM 0.x names"
        },
        note="Enter the port under General settings, OSC/VMC receiver.",
    ),
    "vnyan": VmcPreset("VNyan", note="Compare the port with its VMC receiver settings."),
    "vmagicmirror": VmcPreset(
        "VMagicMirror",
        note="It has no port of its own: enter this one in its VMCP tab "
        "(malaybaku.github.io/VMagicMirror/en/docs/vmc_protocol).",
    ),
}
"""By the name used in configuration."""
