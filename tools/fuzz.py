"""Feed every parser with damaged input: python tools/fuzz.py --inputs 100000 --json FILE

Hypothesis draws which seed is damaged and how, and shrinks what it finds. An input with a new
outcome (another message, another kind that was accepted) joins the seeds; one of each is kept
in the corpus, from which every later run starts.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tools import fuzz_files, fuzz_panel, fuzz_wire
from tools.fuzz_target import Target

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "data" / "fuzz"
PIECE = 5000
MAX_INPUT = 1 << 16
_BATCH = 10  # inputs from one draw
_MAX_POOL = 400
_MAX_CORPUS = 40
_MAX_KEPT = 1536  # bytes of an input in the corpus
_MEMORY = 6 << 30
_EDGES = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80", b"1e999")


@dataclass(slots=True)
class Result:
    """What came of one target."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    outcomes: int = 0
    slowest_ms: float = 0.0
    findings: list[dict[str, str]] = field(default_factory=list)


def targets() -> list[Target]:
    """Every parser."""
    return [*fuzz_wire.targets(), *fuzz_files.targets(), *fuzz_panel.targets()]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--inputs", type=int, default=100_000, help="per parser")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", help="a parser's name; may be repeated")
    parser.add_argument("--keep", action="store_true", help="add what is new to the corpus")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    _limit_memory()
    logging.disable(logging.CRITICAL)
    results = []
    for target in targets():
        if options.only is None or target.name in options.only:
            fuzzed = Fuzzer(target, corpus(target))
            fuzzed.run(options.inputs, options.seed)
            if options.keep:
                keep(target, fuzzed.first)
            print(_line(fuzzed.result), flush=True)
            results.append(fuzzed.result)
            if options.json:
                _write(Path(options.json), options.inputs, fuzzed.result)
    return int(any(result.findings for result in results))


class Fuzzer:
    """Runs one target in pieces."""

    def __init__(self, target: Target, start: Sequence[bytes]) -> None:
        self.target = target
        self.result = Result(target.name)
        self.first: dict[str, bytes] = {}  # outcome to the first input that had it
        self._pool = [*target.seeds(), *start]
        self._failing = b""
        for data in list(self._pool):
            self._check(data)

    def run(self, inputs: int, number: int = 0) -> Result:
        """Check that many inputs; stops at the first finding, shrunk."""
        started = time.perf_counter()
        pieces = [min(PIECE, inputs - done) for done in range(0, inputs, PIECE)]
        for piece, size in enumerate(pieces):
            try:
                self._piece(size, number + piece)
            except Exception as error:
                finding = {"error": f"{type(error).__name__}: {error}"[:400],
                           "input_base64": base64.b64encode(self._failing).decode()}  # fmt: skip
                self.result.findings.append(finding)
                break
        self.result.seconds = round(time.perf_counter() - started, 1)
        self.result.outcomes = len(self.first)
        return self.result

    def _piece(self, size: int, number: int) -> None:
        pool = list(self._pool)
        seeds = st.integers(0, len(pool) - 1)

        @seed(number)
        @settings(
            max_examples=max(size // _BATCH, 1), database=None, deadline=None,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )  # fmt: skip
        @given(seeds, st.binary(max_size=40))
        def each(which: int, script: bytes) -> None:
            for turn in range(_BATCH):  # drawing costs more than most parsers
                self.result.inputs += 1
                turned = script[turn:] + script[:turn]
                chosen = (which + 37 * turn) % len(pool)
                self._check(damaged(pool, chosen, turned, self.target.tokens))

        each()

    def _check(self, data: bytes) -> None:
        started = time.perf_counter()
        try:
            outcome = normal(self.target.check(data))
        except BaseException:
            self._failing = data
            raise
        self.result.slowest_ms = max(
            self.result.slowest_ms, round((time.perf_counter() - started) * 1e3, 1)
        )
        if outcome not in self.first:
            self.first[outcome] = data
            if len(self._pool) < _MAX_POOL:
                self._pool.append(data)


def damaged(pool: Sequence[bytes], which: int, script: bytes, tokens: Sequence[bytes]) -> bytes:
    """One of the pool, edited as the script's four-byte steps say."""
    data = bytearray(pool[which])
    fragments = (*_EDGES, *tokens)
    for k in range(0, len(script) - 3, 4):
        what, high, low, value = script[k : k + 4]
        place = (high << 8 | low) % (len(data) + 1)
        _edit(data, what % 8, place, value, fragments, pool)
    return bytes(data[:MAX_INPUT])


def _edit(
    data: bytearray,
    what: int,
    at: int,
    value: int,
    fragments: Sequence[bytes],
    pool: Sequence[bytes],
) -> None:
    fragment = fragments[value % len(fragments)]
    match what:
        case 0:
            data[at : at + 1] = bytes([value])
        case 1 if at < len(data):
            data[at] ^= 1 << value % 8
        case 2:
            del data[at : at + 1 + value]
        case 3:
            data[at:at] = data[at : at + 1 + value]
        case 4:
            data[at:at] = fragment
        case 5:
            data[at : at + len(fragment)] = fragment
        case 6:
            del data[at:]
        case 7:
            other = pool[value % len(pool)]
            data[at:] = other[at % (len(other) + 1) :]


def normal(outcome: str) -> str:
    """An outcome without what varies from input to input."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", "'…'", outcome)
    text = re.sub(r"[^\s\x21-\x7e…]+", "?", text)
    return re.sub(r"[-+]?\d[\d.e+_x-]*", "N", text)[:70]


def corpus(target: Target) -> list[bytes]:
    """What earlier runs kept."""
    path = _corpus_file(target)
    lines = path.read_text(encoding="ascii").splitlines() if path.is_file() else []
    return [base64.b64decode(line) for line in lines]


def keep(target: Target, first: dict[str, bytes]) -> None:
    """Write one input per outcome, short ones alone."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    inputs = sorted({d for d in first.values() if len(d) <= _MAX_KEPT}, key=lambda d: (len(d), d))
    lines = [base64.b64encode(data).decode() for data in inputs[:_MAX_CORPUS]]
    _corpus_file(target).write_text("\n".join(lines) + "\n", encoding="ascii")


def _corpus_file(target: Target) -> Path:
    return CORPUS / f"{target.name.replace(' ', '_')}.txt"


def _line(result: Result) -> str:
    found = "; ".join(finding["error"] for finding in result.findings) or "nothing found"
    return (
        f"{result.target}: {result.inputs} inputs, {result.outcomes} outcomes, "
        f"{result.seconds} s, slowest {result.slowest_ms} ms: {found}"
    )


def _write(path: Path, inputs: int, result: Result) -> None:
    """Put the result in its place among those of other parsers that the file may hold."""
    earlier = json.loads(path.read_text(encoding="utf-8"))["targets"] if path.is_file() else []
    results = {entry["target"]: entry for entry in earlier} | {result.target: asdict(result)}
    report = {
        "command": f"python tools/fuzz.py --inputs {inputs}",
        "inputs": sum(entry["inputs"] for entry in results.values()),
        "findings": sum(len(entry["findings"]) for entry in results.values()),
        "targets": list(results.values()),
    }
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _limit_memory() -> None:
    """An input that wants gigabytes is a finding, not the end of the machine."""
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    sys.exit(main())
