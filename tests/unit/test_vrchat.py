"""VRChat trackers, read back by an independent OSC parser and Euler implementation."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from scipy.spatial.transform import Rotation

from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, NUM_BONES, PARENT, REST_OFFSET_M
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.types import AvatarFrame, TrackState
from posestream.wire.vrchat import VrchatEncoder, VrchatTarget, euler_zxy_deg

TRACKER = "/tracking/trackers/"


def make_frame(seed: int = 0, slots: tuple[int, ...] = (0,)) -> AvatarFrame:
    rng = np.random.default_rng(seed)
    n = len(slots)
    q = rot.normalize(rng.normal(size=(n, NUM_BONES, 4)))
    root = rng.normal(size=(n, 3))
    place = positions(root, world_rotations(q), REST_OFFSET_M)
    ids = np.array(slots)
    return AvatarFrame(
        0, 0, ids, ids, np.zeros(n, dtype=np.int64), np.ones(n), root, q[:, 0], q, place,
        np.ones((n, NUM_BONES), dtype=np.bool_), np.full(n, 0.92), np.zeros((n, 0)),
    )  # fmt: skip


def replace(frame: AvatarFrame, **changes: Any) -> AvatarFrame:
    fields = {name: getattr(frame, name) for name in AvatarFrame.__dataclass_fields__}
    return AvatarFrame(**{**fields, **changes})


def read(bundle: bytes | None) -> dict[str, np.ndarray]:
    assert bundle is not None
    return {m.address.removeprefix(TRACKER): np.array(m.params) for m in OscBundle(bundle)}


def world_of(frame: AvatarFrame, bone: str) -> np.ndarray:
    """The product down the chain, one bone at a time."""
    q, b = rot.IDENTITY, BONE[bone]
    while b >= 0:
        q = rot.multiply(frame.quat_local_xyzw[0, b], q)
        b = PARENT[b]
    return q


@pytest.mark.parametrize(
    ("number", "place", "turn"),
    [
        (1, "Hips", "Hips"), (2, "LeftFoot", "LeftFoot"), (3, "RightFoot", "RightFoot"),
        (4, "LeftLowerLeg", "LeftUpperLeg"), (5, "RightLowerLeg", "RightUpperLeg"),
        (6, "UpperChest", "UpperChest"),
        (7, "LeftLowerArm", "LeftUpperArm"), (8, "RightLowerArm", "RightUpperArm"),
    ],
)  # fmt: skip
def test_trackers_sit_and_turn_with_their_bones(number: int, place: str, turn: str) -> None:
    frame = make_frame(1)
    got = read(VrchatEncoder(VrchatTarget()).encode(frame))
    want = frames.unity_from_world_position(frame.position_world_m[0, BONE[place]])
    assert got[f"{number}/position"] == pytest.approx(want, abs=1e-5)
    # intrinsic Y, X, Z is R = Ry Rx Rz
    x, y, z = got[f"{number}/rotation"]
    q = Rotation.from_euler("YXZ", [y, x, z], degrees=True).as_quat()
    want_q = frames.unity_from_world_quat(world_of(frame, turn))
    assert rot.angle_between(q, want_q) < 1e-5


def test_one_bundle_of_all_trackers_and_the_head_s_place() -> None:
    bundle = VrchatEncoder(VrchatTarget()).encode(make_frame())
    assert len(bundle or b"") <= 1472
    want = {f"{i}/{what}" for i in range(1, 9) for what in ("position", "rotation")}
    assert set(read(bundle)) == want | {"head/position"}


def test_head_turn_is_sent_only_to_realign_and_only_about_the_vertical() -> None:
    head_deg = 35.0  # to the person's left: towards +X in the world, -X in Unity
    q = rot.identity(1, NUM_BONES)
    tilt = rot.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.radians(20.0))
    yaw = rot.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.radians(head_deg))
    q[0, BONE["Head"]] = rot.multiply(yaw, tilt)
    got = read(VrchatEncoder(VrchatTarget()).encode(
        replace(make_frame(), quat_local_xyzw=q), realign=True))  # fmt: skip
    assert got["head/rotation"] == pytest.approx([0.0, -head_deg, 0.0], abs=1e-4)


def test_feet_are_always_sent() -> None:
    got = read(VrchatEncoder(VrchatTarget(trackers=("hip",), head=False)).encode(make_frame()))
    assert {name[0] for name in got} == {"1", "2", "3"}
    untracked = replace(make_frame(), bone_valid=np.zeros((1, NUM_BONES), dtype=np.bool_))
    got = read(VrchatEncoder(VrchatTarget()).encode(untracked))
    assert {name[0] for name in got} == {"2", "3", "h"}


def test_scaling_to_the_height_that_vrchat_knows() -> None:
    plain = read(VrchatEncoder(VrchatTarget()).encode(make_frame()))
    scaled = read(VrchatEncoder(VrchatTarget(user_height_m=1.53)).encode(make_frame()))
    for name, values in plain.items():
        factor = 0.9 if name.endswith("position") else 1.0  # hips at 0.92 m belong to 1.70 m
        assert scaled[name] == pytest.approx(values * factor, abs=1e-4)


def test_only_the_chosen_person_and_only_while_present() -> None:
    encoder = VrchatEncoder(VrchatTarget(slot=5))
    frame = make_frame(2, slots=(3, 5))
    got = read(encoder.encode(frame))
    want = frames.unity_from_world_position(frame.position_world_m[1, BONE["Hips"]])
    assert got["1/position"] == pytest.approx(want, abs=1e-5)
    assert encoder.encode(make_frame(slots=(3,))) is None
    assert encoder.encode(AvatarFrame.empty(0, 0)) is None
    leaving = replace(frame, state=np.full(2, int(TrackState.LOST)))
    assert encoder.encode(leaving) is None


def test_numbers_that_are_not_finite_are_left_out() -> None:
    frame = make_frame()
    place = frame.position_world_m.copy()
    place[0, BONE["Hips"]] = np.nan
    place[0, BONE["Head"], 1] = np.inf
    got = read(VrchatEncoder(VrchatTarget()).encode(replace(frame, places=place)))
    assert {name[0] for name in got} == set("2345678")
    nothing = replace(frame, places=np.full_like(place, np.nan))
    assert VrchatEncoder(VrchatTarget()).encode(nothing) is None


@pytest.mark.parametrize("x_deg", [90.0, -90.0, 89.9999, -89.9999])
def test_euler_angles_at_the_poles_describe_the_same_rotation(x_deg: float) -> None:
    q = Rotation.from_euler("YXZ", [25.0, x_deg, 70.0], degrees=True).as_quat()
    x, y, z = euler_zxy_deg(q)
    back = Rotation.from_euler("YXZ", [y, x, z], degrees=True).as_quat()
    assert rot.angle_between(back, q) < np.radians(0.01)


@pytest.mark.parametrize("bad", [{"trackers": ["tail"]}, {"user_height_m": 17}, {"port": 70000}])
def test_wrong_settings_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(bad, VrchatTarget)
