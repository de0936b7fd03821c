"""The schema is consistent in itself, and the reference page says what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from posestream.daemon.control import Control
from posestream.daemon.outputs import Outputs
from posestream.publish.hub import Hub
from posestream.wire.layout import Array, MessageType, Names, Record, dims_of
from posestream.wire.schema import MESSAGES

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = REPOSITORY / "tools" / "generate_protocol_docs.py"


def test_the_reference_page_is_up_to_date() -> None:
    result = subprocess.run(
        [sys.executable, str(TOOL), "--check"], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_reference_page_has_every_command(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "protocol.md").read_text(encoding="utf-8")
    _, _, commands = page.partition("## Commands")
    rows = [line.split("`")[1] for line in commands.splitlines() if line.startswith("| `")]
    hub = Hub()
    control = Control(None, Outputs(hub, None), tmp_path, hub.announce)  # type: ignore[arg-type]
    assert rows == control.names


def test_kinds_and_names_are_unique() -> None:
    assert len({m.kind for m in MESSAGES}) == len({m.name for m in MESSAGES}) == len(MESSAGES)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.name)
def test_each_message_can_be_read_from_its_head(message: MessageType) -> None:
    ids = [section.id for section in message.sections]
    assert ids == list(range(1, len(ids) + 1))
    assert message.head.per is None and not message.head.optional
    for section in message.sections:
        if isinstance(section, Array | Names | Record):
            named = [dim for dim in dims_of(section) if isinstance(dim, str)]
            assert set(named) <= set(message.counts)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.name)
def test_fields_are_aligned_for_readers_that_care(message: MessageType) -> None:
    for section in message.sections:
        if isinstance(section, Record):
            for field in section.fields:
                size = section.dtype[field.name].base.itemsize
                assert section.offset(field.name) % min(size, 4) == 0, field.name
            assert section.dtype.itemsize % 4 == 0, section.name
