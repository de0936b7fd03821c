"""What smoothing both ways in time brings: python tools/measure_hindsight.py BVH_FOLDER

On motion capture with a back end's errors laid over it, as tools/draw_latency.py does; the
table goes to docs/results/hindsight.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from posestream.evaluation import lag
from posestream.smooth.settings import SmoothingSettings
from tools import clip_tables

KNOB = (0.25, 0.5, 0.75)


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
    clip_tables.run(__doc__, "hindsight", table)
