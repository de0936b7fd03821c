"""Writes the C# constants and decoder tables from the schema. With --check: only compares."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from posestream.skeleton.humanoid import BONES, ORDER, PARENT, REST_OFFSET_M  # noqa: E402
from posestream.types import EXPRESSIONS  # noqa: E402
from posestream.wire import schema  # noqa: E402
from posestream.wire.layout import (  # noqa: E402
    AnySection,
    Array,
    Blob,
    Field,
    Json,
    MessageType,
    Names,
    Record,
    Text,
)

PACKAGE = ROOT / "unity_client"
GOLDEN = ROOT / "tests" / "golden" / "stream"
NOTICE = "// Written by tools/generate_csharp.py from {}. Do not edit.\n"
ELEMENT_BYTES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i16": 2, "i32": 4, "i64": 8,
                 "f32": 4, "f64": 8}  # fmt: skip
LIMITS = ("MAX_MESSAGE_BYTES", "MAX_PEOPLE", "MAX_BONES", "MAX_EXPRESSIONS", "MAX_SECTIONS",
          "MAX_TOKEN_BYTES", "MAX_CONTROL_BYTES", "MAX_REPLY_BYTES")  # fmt: skip


def pascal(name: str) -> str:
    """``t_capture_ns`` to ``TCaptureNs``."""
    return "".join(part[:1].upper() + part[1:] for part in name.lower().split("_"))


def outputs() -> dict[Path, str]:
    """Every generated file with its text."""
    core = PACKAGE / "Runtime" / "Core" / "Generated"
    return {
        core / "Protocol.cs": _file("posestream/wire/schema.py", _protocol()),
        core / "Bones.cs": _file("posestream/skeleton/humanoid.py", _bones()),
        PACKAGE / "Tests" / "Core" / "GoldenMessages.cs": _file(
            "tests/golden/stream", _golden(), namespace="Posestream.Tests"
        ),
    }


def _file(source: str, lines: Iterator[str], namespace: str = "Posestream") -> str:
    body = "".join(f"    {line}\n" if line else "\n" for line in lines)
    return f"{NOTICE.format(source)}namespace {namespace}\n{{\n{body}}}\n"


def _protocol() -> Iterator[str]:
    for enum in schema.ENUMS:
        yield from _enum(enum)
    yield "/// <summary>Numbers and names of the protocol.</summary>"
    yield "public static class Protocol"
    yield "{"
    yield f"    public const byte Version = {schema.PROTOCOL_VERSION};"
    for index, byte in enumerate(schema.MAGIC):
        yield f"    public const byte Magic{index} = {byte};"
    yield f"    public const int HeaderBytes = {schema.HEADER_BYTES};"
    yield f"    public const int SectionHeaderBytes = {schema.SECTION_HEADER_BYTES};"
    yield f'    public const string Subprotocol = "{schema.SUBPROTOCOL_BINARY}";'
    for name in LIMITS:
        yield f"    public const int {pascal(name)} = {getattr(schema, name)};"
    yield "}"
    for message in schema.MESSAGES:
        yield ""
        yield from _message(message)


def _enum(enum: type[IntEnum]) -> Iterator[str]:
    yield f"/// <summary>{(enum.__doc__ or '').strip()}</summary>"
    yield f"public enum {enum.__name__} : byte"
    yield "{"
    for member in enum:
        yield f"    {pascal(member.name)} = {member.value},"
    yield "}"
    yield ""


def _message(message: MessageType) -> Iterator[str]:
    yield f"/// <summary>{message.name} ({message.direction}).</summary>"
    yield f"public static class {pascal(message.name)}Layout"
    yield "{"
    yield f"    public const byte Kind = {message.kind};"
    for index, section in enumerate(message.sections):
        yield f"    public const int {pascal(section.name)} = {index};"
        yield f"    public const int {pascal(section.name)}Id = {section.id};"
    for section in message.sections:
        if isinstance(section, Record):
            yield from _record(section)
    yield "    public static readonly MessageRule Rule = new MessageRule(Kind, new[]"
    yield "    {"
    for section in message.sections:
        yield from f"        {_rule(message, section)},".split("\n")
    yield "    });"
    yield "}"


def _record(record: Record) -> Iterator[str]:
    name = pascal(record.name)
    yield f"    public const int {name}Bytes = {record.dtype.itemsize};"
    for field in record.fields:
        if not field.reserved:
            at = record.offset(field.name)
            yield f"    public const int {name}{pascal(field.name)}At = {at};"


def _rule(message: MessageType, section: AnySection) -> str:
    optional = "true" if getattr(section, "optional", False) else "false"
    match section:
        case Record():
            per: list[str | int] = [] if section.per is None else [section.per]
            sizes = _sizes(message, section.dtype.itemsize, per)
            rules = [_field(section, f) for f in section.fields if _bounded(f)]
            rows = "".join(f"\n                {rule}," for rule in rules)
            fields = f"new[]\n            {{{rows}\n            }}" if rules else "null"
            return f"SectionRule.Sized({section.id}, {optional}, {sizes}, Numbers.Any, {fields})"
        case Array():
            sizes = _sizes(message, ELEMENT_BYTES[section.dtype], list(section.dims))
            check = f"Numbers.{_numbers(section)}"
            return f"SectionRule.Sized({section.id}, {optional}, {sizes}, {check}, null)"
        case Names():
            at = _count_offset(message, section.count)
            return f"SectionRule.NameList({section.id}, {optional}, {at}, {section.max_bytes})"
        case Text() | Json() | Blob():
            return f"SectionRule.Free({section.id}, {optional}, {section.max_bytes})"


def _sizes(message: MessageType, item: int, dims: list[str | int]) -> str:
    counts = []
    for dim in dims:
        if isinstance(dim, int):
            item *= dim
        else:
            counts.append(_count_offset(message, dim))
    assert len(counts) <= 2
    first, second = [*counts, -1, -1][:2]
    return f"{item}, {first}, {second}"


def _count_offset(message: MessageType, dim: str) -> int:
    """Where in the head the u16 is that counts this dimension."""
    field = next(f for f in message.head.fields if f.count_of == dim)
    assert field.dtype == "u16"
    return message.head.offset(field.name)


def _numbers(array: Array) -> str:
    if array.dtype not in ("f32", "f64"):
        return "Any"
    assert array.dtype == "f32" or not array.nan
    return "FiniteOrNanF32" if array.nan else f"Finite{array.dtype.upper()}"


def _bounded(field: Field) -> bool:
    """Whether there is anything to check in a field."""
    bounds = (field.low, field.high, field.enum)
    return not field.reserved and (field.dtype in ("f32", "f64") or bounds != (None,) * 3)


def _field(record: Record, field: Field) -> str:
    low, high = field.low, field.high
    if field.enum is not None:
        values = sorted(member.value for member in field.enum)
        assert values == list(range(values[0], values[-1] + 1)), "the C# check is a range"
        low, high = values[0], values[-1]
    count = 1
    for size in field.shape:
        count *= size
    numbers = f"{_number(low, 'Negative')}, {_number(high, 'Positive')}"
    kind = field.dtype.upper()
    return f"new FieldRule(FieldType.{kind}, {record.offset(field.name)}, {count}, {numbers})"


def _number(value: float | None, end: str) -> str:
    return f"double.{end}Infinity" if value is None else f"{value:g}"


def _bones() -> Iterator[str]:
    yield "/// <summary>The humanoid's bones, numbered as in HumanBodyBones.</summary>"
    yield "public static class Bones"
    yield "{"
    yield f"    public const int Count = {len(BONES)};"
    for index, name in enumerate(BONES):
        yield f"    public const int {name} = {index};"
    yield _array("string", "Names", [f'"{name}"' for name in BONES], 6)
    yield "    /// <summary>Parent of each bone, -1 for the Hips.</summary>"
    yield _array("int", "Parent", [str(p) for p in PARENT], 20)
    yield "    /// <summary>Bones such that parents come before their children.</summary>"
    yield _array("int", "Order", [str(b) for b in ORDER], 20)
    yield "    /// <summary>The same bone of the other side.</summary>"
    yield _array("int", "Mirrored", [str(BONES.index(_other_side(b))) for b in BONES], 20)
    yield "    /// <summary>From the parent in the T-pose, metres, Unity's axes.</summary>"
    offsets = REST_OFFSET_M * (-1.0, 1.0, 1.0) + 0.0
    rows = [f"new Vec3({x:g}f, {y:g}f, {z:g}f)" for x, y, z in offsets.tolist()]
    yield _array("Vec3", "RestOffset", rows, 3)
    yield "    /// <summary>The daemon's usual expression names (VRM 1.0).</summary>"
    yield _array("string", "Expressions", [f'"{name}"' for name in EXPRESSIONS], 6)
    yield "}"


def _other_side(bone: str) -> str:
    if bone.startswith("Left"):
        return "Right" + bone[4:]
    return "Left" + bone[5:] if bone.startswith("Right") else bone


def _array(kind: str, name: str, items: list[str], per_line: int) -> str:
    rows = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    body = ",\n".join(f"            {row}" for row in rows)
    head = f"    public static readonly {kind}[] {name} ="
    return f"{head}\n        {{\n{body}\n        }};"


def _golden() -> Iterator[str]:
    yield "/// <summary>Messages as the daemon's encoder writes them, base64.</summary>"
    yield "public static class GoldenMessages"
    yield "{"
    for path in sorted(GOLDEN.glob("*.bin")):
        text = base64.b64encode(path.read_bytes()).decode()
        lines = [text[i : i + 88] for i in range(0, len(text), 88)]
        yield f"    public const string {pascal(path.stem)} ="
        for line in lines[:-1]:
            yield f'        "{line}" +'
        yield f'        "{lines[-1]}";'
    yield "}"


def main() -> int:
    """Write the files, or with --check compare them; 1 if one differs."""
    check, different = "--check" in sys.argv[1:], 0
    for path, text in outputs().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        different += 1
        if check:
            print(f"{path.relative_to(ROOT)} differs: run tools/generate_csharp.py.")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.relative_to(ROOT)} is written.")
    return 1 if check and different else 0


if __name__ == "__main__":
    sys.exit(main())
