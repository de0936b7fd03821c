"""What more workers bring `posestream process`: python tools/measure_workers.py --json FILE

The same clip under several names, with 1 and 2 workers in turn, each twice; Dask's start is
counted, the first import of the models is not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from posestream.assets import DEMO_CLIP
from posestream.evaluation.bench_chain import machine

WORKERS = (1, 2)


def main() -> int:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clip", default=str(DEMO_CLIP))
    parser.add_argument("--videos", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    facts = machine()
    with tempfile.TemporaryDirectory() as folder:
        clips = _copies(Path(options.clip), Path(folder), options.videos)
        _process(clips[:1], Path(folder) / "warm", 1)
        rows = [
            measure(clips, Path(folder) / f"out-{turn}-{workers}", workers)
            for turn in range(options.repeats)
            for workers in WORKERS
        ]
    best = {w: max(r["frames_per_s"] for r in rows if r["workers"] == w) for w in WORKERS}
    report = {
        "command": f"python tools/measure_workers.py --videos {options.videos}",
        "machine": facts,
        "clip": Path(options.clip).name,
        "runs": rows,
        "speed_up": round(best[2] / best[1], 2),
    }
    print(json.dumps(report, indent=2))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(clips: list[Path], out: Path, workers: int) -> dict[str, Any]:
    """Frames per second from start to end of one command."""
    started_s = time.perf_counter()
    _process(clips, out, workers)
    seconds = time.perf_counter() - started_s
    lines = sum(len(path.read_bytes().splitlines()) - 1 for path in out.glob("*.jsonl"))
    return {
        "workers": workers, "videos": len(clips), "frames": lines,
        "seconds": round(seconds, 1), "frames_per_s": round(lines / seconds, 1),
    }  # fmt: skip


def _copies(clip: Path, folder: Path, count: int) -> list[Path]:
    copies = [folder / f"clip{i}{clip.suffix}" for i in range(count)]
    for copy in copies:
        shutil.copyfile(clip, copy)
    return copies


def _process(clips: list[Path], out: Path, workers: int) -> None:
    command = [sys.executable, "-m", "posestream", "process", *map(str, clips)]
    subprocess.run(
        [*command, "--out", str(out), "--workers", str(workers)],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
