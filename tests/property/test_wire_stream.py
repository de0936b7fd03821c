"""Our stream's codecs: round trips, agreement of the two encodings, hostile bytes."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posestream.errors import ProtocolError
from posestream.geometry import rotation
from posestream.skeleton.humanoid import NUM_BONES
from posestream.types import AvatarFrame, Camera
from posestream.wire import codec, smallest_three
from posestream.wire.messages import (
    RECORDED,
    Axes,
    ClockReply,
    ClockRequest,
    Control,
    Encoding,
    Event,
    EventKind,
    Hello,
    Picture,
    Reply,
    Rotations,
    StampedFrame,
    StreamFormat,
    Subscribe,
    Unknown,
    stamped,
)
from posestream.wire.schema import FRAME, MESSAGES

FORMATS = [
    StreamFormat(encoding, axes, rotations, positions)
    for encoding in Encoding
    for axes in Axes
    for rotations in Rotations
    for positions in (False, True)
]
NS = st.integers(-(2**63), 2**63 - 1)
NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def random_frame(seed: int, people: int, expressions: int = 17) -> StampedFrame:
    rng = np.random.default_rng(seed)
    quat = rotation.normalize(rng.normal(size=(people, NUM_BONES, 4)))
    position = rng.normal(size=(people, NUM_BONES, 3))
    position[rng.random(position.shape) < 0.1] = np.nan
    frame = AvatarFrame(
        int(rng.integers(2**40)), int(rng.integers(2**62)), rng.integers(0, 99, people),
        rng.integers(0, 2**60, people), rng.integers(0, 3, people), rng.random(people),
        rng.normal(size=(people, 3)), quat[:, 0], quat, position,
        rng.random((people, NUM_BONES)) < 0.8, rng.uniform(0.3, 1.2, people),
        rng.random((people, expressions)),
    )  # fmt: skip
    return stamped(frame, int(rng.integers(2**62)), int(rng.integers(2**62)))


def decoded(message: object, fmt: StreamFormat) -> object:
    data = codec.encode(message, fmt)  # type: ignore[arg-type]
    return codec.decode(data.decode() if fmt.encoding is Encoding.JSON else data)


frames = st.builds(
    random_frame, st.integers(0, 2**32), st.integers(0, 6), st.sampled_from([0, 1, 17, 52])
)


@given(frames, st.sampled_from(list(Axes)))
def test_binary_is_exact_at_float32(frame: StampedFrame, axes: Axes) -> None:
    back = decoded(frame, replace(RECORDED, axes=axes))
    for field in fields(StampedFrame):
        sent, got = getattr(frame, field.name), getattr(back, field.name)
        if field.name == "expressions" and len(frame) == 0:
            continue  # nobody is there to have them
        if isinstance(sent, np.ndarray) and sent.dtype == np.float64:
            sent = sent.astype(np.float32).astype(np.float64)
        np.testing.assert_array_equal(got, sent, err_msg=field.name)


@given(frames)
def test_encoding_what_was_decoded_gives_the_same_bytes(frame: StampedFrame) -> None:
    data = codec.encode(frame)
    again = codec.decode(data)
    assert isinstance(again, StampedFrame)
    assert codec.encode(again) == data


@given(frames, st.sampled_from(FORMATS))
def test_every_format_carries_the_same_content(frame: StampedFrame, fmt: StreamFormat) -> None:
    back = decoded(frame, fmt)
    assert isinstance(back, StampedFrame)
    for name in ("index", "t_capture_ns", "t_publish_ns", "utc_offset_ns"):
        assert getattr(back, name) == getattr(frame, name)
    for name in ("slot", "track_id", "state", "bone_valid"):
        np.testing.assert_array_equal(getattr(back, name), getattr(frame, name))
    for name in ("confidence", "root_world_m", "root_quat_world_xyzw", "hip_height_m"):
        np.testing.assert_allclose(getattr(back, name), getattr(frame, name), atol=1e-6)
    angle = rotation.angle_between(back.quat_local_xyzw, frame.quat_local_xyzw)
    packed = fmt.rotations is Rotations.PACKED and fmt.encoding is Encoding.BINARY
    limit_deg = 0.01 if packed else 2e-4
    assert np.degrees(angle).max(initial=0.0) < limit_deg
    expected = (
        frame.position_world_m if fmt.positions else np.full_like(back.position_world_m, np.nan)
    )
    np.testing.assert_allclose(back.position_world_m, expected, atol=1e-6)


def test_unity_axes_are_the_mirrored_world() -> None:
    frame = random_frame(1, 2)
    tree = json.loads(codec.encode(frame, StreamFormat(Encoding.JSON, Axes.UNITY)))
    for person, root, quat in zip(
        tree["people"], frame.root_world_m, frame.quat_local_xyzw, strict=True
    ):
        np.testing.assert_allclose(person["root_position"], root * [-1, 1, 1], atol=1e-6)
        np.testing.assert_allclose(person["rotations"], quat * [1, -1, -1, 1], atol=1e-6)


@given(
    st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 1e-3)
)
def test_smallest_three_stays_within_its_stated_error(values: list[float]) -> None:
    q = rotation.normalize(np.array(values))
    error = rotation.angle_between(smallest_three.unpack(smallest_three.pack(q)), q)
    assert error < smallest_three.MAX_ERROR_RAD < np.radians(0.01)


@given(st.lists(st.integers(0, 2**16 - 1), min_size=3, max_size=3))
def test_any_packed_words_are_a_unit_quaternion(words: list[int]) -> None:
    q = smallest_three.unpack(np.array(words, np.uint16))
    assert abs(np.linalg.norm(q) - 1.0) < 1e-9


def camera(seed: int = 0) -> Camera:
    rng = np.random.default_rng(seed)
    T = np.eye(4)
    T[:3, :3] = rotation.to_matrix(rotation.normalize(rng.normal(size=4)))
    T[:3, 3] = rng.normal(size=3)
    return Camera(rng.uniform(1, 900, (3, 3)), (640, 480), rng.normal(size=5), T)


@given(
    st.integers(0, 99), NAME, st.none() | st.floats(1, 240), NS, st.sampled_from(FORMATS),
    st.lists(NAME, max_size=60),
)  # fmt: skip
def test_hello_round_trip(
    seed: int, version: str, fps: float | None, now: int, fmt: StreamFormat, names: list[str]
) -> None:
    hello = Hello(
        version[:16],
        camera(seed),
        fps,
        t_monotonic_ns=now,
        expressions=tuple(n[:16] for n in names),
    )
    back = decoded(hello, fmt)
    assert isinstance(back, Hello)
    for name in ("daemon_version", "slots", "bones", "parents", "expressions", "source_fps"):
        assert getattr(back, name) == getattr(hello, name)
    assert back.t_monotonic_ns == now
    assert (back.format.axes, back.format.positions) == (fmt.axes, fmt.positions)
    np.testing.assert_allclose(back.rest_offset_m, hello.rest_offset_m, atol=1e-6)
    for name in ("K_px", "distortion", "T_world_cam", "size_px"):
        np.testing.assert_array_equal(getattr(back.camera, name), getattr(hello.camera, name))


def test_a_level_camera_is_turned_half_round_in_unity() -> None:
    level = Hello("1", Camera(np.eye(3), (2, 2)))
    tree = json.loads(codec.encode(level, StreamFormat(Encoding.JSON, Axes.UNITY)))
    np.testing.assert_array_equal(
        np.array(tree["camera"]["T_world_cam"])[:3, :3], np.diag([-1, 1, -1])
    )
    tree = json.loads(codec.encode(level, StreamFormat(Encoding.JSON, Axes.GLTF)))
    np.testing.assert_array_equal(np.array(tree["camera"]["T_world_cam"])[:3, :3], np.eye(3))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NAME,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAME, VALUES, max_size=4)
U32 = st.integers(0, 2**32 - 1)
SMALL = st.one_of(
    st.builds(Event, st.sampled_from(EventKind), NS, st.integers(-1, 99), st.integers(-1, 2**60),
              NAME),
    st.builds(ClockRequest, NS),
    st.builds(ClockReply, NS, NS, NS, NS),
    st.builds(Control, U32, st.text("abc_", min_size=1, max_size=20), OBJECTS, NAME),
    st.builds(Reply, U32, st.booleans(), NAME, OBJECTS),
    st.builds(Picture, U32, NS, st.tuples(st.integers(0, 9999), st.integers(0, 9999)),
              st.binary(max_size=99)),
    st.builds(Subscribe, U32, st.sampled_from([0.0, 7.5, 60.0]), st.sampled_from(Axes),
              st.sampled_from(Rotations), st.booleans(), st.booleans(), NAME),
)  # fmt: skip


@given(SMALL, st.sampled_from(Encoding))
def test_small_messages_round_trip(message: object, encoding: Encoding) -> None:
    assert decoded(message, StreamFormat(encoding)) == message


def samples() -> list[bytes]:
    small = [
        Event(EventKind.PERSON_LOST, 5, 1, 2, "gone"), ClockRequest(1), ClockReply(1, 2, 3, 4),
        Control(1, "recentre", {"slot": [1, {"a": None}]}, "secret"),
        Reply(1, False, "no", {"a": 1}), Picture(1, 2, (3, 4), b"jpeg"), Subscribe(1, 30.0),
        Hello("1.0", camera()),
    ]  # fmt: skip
    packed = replace(RECORDED, rotations=Rotations.PACKED)
    many = [codec.encode(m) for m in small]
    many += [codec.encode(random_frame(n, n), fmt) for n in (0, 1, 3) for fmt in (RECORDED, packed)]
    return many


def test_every_message_type_is_among_the_samples() -> None:
    assert {data[3] for data in samples()} == {message.kind for message in MESSAGES}


def test_every_truncation_is_refused() -> None:
    for data in samples():
        for length in range(len(data)):
            with pytest.raises(ProtocolError):
                codec.decode(data[:length])


def _harmless(data: bytes | str) -> bool:
    """Whether the bytes are refused; what is accepted must be fit for sending again."""
    try:
        message = codec.decode(data)
    except ProtocolError:
        return False
    if isinstance(message, StampedFrame):
        assert np.isfinite(message.quat_local_xyzw).all()
        assert np.isfinite(message.root_world_m).all()
    if not isinstance(message, Unknown):
        codec.encode(message)
    return True


def test_mutated_bytes_are_refused_or_valid() -> None:
    rng = np.random.default_rng(7)
    originals = samples()
    accepted = 0
    for number in range(4000):
        data = bytearray(originals[number % len(originals)])
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(min(len(data), 80))) if rng.random() < 0.7 else -1
            data[at] = int(rng.integers(256))
        accepted += _harmless(bytes(data))
    assert 0 < accepted < 4000


def test_mutated_json_is_refused_or_valid() -> None:
    rng = np.random.default_rng(8)
    texts = [
        codec.encode(codec.decode(data), StreamFormat(Encoding.JSON)).decode() for data in samples()
    ]
    pieces = ["null", "1e999", "-1", '"x"', "[", "]", "{}", "9" * 40, "true", '"\\ud800"', "NaN"]
    accepted = 0
    for number in range(2000):
        text = texts[number % len(texts)]
        at = int(rng.integers(len(text)))
        end = at + int(rng.integers(6))
        accepted += _harmless(text[:at] + str(rng.choice(pieces)) + text[end:])
    assert accepted < 2000


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_noise_is_refused(data: bytes | str) -> None:
    try:
        message = codec.decode(data)
    except ProtocolError:
        return
    assert isinstance(message, Unknown | Subscribe | Control | ClockRequest)


def test_deeply_nested_json_is_refused() -> None:
    deep = "[" * 100_000
    for text in (deep, '{"kind":"control","name":"x","payload":{"a":' + deep):
        with pytest.raises(ProtocolError):
            codec.decode(text)


def _with_section(data: bytes, section: bytes) -> bytes:
    return data[:4] + (len(data) + len(section)).to_bytes(4, "little") + data[8:] + section


def test_unknown_sections_and_kinds_and_keys_are_skipped() -> None:
    frame = random_frame(3, 2)
    data = codec.encode(frame)
    extended = _with_section(data, b"\xff\x7f\0\0\x05\0\0\0hello")
    back = codec.decode(extended)
    assert isinstance(back, StampedFrame)
    assert codec.encode(back) == data
    assert codec.decode(data[:3] + b"\xc8" + data[4:]) == Unknown(200)
    assert codec.decode('{"kind":"weather","sun":1}') == Unknown("weather")
    tree = json.loads(codec.encode(frame, StreamFormat(Encoding.JSON))) | {"new": [1]}
    assert isinstance(codec.decode(json.dumps(tree)), StampedFrame)


def test_repeated_missing_and_misplaced_sections_are_refused() -> None:
    data = codec.encode(random_frame(3, 1))
    head = data[8 : 16 + FRAME.head.dtype.itemsize]
    with pytest.raises(ProtocolError, match="repeats"):
        codec.decode(_with_section(data, head))
    with pytest.raises(ProtocolError, match="lacks"):
        codec.decode(_with_section(data[:8][:4] + (8).to_bytes(4, "little"), head))
    without_head = data[:4] + (len(data) - len(head)).to_bytes(4, "little") + data[8 + len(head) :]
    with pytest.raises(ProtocolError, match="begin with its head"):
        codec.decode(without_head)


def test_another_version_is_named() -> None:
    data = codec.encode(ClockRequest(1))
    with pytest.raises(ProtocolError, match="version 9"):
        codec.decode(data[:2] + b"\x09" + data[3:])


def test_what_is_not_finite_never_leaves() -> None:
    frame = random_frame(4, 3)
    quat, root = frame.quat_local_xyzw.copy(), frame.root_world_m.copy()
    quat[0, 5] = np.nan
    root[1] = np.inf
    hip = frame.hip_height_m.copy()
    hip[2] = np.nan
    valid = np.ones_like(frame.bone_valid)
    bad = replace(
        frame, quat_local_xyzw=quat, root_world_m=root, hip_height_m=hip, bone_valid=valid
    )
    back = decoded(bad, RECORDED)
    assert isinstance(back, StampedFrame)
    np.testing.assert_array_equal(back.track_id, frame.track_id[[0, 2]])
    np.testing.assert_array_equal(back.quat_local_xyzw[0, 5], [0, 0, 0, 1])
    assert not back.bone_valid[0, 5] and back.bone_valid.sum() == 2 * NUM_BONES - 1
    assert np.isfinite(back.hip_height_m).all()


def test_clock_exchange_recovers_the_offset() -> None:
    offset, there, back = 5_000, 300, 300
    reply = ClockReply(1_000, 1_000 + there + offset, 1_000 + there + offset + 50, 0)
    received = 1_000 + there + 50 + back
    assert reply.offset_ns(received) == offset
    assert reply.round_trip_ns(received) == there + back
