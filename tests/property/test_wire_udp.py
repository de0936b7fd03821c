"""Laws of the UDP protocols: hostile bytes, round trips, missing bones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from scipy.spatial.transform import Rotation

from posestream.errors import ProtocolError
from posestream.geometry import rotation as rot
from posestream.publish.rate import RateCap
from posestream.skeleton.humanoid import BONE, BONES, NUM_BONES
from posestream.skeleton.rig import build_rig, default_rig
from posestream.types import AvatarFrame
from posestream.wire import osc, osc_decode
from posestream.wire.vmc_control import parse_control
from posestream.wire.vmc_pose import PoseFitter
from posestream.wire.vrchat import euler_zxy_deg

SEEDS = [
    osc.encode_message("/VMC/Ext/Set/Calib/Exec", 1),
    osc.encode_message("/VMC/Ext/Set/Eye", 1, 0.5, 0.5, 0.5),
    osc.encode_bundle([osc.encode_message("/VMC/Ext/Set/Req"), osc.encode_bundle([])]),
    b"/x\0\0" + osc.encode_string(",[ih[fd]sb]tcmrTFNI") + bytes(80),
]

arguments = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.floats(width=32, allow_nan=False),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
)
rotations = st.integers(0, 2**32 - 1).map(
    lambda seed: rot.normalize(np.random.default_rng(seed).normal(size=(NUM_BONES, 4)))
)


def survives(data: bytes) -> None:
    try:
        packet = osc_decode.decode(data)
    except ProtocolError:
        return
    list(osc_decode.messages(packet))
    parse_control(data)


@given(st.binary(max_size=400))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    survives(data)
    survives(b"#bundle\0" + data)
    survives(b"/a\0\0," + data)


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255))))
def test_damaged_messages_are_decoded_or_refused(
    data: bytes, damage: list[tuple[int, int]]
) -> None:
    broken = bytearray(data)
    for at, value in damage:
        broken[at % len(broken)] = value
    survives(bytes(broken))


@given(st.lists(arguments, max_size=10))
def test_messages_read_back_as_they_were_written(args: list[int | float | str]) -> None:
    packet = osc_decode.decode(osc.encode_message("/a/b", *args))
    assert isinstance(packet, osc_decode.OscMessage)
    assert packet.address == "/a/b"
    assert packet.args == tuple(args)


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(400, 1500))
def test_split_bundles_lose_nothing(sizes: list[int], max_bytes: int) -> None:
    messages = [osc.encode_message("/m", i, "x" * size) for i, size in enumerate(sizes)]
    bundles = osc.split_bundles(messages, max_bytes)
    assert all(len(bundle) <= max_bytes for bundle in bundles)
    got = [(m.params[0], len(m.params[1])) for bundle in bundles for m in OscBundle(bundle)]
    assert got == list(enumerate(sizes))


@given(rotations)
def test_euler_angles_round_trip(q: np.ndarray) -> None:
    x, y, z = euler_zxy_deg(q).T
    back = Rotation.from_euler("YXZ", np.stack([y, x, z], axis=-1), degrees=True).as_quat()
    assert np.all(rot.angle_between(back, q) < 1e-6)


def frame_of(q: np.ndarray) -> AvatarFrame:
    one = np.zeros(1, dtype=np.int64)
    return AvatarFrame(
        0, 0, one, one, one, np.ones(1), np.array([[0.3, 0.9, -0.2]]), q[None, 0], q[None],
        np.zeros((1, NUM_BONES, 3)), np.ones((1, NUM_BONES), dtype=np.bool_), np.full(1, 0.92),
        np.zeros((1, 0)),
    )  # fmt: skip


def places(fitter: PoseFitter, q: np.ndarray) -> np.ndarray:
    """Bone positions that a receiver builds from the local transforms it was told."""
    pose = fitter(frame_of(q))
    parents, place, turn = parents_of(fitter), {}, {}
    for bone, above in parents.items():
        local = fitter.offset_m[bone], pose.quat_xyzw[0, bone]
        if above < 0:
            place[bone], turn[bone] = pose.hips_m[0], local[1]
        else:
            place[bone] = place[above] + rot.rotate(turn[above], local[0])
            turn[bone] = rot.multiply(turn[above], local[1])
    out = np.full((NUM_BONES, 3), np.nan)
    out[list(place)] = list(place.values())
    return out


def parents_of(fitter: PoseFitter) -> dict[int, int]:
    from posestream.skeleton.humanoid import ORDER
    from posestream.skeleton.rig import present_parents

    nearest = present_parents(fitter.rig.bones_present)
    return {b: nearest[b] for b in ORDER if fitter.rig.bones_present[b]}


OPTIONAL = [
    name
    for name in BONES
    if name in ("Chest", "UpperChest", "Neck", "Jaw") or name.endswith(("Shoulder", "Toes", "Eye"))
]
LIMBS = [
    (f"{side}{a}", f"{side}{b}")
    for side in ("Left", "Right")
    for a, b in (
        ("UpperArm", "LowerArm"), ("LowerArm", "Hand"),
        ("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"), ("IndexProximal", "IndexIntermediate"),
    )
]  # fmt: skip


@given(rotations, st.sets(st.sampled_from(OPTIONAL)), st.integers(0, 2**32 - 1))
def test_limbs_keep_their_directions_whatever_bones_the_avatar_lacks(
    q: np.ndarray, missing: set[str], seed: int
) -> None:
    own = default_rig()
    present = np.array([name not in missing for name in BONES])
    # bones of the file rest turned at random, as in VRM 1.0
    turned = rot.normalize(np.random.default_rng(seed).normal(size=(NUM_BONES, 4)))
    rig = build_rig("test", "vrm1", present, own.rest_position_world_m, turned)
    options = {"travel": "hips", "scale": "scaled", "facing_rad": 0.0, "raw_rest": True}
    want, got = places(PoseFitter(own, **options), q), places(PoseFitter(rig, **options), q)
    for a, b in LIMBS:
        assert np.allclose(got[BONE[b]] - got[BONE[a]], want[BONE[b]] - want[BONE[a]], atol=1e-6), (
            a,
            b,
            missing,
        )


@given(
    st.floats(1.0, 240.0),
    st.lists(st.floats(0.0, 0.2), min_size=1, max_size=200),
)
def test_rate_cap_is_never_exceeded_by_more_than_one(rate_hz: float, gaps: list[float]) -> None:
    cap, now, passed = RateCap(rate_hz), 0.0, []
    for gap in gaps:
        now += gap
        if cap.wait_s(now) == 0.0:
            cap.take(now)
            passed.append(now)
    span = passed[-1] - passed[0]
    assert len(passed) <= span * rate_hz + 2 + 1e-6


@given(st.floats(5.0, 90.0), st.lists(st.floats(-0.4, 0.4), min_size=2, max_size=100))
def test_source_at_the_capped_rate_loses_nothing_to_jitter(
    rate_hz: float, jitter: list[float]
) -> None:
    cap = RateCap(rate_hz)
    for i, j in enumerate(jitter):
        now = (i + j) / rate_hz
        assert cap.wait_s(now) < 1e-9
        cap.take(now)
