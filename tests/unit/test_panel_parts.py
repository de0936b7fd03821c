"""The panel's parts without a browser: meshes, what is packed, forms, saving, switching."""

from __future__ import annotations

import itertools
import json
import struct
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posestream import config, config_form, config_save
from posestream.daemon.producers import Producer
from posestream.daemon.replaying import ReplayProducer
from posestream.daemon.switch import SOURCE_CHANGED, Switch
from posestream.errors import AvatarError, CaptureError, ConfigError, RecordingError
from posestream.preview.access import host_is_ours, key_from, key_matches, origin_is_ours
from posestream.preview.files import page_files
from posestream.preview.gltf_mesh import read_mesh
from posestream.preview.mesh import BODY_FILE, SkinMesh, own_body, pack_mesh
from posestream.preview.packing import Kind, pack_motion
from posestream.publish.load import scripted_frame
from posestream.publish.recorder import RecorderSink
from posestream.settings import Settings
from posestream.skeleton.humanoid import BONE, REST_OFFSET_M
from posestream.skeleton.rig import load_rig
from posestream.types import AvatarFrame, Camera, TrackState
from posestream.wire.messages import Hello

HELLO = Hello("1.0", Camera(np.eye(3) * 400.0, (640, 480)), 30.0)


def limb(mesh: SkinMesh, name: str) -> np.ndarray:
    """Vertices that a bone moves most."""
    return mesh.position_m[
        mesh.bone[np.arange(len(mesh.bone)), mesh.weight.argmax(1)] == BONE[name]
    ]


def check_tpose(mesh: SkinMesh, tolerance_m: float) -> None:
    """Limbs lie along their bones, left at +X, the face towards +Z, on the floor."""
    assert (mesh.weight.astype(int).sum(axis=1) == 255).all()
    assert mesh.triangle.max() < len(mesh.position_m)
    np.testing.assert_allclose(np.linalg.norm(mesh.normal, axis=1).mean(), 1.0, atol=0.05)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        for bone, child in (("LowerArm", "Hand"), ("LowerLeg", "Foot")):
            a, b = mesh.bone_m[BONE[side + bone]], mesh.bone_m[BONE[side + child]]
            middle = limb(mesh, side + bone).mean(axis=0)
            along = np.dot(middle - a, b - a) / np.dot(b - a, b - a)
            assert -0.2 < along < 1.2
            assert np.linalg.norm(middle - a - along * (b - a)) < tolerance_m
            assert sign * middle[0] > 0.0
    assert abs(mesh.position_m[:, 1].min()) < 0.2
    assert sum(part.count for part in mesh.parts) == mesh.triangle.size


def test_our_own_body_stands_in_the_tpose_and_is_small() -> None:
    mesh = own_body()
    check_tpose(mesh, 0.05)
    assert BODY_FILE.stat().st_size < 400_000
    assert limb(mesh, "LeftFoot")[:, 2].max() > mesh.bone_m[BONE["LeftFoot"], 2]
    ours = np.linalg.norm(REST_OFFSET_M[BONE["LeftLowerArm"]]) / REST_OFFSET_M[0, 1]
    theirs = np.linalg.norm(mesh.bone_m[BONE["LeftLowerArm"]] - mesh.bone_m[BONE["LeftUpperArm"]])
    assert theirs / mesh.hip_m == pytest.approx(ours, rel=0.15)


@pytest.mark.parametrize("name", ["cryptovoxels.vrm", "CesiumMan.glb", "debug_robot.vrm"])
def test_users_avatars_are_brought_into_the_tpose(shared_data: Path, name: str) -> None:
    path = shared_data / "avatars" / name
    check_tpose(read_mesh(path, load_rig(path)), 0.13)


def spoilt(original: Path, folder: Path, spoil: Any) -> Path:
    """A copy of a real avatar whose JSON was changed."""
    content = original.read_bytes()
    length = struct.unpack_from("<I", content, 12)[0]
    document = json.loads(content[20 : 20 + length])
    spoil(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    rest = content[20 + length :]
    head = struct.pack("<4sIIII", b"glTF", 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A)
    path = folder / original.name
    path.write_bytes(head + text + rest)
    return path


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["accessors"][0].update(count=10**9),
        lambda d: d["accessors"][0].update(byteOffset=10**9),
        lambda d: d["accessors"][0].update(count=-1),
        lambda d: d["accessors"][0].update(componentType=9),
        lambda d: d["bufferViews"][0].update(byteLength=10**9),
        lambda d: d["bufferViews"][0].update(buffer=7),
        lambda d: d.update(buffers=[{"byteLength": 3, "uri": "../secret.bin"}]),
        lambda d: d.update(buffers=[{"byteLength": 3, "uri": "http://example.org/x"}]),
        lambda d: d.update(buffers="x"),
        lambda d: d.update(meshes=[{}]),
        lambda d: d.update(meshes=[]),
        lambda d: d["skins"][0].update(joints=[10**6]),
        lambda d: d["materials"][0].update(
            pbrMetallicRoughness={"baseColorTexture": {"index": 99}}
        ),
    ],
)
def test_a_spoilt_mesh_is_refused_in_a_sentence(
    shared_data: Path, tmp_path: Path, spoil: Any
) -> None:
    original = shared_data / "avatars" / "CesiumMan.glb"
    rig = load_rig(original)
    with pytest.raises(AvatarError, match=r"CesiumMan.*\.$"):
        read_mesh(spoilt(original, tmp_path, spoil), rig)


def unpacked(data: bytes) -> tuple[int, dict[str, Any], bytes]:
    kind, length = struct.unpack_from("<II", data)
    assert length % 4 == 0
    return kind, json.loads(data[8 : 8 + length]), data[8 + length :]


def test_a_packed_mesh_holds_all_arrays() -> None:
    mesh = own_body()
    kind, head, rest = unpacked(pack_mesh(mesh))
    v, f = head["vertices"], head["triangles"]
    assert kind == Kind.MESH and len(rest) == 32 * v + 8 * v + 12 * f + sum(head["images"])
    np.testing.assert_array_equal(np.frombuffer(rest, "<f4", 3 * v).reshape(-1, 3), mesh.position_m)


def test_packed_motion_leaves_out_who_left() -> None:
    frame = scripted_frame(7, 3, 0)
    frame.state[1] = TrackState.LOST
    kind, head, rest = unpacked(pack_motion(frame))
    assert kind == Kind.MOTION and head["slot"] == frame.slot[[0, 2]].tolist()
    values = np.frombuffer(rest, "<f4")
    assert len(values) == 2 * (3 + 55 * 4 + 55 * 3)
    np.testing.assert_allclose(values[:3], frame.root_world_m[0], rtol=1e-6)
    np.testing.assert_allclose(values[-3:], frame.position_world_m[2, -1], rtol=1e-6)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    files = page_files()
    assert files["/"] == files["/index.html"]
    for path, (_, content) in files.items():
        text = content.decode("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in text and "eval(" not in text, path
        assert text.count("http://") == text.count("http:// stream"), path
    assert sum(len(content) for _, content in files.values()) < 150_000


def test_the_key_is_a_users_and_no_others() -> None:
    assert key_from("a" * 43) == key_from("a" * 43) != key_from("b" * 43)
    assert key_from(None) != key_from(None)
    key = key_from("a" * 43)
    assert key_matches(key, key)
    assert not any(key_matches(key, wrong) for wrong in ("", key[:-1], key + "0", None, 3, b"x"))


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_only_loopback_names_with_our_port_are_ours(host: str) -> None:
    assert not host_is_ours([host], 8766) or host.lower().rstrip(".").startswith(
        ("localhost", "127.", "[::1")
    )
    assert not origin_is_ours([host], "127.0.0.1:8766")


def test_the_form_knows_every_setting_and_what_fits_it() -> None:
    fields = {field.key: field for field in config_form.fields()}
    assert set(fields) == {key for key, *_ in config.describe()}
    assert all(len(field.text) > 5 and field.text.endswith(".") for field in fields.values())
    knob = fields["smooth.smoothness"]
    assert (knob.kind, knob.low, knob.high, knob.live) == ("number", 0.0, 1.0, True)
    assert fields["retarget.mirror"].kind == "switch"
    assert "vseeface" in fields["vmc.N.preset"].choices
    assert fields["vmc.N.port"].optional and fields["vmc.N.port"].kind == "integer"
    assert fields["floor.camera_height_m"].choices == ("auto",)
    assert not fields["websocket.port"].live and not fields["panel.port"].live


MINE = """# mine
[retarget]  # body
mirror = true   # as on stage

[smooth]
smoothness = 0.3

[[vmc]]
preset = "vseeface"  # first
[[vmc]]
port = 40000  # second
"""


def test_saving_touches_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    changed = config.load(str(path))
    config_save.save(changed, path)
    assert path.read_text() == MINE
    for key, value in (("smooth.smoothness", 0.4), ("vmc.0.port", 40100), ("track.hold_s", 2.0)):
        changed = config.change(changed, key, value)
    config_save.save(changed, path)
    text = path.read_text()
    assert config.load(str(path)) == changed
    assert text.replace("smoothness = 0.4", "smoothness = 0.3").startswith(MINE[:80])
    assert all(comment in text for comment in ("# body", "# as on stage", "# first", "# second"))
    changed = config.change(changed, "vmc", [])
    config_save.save(changed, path)
    assert config.load(str(path)) == changed


@pytest.mark.parametrize("preset", config.preset_files())
def test_every_preset_is_saved_as_a_file_of_its_own(tmp_path: Path, preset: str) -> None:
    changed = config.change(config.load(preset), "smooth.smoothness", 0.15)
    like, path = config.preset_files()[preset], tmp_path / "new" / "own.toml"
    config_save.save(changed, path, like)
    assert config.load(str(path)) == changed
    assert like.read_text().splitlines()[0] == path.read_text().splitlines()[0]


_SCALARS = {
    "smooth.smoothness": st.floats(0, 1), "smooth.predict_ms": st.floats(0, 100),
    "retarget.mirror": st.booleans(), "track.hold_s": st.floats(0.1, 3.0),
    "floor.camera_height_m": st.sampled_from(["auto", 1.5]),
    "smooth.root_beta": st.sampled_from(["off", 0.2]),
    "vmc": st.lists(st.fixed_dictionaries({}, optional={
        "port": st.integers(1000, 60000), "enabled": st.booleans(),
        "preset": st.sampled_from(["generic", "warudo"]),
        "omit_bones": st.sampled_from([[], ["head", "fingers"]]),
    }), max_size=3),
}  # fmt: skip


@given(st.lists(st.sampled_from(sorted(_SCALARS)).flatmap(
    lambda key: st.tuples(st.just(key), _SCALARS[key])), max_size=6))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_what_is_saved_is_what_is_loaded(changes: list[tuple[str, Any]]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.toml"
        path.write_text(MINE)
        wanted = config.load(str(path))
        for key, value in changes:
            wanted = config.change(wanted, key, value)
            config_save.save(wanted, path)
            assert config.build(tomllib.loads(path.read_text()), "it") == wanted
        assert "# mine" in path.read_text()


def test_a_file_that_cannot_be_kept_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(ConfigError, match=r"x/a\.toml"):
        config_save.save(Settings(), tmp_path / "x" / "a.toml")
    broken = tmp_path / "b.toml"
    broken.write_text("[[[")
    with pytest.raises(ConfigError, match="not valid TOML"):
        config_save.save(Settings(), broken)
    assert broken.read_text() == "[[["


async def recorded(path: Path, *times_s: float) -> Path:
    sink = RecorderSink(path, HELLO)
    await sink.start()
    for index, t_s in enumerate(times_s):
        frame = scripted_frame(index, 1, 0)
        sink.publish(AvatarFrame(**{**_fields(frame), "t_capture_ns": round(t_s * 1e9)}))
    await sink.close()
    return path


def _fields(frame: AvatarFrame) -> dict[str, Any]:
    return {name: getattr(frame, name) for name in AvatarFrame.__dataclass_fields__}


def replay(path: Path, *overrides: str) -> ReplayProducer:
    return ReplayProducer(str(path), config.load(None, overrides), lambda _: None)


async def test_the_timeline_seeks_both_ways(tmp_path: Path) -> None:
    made = replay(await recorded(tmp_path / "a.psrec", *(i * 1e-3 for i in range(50))))
    frames = made.frames()
    assert next(frames).index == 0
    made.seek(1e9)
    assert next(frames).index == 49
    made.seek(0.0)
    assert [f.index for f in itertools.islice(frames, 3)] == [0, 1, 2]


async def test_a_pause_stands_still_and_seeks(tmp_path: Path) -> None:
    made = replay(await recorded(tmp_path / "a.psrec", *(i * 1e-3 for i in range(50))))
    frames = made.frames()
    next(frames)
    made.pause(True)
    made.seek(1e9)  # shown at once, though paused
    assert next(frames).index == 49
    made.close()
    assert list(frames) == []


async def test_a_cut_recording_plays_but_does_not_seek(tmp_path: Path) -> None:
    path = await recorded(tmp_path / "a.psrec", 0.0, 0.001, 0.002)
    path.write_bytes(path.read_bytes()[:-30])
    made = replay(path)
    assert made.duration_s is None
    with pytest.raises(RecordingError, match="no index"):
        made.seek(0.001)


async def test_a_changed_source_says_goodbye_and_gives_new_numbers(tmp_path: Path) -> None:
    for name in "ab":
        await recorded(tmp_path / f"{name}.psrec", 0.0, 0.001, 0.002)
    told: list[str] = []

    def open_(source: str, settings: Settings) -> Producer:
        if not source.startswith("replay:"):
            raise CaptureError(f"{source} is not there.")
        return ReplayProducer(source.removeprefix("replay:"), settings, lambda _: None)

    settings_ = config.load(None, ["source.pace=fast", "source.loop=true"])
    switch = Switch(f"replay:{tmp_path / 'a.psrec'}", settings_, open_, told.append)
    frames = switch.frames()
    before = next(frames)
    with pytest.raises(CaptureError, match="not there"):
        switch.change("camera:7")
    with pytest.raises(CaptureError, match="already"):
        switch.change(switch.source)
    assert next(frames).state[0] == TrackState.TRACKED  # the old one went on
    switch.change(f"replay:{tmp_path / 'b.psrec'}")
    farewell, first = next(frames), next(frames)
    assert (farewell.state == TrackState.LOST).all() and farewell.track_id[0] == before.track_id[0]
    assert first.track_id[0] > before.track_id[0] and told == [SOURCE_CHANGED]
    assert switch.source.endswith("b.psrec")
    switch.close()
    assert list(frames) == []
