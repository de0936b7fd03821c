"""Control messages of the VMC protocol."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posestream.errors import ProtocolError
from posestream.wire import osc
from posestream.wire.vmc_control import VmcControl, parse_control


@pytest.mark.parametrize(
    ("address", "args", "kind"),
    [
        ("Period", (1, 2, 3, 4, 5, 6), "period"),
        ("Req", (), "request"),
        ("Res", ("hello",), "response"),
        ("Calib/Ready", (), "calibration_ready"),
        ("Calib/Exec", (2,), "calibrate"),
        ("Eye", (1, 0.5, 1.5, 2.0), "eye"),
        ("Config", ("C:\\tmp\\設定.json",), "config"),
        ("Shortcut", ("Functions.Wave",), "shortcut"),
    ],
)
def test_every_message_of_the_protocol(
    address: str, args: tuple[int | float | str, ...], kind: str
) -> None:
    path = f"/VMC/Ext/Set/{address}"
    assert parse_control(osc.encode_message(path, *args)) == [VmcControl(kind, path, args)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        osc.encode_message("/VMC/Ext/OK", 1),
        osc.encode_message("/VMC/Ext/Set/Calib/Exec"),
        osc.encode_message("/VMC/Ext/Set/Calib/Exec", "1"),
        osc.encode_message("/VMC/Ext/Set/Period", 1, 2, 3),
        osc.encode_message("/VMC/Ext/Set/Eye", 1, float("nan"), 0.0, 0.0),
    ],
)
def test_other_messages_are_reported_as_ignored(data: bytes) -> None:
    (control,) = parse_control(data)
    assert control.kind == "ignored"
    assert control.args == ()


def test_messages_of_a_bundle_keep_their_order() -> None:
    inner = osc.encode_bundle([osc.encode_message("/VMC/Ext/Set/Req")])
    data = osc.encode_bundle([osc.encode_message("/VMC/Ext/Set/Calib/Exec", 0), inner])
    assert [c.kind for c in parse_control(data)] == ["calibrate", "request"]


def test_bytes_that_are_no_osc_are_refused() -> None:
    with pytest.raises(ProtocolError):
        parse_control(b"hello")


def test_other_projects_packets_are_never_taken_for_commands(shared_data: Path) -> None:
    packets = json.loads((shared_data / "vmc_packets" / "packets.json").read_text())["packets"]
    for p in packets:
        if p["group"] != "osc_bad":
            kinds = {c.kind for c in parse_control(bytes.fromhex(p["hex"]))}
            assert kinds <= {"ignored"}
