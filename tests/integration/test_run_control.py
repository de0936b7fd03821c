"""The control channel of a running daemon: who may, what changes, what is refused and why."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from websockets.sync.client import ClientConnection, connect

from posestream.capture.replay import ReplayReader
from posestream.capture.synthetic import parse_options
from posestream.geometry import rotation as so3
from posestream.skeleton.joints import ROOT
from posestream.skeleton.scripted import ScriptedPeople
from posestream.types import TrackState
from posestream.wire import codec
from posestream.wire.messages import Event, EventKind, Hello, Message, StampedFrame

SOURCE = "people=2,fps=30,seed=3"
_ids = itertools.count(1)


@dataclass
class Daemon:
    """A daemon that runs on, and where to reach it."""

    run: Any
    port: int
    vmc_port: int

    @contextmanager
    def client(self) -> Iterator[Client]:
        with connect(f"ws://127.0.0.1:{self.port}/?axes=gltf") as connection:
            yield Client(connection, self.run.token)


@dataclass
class Client:
    """A native client that knows the user's token."""

    connection: ClientConnection
    token: str

    def receive(self) -> Message:
        return codec.decode(self.connection.recv(timeout=10.0))

    def until(self, wanted: Callable[[Any], Any]) -> Any:
        for _ in range(600):
            if wanted(message := self.receive()):
                return message
        raise AssertionError("the message did not come within 600 others")

    def frames(self, count: int) -> list[StampedFrame]:
        return [self.until(lambda m: isinstance(m, StampedFrame)) for _ in range(count)]

    def both_for_a_while(self) -> StampedFrame:
        """A frame soon after the walker has come back into the picture: he stays for seconds."""
        self.until(lambda m: isinstance(m, StampedFrame) and len(m) < 2)
        return self.until(
            lambda m: isinstance(m, StampedFrame) and (m.state == TrackState.TRACKED).sum() == 2
        )

    def ask(self, command: str, /, token: str | None = None, **payload: Any) -> Any:
        """The reply, as somebody with nothing but a JSON library sends and reads it."""
        identity = next(_ids)
        token = self.token if token is None else token
        request = {"kind": "control", "id": identity, "name": command, "payload": payload}
        self.connection.send(json.dumps({**request, "token": token}))
        return self.until(lambda m: getattr(m, "id", None) == identity)

    def set(self, key: str, value: Any) -> Any:
        return self.ask("set", key=key, value=value)


@pytest.fixture(scope="module")
def daemon(
    module_posestream: Any, module_receivers: Any, free_port: Any, eventually: Any
) -> Daemon:
    (vmc_port,) = module_receivers.open(1)
    port = free_port()
    run = module_posestream(
        "run", f"synthetic:{SOURCE}", "--set", f"websocket.port={port}",
        "--set", f"vmc.port={vmc_port}", "--set", "vmc.people=1", "--set", "smooth.smoothness=0",
        "--set", "ground.feet=off",
    )  # fmt: skip
    eventually(lambda: module_receivers.datagrams(vmc_port) or run.process.poll(), "a datagram")
    return Daemon(run, port, vmc_port)


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Client]:
    with daemon.client() as client:
        before = client.ask("settings").result
        yield client
        for key in ("smooth", "retarget", "vmc"):
            client.set(key, before[key])
    assert daemon.run.process.poll() is None
    assert daemon.run.lines == []


def truth_m(frame: StampedFrame) -> np.ndarray:
    """Pelvis of both people at the frame's time, by slot."""
    options = parse_options(SOURCE)
    people = ScriptedPeople(options.people, options.seed)
    return people.joints_world_m(frame.index / options.fps)[:, ROOT]


def distances_m(frame: StampedFrame, mirror: bool = False) -> np.ndarray:
    """How far the hips of who is seen are from the nearest scripted pelvis, from above, (N,)."""
    truth = truth_m(frame) * ([-1.0, 1.0, 1.0] if mirror else [1.0, 1.0, 1.0])
    apart = np.linalg.norm((frame.root_world_m[:, None] - truth[None])[..., ::2], axis=-1)
    return np.asarray(apart.min(axis=1))[frame.state == TrackState.TRACKED]


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000])
@pytest.mark.parametrize("name", ["settings", "set", "recentre", "calibrate", "record"])
def test_nothing_is_done_without_the_token(client: Client, token: str, name: str) -> None:
    reply = client.ask(name, token=token[:200], key="smooth.smoothness", value=1.0)
    assert not reply.ok and "token" in reply.reason and reply.result == {}
    assert client.ask("settings").result["smooth"]["smoothness"] == 0.0


def test_the_settings_can_be_read(client: Client) -> None:
    settings = client.ask("settings").result
    assert settings["smooth"]["smoothness"] == 0.0
    assert settings["vmc"][0]["people"] == 1


def test_raw_motion_is_the_truth_and_smoothing_shows(client: Client) -> None:
    raw = np.concatenate([distances_m(f) for f in client.frames(20)])
    assert client.set("smooth.smoothness", 1.0).ok
    assert client.set("smooth.predict_ms", 0.0).ok
    client.frames(20)
    smooth = np.concatenate([distances_m(f) for f in client.frames(20)])
    assert client.ask("settings").result["smooth"]["smoothness"] == 1.0
    assert np.median(raw) < 0.03
    assert np.max(smooth) > np.max(raw) + 0.03  # who walks is followed late


def test_the_mirror_turns_the_avatars_at_once_and_keeps_who_is_who(client: Client) -> None:
    before = client.both_for_a_while()
    assert client.set("retarget.mirror", True).ok
    after = client.until(
        lambda m: isinstance(m, StampedFrame) and (distances_m(m, mirror=True) < 0.05).all()
    )
    assert (distances_m(after) > 0.1).any()
    assert sorted(after.track_id.tolist()) == sorted(before.track_id.tolist())
    assert sorted(after.slot.tolist()) == sorted(before.slot.tolist())


def test_a_changed_target_is_sent_to_at_once(
    client: Client, daemon: Daemon, receivers: Any, eventually: Any
) -> None:
    (port,) = receivers.open(1)
    assert client.set("vmc.0.port", port).ok
    eventually(lambda: len(receivers.datagrams(port)) > 5, "datagrams on the new port")
    addresses = {m.address for m in OscBundle(receivers.datagrams(port)[0])}
    assert "/VMC/Ext/OK" in addresses
    (second,) = receivers.open(1)
    assert client.set("vmc.1.port", second).ok
    eventually(lambda: len(receivers.datagrams(second)) > 5, "datagrams of an added target")
    assert client.set("vmc", []).ok


def test_a_target_that_cannot_be_reached_is_refused_and_the_old_one_stays(
    client: Client, receivers: Any, eventually: Any
) -> None:
    (port,) = receivers.open(1)
    assert client.set("vmc.0.port", port).ok
    reply = client.set("vmc.0.host", "no.such.host.invalid")
    assert not reply.ok and "no.such.host.invalid" in reply.reason
    assert client.ask("settings").result["vmc"][0]["host"] == "127.0.0.1"
    had = len(receivers.datagrams(port))
    eventually(lambda: len(receivers.datagrams(port)) > had + 5, "datagrams as before")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("smooth.smoothness", 7, "a number from 0 to 1"),
        ("smooth.smoothness", "0.5", "a number from 0 to 1"),
        ("smooth.smothness", 0.5, "did you mean smooth.smoothness?"),
        ("vmc.0.port", 0, "from 1 to 65535"),
        ("vmc", [{"preset": "x"}], "vseeface"),
        ("websocket.port", 9999, "restart"),
        ("websocket.allowed_origins", ["http://evil.example"], "restart"),
        ("source.fps", 10, "restart"),
        ("estimate.backend", "mediapipe", "restart"),
        ("avatar.file", "/etc/passwd", "restart"),
        ("", 1, "no setting"),
        ("a" * 500, 1, "no setting"),
    ],
)
def test_what_a_file_could_not_say_is_refused_with_the_reason(
    client: Client, key: str, value: Any, reason: str
) -> None:
    before = client.ask("settings").result
    reply = client.set(key, value)
    assert not reply.ok and reason in reply.reason and "\n" not in reply.reason
    assert client.ask("settings").result == before


def test_malformed_requests_are_refused_with_the_reason(client: Client) -> None:
    for name, payload in [
        ("set", {}), ("set", {"key": 3, "value": 1}), ("set", {"key": "smooth.smoothness"}),
        ("recentre", {"slot": "me"}), ("recentre", {"slot": -1}), ("recentre", {"slot": True}),
        ("recentre", {"slot": 2**70}), ("reboot", {}), ("", {}), ("stop_record", {}),
        ("record", {}), ("record", {"name": 7}),
    ]:  # fmt: skip
        reply = client.ask(name, **payload)
        assert not reply.ok, (name, payload)
        assert reply.reason and "internal" not in reply.reason


def test_recentre_puts_a_person_at_the_origin_and_undoes_it(client: Client) -> None:
    stays = 1  # the other walks out of the picture and back
    client.both_for_a_while()
    assert client.ask("recentre", slot=stays).ok
    client.until(lambda m: isinstance(m, Event) and m.kind is EventKind.CALIBRATION_CHANGED)
    frame = client.until(lambda m: isinstance(m, StampedFrame))
    centred = client.until(
        lambda m: (isinstance(m, StampedFrame) and ground_m(m, stays) < 0.1) or isinstance(m, Hello)
    )
    while isinstance(centred, Hello):
        centred = client.until(lambda m: isinstance(m, StampedFrame))
    assert ground_m(centred, stays) < 0.2
    row = centred.slot.tolist().index(stays)
    heading_rad = so3.yaw_about_y(centred.root_quat_world_xyzw[row])
    assert abs(np.degrees(heading_rad)) < 15.0
    assert ground_m(frame, 0) > 0.2 or ground_m(centred, 0) > 0.2
    assert client.ask("recentre", slot=None).ok
    client.until(lambda m: isinstance(m, StampedFrame) and (distances_m(m) < 0.05).all())


def ground_m(frame: StampedFrame, slot: int) -> float:
    row = frame.slot.tolist().index(slot)
    return float(np.linalg.norm(frame.root_world_m[row, [0, 2]]))


@pytest.mark.parametrize(
    "name",
    ["../evil", "..", "/etc/evil", "a/b", "a\\b", "C:evil", ".hidden", "", " ", "a\0b", "a\n",
     "x" * 200, "évil", "~root", "con:", "-rf", "con", "NUL.psrec", "com1 .", "aux.evil",
     "a/../evil", "..\\evil", "\u2025/evil", "%2e%2e%2fevil", "evil:stream", ["evil"], {"a": 1}, 7],
)  # fmt: skip
def test_recordings_stay_in_their_folder(client: Client, daemon: Daemon, name: Any) -> None:
    reply = client.ask("record", name=name)
    assert not reply.ok and "name" in reply.reason
    assert not list(Path(daemon.run.home).rglob("*evil*"))


def test_a_recording_is_started_and_stopped(client: Client, daemon: Daemon) -> None:
    reply = client.ask("record", name="take 1")
    assert reply.ok
    path = Path(reply.result["file"])
    assert path.parent == daemon.run.home / "config" / "posestream" / "recordings"
    busy = client.ask("record", name="take 2")
    assert not busy.ok and "take 1" in busy.reason
    client.frames(12)
    stopped = client.ask("stop_record")
    assert stopped.ok and stopped.result["file"] == str(path)
    reader = ReplayReader(path)
    assert reader.complete
    assert reader.frame_count >= 10
    again = client.ask("record", name="take 1")
    assert not again.ok and "exists" in again.reason
    assert client.ask("record", name="take 2.psrec").ok
    assert client.ask("stop_record").ok
