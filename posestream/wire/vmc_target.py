"""Settings of one VMC receiver."""

from __future__ import annotations

import difflib
from typing import Annotated, Final, Literal

import msgspec

from posestream.skeleton.humanoid import BONES
from posestream.wire.expressions import ExpressionSet
from posestream.wire.vmc_pose import Scale
from posestream.wire.vmc_presets import PRESETS, Travel, VmcPreset, VmcPresetName

_FINGERS = tuple(
    bone for bone in BONES if any(f in bone for f in ("Thumb", "Index", "Middle", "Ring", "Little"))
)
BONE_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "fingers": _FINGERS,
    "eyes": ("LeftEye", "RightEye"),
    "head": ("Neck", "Head", "LeftEye", "RightEye", "Jaw"),
    "arms": tuple(b for b in BONES if b.endswith(("Shoulder", "Arm", "Hand"))) + _FINGERS,
    "legs": tuple(b for b in BONES if b.endswith(("Leg", "Foot", "Toes"))),
    "torso": ("Hips", "Spine", "Chest", "UpperChest"),
}
"""Names that stand for several bones in ``bones`` and ``omit_bones``."""

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class VmcTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One receiver of VMC; what is None comes from its preset."""

    enabled: Annotated[bool, msgspec.Meta(description="Send to this receiver.")] = True
    host: Annotated[str, msgspec.Meta(description="Address of the receiver.")] = "127.0.0.1"
    port: Annotated[
        Port | None, msgspec.Meta(description="UDP port of the first person; default: preset's.")
    ] = None
    preset: Annotated[VmcPresetName, msgspec.Meta(description="Application that receives.")] = (
        "generic"
    )
    first_slot: Annotated[
        int, msgspec.Meta(ge=0, le=99, description="Slot of the person on the first port.")
    ] = 0
    people: Annotated[
        int, msgspec.Meta(ge=1, le=16, description="How many people, one port each.")
    ] = 1
    port_stride: Annotated[
        int, msgspec.Meta(ge=1, le=1000, description="Distance between two people's ports.")
    ] = 10
    travel: Annotated[
        Travel | None,
        msgspec.Meta(description="Movement through the room: in the root or in the hips bone."),
    ] = None
    scale: Annotated[
        Scale, msgspec.Meta(description="Travel in leg lengths of the avatar, or in metres.")
    ] = "scaled"
    facing_deg: Annotated[
        Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)] | None,
        msgspec.Meta(description="Turn about the vertical; 180 turns the avatar round."),
    ] = None
    vrm_version: Annotated[
        Literal[0, 1],
        msgspec.Meta(description="VRM generation of the receiver's avatar; 1 wants --avatar."),
    ] = 0
    rest: Annotated[
        Literal["avatar", "normalised"],
        msgspec.Meta(description="Rotations for the bones of --avatar, or normalised ones."),
    ] = "avatar"
    expressions: Annotated[
        ExpressionSet | None, msgspec.Meta(description="Names of facial expressions.")
    ] = None
    bones: Annotated[
        tuple[str, ...], msgspec.Meta(description="Bones or groups to send; empty: all.")
    ] = ()
    omit_bones: Annotated[
        tuple[str, ...], msgspec.Meta(description="Bones or groups left to other applications.")
    ] = ()
    send_untracked: Annotated[
        bool, msgspec.Meta(description="Send bones that are not tracked, in their rest pose.")
    ] = False
    send_expressions: Annotated[bool, msgspec.Meta(description="Send the face.")] = True
    rate_cap_hz: Annotated[
        float, msgspec.Meta(ge=1.0, le=240.0, description="Most frames per second.")
    ] = 90.0

    def __post_init__(self) -> None:
        for name in (*self.bones, *self.omit_bones):
            _check_bone(name)
        last = self.first_port + (self.people - 1) * self.port_stride
        if last > 65535:
            raise ValueError(f"{self.people} people would need port {last}, above 65535")

    @property
    def defaults(self) -> VmcPreset:
        """The preset behind what is None here."""
        return PRESETS[self.preset]

    @property
    def first_port(self) -> int:
        """Port of the first person."""
        return self.defaults.port if self.port is None else self.port

    def port_of(self, slot: int) -> int | None:
        """Port of the person in ``slot``, or None if that one is not sent."""
        place = slot - self.first_slot
        return self.first_port + place * self.port_stride if 0 <= place < self.people else None

    @property
    def wanted_bones(self) -> frozenset[str]:
        """Bones that pass the mask."""
        return _expand(self.bones or BONES) - _expand(self.omit_bones)

    @property
    def expression_set(self) -> ExpressionSet:
        """Names of the face: given here, else VRM 1.0's for such avatars, else the preset's."""
        if self.expressions is not None:
            return self.expressions
        return "vrm1" if self.vrm_version == 1 else self.defaults.expressions


def _check_bone(name: str) -> None:
    known = (*BONES, *BONE_GROUPS)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        raise ValueError(f"{name!r} is neither a bone nor a group of bones; did you mean {near}?")


def _expand(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(bone for name in names for bone in BONE_GROUPS.get(name, (name,)))
