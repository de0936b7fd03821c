"""What smoothing both ways in time brings: python tools/measure_hindsight.py BVH_FOLDER

On motion capture with a back end's errors laid over it, as tools/draw_latency.py does; the
table goes to docs/results/hindsight.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from posestream.evaluation import lag
from posestream.evaluation.noise import measure
from posestream.smooth.settings import SmoothingSettings

ROOT = Path(__file__).resolve().parent.parent
KNOB = (0.25, 0.5, 0.75)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bvh", type=Path)
    parser.add_argument("--backend", default="mediapipe")
    parser.add_argument("--every", type=int, default=1, help="only every n-th clip")
    parser.add_argument("--json", type=Path, default=ROOT / "docs/results/hindsight.json")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "Mean of empty slice")
    motions = lag.clips(options.bvh, measure(options.backend))[:: options.every]
    rows = table(motions)
    for name, row in rows.items():
        print(f"{name:32}", *(f"{key} {value:8.2f}" for key, value in row.items()))
    command = f"python tools/measure_hindsight.py {options.bvh.name} --every {options.every}"
    result = {"command": command, "clips": len(motions), "rows": rows}
    options.json.write_text(json.dumps(result, indent=1) + "\n")


def table(motions: list[lag.Clip]) -> dict[str, dict[str, float]]:
    """Figures by what was done to the motion."""
    truth = lag.exact_places(motions)
    rows = {"nothing": lag.figures(motions, SmoothingSettings(smoothness=0.0), truth)}
    for knob in KNOB:
        live = SmoothingSettings(smoothness=knob)
        still = SmoothingSettings(smoothness=knob, predict_ms=0.0)
        rows[f"live, {knob}"] = lag.figures(motions, live, truth)
        rows[f"live, {knob}, no prediction"] = lag.figures(motions, still, truth)
        rows[f"both ways, {knob}"] = lag.figures(motions, live, truth, lag.play_with_hindsight)
    return {
        name: {key: round(value, 2) for key, value in row._asdict().items()}
        for name, row in rows.items()
    }


if __name__ == "__main__":
    main()
