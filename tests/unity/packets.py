"""Writes other projects' VMC datagrams and what is in them as plain lines, for the C# tests.

One datagram per line: name, bytes in hexadecimal, then per message its address, tags and
arguments, all separated by tabs; floats as their bits in hexadecimal.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def messages(element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All messages of an element, bundles opened."""
    if element["kind"] == "message":
        yield element
    for inner in element.get("elements", []):
        yield from messages(inner)


def fields(message: dict[str, Any]) -> Iterator[str]:
    """Address, tags and those arguments that VMC has."""
    tags = message["typetags"].lstrip(",")
    yield message["address"]
    yield tags
    for tag, value in zip(tags, message["args"], strict=False):
        if tag == "f":
            yield struct.pack(">f", value).hex()
        else:
            yield str(value)


def lines(path: Path) -> Iterator[str]:
    """Datagrams that only use the types of VMC."""
    for packet in json.loads(path.read_text(encoding="utf-8"))["packets"]:
        if packet["group"] != "vmc":
            continue
        parts = [packet["name"], packet["hex"]]
        for message in messages(packet["expect"]):
            parts += fields(message)
        yield "\t".join(parts)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text("\n".join(lines(Path(sys.argv[1]))), encoding="utf-8")
