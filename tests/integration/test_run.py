"""``posestream run`` as users start it: a process of its own, with everything it sends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from posestream.capture.replay import ReplayReader
from posestream.skeleton.humanoid import BONES, VRM1_TO_UNITY
from posestream.types import TrackState
from posestream.wire import codec
from posestream.wire.messages import Event, EventKind, Hello, StampedFrame

windows_kills = pytest.mark.skipif(sys.platform == "win32", reason="no POSIX signals")
SUMMARY_KEYS = [
    "frames", "seconds", "fps", "source_fps", "people_max", "people_mean", "latency_ms",
    "stage_ms", "dropped", "sent", "backend", "locate", "peak_rss_mb", "exit_reason",
]  # fmt: skip
STAGES = ["estimate", "locate", "track", "retarget", "smooth", "ground"]
Message = tuple[str, list[Any]]


@dataclass
class Listener:
    """A WebSocket client that keeps all it gets until the daemon ends."""

    port: int
    protocol: str
    got: list[str | bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self) -> None:
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            with contextlib.suppress(ConnectionRefusedError):
                client = connect(
                    f"ws://127.0.0.1:{self.port}/", subprotocols=[Subprotocol(self.protocol)]
                )
                with client, contextlib.suppress(ConnectionClosed):
                    while True:
                        self.got.append(client.recv(timeout=20.0))
                return
            time.sleep(0.005)


@dataclass
class Whole:
    """One run of three people for three seconds, and what everybody got of it."""

    summary: dict[str, Any]
    exit_code: int
    lines: list[str]
    people: list[list[bytes]]  # datagrams of each slot's port
    second: list[bytes]  # of a second VMC target
    vrchat: list[bytes]
    binary: list[bytes]
    text: list[str]
    recording: Path


def vmc(ports: list[int], people: int, place: int = 0) -> list[str]:
    return ["--set", f"vmc.{place}.port={ports[0]}", "--set", f"vmc.{place}.people={people}"]


@pytest.fixture(scope="module")
def whole(
    module_posestream: Any, module_receivers: Any, free_port: Any, tmp_path_factory: Any
) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    slots, second, vrchat = (module_receivers.open(n) for n in (3, 1, 1))
    port = free_port()
    run = module_posestream(
        "run", "synthetic:people=3,seconds=3", "--backend", "fake",
        *vmc(slots, 3), *vmc(second, 1, place=1),
        "--set", "vmc.1.travel=root", "--set", "vmc.1.omit_bones=['arms']",
        "--set", f"vrchat.0.port={vrchat[0]}", "--set", f"websocket.port={port}",
        "--summary", str(folder / "summary.json"), "--record", str(folder / "take.psrec"),
    )  # fmt: skip
    binary, text = Listener(port, "posestream.v1"), Listener(port, "posestream.v1+json")
    code = run.wait()
    binary.thread.join()
    text.thread.join()
    time.sleep(0.2)  # for what is still in the receivers' sockets
    return Whole(
        json.loads((folder / "summary.json").read_text()), code, run.lines,
        [module_receivers.datagrams(p) for p in slots], module_receivers.datagrams(second[0]),
        module_receivers.datagrams(vrchat[0]), binary.got, text.got,  # type: ignore[arg-type]
        folder / "take.psrec",
    )  # fmt: skip


def vmc_frames(datagrams: list[bytes]) -> list[list[Message]]:
    """Messages by frame, as python-osc reads them; a frame begins with OK."""
    frames: list[list[Message]] = []
    for datagram in datagrams:
        for message in OscBundle(datagram):
            if message.address == "/VMC/Ext/OK":
                frames.append([])
            frames[-1].append((message.address, message.params))
    return frames


def bones(frame: list[Message]) -> dict[str, list[float]]:
    named = [params for address, params in frame if address == "/VMC/Ext/Bone/Pos"]
    assert len({params[0] for params in named}) == len(named)
    return {params[0]: params[1:] for params in named}


def test_the_run_ends_with_its_source(whole: Whole) -> None:
    assert (whole.exit_code, whole.lines) == (0, [])
    assert whole.summary["exit_reason"] == "end of source"


def test_every_person_has_a_port_with_whole_frames_in_order(whole: Whole) -> None:
    for datagrams in whole.people:
        assert max(map(len, datagrams)) <= 1500
        frames = vmc_frames(datagrams)
        assert 0.8 * whole.summary["frames"] <= len(frames) <= whole.summary["frames"]
        for frame in frames:
            addresses = [address for address, _ in frame]
            count = addresses.count("/VMC/Ext/Bone/Pos")
            assert addresses == [
                "/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Root/Pos",
                *["/VMC/Ext/Bone/Pos"] * count, "/VMC/Ext/Blend/Apply",
            ]  # fmt: skip
            assert frame[0][1] == [1, 3, 0, 1]
            assert frame[2][1][0] == "root"
        times = [frame[1][1][0] for frame in frames]
        assert (np.diff(times) > 0).all()


def test_bones_are_unitys_and_turned_by_unit_quaternions(whole: Whole) -> None:
    for datagrams in whole.people:
        for frame in vmc_frames(datagrams):
            sent = bones(frame)
            assert set(sent) <= set(BONES)
            assert {"Hips", "Spine", "LeftUpperArm", "RightLowerLeg", "Head"} <= set(sent)
            numbers = np.array([*sent.values(), frame[2][1][1:]])
            np.testing.assert_allclose(np.linalg.norm(numbers[:, 3:], axis=1), 1.0, atol=1e-5)
            assert np.abs(numbers[:, :3]).max() < 10.0


def test_people_differ_and_move(whole: Whole) -> None:
    hips = [
        np.array([bones(frame)["Hips"] for frame in vmc_frames(datagrams)])
        for datagrams in whole.people
    ]
    for one in range(3):
        assert np.ptp(hips[one], axis=0).max() > 0.02
        for other in range(one):
            shared = min(len(hips[one]), len(hips[other]))
            assert np.abs(hips[one][:shared] - hips[other][:shared]).max() > 0.1


def test_a_second_target_gets_the_first_person_in_its_own_way(whole: Whole) -> None:
    frames = vmc_frames(whole.second)
    assert len(frames) >= 0.8 * whole.summary["frames"]
    for frame in frames:
        assert not any("Arm" in name or "Hand" in name for name in bones(frame))
    roots = np.array([frame[2][1][1:4] for frame in frames])
    assert np.ptp(roots, axis=0).max() > 0.02
    first = np.array([frame[2][1][1:4] for frame in vmc_frames(whole.people[0])])
    assert np.ptp(first, axis=0).max() == 0.0  # there the hips travel


def test_vrchat_gets_one_bundle_per_frame_with_the_feet(whole: Whole) -> None:
    assert len(whole.vrchat) == whole.summary["sent"]["vrchat"]["messages"]
    for datagram in whole.vrchat:
        assert len(datagram) <= 1500
        messages = {m.address: m.params for m in OscBundle(datagram)}
        for number in (1, 2, 3):
            assert f"/tracking/trackers/{number}/position" in messages
            assert f"/tracking/trackers/{number}/rotation" in messages
        assert "/tracking/trackers/head/position" in messages
        for address, values in messages.items():
            assert address.startswith("/tracking/trackers/")
            assert len(values) == 3 and np.isfinite(values).all()
        assert -0.3 < messages["/tracking/trackers/2/position"][1] < 0.6  # near the floor
        assert 0.4 < messages["/tracking/trackers/1/position"][1] < 1.3


def test_binary_clients_get_hello_then_frames_of_everybody(whole: Whole) -> None:
    assert all(isinstance(data, bytes) for data in whole.binary)
    messages = [codec.decode(data) for data in whole.binary]
    assert isinstance(messages[0], Hello)
    assert messages[0].camera.size_px == (640, 360) and messages[0].source_fps == 30.0
    frames = [m for m in messages if isinstance(m, StampedFrame)]
    assert len(frames) > 20
    assert (np.diff([f.index for f in frames]) > 0).all()
    assert (np.diff([f.t_capture_ns for f in frames]) > 0).all()
    for frame in frames:
        assert sorted(frame.slot.tolist()) == [0, 1, 2]
        assert len(set(frame.track_id.tolist())) == 3
        assert (frame.state == TrackState.TRACKED).all()
        assert frame.t_publish_ns >= frame.t_capture_ns
        np.testing.assert_allclose(np.linalg.norm(frame.quat_local_xyzw, axis=-1), 1, atol=1e-5)
    assert np.ptp([f.track_id for f in frames], axis=0).tolist() == [0, 0, 0]


def test_json_clients_get_the_same_readable_by_anybody(whole: Whole) -> None:
    messages = [json.loads(data) for data in whole.text]
    assert messages[0]["kind"] == "hello"
    frames = {m["sequence"]: m for m in messages if m["kind"] == "frame"}
    assert all(len(frame["people"]) == 3 for frame in frames.values())
    both = [
        (codec.decode(data), frames[m.index])
        for data in whole.binary
        if isinstance(m := codec.decode(data), StampedFrame) and m.index in frames
    ]
    assert len(both) > 20
    for binary, text in both:
        assert isinstance(binary, StampedFrame)
        assert text["t_capture_ns"] == binary.t_capture_ns
        mine = codec.decode(json.dumps(text))
        assert isinstance(mine, StampedFrame)
        np.testing.assert_allclose(mine.quat_local_xyzw, binary.quat_local_xyzw, atol=1e-5)
        np.testing.assert_allclose(mine.root_world_m, binary.root_world_m, atol=1e-5)


def test_the_summary_has_its_keys_and_adds_up(whole: Whole) -> None:
    s = whole.summary
    assert list(s) == SUMMARY_KEYS
    assert s["frames"] <= 90 <= s["frames"] + s["dropped"]
    assert s["source_fps"] == 30.0
    assert (s["people_max"], s["backend"]) == (3, "fake")
    assert 2.5 < s["people_mean"] <= 3.0
    assert s["fps"] == pytest.approx((s["frames"] - 1) / s["seconds"], rel=0.01)
    assert list(s["stage_ms"]) == STAGES
    for times in (s["latency_ms"], *s["stage_ms"].values()):
        assert list(times) == ["p50", "p95", "p99"]
        assert 0.0 < times["p50"] <= times["p95"] <= times["p99"]
    assert sum(times["p50"] for times in s["stage_ms"].values()) <= s["latency_ms"]["p95"]
    assert list(s["sent"]) == ["vmc", "vrchat", "websocket"]
    assert 20.0 < s["peak_rss_mb"] < 600.0


def test_the_summary_counts_what_arrived(whole: Whole) -> None:
    sent = whole.summary["sent"]
    arrived = [d for port in (*whole.people, whole.second) for d in port]
    assert sent["vmc"] == {"messages": len(arrived), "bytes": sum(map(len, arrived))}
    assert sent["vrchat"]["bytes"] == sum(map(len, whole.vrchat))
    streamed = [*whole.binary, *(text.encode() for text in whole.text)]
    assert sent["websocket"]["messages"] >= len(streamed)
    assert sent["websocket"]["bytes"] >= sum(map(len, streamed))


def frame_bytes(path: Path) -> list[bytes]:
    payloads = ReplayReader(path).payloads()
    return [p for p in payloads if isinstance(codec.decode(p), StampedFrame)]


def test_the_recording_is_whole_and_says_who_came(whole: Whole) -> None:
    reader = ReplayReader(whole.recording)
    assert reader.complete
    assert reader.frame_count == len(vmc_frames(whole.people[0]))
    assert {tuple(frame.slot.tolist()) for frame in reader} == {(0, 1, 2)}
    events = [m for m in reader.messages() if isinstance(m, Event)]
    appeared = [e for e in events if e.kind is EventKind.PERSON_APPEARED]
    assert sorted(e.slot for e in appeared) == [0, 1, 2]


def test_a_replay_gives_the_same_people_and_the_same_bytes(
    whole: Whole, posestream: Any, receivers: Any, tmp_path: Path
) -> None:
    copy, summary = tmp_path / "copy.psrec", tmp_path / "summary.json"
    ports = receivers.open(3)
    run = posestream(
        "run", f"replay:{whole.recording}", "--pace", "fast", "--set", "websocket.enabled=false",
        *vmc(ports, 3), "--record", str(copy), "--summary", str(summary),
    )  # fmt: skip
    assert (run.wait(), run.lines) == (0, [])
    assert frame_bytes(copy) == frame_bytes(whole.recording)
    figures = json.loads(summary.read_text())
    assert list(figures) == SUMMARY_KEYS
    assert figures["frames"] == len(frame_bytes(copy))
    assert (figures["people_max"], figures["backend"]) == (3, "replay")
    for port in ports:
        assert vmc_frames(receivers.datagrams(port))[0][0][1] == [1, 3, 0, 1]


def test_a_replay_at_its_own_pace_shows_the_people_again(
    whole: Whole, posestream: Any, receivers: Any, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.json"
    (port,) = receivers.open(1)
    run = posestream(
        "run", f"replay:{whole.recording}", "--max-frames", "30",
        "--set", "websocket.enabled=false", *vmc([port], 1), "--summary", str(summary),
    )  # fmt: skip
    assert (run.wait(), run.lines) == (0, [])
    before = [bones(frame) for frame in vmc_frames(whole.people[0])]
    for frame in vmc_frames(receivers.datagrams(port)):
        again = bones(frame)
        nearest = min(
            np.abs(np.array([again[b] for b in old]) - np.array([*old.values()])).max()
            for old in before
            if set(old) == set(again)
        )
        assert nearest < 1e-4
    assert json.loads(summary.read_text())["seconds"] == pytest.approx(29 / 30, abs=0.3)


def test_files_lose_no_frame_however_fast_and_give_the_same_again(
    posestream: Any, tmp_path: Path
) -> None:
    takes = []
    for name, limit in (("a", "360"), ("b", "60")):
        take = tmp_path / f"{name}.psrec"
        run = posestream(
            "run", "synthetic:people=2", "--pace", "fast", "--record", str(take),
            "--set", "websocket.enabled=false", "--set", "vmc=[]", "--max-frames", limit,
        )  # fmt: skip
        assert (run.wait(), run.lines) == (0, [])
        takes.append(list(ReplayReader(take)))
    assert [frame.index for frame in takes[0]] == list(range(360))
    for a, b in zip(takes[0][:60], takes[1], strict=True):
        assert a.t_capture_ns == b.t_capture_ns
        np.testing.assert_array_equal(a.track_id, b.track_id)
        np.testing.assert_array_equal(a.quat_local_xyzw, b.quat_local_xyzw)
        np.testing.assert_array_equal(a.root_world_m, b.root_world_m)


def test_max_frames_ends_the_run(posestream: Any, tmp_path: Path) -> None:
    summary, take = tmp_path / "summary.json", tmp_path / "take.psrec"
    run = posestream(
        "run", "synthetic:people=1", "--pace", "fast", "--max-frames", "7",
        "--set", "websocket.enabled=false", "--summary", str(summary), "--record", str(take),
    )  # fmt: skip
    assert (run.wait(), run.lines) == (0, [])
    figures = json.loads(summary.read_text())
    assert (figures["frames"], figures["exit_reason"]) == (7, "max-frames")
    assert len(frame_bytes(take)) == 7


def running(posestream: Any, receivers: Any, eventually: Any, *more: str, fps: float = 30) -> Any:
    """A daemon of one person that has begun to send; ``port`` is where."""
    (port,) = receivers.open(1)
    run = posestream(
        "run", f"synthetic:people=1,fps={fps}", "--set", "websocket.port=0", *vmc([port], 1), *more
    )
    eventually(lambda: receivers.datagrams(port) or run.process.poll() is not None, "a datagram")
    run.port = port
    return run


@windows_kills
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_cleanly_and_soon(
    posestream: Any, receivers: Any, eventually: Any, tmp_path: Path, number: int
) -> None:
    took = []
    for attempt in range(3):  # on a busy machine one of them must be as quick as promised
        take, summary = tmp_path / f"{attempt}.psrec", tmp_path / f"{attempt}.json"
        run = running(
            posestream, receivers, eventually, "--record", str(take), "--summary", str(summary)
        )
        eventually(lambda run=run: len(receivers.datagrams(run.port)) > 20, "some frames")
        started = time.monotonic()
        run.signal(number)
        assert (run.wait(), run.lines) == (0, [])
        took.append(time.monotonic() - started)
        reader = ReplayReader(take)
        assert reader.complete
        figures = json.loads(summary.read_text())
        assert figures["exit_reason"] == "stopped"
        assert reader.frame_count == len(list(reader)) >= figures["frames"] - 2
        if took[-1] < 2.0:
            return
    pytest.fail(f"took {took} s to stop")


@windows_kills
def test_a_source_that_hangs_delays_no_stop_and_a_second_ctrl_c_ends_at_once(
    posestream: Any, receivers: Any, eventually: Any
) -> None:
    slow = running(posestream, receivers, eventually, fps=0.01)
    slow.signal()
    assert slow.wait(10.0) == 0
    assert len(slow.lines) <= 1 and "Traceback" not in slow.stderr
    slow = running(posestream, receivers, eventually, fps=0.01)
    slow.signal()
    time.sleep(0.1)  # two signals at once are one
    slow.signal()
    assert slow.wait(10.0) == 130


def test_where_nobody_watches_the_status_is_calm(whole: Whole) -> None:
    assert whole.lines == []


@windows_kills
def test_a_terminal_shows_one_line_that_is_rewritten(tmp_path: Path) -> None:
    import pty

    reader, writer = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "posestream", "run", "synthetic:people=2,seconds=2",
         "--set", "websocket.port=0", "--set", "vmc=[]", "--no-panel"],
        stdout=writer, stderr=writer, stdin=writer, cwd=Path(__file__).parents[2],
        env={**os.environ, "COLUMNS": "70", "XDG_CONFIG_HOME": str(tmp_path)},
    )  # fmt: skip
    os.close(writer)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal whose other end is gone says so
        while data := os.read(reader, 4096):
            shown += data
    os.close(reader)
    assert run.wait(20.0) == 0
    text = shown.decode()
    assert "\n" not in text
    lines = [line.strip() for line in text.split("\r") if line.strip()]
    assert 2 <= len(lines) <= 6
    assert all("fps · " in line and len(line) < 70 for line in lines)
    assert any("2 people" in line for line in lines)
    assert text.endswith(" \r")  # and it is wiped


def rest_of(path: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Translation and rotation of each humanoid bone's node, read from the file itself."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    gltf = json.loads(data[20 : 20 + length])
    named = gltf["extensions"]["VRMC_vrm"]["humanoid"]["humanBones"]
    nodes = {VRM1_TO_UNITY[name]: gltf["nodes"][bone["node"]] for name, bone in named.items()}
    return {
        name: (node.get("translation", [0, 0, 0]), node.get("rotation", [0, 0, 0, 1]))
        for name, node in nodes.items()
    }


def test_an_avatar_of_its_own_gets_its_own_rest_offsets(
    shared_data: Path, posestream: Any, receivers: Any
) -> None:
    avatar = shared_data / "avatars" / "debug_robot.vrm"
    (port,) = receivers.open(1)
    run = posestream(
        "run", "synthetic:people=1", "--max-frames", "5", "--avatar", str(avatar),
        "--set", "websocket.enabled=false", *vmc([port], 1),
        "--set", "vmc.0.vrm_version=1", "--set", "vmc.0.send_untracked=true",
    )  # fmt: skip
    assert (run.wait(), run.lines) == (0, [])
    rest = rest_of(avatar)
    frame = bones(vmc_frames(receivers.datagrams(port))[-1])
    assert set(frame) == set(rest)
    for name in set(rest) - {"Hips"}:
        x, y, z = rest[name][0]
        np.testing.assert_allclose(frame[name][:3], [-x, y, z], atol=1e-5)
    finger = "LeftLittleDistal"  # nothing measures it: it rests as in the file
    x, y, z, w = rest[finger][1]
    same = abs(np.dot(frame[finger][3:], [x, -y, -z, w]))
    assert same == pytest.approx(1.0, abs=1e-4)


def test_what_nothing_can_be_sent_to_is_said(posestream: Any, free_port: Callable[[], int]) -> None:
    run = posestream(
        "run", "synthetic:people=1", "--max-frames", "3", "--set", "vmc.host=no.such.host.invalid",
        "--set", f"websocket.port={free_port()}",
    )  # fmt: skip
    assert run.wait() == 0
    assert len(run.lines) == 1 and "no.such.host.invalid" in run.lines[0]
