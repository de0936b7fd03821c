"""OSC bytes: other projects' datagrams, our encoder against an independent parser."""

from __future__ import annotations

import itertools
import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from pythonosc.osc_bundle import OscBundle as ForeignBundle
from pythonosc.osc_message import OscMessage as ForeignMessage

from posestream.errors import ProtocolError
from posestream.wire import osc, osc_decode
from posestream.wire.osc_decode import Infinitum, Midi, OscBundle, OscMessage, Rgba, TimeTag


@pytest.fixture(scope="module")
def packets(shared_data: Path) -> list[dict[str, Any]]:
    return json.loads((shared_data / "vmc_packets" / "packets.json").read_text())["packets"]


def plain(value: Any) -> Any:
    """A decoded value in the notation of the packet collection."""
    match value:
        case TimeTag():
            return {"timetag": list(value)}
        case Midi():
            return {"midi": list(value)}
        case Rgba():
            return {"rgba": list(value)}
        case Infinitum():
            return {"infinitum": True}
        case bytes():
            return {"blob_hex": value.hex()}
        case tuple():
            return [plain(v) for v in value]
    return value


def same(got: Any, want: Any) -> bool:
    if isinstance(want, dict) and "char" in want:
        want = want["char"]
    if isinstance(want, list):
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, float):
        return math.isclose(got, want, rel_tol=1e-6, abs_tol=1e-6)
    return type(got) is type(want) and got == want


def check(packet: OscMessage | OscBundle, want: dict[str, Any]) -> None:
    if want["kind"] == "message":
        assert isinstance(packet, OscMessage)
        assert packet.address == want["address"]
        if "typetags" in want:
            assert packet.typetags == want["typetags"]
        assert same(plain(packet.args), want["args"])
        return
    assert isinstance(packet, OscBundle)
    assert list(packet.timetag) == want["timetag"]
    assert len(packet.elements) == len(want["elements"])
    for element, wanted in zip(packet.elements, want["elements"], strict=True):
        check(element, wanted)


def test_foreign_datagrams_decode_to_their_stated_values(packets: list[dict[str, Any]]) -> None:
    good = [p for p in packets if p["group"] in ("vmc", "osc")]
    assert len(good) == 55
    for p in good:
        check(osc_decode.decode(bytes.fromhex(p["hex"])), p["expect"])


def test_malformed_foreign_datagrams(packets: list[dict[str, Any]]) -> None:
    bad = [p for p in packets if p["group"] == "osc_bad"]
    assert len(bad) == 6
    for p in bad:
        data = bytes.fromhex(p["hex"])
        if p["expect"]["kind"].startswith("error"):
            with pytest.raises(ProtocolError):
                osc_decode.decode(data)
        else:
            check(osc_decode.decode(data), p["expect"])


def complete_prefix(data: bytes, cut: int) -> bool:
    """Whether the first ``cut`` bytes are a whole packet in themselves: an address alone, or
    a bundle that ends between two elements."""
    if cut % 4 or cut == 0:
        return False
    if not data.startswith(b"#bundle\0"):
        return cut == data.index(b"\0") // 4 * 4 + 4
    at = 16
    while at < cut:
        at += 4 + struct.unpack_from(">i", data, at)[0]
    return at == cut


def test_every_truncation_is_refused(packets: list[dict[str, Any]]) -> None:
    refused = 0
    for p in packets:
        data = bytes.fromhex(p["hex"])
        for cut in range(len(data)):
            if p["group"] != "osc_bad" and complete_prefix(data, cut):
                osc_decode.decode(data[:cut])
                continue
            if p["group"] == "osc_bad" and cut % 4 == 0:
                continue  # what remains of a broken packet may happen to be whole
            with pytest.raises(ProtocolError):
                osc_decode.decode(data[:cut])
            refused += 1
    assert refused > 2000


def test_message_reads_back_in_an_independent_parser() -> None:
    data = osc.encode_message("/VMC/Ext/Bone/Pos", "Hips", 1, -2, 0.5, "にゃ", -1e30)
    message = ForeignMessage(data)
    assert message.address == "/VMC/Ext/Bone/Pos"
    assert message.params == ["Hips", 1, -2, 0.5, "にゃ", pytest.approx(-1e30)]


@pytest.mark.parametrize("text", ["", "a", "abc", "abcd", "abcde"])
def test_strings_are_padded_with_at_least_one_nul(text: str) -> None:
    data = osc.encode_string(text)
    assert len(data) % 4 == 0
    assert data.endswith(b"\0")
    assert len(data) - len(text) <= 4


@pytest.mark.parametrize("arg", [True, None, b"x", 2**31, -(2**31) - 1, 1e39, "a\0b", [1]])
def test_arguments_that_receivers_cannot_take_are_refused(arg: Any) -> None:
    with pytest.raises(ProtocolError):
        osc.encode_message("/x", arg)


def test_address_without_slash_is_refused() -> None:
    with pytest.raises(ProtocolError, match="slash"):
        osc.encode_message("x")


def test_bundles_keep_order_and_size() -> None:
    messages = [osc.encode_message("/m", i, "x" * (i % 50)) for i in range(200)]
    bundles = osc.split_bundles(messages, max_bytes=300)
    assert all(len(bundle) <= 300 for bundle in bundles)
    numbers = [m.params[0] for bundle in bundles for m in ForeignBundle(bundle)]
    assert numbers == list(range(200))
    # as few as possible: no two neighbours would fit into one
    assert all(len(a) + len(b) - 16 > 300 - 72 for a, b in itertools.pairwise(bundles))


def test_message_larger_than_a_bundle_is_refused() -> None:
    with pytest.raises(ProtocolError, match="exceeds"):
        osc.split_bundles([osc.encode_message("/m", "x" * 100)], max_bytes=64)


def test_time_tag_is_written() -> None:
    bundle = osc_decode.decode(osc.encode_bundle([], timetag=(5 << 32) | 7))
    assert bundle == OscBundle(TimeTag(5, 7), ())


def test_template_fills_floats_only() -> None:
    layout = [("/a", ("name", 0.0, 7, 0.0)), ("/b", ()), ("/c", (0.0, "end"))] * 20
    template = osc.FrameTemplate(layout, max_bytes=200)
    values = [i + 0.25 for i in range(template.num_floats)]
    bundles = template.fill(values)
    assert len(bundles) > 3
    got = [m.params for bundle in bundles for m in ForeignBundle(bundle)]
    assert got[:3] == [["name", 0.25, 7, 1.25], [], [2.25, "end"]]
    assert got[-1] == [pytest.approx(values[-1]), "end"]
    # earlier frames are not changed by later ones
    again = template.fill([0.0] * template.num_floats)
    assert bundles != again
    assert next(iter(ForeignBundle(bundles[0]))).params == ["name", 0.25, 7, 1.25]


def nested_bundle(depth: int) -> bytes:
    data = osc.encode_message("/x")
    for _ in range(depth):
        data = osc.encode_bundle([data])
    return data


def test_depth_is_bounded() -> None:
    osc_decode.decode(nested_bundle(osc_decode.MAX_DEPTH))
    with pytest.raises(ProtocolError, match="deep"):
        osc_decode.decode(nested_bundle(osc_decode.MAX_DEPTH + 1))
    with pytest.raises(ProtocolError, match="deep"):
        osc_decode.decode(b"/x\0\0" + osc.encode_string("," + "[" * 9 + "]" * 9))


@pytest.mark.parametrize("tags", [",[i", ",]", ",[]]", ",[[]"])
def test_unbalanced_arrays_are_refused(tags: str) -> None:
    with pytest.raises(ProtocolError, match="array"):
        osc_decode.decode(b"/x\0\0" + osc.encode_string(tags) + bytes(4))


def test_oversized_packet_is_refused() -> None:
    with pytest.raises(ProtocolError, match="too large"):
        osc_decode.decode(bytes(65_508))


@pytest.mark.parametrize("size", [-4, 2**31 - 1, -(2**31)])
def test_lying_element_size_is_refused(size: int) -> None:
    with pytest.raises(ProtocolError, match="cut off"):
        osc_decode.decode(b"#bundle\0" + bytes(8) + struct.pack(">i", size) + b"/x\0\0")


def test_address_of_control_characters_is_refused() -> None:
    with pytest.raises(ProtocolError, match="printable"):
        osc_decode.decode(b"/\x1b[\0")
