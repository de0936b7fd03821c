"""VMC protocol (V3.1), outgoing: the datagrams of each person's frame.

Order: OK, T, Root/Pos, Bone/Pos…, Blend/Val…, Blend/Apply. Unity axes (left-handed, Y up,
metres). No sockets, no clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry import frames
from posestream.geometry.fast import every
from posestream.skeleton.humanoid import BONES, NUM_BONES
from posestream.skeleton.rig import Rig, default_rig
from posestream.types import EXPRESSIONS, AvatarFrame, TrackState
from posestream.wire.expressions import ExpressionMap
from posestream.wire.osc import Argument, FrameTemplate
from posestream.wire.vmc_pose import PoseFitter
from posestream.wire.vmc_target import VmcTarget

MAX_DATAGRAM_BYTES: Final = 1472
"""The protocol allows 1500; this much crosses an Ethernet without being fragmented."""

_MAX_TEMPLATES: Final = 64
_LOST: Final = int(TrackState.LOST)  # Python looks members of an enumeration up slowly
_SEVEN_FLOATS: Final = (0.0,) * 7

Message = tuple[str, Sequence[Argument]]


class VmcEncoder:
    """Encodes frames for one target. Keeps the time of its first frame as time zero."""

    def __init__(
        self,
        target: VmcTarget,
        rig: Rig | None = None,
        expression_names: Sequence[str] = EXPRESSIONS,
    ) -> None:
        rig = default_rig() if rig is None else rig
        self.target = target
        slots = range(target.first_slot, target.first_slot + target.people)
        self._ports = {slot: port for slot in slots if (port := target.port_of(slot)) is not None}
        self.skipped = 0  # people left out because a number of theirs was not finite
        self._fit = PoseFitter(
            rig,
            travel=target.travel or target.defaults.travel,
            scale=target.scale,
            facing_rad=np.radians(_facing_deg(target)),
            raw_rest=target.rest == "avatar",
        )
        self._offset_m = frames.unity_from_world_position(self._fit.offset_m)
        self._sendable = rig.bones_present & np.isin(BONES, sorted(target.wanted_bones))
        self._expressions = ExpressionMap(expression_names, target.expression_set)
        self._num_expressions = len(expression_names)
        self._templates: dict[tuple[bytes, bool], tuple[FrameTemplate, I64]] = {}
        self._nobody = FrameTemplate([_ok(tracking=0), _TIME, _APPLY], MAX_DATAGRAM_BYTES)
        self._t0_ns: int | None = None

    def encode(self, frame: AvatarFrame) -> list[tuple[int, list[bytes]]]:
        """(port, datagrams) of every person who has a port here."""
        rows = self.rows(frame)
        if not rows:
            return []
        values = self._values(frame)
        sound = every(np.isfinite(values))  # as a rule
        encoded = (
            (port, self._person(frame, values[row], row, sound)) for port, row in rows.items()
        )
        return [(port, datagrams) for port, datagrams in encoded if datagrams]

    def rows(self, frame: AvatarFrame) -> dict[int, int]:
        """Port to row of everybody in the frame who has a port here and is not leaving."""
        people = zip(frame.slot.tolist(), frame.state.tolist(), strict=True)
        return {
            self._ports[slot]: row
            for row, (slot, state) in enumerate(people)
            if state != _LOST and slot in self._ports
        }

    def encode_nobody(self, t_capture_ns: int) -> list[bytes]:
        """What a port gets while nobody is on it: tracking 0, and an empty face."""
        return self._nobody.fill([self._seconds(t_capture_ns)])

    def _seconds(self, t_capture_ns: int) -> float:
        # a float32 of the machine's uptime would resolve no better than tens of milliseconds
        if self._t0_ns is None:
            self._t0_ns = t_capture_ns
        return (t_capture_ns - self._t0_ns) * 1e-9

    def _values(self, frame: AvatarFrame) -> F64:
        """(N, 8 + 7 B): T, root, then every bone, Unity axes."""
        pose = self._fit(frame)
        values = np.empty((len(frame), 8 + 7 * NUM_BONES))
        values[:, 0] = self._seconds(frame.t_capture_ns)
        values[:, 1:4] = frames.unity_from_world_position(pose.root_m)
        values[:, 4:8] = frames.unity_from_world_quat(pose.root_quat_xyzw)
        bones = values[:, 8:].reshape(len(frame), NUM_BONES, 7)
        bones[..., :3] = self._offset_m
        bones[:, 0, :3] = frames.unity_from_world_position(pose.hips_m)
        bones[..., 3:] = frames.unity_from_world_quat(pose.quat_xyzw)
        values += 0.0  # the mirror makes minus zeros
        return values

    def _person(self, frame: AvatarFrame, values: F64, row: int, sound: bool) -> list[bytes]:
        sent = self._sendable if self.target.send_untracked else self._tracked(frame, row)
        face = self.target.send_expressions and frame.expressions.shape[1] == self._num_expressions
        template, columns = self._template(sent, face)
        numbers = values.take(columns)
        if face:
            numbers = np.concatenate([numbers, self._expressions(frame.expressions[row])])
        if (face or not sound) and not every(np.isfinite(numbers)):
            self.skipped += 1
            return []
        return template.fill(numbers)

    def _tracked(self, frame: AvatarFrame, row: int) -> Bool:
        return np.asarray(self._sendable & frame.bone_valid[row])

    def _template(self, sent: Bool, face: bool) -> tuple[FrameTemplate, I64]:
        """The text for these bones, and which of ``_values``'s columns it takes."""
        key = (sent.tobytes(), face)
        if key not in self._templates:
            if len(self._templates) >= _MAX_TEMPLATES:
                self._templates.clear()
            names = self._expressions.names if face else ()
            template = FrameTemplate(_layout(sent, names), MAX_DATAGRAM_BYTES)
            bones = 8 + 7 * np.flatnonzero(sent)[:, None] + np.arange(7)
            self._templates[key] = template, np.concatenate([np.arange(8), bones.ravel()])
        return self._templates[key]


def target_warnings(target: VmcTarget, rig: Rig | None) -> list[str]:
    """Sentences on settings that are allowed but will probably disappoint."""
    if target.vrm_version == 1 and rig is None and target.rest == "avatar":
        return [
            "A VRM 1.0 avatar may have bones that rest rotated: give its file with --avatar, "
            'or set rest = "normalised" if the receiver normalises it.'
        ]
    return []


_TIME: Final[Message] = ("/VMC/Ext/T", (0.0,))
_APPLY: Final[Message] = ("/VMC/Ext/Blend/Apply", ())


def _ok(tracking: int) -> Message:
    return ("/VMC/Ext/OK", (1, 3, 0, tracking))


def _layout(sent: Bool, expressions: Sequence[str]) -> list[Message]:
    bones = [name for name, wanted in zip(BONES, sent.tolist(), strict=True) if wanted]
    return [
        _ok(tracking=1),
        _TIME,
        ("/VMC/Ext/Root/Pos", ("root", *_SEVEN_FLOATS)),
        *(("/VMC/Ext/Bone/Pos", (name, *_SEVEN_FLOATS)) for name in bones),
        *(("/VMC/Ext/Blend/Val", (name, 0.0)) for name in expressions),
        _APPLY,
    ]


def _facing_deg(target: VmcTarget) -> float:
    return target.defaults.facing_deg if target.facing_deg is None else target.facing_deg
