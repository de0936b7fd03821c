"""The command line of tools that fill a table over motion capture with a back end's errors."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path

from posestream.evaluation import lag
from posestream.evaluation.noise import measure

ROOT = Path(__file__).resolve().parent.parent
Table = dict[str, dict[str, float]]


def run(doc: str | None, name: str, table: Callable[[list[lag.Clip]], Table]) -> None:
    """Measure, print and write ``docs/results/NAME.json`` for ``tools/measure_NAME.py``."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("bvh", type=Path)
    parser.add_argument("--backend", default="mediapipe")
    parser.add_argument("--every", type=int, default=1, help="only every n-th clip")
    parser.add_argument("--json", type=Path, default=ROOT / f"docs/results/{name}.json")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "Mean of empty slice")
    motions = lag.clips(options.bvh, measure(options.backend))[:: options.every]
    rows = table(motions)
    for row, figures in rows.items():
        print(f"{row:32}", *(f"{key} {value:8.2f}" for key, value in figures.items()))
    command = f"python tools/measure_{name}.py {options.bvh.name} --every {options.every}"
    result = {"command": command, "clips": len(motions), "rows": rows}
    options.json.write_text(json.dumps(result, indent=1) + "\n")
