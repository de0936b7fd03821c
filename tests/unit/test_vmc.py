"""VMC frames, read back by an independent OSC parser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, BONES, NUM_BONES, REST_HIP_HEIGHT_M, REST_OFFSET_M
from posestream.skeleton.rig import Rig, load_rig, raw_from_normalised
from posestream.types import EXPRESSIONS, VRM_EXPRESSIONS, AvatarFrame, TrackState
from posestream.wire.vmc import VmcEncoder, target_warnings
from posestream.wire.vmc_presets import PRESETS
from posestream.wire.vmc_target import BONE_GROUPS, VmcTarget


def make_frame(
    people: int = 1,
    *,
    seed: int = 0,
    face: bool = True,
    t_ns: int = 5_000_000_000,
    state: TrackState = TrackState.TRACKED,
) -> AvatarFrame:
    rng = np.random.default_rng(seed)
    q = rot.normalize(rng.normal(size=(people, NUM_BONES, 4)))
    root = rng.normal(size=(people, 3)) + np.array([0, 0.9, 0])
    ids = np.arange(people)
    return AvatarFrame(
        0, t_ns, ids, ids, np.full(people, int(state)), np.ones(people), root, q[:, 0], q,
        rng.normal(size=(people, NUM_BONES, 3)), np.ones((people, NUM_BONES), dtype=np.bool_),
        np.full(people, 0.8), rng.random((people, len(EXPRESSIONS) if face else 0)),
    )  # fmt: skip


def replace(frame: AvatarFrame, **changes: Any) -> AvatarFrame:
    fields = {name: getattr(frame, name) for name in AvatarFrame.__dataclass_fields__}
    return AvatarFrame(**{**fields, **changes})


def read(datagrams: list[bytes]) -> list[OscMessage]:
    return [message for datagram in datagrams for message in OscBundle(datagram)]


def one(encoder: VmcEncoder, frame: AvatarFrame) -> list[OscMessage]:
    encoded = encoder.encode(frame)
    assert len(encoded) == 1
    return read(encoded[0][1])


def bones(messages: list[OscMessage]) -> dict[str, np.ndarray]:
    return {
        m.params[0]: np.array(m.params[1:])
        for m in messages
        if m.address == "/VMC/Ext/Bone/Pos"
    }  # fmt: skip


def root(messages: list[OscMessage]) -> np.ndarray:
    return next(np.array(m.params[1:]) for m in messages if m.address == "/VMC/Ext/Root/Pos")


def typetags(datagrams: list[bytes]) -> set[str]:
    from posestream.wire import osc_decode

    found = (osc_decode.messages(osc_decode.decode(d)) for d in datagrams)
    return {tag for messages in found for m in messages for tag in (m.typetags or "?")[1:]}


def test_order_types_and_size() -> None:
    datagrams = VmcEncoder(VmcTarget()).encode(make_frame())[0][1]
    assert all(len(d) <= 1500 for d in datagrams)
    assert typetags(datagrams) == {"i", "f", "s"}
    messages = read(datagrams)
    addresses = [m.address.removeprefix("/VMC/Ext/") for m in messages]
    assert addresses == [
        "OK", "T", "Root/Pos", *["Bone/Pos"] * 55, *["Blend/Val"] * 17, "Blend/Apply",
    ]  # fmt: skip
    assert messages[0].params == [1, 3, 0, 1]
    assert messages[2].params[0] == "root"
    assert [m.params[0] for m in messages[3:58]] == list(BONES)
    assert all(len(m.params) == 8 for m in messages[2:58])


def test_face_is_closed_even_when_there_is_none() -> None:
    messages = one(VmcEncoder(VmcTarget()), make_frame(face=False))
    assert [m.address for m in messages[-2:]] == ["/VMC/Ext/Bone/Pos", "/VMC/Ext/Blend/Apply"]
    off = one(VmcEncoder(VmcTarget(send_expressions=False)), make_frame())
    assert not [m for m in off if m.address == "/VMC/Ext/Blend/Val"]


def test_nobody_is_said_with_tracking_zero() -> None:
    messages = read(VmcEncoder(VmcTarget()).encode_nobody(0))
    assert [m.address for m in messages] == ["/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Blend/Apply"]
    assert messages[0].params == [1, 3, 0, 0]


def test_time_counts_from_the_first_frame_and_stays_fine_after_days_of_uptime() -> None:
    encoder = VmcEncoder(VmcTarget())
    up_ns = 30 * 24 * 3600 * 10**9
    times = [one(encoder, make_frame(t_ns=up_ns + i * 16_666_667))[1].params[0] for i in range(3)]
    assert times == pytest.approx([0.0, 0.016666667, 0.033333334], abs=1e-6)


def test_rotations_and_rest_offsets_are_in_unity_axes() -> None:
    frame = make_frame()
    got = bones(one(VmcEncoder(VmcTarget()), frame))
    q = frames.unity_from_world_quat(frame.quat_local_xyzw[0])
    for name, values in got.items():
        assert values[3:] == pytest.approx(q[BONE[name]], abs=1e-6)
        if name != "Hips":
            want = frames.unity_from_world_position(REST_OFFSET_M[BONE[name]])
            assert values[:3] == pytest.approx(want, abs=1e-6)
    assert got["LeftUpperArm"][0] < 0  # the left hand points towards Unity's -X


def test_travel_in_the_hips_is_scaled_to_the_avatar_s_legs() -> None:
    frame = make_frame()
    messages = one(VmcEncoder(VmcTarget(travel="hips")), frame)
    assert root(messages) == pytest.approx([0, 0, 0, 0, 0, 0, 1])
    want = frame.root_world_m[0] * (REST_HIP_HEIGHT_M / 0.8) * (-1, 1, 1)
    assert bones(messages)["Hips"][:3] == pytest.approx(want, abs=1e-6)


def test_travel_in_the_root_moves_the_hips_to_the_same_place() -> None:
    frame = make_frame()
    in_root = one(VmcEncoder(VmcTarget(travel="root")), frame)
    in_hips = one(VmcEncoder(VmcTarget(travel="hips")), frame)
    hips = bones(in_root)["Hips"]
    assert hips[:3] == pytest.approx(REST_OFFSET_M[0] * (-1, 1, 1), abs=1e-6)
    assert root(in_root)[:3] + hips[:3] == pytest.approx(bones(in_hips)["Hips"][:3], abs=1e-6)


def test_metric_travel_keeps_metres_and_the_feet_on_the_floor() -> None:
    frame = make_frame()
    hips = bones(one(VmcEncoder(VmcTarget(scale="metric", travel="hips")), frame))["Hips"]
    x, y, z = frame.root_world_m[0]
    assert hips[:3] == pytest.approx([-x, y * REST_HIP_HEIGHT_M / 0.8, z], abs=1e-6)


@pytest.mark.parametrize("height", [0.0, np.nan])
def test_unknown_hip_height_does_not_scale(height: float) -> None:
    frame = replace(make_frame(), hip_height_m=np.array([height]))
    hips = bones(one(VmcEncoder(VmcTarget(travel="hips")), frame))["Hips"]
    assert hips[:3] == pytest.approx(frame.root_world_m[0] * (-1, 1, 1), abs=1e-6)


def pose_in_space(messages: list[OscMessage], bone: str) -> tuple[np.ndarray, np.ndarray]:
    r, hips = root(messages), bones(messages)[bone]
    place = r[:3] + rot.rotate(r[3:], hips[:3])
    return place, rot.multiply(r[3:], hips[3:])


@pytest.mark.parametrize("facing", [180.0, 90.0, -37.0])
def test_facing_turns_the_whole_person_about_the_vertical(facing: float) -> None:
    frame = make_frame()
    yaw = rot.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.radians(-facing))
    plain = one(VmcEncoder(VmcTarget(travel="hips")), frame)
    place, turn = pose_in_space(plain, "Hips")
    for travel in ("hips", "root"):
        target = VmcTarget(travel=travel, facing_deg=facing)
        got_place, got_turn = pose_in_space(one(VmcEncoder(target), frame), "Hips")
        assert got_place == pytest.approx(rot.rotate(yaw, place), abs=1e-5)
        assert rot.angle_between(got_turn, rot.multiply(yaw, turn)) < 1e-5


def test_people_go_to_their_own_ports() -> None:
    encoder = VmcEncoder(VmcTarget(people=2, first_slot=1))
    frame = make_frame(4)
    encoded = encoder.encode(frame)
    assert [port for port, _ in encoded] == [39539, 39549]
    alone = one(VmcEncoder(VmcTarget(first_slot=2)), frame)
    assert [m.params for m in read(encoded[1][1])] == [m.params for m in alone]


def test_people_who_leave_are_not_encoded_but_held_ones_are() -> None:
    encoder = VmcEncoder(VmcTarget())
    assert encoder.encode(make_frame(state=TrackState.LOST)) == []
    assert one(encoder, make_frame(state=TrackState.HELD))[0].params == [1, 3, 0, 1]
    assert encoder.encode(AvatarFrame.empty(0, 0)) == []


def test_numbers_that_are_not_finite_are_never_sent() -> None:
    q = make_frame(2).quat_local_xyzw.copy()
    q[0, 5, 2] = np.nan
    encoder = VmcEncoder(VmcTarget(people=2))
    encoded = encoder.encode(replace(make_frame(2), quat_local_xyzw=q))
    assert [port for port, _ in encoded] == [39549]
    assert encoder.skipped == 1


def test_bone_mask_by_name_and_group() -> None:
    got = bones(one(VmcEncoder(VmcTarget(bones=("Hips", "head"), omit_bones=("eyes",))),
                    make_frame()))  # fmt: skip
    assert set(got) == {"Hips", "Neck", "Head", "Jaw"}
    got = bones(one(VmcEncoder(VmcTarget(omit_bones=("fingers",))), make_frame()))
    assert len(got) == 25
    assert "LeftHand" in got


def test_groups_name_real_bones_once() -> None:
    assert len(BONE_GROUPS["fingers"]) == 30
    for names in BONE_GROUPS.values():
        assert set(names) <= set(BONES)
        assert len(set(names)) == len(names)


def test_untracked_bones_are_left_alone_unless_asked_for() -> None:
    valid = np.ones((1, NUM_BONES), dtype=np.bool_)
    valid[0, [BONE["LeftFoot"], BONE["Jaw"]]] = False
    frame = replace(make_frame(), bone_valid=valid)
    encoder = VmcEncoder(VmcTarget())
    assert set(BONES) - set(bones(one(encoder, frame))) == {"LeftFoot", "Jaw"}
    assert len(bones(one(encoder, make_frame()))) == 55  # and they come back
    assert len(bones(one(VmcEncoder(VmcTarget(send_untracked=True)), frame))) == 55


def expressions(target: VmcTarget, **values: float) -> dict[str, float]:
    e = np.zeros((1, len(EXPRESSIONS)))
    for name, value in values.items():
        e[0, EXPRESSIONS.index(name)] = value
    messages = one(VmcEncoder(target), replace(make_frame(), expressions=e))
    return {m.params[0]: m.params[1] for m in messages if m.address == "/VMC/Ext/Blend/Val"}


def test_expression_names_of_both_generations() -> None:
    old = expressions(VmcTarget(), aa=0.5, happy=1.0, blinkLeft=0.25)
    assert {"Joy", "Angry", "Sorrow", "Fun", "A", "I", "U", "E", "O"} <= set(old)
    assert {"Blink", "Blink_L", "Blink_R"} <= set(old)
    assert (old["A"], old["Joy"], old["Blink_L"], old["U"]) == (0.5, 1.0, 0.25, 0.0)
    new = expressions(VmcTarget(vrm_version=1), aa=0.5)
    assert list(new) == list(VRM_EXPRESSIONS)
    assert new["aa"] == 0.5


def test_arkit_names_are_those_measured_and_no_others_are_added_to_them() -> None:
    got = expressions(VmcTarget(expressions="arkit"), eyeBlinkLeft=0.5, blinkLeft=0.5, aa=0.5)
    assert (got["eyeBlinkLeft"], got["eyeBlinkRight"], got["jawOpen"]) == (0.5, 0.0, 0.0)
    assert "aa" not in got
    assert "EyeBlinkLeft" in expressions(VmcTarget(expressions="perfect-sync"))


def test_arkit_names_made_of_vrms_share_and_saturate() -> None:
    faces = dict.fromkeys(VRM_EXPRESSIONS, 0.0) | {"blink": 0.75, "blinkLeft": 0.5, "aa": 0.5}
    frame = replace(make_frame(), expressions=np.array([list(faces.values())]))
    encoder = VmcEncoder(VmcTarget(expressions="arkit"), expression_names=VRM_EXPRESSIONS)
    got = {m.params[0]: m.params[1] for m in one(encoder, frame) if "Blend/Val" in m.address}
    assert (got["eyeBlinkLeft"], got["eyeBlinkRight"], got["jawOpen"]) == (1.0, 0.75, 0.5)


def test_unknown_expression_names_pass_through() -> None:
    names = ("jawOpen", "tongueOut")
    frame = replace(make_frame(), expressions=np.array([[0.5, 0.25]]))
    encoder = VmcEncoder(VmcTarget(expressions="arkit"), expression_names=names)
    values = [m.params for m in one(encoder, frame) if m.address == "/VMC/Ext/Blend/Val"]
    assert values == [["jawOpen", 0.5], ["tongueOut", 0.25]]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bones": ["LeftHnad"]}, "did you mean LeftHand"),
        ({"port": 0}, ">= 1"),
        ({"port": 65530, "people": 3}, "65550"),
        ({"preset": "vseefase"}, "vseefase"),
        ({"rate_cap_hz": 0}, ">= 1"),
        ({"prot": 1}, "prot"),
    ],
)
def test_wrong_settings_are_refused_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(settings, VmcTarget)


def test_presets_fill_what_is_not_set() -> None:
    evmc = VmcTarget(preset="unity-evmc4u")
    messages = one(VmcEncoder(evmc), make_frame())
    assert root(messages)[:3] != pytest.approx([0, 0, 0])
    assert VmcTarget(preset="warudo", port=4000).port_of(0) == 4000
    assert VmcTarget(preset="warudo").port_of(0) == PRESETS["warudo"].port


def test_every_preset_cites_a_source_or_admits_that_it_has_none() -> None:
    assert PRESETS["unity-evmc4u"].verified
    for preset in PRESETS.values():
        assert all(source for source in preset.sources.values())
        assert preset.verified == (not preset.unverified)


def test_vrm_1_without_its_file_is_warned_about() -> None:
    assert target_warnings(VmcTarget(vrm_version=1), None)
    assert not target_warnings(VmcTarget(vrm_version=1, rest="normalised"), None)
    assert not target_warnings(VmcTarget(), None)


@pytest.fixture(params=["debug_robot.vrm", "cryptovoxels.vrm", "CesiumMan.glb"])
def rig(request: pytest.FixtureRequest, shared_data: Path) -> Rig:
    return load_rig(shared_data / "avatars" / request.param)


def unity_chain(messages: list[OscMessage]) -> Callable[[str], tuple[np.ndarray, np.ndarray]]:
    """World pose of a bone as a receiver builds it: local transforms down the parents sent."""
    from posestream.skeleton.humanoid import PARENT

    got = bones(messages)

    def pose(name: str) -> tuple[np.ndarray, np.ndarray]:
        above = PARENT[BONE[name]]
        while above >= 0 and BONES[above] not in got:
            above = PARENT[above]
        local = got[name]
        if above < 0:
            return local[:3], local[3:]
        p, q = pose(BONES[above])
        return p + rot.rotate(q, local[:3]), rot.multiply(q, local[3:])

    return pose


LIMBS = [
    (f"{side}{upper}", f"{side}{lower}")
    for side in ("Left", "Right")
    for upper, lower in (
        ("UpperArm", "LowerArm"), ("LowerArm", "Hand"),
        ("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"),
    )
]  # fmt: skip


def test_receiver_s_limbs_point_where_the_person_s_do(rig: Rig) -> None:
    """Raw bones, missing bones and all: hierarchy of local transforms against our own."""
    frame = make_frame(seed=3)
    own = unity_chain(one(VmcEncoder(VmcTarget(travel="hips")), frame))
    theirs = unity_chain(one(VmcEncoder(VmcTarget(travel="hips"), rig), frame))
    checked = 0
    for upper, lower in LIMBS:
        if not (rig.bones_present[BONE[upper]] and rig.bones_present[BONE[lower]]):
            continue
        rest = rig.rest_position_world_m[BONE[lower]] - rig.rest_position_world_m[BONE[upper]]
        # our own bones rest unrotated, so that this is the normalised world rotation
        want = rot.rotate(own(upper)[1], frames.unity_from_world_position(rest))
        got = theirs(lower)[0] - theirs(upper)[0]
        cosine = got @ want / (np.linalg.norm(got) * np.linalg.norm(want))
        assert np.degrees(np.arccos(min(1.0, cosine))) < 0.1
        checked += 1
    assert checked >= 6


def test_rest_rotations_agree_with_the_rig_s_own_conversion(rig: Rig) -> None:
    frame = make_frame(seed=4)
    got = bones(one(VmcEncoder(VmcTarget(), rig), frame))
    want = frames.unity_from_world_quat(raw_from_normalised(rig, frame.quat_local_xyzw[0]))
    assert set(got) == {BONES[b] for b in np.flatnonzero(rig.bones_present)}
    for name, values in got.items():
        assert rot.angle_between(values[3:], want[BONE[name]]) < 1e-5


def test_rest_pose_of_the_avatar_gives_its_rest_transforms(rig: Rig) -> None:
    frame = make_frame()
    q = rot.identity(1, NUM_BONES)
    still = replace(frame, quat_local_xyzw=q, root_quat_world_xyzw=q[:, 0])
    pose = unity_chain(one(VmcEncoder(VmcTarget(), rig), still))
    hips = pose("Hips")[0]
    for bone in np.flatnonzero(rig.bones_present):
        place = frames.unity_from_world_position(
            rig.rest_position_world_m[bone] - rig.rest_position_world_m[0]
        )
        assert pose(BONES[bone])[0] - hips == pytest.approx(place, abs=1e-4)


def test_normalised_rest_ignores_the_file_s_rotations_but_keeps_its_size(rig: Rig) -> None:
    frame = make_frame(seed=5)
    messages = one(VmcEncoder(VmcTarget(rest="normalised", travel="hips"), rig), frame)
    raw = unity_chain(one(VmcEncoder(VmcTarget(travel="hips"), rig), frame))
    pose = unity_chain(messages)
    for name in bones(messages):
        assert pose(name)[0] == pytest.approx(raw(name)[0], abs=1e-4)


def test_avatar_stands_as_high_as_its_own_legs(rig: Rig) -> None:
    frame = make_frame()
    standing = replace(frame, root_world_m=np.array([[0.0, 0.8, 0.0]]))
    hips = bones(one(VmcEncoder(VmcTarget(travel="hips"), rig), standing))["Hips"]
    assert hips[1] == pytest.approx(rig.hip_height_m, abs=1e-5)
