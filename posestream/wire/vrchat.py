"""VRChat's OSC trackers: one bundle per frame for one person. No sockets, no clocks.

Unity axes, world space, 1.0 = 1 m; rotations in degrees, R = Ry Rx Rz.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, REST_HIP_HEIGHT_M
from posestream.skeleton.kinematics import world_rotations
from posestream.types import AvatarFrame, TrackState
from posestream.wire.osc import encode_bundle, encode_message

TrackerName = Literal["hip", "feet", "knees", "chest", "elbows"]

TRACKERS: Final[dict[TrackerName, tuple[tuple[int, str, str], ...]]] = {
    "hip": ((1, "Hips", "Hips"),),
    "feet": ((2, "LeftFoot", "LeftFoot"), (3, "RightFoot", "RightFoot")),
    "knees": ((4, "LeftLowerLeg", "LeftUpperLeg"), (5, "RightLowerLeg", "RightUpperLeg")),
    "chest": ((6, "UpperChest", "UpperChest"),),
    "elbows": ((7, "LeftLowerArm", "LeftUpperArm"), (8, "RightLowerArm", "RightUpperArm")),
}
"""Number, bone whose place and bone whose rotation each tracker has. A knee tracker sits at
the lower end of the thigh and turns with it; an elbow tracker likewise on the upper arm."""

REST_HEIGHT_M: Final = 1.70
"""Height of the person whose hips are at ``REST_HIP_HEIGHT_M``."""


class VrchatTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One VRChat client; it takes one person."""

    enabled: Annotated[bool, msgspec.Meta(description="Send to this receiver.")] = True
    host: Annotated[str, msgspec.Meta(description="Address of the VRChat client.")] = "127.0.0.1"
    port: Annotated[
        int, msgspec.Meta(ge=1, le=65535, description="UDP port of VRChat's OSC input.")
    ] = 9000
    slot: Annotated[int, msgspec.Meta(ge=0, le=99, description="Which person to send.")] = 0
    trackers: Annotated[
        tuple[TrackerName, ...],
        msgspec.Meta(description="Trackers to send; the feet are always sent."),
    ] = ("hip", "feet", "knees", "chest", "elbows")
    head: Annotated[bool, msgspec.Meta(description="Send the head, which aligns spaces.")] = True
    user_height_m: Annotated[
        Annotated[float, msgspec.Meta(ge=0.5, le=2.5)] | None,
        msgspec.Meta(description="Your height in VRChat's settings; unset: as measured."),
    ] = None
    rate_cap_hz: Annotated[
        float, msgspec.Meta(ge=1.0, le=240.0, description="Most frames per second.")
    ] = 90.0
    oscquery: Annotated[
        bool, msgspec.Meta(description="Look for VRChat's port on this machine.")
    ] = False


class VrchatEncoder:
    """Encodes frames for one VRChat client."""

    def __init__(self, target: VrchatTarget) -> None:
        self.target = target
        wanted = {*target.trackers, "feet"}
        self._trackers = [t for name, group in TRACKERS.items() if name in wanted for t in group]
        self._places = np.array([BONE[place] for _, place, _ in self._trackers])
        self._turns = np.array([BONE[turn] for _, _, turn in self._trackers])

    def encode(self, frame: AvatarFrame, *, realign: bool = False) -> bytes | None:
        """The bundle of this target's person, or None while that person is not there.

        Args:
            frame: the people.
            realign: also send the head's heading, which turns VRChat's space towards ours.
        """
        rows = np.flatnonzero((frame.slot == self.target.slot) & (frame.state != TrackState.LOST))
        if not rows.size:
            return None
        row = int(rows[0])
        world = world_rotations(frame.quat_local_xyzw[row])
        position_m = frames.unity_from_world_position(
            frame.position_world_m[row] * self._scale(float(frame.hip_height_m[row]))
        )
        messages = self._tracker_messages(frame.bone_valid[row], position_m, world)
        if self.target.head:
            messages += _head_messages(position_m, world, realign)
        return encode_bundle(messages) if messages else None

    def _tracker_messages(self, valid: Bool, position_m: F64, world: F64) -> list[bytes]:
        euler_deg = euler_zxy_deg(frames.unity_from_world_quat(world[self._turns]))
        places_m = position_m[self._places]
        finite = np.isfinite(places_m).all(axis=1) & np.isfinite(euler_deg).all(axis=1)
        messages: list[bytes] = []
        for i, (number, place, turn) in enumerate(self._trackers):
            known = place.endswith("Foot") or (valid[BONE[place]] and valid[BONE[turn]])
            if known and finite[i]:
                address = f"/tracking/trackers/{number}"
                messages.append(encode_message(f"{address}/position", *places_m[i].tolist()))
                messages.append(encode_message(f"{address}/rotation", *euler_deg[i].tolist()))
        return messages

    def _scale(self, hip_height_m: float) -> float:
        """The height that VRChat knows over the height that was measured."""
        if self.target.user_height_m is None or not hip_height_m > 0.0:
            return 1.0
        return self.target.user_height_m / (hip_height_m * REST_HEIGHT_M / REST_HIP_HEIGHT_M)


def euler_zxy_deg(quat_xyzw: F64) -> F64:
    """Angles (..., 3) about x, y and z of R = Ry Rx Rz; x in [-90, 90]. At the poles z is 0."""
    R = rot.to_matrix(quat_xyzw)
    sin_x = np.clip(-R[..., 1, 2], -1.0, 1.0)
    pole = np.abs(sin_x) > 1.0 - 1e-9
    y = np.where(
        pole,
        np.arctan2(-R[..., 2, 0], R[..., 0, 0]),
        np.arctan2(R[..., 0, 2], R[..., 2, 2]),
    )
    z = np.where(pole, 0.0, np.arctan2(R[..., 1, 0], R[..., 1, 1]))
    # arctan2 keeps its accuracy near the poles, where arcsin loses half of its digits
    x = np.arctan2(sin_x, np.hypot(R[..., 1, 0], R[..., 1, 1]))
    return np.asarray(np.degrees(np.stack([x, y, z], axis=-1)))


def _head_messages(position_m: F64, world: F64, realign: bool) -> list[bytes]:
    head_m = position_m[BONE["Head"]]
    if not np.isfinite(head_m).all():
        return []
    messages = [encode_message("/tracking/trackers/head/position", *head_m.tolist())]
    if realign:
        heading_deg = float(-np.degrees(rot.yaw_about_y(world[BONE["Head"]])))
        messages.append(encode_message("/tracking/trackers/head/rotation", 0.0, heading_deg, 0.0))
    return messages
