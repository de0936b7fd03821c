"""Sinks over real sockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from posestream.errors import PublishError
from posestream.geometry import rotation as rot
from posestream.publish.base import Sink
from posestream.publish.oscquery import Advertisement, OscQueryServer, find_vrchat
from posestream.publish.udp import VmcSink, VrchatSink
from posestream.publish.vmc_control import VmcControlListener, VmcControlSettings
from posestream.skeleton.humanoid import NUM_BONES
from posestream.types import AvatarFrame
from posestream.wire import osc
from posestream.wire.vmc_control import VmcControl
from posestream.wire.vmc_target import VmcTarget
from posestream.wire.vrchat import VrchatTarget


def make_frame(index: int = 0, slots: tuple[int, ...] = (0,)) -> AvatarFrame:
    n = len(slots)
    q = rot.identity(n, NUM_BONES)
    ids = np.array(slots, dtype=np.int64)
    return AvatarFrame(
        index, index * 10**9, ids, ids, np.zeros(n, dtype=np.int64), np.ones(n),
        np.tile([0.0, 0.92, 0.0], (n, 1)), q[:, 0], q, np.zeros((n, NUM_BONES, 3)),
        np.ones((n, NUM_BONES), dtype=np.bool_), np.full(n, 0.92), np.zeros((n, 0)),
    )  # fmt: skip


class Receiver:
    """A UDP receiver that another program could be."""

    def __init__(self, port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def datagrams(self) -> list[bytes]:
        got = []
        with contextlib.suppress(BlockingIOError):
            while True:
                got.append(self.socket.recv(65536))
        return got

    def messages(self) -> list[OscMessage]:
        return [m for datagram in self.datagrams() for m in OscBundle(datagram)]

    def tracking(self) -> list[int]:
        return [m.params[3] for m in self.messages() if m.address == "/VMC/Ext/OK"]

    def times(self) -> list[float]:
        return [m.params[0] for m in self.messages() if m.address == "/VMC/Ext/T"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.socket.close()


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def running(sink: Sink) -> AsyncIterator[Sink]:
    await sink.start()
    try:
        yield sink
    finally:
        await sink.close()


async def test_frames_arrive_whole_and_in_order(receiver: Receiver) -> None:
    clock = Clock()
    async with running(VmcSink(VmcTarget(port=receiver.port), clock=clock)) as sink:
        for i in range(5):
            sink.publish(make_frame(i))
            clock.now += 1.0
        stats = sink.stats()
    datagrams = receiver.datagrams()
    addresses = [m.address for d in datagrams for m in OscBundle(d)]
    frame = ["/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Root/Pos", *["/VMC/Ext/Bone/Pos"] * 55,
             "/VMC/Ext/Blend/Apply"]  # fmt: skip
    assert addresses == frame * 5
    assert stats.messages == len(datagrams)
    assert stats.bytes == sum(map(len, datagrams))
    assert (stats.clients, stats.dropped) == (1, 0)


def neighbours() -> tuple[Receiver, Receiver]:
    """Receivers on two ports that lie ten apart."""
    for _ in range(50):
        first = Receiver()
        try:
            return first, Receiver(first.port + 10)
        except (OSError, OverflowError):
            first.socket.close()
    raise AssertionError("no two free ports ten apart")


async def test_people_have_ports_of_their_own_and_leave_them() -> None:
    first, second = neighbours()
    clock = Clock()
    async with running(VmcSink(VmcTarget(port=first.port, people=2), clock=clock)) as sink:
        for frame in (make_frame(0), make_frame(1, (0, 1)), make_frame(2), make_frame(3, ())):
            sink.publish(frame)
            clock.now += 1.0
    assert first.tracking() == [1, 1, 1, 0]
    assert second.tracking() == [1, 0, 0]  # silent before anybody was there
    first.socket.close()
    second.socket.close()


async def test_several_targets_at_once(receiver: Receiver) -> None:
    other = Receiver()
    a = VmcSink(VmcTarget(port=receiver.port))
    b = VmcSink(VmcTarget(port=other.port, travel="root", bones=("Head",)))
    async with running(a), running(b):
        for sink in (a, b):
            sink.publish(make_frame())
    assert len(receiver.messages()) == 59
    assert len(other.messages()) == 5
    other.socket.close()


async def test_newest_frame_wins_under_the_rate_cap(receiver: Receiver) -> None:
    clock = Clock()
    target = VmcTarget(port=receiver.port, rate_cap_hz=20.0)
    async with running(VmcSink(target, clock=clock)) as sink:
        for i in range(10):  # all at the same instant
            sink.publish(make_frame(i))
        assert receiver.times() == [0.0, 1.0]  # one at once, one on credit
        clock.now += 0.05
        for _ in range(200):
            await asyncio.sleep(0.005)
            if times := receiver.times():
                break
        assert times == [9.0]
        assert sink.stats().dropped == 7
        clock.now += 0.05
        sink.publish(make_frame(20))
        assert receiver.times() == [20.0]


async def test_nothing_waits_after_close(receiver: Receiver) -> None:
    sink = VmcSink(VmcTarget(port=receiver.port, rate_cap_hz=50.0), clock=Clock())
    async with running(sink):
        for i in range(3):
            sink.publish(make_frame(i))
    await asyncio.sleep(0.05)
    assert receiver.times() == [0.0, 1.0]
    await sink.close()
    sink.publish(make_frame(9))
    assert receiver.times() == []
    assert sink.stats().clients == 0


async def test_receiver_that_is_gone_neither_raises_nor_blocks(receiver: Receiver) -> None:
    clock = Clock()
    receiver.socket.close()
    async with running(VmcSink(VmcTarget(port=receiver.port), clock=clock)) as sink:
        for i in range(50):
            sink.publish(make_frame(i))
            clock.now += 1.0
        again = Receiver(receiver.port)
        sink.publish(make_frame(50))
        assert again.times() == [50.0]
        again.socket.close()


async def test_unreachable_network_is_counted() -> None:
    target = VmcTarget(host="127.0.0.1", port=9)
    async with running(VmcSink(target, clock=Clock())) as sink:
        sink._sender._address = "240.0.0.1"  # reserved: the system refuses to route it
        sink.publish(make_frame())
        stats = sink.stats()
    assert stats.messages + stats.dropped == 4


async def test_unknown_host_is_one_sentence() -> None:
    sink = VmcSink(VmcTarget(host="no-such-host.invalid"))
    with pytest.raises(PublishError, match=r"no-such-host\.invalid.*vmc"):
        await sink.start()
    sink.publish(make_frame())
    await sink.close()


async def test_vrchat_gets_one_datagram_per_frame(receiver: Receiver) -> None:
    clock = Clock()
    sink = VrchatSink(VrchatTarget(port=receiver.port), clock=clock)
    async with running(sink):
        sink.publish(make_frame())
        clock.now += 1.0
        sink.realign()
        sink.publish(make_frame())
        clock.now += 1.0
        sink.publish(make_frame())
        clock.now += 1.0
        sink.publish(make_frame(slots=(3,)))
    turns = [
        any(m.address.endswith("head/rotation") for m in OscBundle(d)) for d in receiver.datagrams()
    ]
    assert turns == [False, True, False]


async def listener(taken: list[VmcControl]) -> VmcControlListener:
    made = VmcControlListener(VmcControlSettings(enabled=True, port=0), taken.append)
    await made.start()
    return made


async def until(condition: object) -> None:
    for _ in range(400):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.005)
    raise AssertionError("did not happen")


async def test_control_messages_are_taken_and_the_rest_counted(receiver: Receiver) -> None:
    taken: list[VmcControl] = []
    control = await listener(taken)
    for data in (
        b"\xff\x00garbage",
        b"",
        osc.encode_message("/VMC/Ext/Foo"),
        osc.encode_message("/VMC/Ext/Set/Calib/Exec", 1),
    ):
        receiver.socket.sendto(data, ("127.0.0.1", control.port))
    await until(lambda: taken)
    assert taken == [VmcControl("calibrate", "/VMC/Ext/Set/Calib/Exec", (1,))]
    assert (control.accepted, control.ignored) == (1, 1)
    assert control.malformed >= 1  # the empty datagram may be swallowed below us
    await control.close()
    await control.close()


async def test_fault_in_a_command_does_not_end_the_listening(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[VmcControl] = []

    def fail_once(control: VmcControl) -> None:
        seen.append(control)
        if len(seen) == 1:
            raise ValueError("boom")

    control = VmcControlListener(VmcControlSettings(enabled=True, port=0), fail_once)
    await control.start()
    for _ in range(2):
        receiver.socket.sendto(osc.encode_message("/VMC/Ext/Set/Req"), ("127.0.0.1", control.port))
    await until(lambda: len(seen) == 2)
    assert "could not be carried out" in caplog.text
    await control.close()


async def test_port_in_use_names_the_port_and_the_option(receiver: Receiver) -> None:
    control = VmcControlListener(VmcControlSettings(port=receiver.port), lambda _: None)
    with pytest.raises(PublishError, match=rf"{receiver.port}.*vmc_control\.port"):
        await control.start()


async def get(port: int, target: str, *headers: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {target} HTTP/1.1", *(headers or (f"Host: 127.0.0.1:{port}",)), "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def test_oscquery_describes_what_is_accepted() -> None:
    import msgspec

    methods = {"/VMC/Ext/Set/Calib/Exec": "i", "/VMC/Ext/Set/Req": ""}
    server = OscQueryServer("posestream", 39540, methods)
    await server.start()
    status, body = await get(server.port, "/")
    tree = msgspec.json.decode(body)
    assert status == 200
    node = tree
    for part in ("VMC", "Ext", "Set", "Calib", "Exec"):
        node = node["CONTENTS"][part]
    assert node == {"FULL_PATH": "/VMC/Ext/Set/Calib/Exec", "ACCESS": 2, "TYPE": "i"}
    _, body = await get(server.port, "/?HOST_INFO")
    info = msgspec.json.decode(body)
    assert (info["NAME"], info["OSC_PORT"], info["OSC_IP"]) == ("posestream", 39540, "127.0.0.1")
    _, body = await get(server.port, "/VMC/Ext/Set/Req?ACCESS")
    assert msgspec.json.decode(body) == {"ACCESS": 2}
    assert (await get(server.port, "/nothing"))[0] == 404
    await server.close()
    await server.close()


async def test_oscquery_refuses_web_pages_and_nonsense() -> None:
    server = OscQueryServer("posestream", 39540, {})
    await server.start()
    port = server.port
    assert (await get(port, "/", "Host: evil.example"))[0] == 403
    assert (await get(port, "/", f"Host: localhost:{port}", "Origin: https://x.example"))[0] == 403
    assert (await get(port, "/ extra words"))[0] == 400
    assert (await get(port, "/", "Host: localhost", "X: " + "x" * 9000))[0] == 400
    assert server.answer(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 405
    assert server.answer(b"\xff\xfe\r\n\r\n")[0] == 400
    assert (await get(port, "/"))[0] == 200
    await server.close()


async def test_oscquery_port_in_use_is_one_sentence() -> None:
    server = OscQueryServer("a", 1, {})
    await server.start()
    with pytest.raises(PublishError, match=str(server.port)):
        await OscQueryServer("b", 1, {}, port=server.port).start()
    await server.close()


async def test_vrchat_is_found_by_its_announcement() -> None:
    game = OscQueryServer("VRChat-Client-A1B2C3", 9123, {})
    await game.start()
    announcement = Advertisement(game)
    await announcement.start()
    try:
        found = await find_vrchat(timeout_s=10.0)
        assert (found.port, found.host) == (9123, "127.0.0.1")
    finally:
        await announcement.close()
        await announcement.close()
        await game.close()


async def test_vrchat_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(PublishError, match="not found"):
        await find_vrchat(timeout_s=0.3)


async def test_missing_zeroconf_is_warned_about_once_and_the_run_goes_on(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf.asyncio", None)
    clock = Clock()
    target = VrchatTarget(port=receiver.port, oscquery=True)
    async with running(VrchatSink(target, clock=clock)) as sink:
        await until(lambda: caplog.records)
        sink.publish(make_frame())
    assert len(receiver.datagrams()) == 1
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "needs the zeroconf package" in caplog.text


async def test_announced_port_is_used(receiver: Receiver) -> None:
    game = OscQueryServer("VRChat-Client-D4E5F6", receiver.port, {})
    await game.start()
    announcement = Advertisement(game)
    await announcement.start()
    clock = Clock()
    async with running(VrchatSink(VrchatTarget(port=9, oscquery=True), clock=clock)) as sink:
        for _ in range(400):
            sink.publish(make_frame())
            clock.now += 1.0
            await asyncio.sleep(0.02)
            if receiver.datagrams():
                break
        else:
            raise AssertionError("the announced port was not used")
    await announcement.close()
    await game.close()
