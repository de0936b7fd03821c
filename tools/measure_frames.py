"""How large our frames are and what encoding them costs: python tools/measure_frames.py --json FILE

Scripted people with every bone, as they travel; the figures behind docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from posestream.publish.load import scripted_frame
from posestream.wire import codec
from posestream.wire.messages import Encoding, Rotations, StreamFormat, stamped

FORMATS = {
    "binary, float32": StreamFormat(),
    "binary, packed": StreamFormat(rotations=Rotations.PACKED),
    "binary, packed, positions": StreamFormat(rotations=Rotations.PACKED, positions=True),
    "JSON": StreamFormat(Encoding.JSON),
}
PEOPLE = (0, 1, 2, 4, 8)
RATE_HZ = 60
_REPEATS = 300


def main() -> int:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    rows = [measure(name, people) for name in FORMATS for people in PEOPLE]
    for row in rows:
        print(
            f"{row['format']:26} {row['people']} people: {row['bytes']:6} bytes, "
            f"{row['kbit_per_s_at_60_hz']:7.0f} kbit/s, encode {row['encode_us']:.0f} µs, "
            f"decode {row['decode_us']:.0f} µs"
        )
    if options.json:
        report = {"command": "python tools/measure_frames.py", "rows": rows}
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(name: str, people: int) -> dict[str, Any]:
    """Size, and the median of many encodings and decodings."""
    fmt = FORMATS[name]
    message = stamped(scripted_frame(100, people, 1000), 2000, 3000)
    data = codec.encode(message, fmt)
    received = data.decode() if fmt.encoding is Encoding.JSON else data
    return {
        "format": name,
        "people": people,
        "bytes": len(data),
        "kbit_per_s_at_60_hz": round(len(data) * 8 * RATE_HZ / 1000, 1),
        "encode_us": round(_median_us(lambda: codec.encode(message, fmt)), 1),
        "decode_us": round(_median_us(lambda: codec.decode(received)), 1),
    }


def _median_us(call: Any) -> float:
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - started) / 1e3)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
