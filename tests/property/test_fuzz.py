"""A short run of ``tools/fuzz.py`` over every parser, from the corpus that long runs left.

The long run is its own command, with its result in ``docs/results/fuzz.json``.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import fuzz
from tools.fuzz_target import Target

TARGETS = {target.name: target for target in fuzz.targets()}
INPUTS = 2000


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Warnings of parsers about what they leave out are many here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks_a_parser(name: str) -> None:
    target = TARGETS[name]
    kept = fuzz.corpus(target)
    result = fuzz.Fuzzer(target, kept).run(INPUTS, number=12345)
    assert result.findings == []
    assert result.inputs >= INPUTS
    assert result.outcomes > 1  # something was refused, something accepted
    assert kept, f"{name} has no corpus: run tools/fuzz.py --keep"


def _breaks_at_bug(data: bytes) -> str:
    if b"\xff\xff" in data:
        raise IndexError("planted")
    return f"{len(data)} bytes"


def test_a_planted_fault_is_found_and_made_small(tmp_path: Path) -> None:
    target = Target("planted", _breaks_at_bug, lambda: [b"harmless" * 20])
    result = fuzz.Fuzzer(target, []).run(2000)
    (finding,) = result.findings
    assert finding["error"] == "IndexError: planted"
    found = base64.b64decode(finding["input_base64"])
    assert b"\xff\xff" in found
    report = tmp_path / "fuzz.json"
    fuzz._write(report, 2000, result)
    assert json.loads(report.read_text())["findings"] == 1


def test_outcomes_differ_by_kind_and_not_by_value() -> None:
    assert fuzz.normal("ok 5 'abc' at -1e9") == fuzz.normal("ok 77 'x' at 20")
    assert fuzz.normal("too long") != fuzz.normal("too short")
