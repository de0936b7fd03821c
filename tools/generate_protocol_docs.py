"""Writes docs/protocol.md from the schema. With --check: only says whether it is up to date."""

# ruff: noqa: E501 - rows of Markdown tables cannot be broken
from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from posestream.settings import RESTART_SECTIONS  # noqa: E402
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

PAGE = ROOT / "docs" / "protocol.md"

INTRODUCTION = f"""\
<!-- Written by tools/generate_protocol_docs.py from posestream/wire/schema.py. Do not edit. -->
# The posestream protocol, version {schema.PROTOCOL_VERSION}

For programs of your own, browsers and the Unity client. It needs nothing but a WebSocket:

```python
import json
from websockets.sync.client import connect

with connect("ws://127.0.0.1:8765", subprotocols=["{schema.SUBPROTOCOL_JSON}"]) as stream:
    for text in stream:
        message = json.loads(text)
        if message["kind"] == "frame":
            for person in message["people"]:
                print(person["slot"], person["root_position"])
```

## Connecting
`ws://127.0.0.1:8765/`. Sub-protocols: `{schema.SUBPROTOCOL_BINARY}` (binary messages) and
`{schema.SUBPROTOCOL_JSON}` (the same content as JSON text). A client that offers none gets
binary; a client that offers only others is refused (400). No compression. Either kind of
client may send requests as JSON text or as binary messages; replies come in its own encoding.

Options in the address, all optional: `?axes=unity|gltf&rotations=float32|packed&positions=0|1&rate=HZ&picture=0|1&token=TOKEN`.
A `subscribe` message changes them while connected.

| refused with | because |
|---|---|
| 400 | an option in the address is wrong; the answer's text names it and its choices |
| 401 | the token is wrong, or missing where it is needed |
| 403 | the page's Origin is not in `websocket.allowed_origins`, or the Host is neither loopback nor the address reached nor in `websocket.allowed_hosts` |
| 404 | the path is not `/` |
| 503 | `websocket.max_clients` are connected |

**Token.** `control` and pictures always need it; when the daemon listens beyond loopback,
everything does. Give it as `Authorization: Bearer TOKEN`, as `?token=TOKEN`, or in the message.
It is in the file `token` in the user's configuration folder: `~/.config/posestream` (Linux, or
`$XDG_CONFIG_HOME`), `~/Library/Application Support/posestream` (macOS), `%APPDATA%\\posestream`
(Windows).

**Order.** `hello` comes first and again whenever calibration, skeleton or options change. Frames
and pictures are never queued: the newest replaces one that could not be sent yet. Hello, events
and replies are never left out. A malformed message ends the connection (1002, with the reason).

## Conventions
Metres; quaternions x y z w, unit length; times in nanoseconds of the server's monotonic clock
(add `utc_offset_ns` for UTC). Rotations are normalised: identity in the T-pose, so they fit any
rig: `local = P⁻¹ · n · P · L0` (P: the parent's world rest rotation, L0: the bone's local rest
rotation). Axes `gltf`: right-handed, Y up, a person who faces the camera faces +Z. Axes
`unity`: left-handed, x mirrored: p(−x, y, z), q(x, −y, −z, w). The origin is on the floor under
the camera.

## Binary messages
Little-endian. Every message:

| offset | type | |
|---|---|---|
| 0 | 2 bytes | `{schema.MAGIC.decode()}` |
| 2 | u8 | version: {schema.PROTOCOL_VERSION} |
| 3 | u8 | kind of message |
| 4 | u32 | length of the whole message in bytes |
| {schema.HEADER_BYTES} | | sections |

Every section: id u16, reserved u16, length of the payload u32, payload ({schema.SECTION_HEADER_BYTES}
bytes before the payload). The head (section 1) comes first; no section comes twice. **Skip
sections and kinds that you do not know**: that is how the protocol grows. Lengths follow from
the counts in the head; refuse what does not fit. Limits: {schema.MAX_PEOPLE} people,
{schema.MAX_SECTIONS} sections, {schema.MAX_MESSAGE_BYTES >> 20} MiB a message.

**Packed rotations** (smallest three): three u16 per bone. The component with the largest
magnitude is left out, and the sign chosen so that it is positive; the other three, in order
x y z w, are `round(c · √2 · 16383) + 16383` in the low 15 bits of the words. The top bits of the
first and second word are the low and high bit of the index of the one left out. Error < 0.01°.

## JSON messages
One object: `kind` is the message's name, then the head's fields, then the sections under their
names. Counts are left out (lists have lengths) and so is what is reserved. What exists per
person is gathered in the objects of the list `people`. Enumerations are names in lower case,
switches true or false, bit masks lists of 0 and 1, bytes base64; NaN is null. Unknown keys are
skipped. In what clients send, a missing field is 0, false or the first choice. Numbers of
nanoseconds since 1970 exceed 2⁵³: JavaScript reads them to a quarter of a microsecond.
`rotations_packed` does not occur.
"""

COMMANDS = """\
## Commands
What `control` can ask of the daemon; in JSON, for example
`{"kind": "control", "id": 1, "name": "set", "payload": {"key": "smooth.smoothness", "value": 0.7}, "token": TOKEN}`.

| name | payload | does | result |
|---|---|---|---|
| `settings` | | | every setting that is in force |
| `set` | `{"key": …, "value": …}` | changes a setting, checked as in a file; the sections {fixed} need a restart | key and value |
| `recentre` | `{"slot": 0}` | puts that person at the origin, facing +Z; `null`: back to the camera's origin | slot |
| `calibrate` | | learns floor and camera tilt anew | |
| `neutral` | | takes the performer's face of the next calm moments for the neutral one | |
| `record` | `{"name": "take 1"}` | records into `recordings` in the configuration folder | file |
| `stop_record` | | ends that recording | file, messages |

When the camera's place in the world changes, by such a command or because it was learnt better, a
new `hello` and the event `calibration_changed` come before the first frame to which they apply.
""".replace("{fixed}", ", ".join(f"`{name}`" for name in sorted(RESTART_SECTIONS)))

RECORDINGS = """\
## Recordings (`.psrec`)
The same binary messages (axes gltf, float32, with positions), each guarded by a checksum:

| part | content |
|---|---|
| header, 24 bytes | `PSREC\\r\\n\\x1a`, version u16 = 1, reserved u16, created (UTC ns) i64, CRC u32 of the 20 bytes before |
| entries | length u32, CRC u32 of time and message, time i64 (monotonic ns), message |
| index | an entry whose payload is `PSINDEX\\0` and per frame: time i64, offset of its entry i64 |
| trailer, 20 bytes | `PSRECEND`, offset of the index entry u64, CRC u32 of the 16 bytes before |

The first entry is a hello. CRC-32 is zlib's. A file that was cut off has no trailer: read
entries until one is incomplete or its checksum is wrong.
"""

VERSIONS = f"""\
## Versions
What may change, so that programs written today go on working:

- **Within version {schema.PROTOCOL_VERSION}**, whatever version the daemon has: kinds of messages, sections, keys of JSON,
  events, commands and options may be *added*. Nothing is removed, reordered or given another
  meaning, unit or axis. Readers skip what they do not know; writers send nothing that a reader
  must know to understand the rest.
- **A version {schema.PROTOCOL_VERSION + 1}** would have its own sub-protocols and its own number in byte 2. The daemon would
  speak both, side by side on one port, for at least a year and two minor versions, and say in the
  [changelog](../CHANGELOG.md) when the older one ends. Clients that offer no sub-protocol keep the
  oldest that is spoken.
- **Recordings** of every earlier version stay readable. A recording of a newer one is refused with
  the advice to update.
- **VMC and VRChat** are other people's protocols: we follow them, tested against packets of theirs.
"""


def page() -> str:
    """The whole page."""
    parts = [
        INTRODUCTION,
        *_enumerations(),
        "## Messages\n",
        *_messages(),
        COMMANDS,
        RECORDINGS,
        VERSIONS,
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _enumerations() -> Iterator[str]:
    yield "## Enumerations\n"
    for enum in schema.ENUMS:
        yield f"**{enum.__name__}**: {_choices(enum)}.\n"


def _choices(enum: type[IntEnum]) -> str:
    return ", ".join(f"{member.value} = {member.name.lower()}" for member in enum)


def _messages() -> Iterator[str]:
    for message in schema.MESSAGES:
        sender = "daemon → client" if message.direction == "server" else "client → daemon"
        yield f"### {message.kind} · {message.name} ({sender})\n\n{message.doc}\n"
        for section in message.sections:
            yield _section(message, section)


def _section(message: MessageType, section: AnySection) -> str:
    optional = ", optional" if getattr(section, "optional", False) else ""
    head = f"**{section.id} · {section.name}** ({_type(section)}{optional}): {section.doc}\n"
    if not isinstance(section, Record):
        return head
    rows = "\n".join(_row(section, field) for field in section.fields)
    return f"{head}\n| offset | field | type | |\n|---|---|---|---|\n{rows}\n"


def _type(section: AnySection) -> str:
    match section:
        case Record():
            per = f" × {section.per}" if section.per else ""
            return f"{section.dtype.itemsize} bytes{per}"
        case Array():
            return f"{section.dtype} × " + " × ".join(str(dim) for dim in section.dims)
        case Names():
            return f"{section.count} strings, each u16 length and UTF-8"
        case Text():
            return f"UTF-8, at most {section.max_bytes} bytes"
        case Json():
            return f"JSON object as UTF-8, at most {section.max_bytes} bytes"
        case Blob():
            return "bytes"


def _row(record: Record, field: Field) -> str:
    shape = "".join(f" × {size}" for size in field.shape)
    notes = field.doc
    if field.enum is not None:
        notes += f" ({_choices(field.enum)})"
    if field.bits_of is not None:
        notes += f"; bit b (lowest first) for element b of {field.bits_of}"
    return f"| {record.offset(field.name)} | `{field.name}` | {field.dtype}{shape} | {notes} |"


def main() -> int:
    """Write the page, or with --check compare it; 1 if it differs."""
    if "--check" not in sys.argv[1:]:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} is written.")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/protocol.md differs from the schema: run tools/generate_protocol_docs.py.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
