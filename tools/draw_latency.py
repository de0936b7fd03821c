"""Draw docs/images/latency.png: error, calm and lag of smoothing on noisy motion capture.

python tools/draw_latency.py BVH_FOLDER [--backend mediapipe] [--out docs/images/latency.png]

The errors of the back end are measured on the bundled clip and laid over the motion. The
figures go to docs/results/latency.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from posestream.evaluation import lag
from posestream.evaluation.noise import measure
from posestream.smooth.settings import SmoothingSettings

ROOT = Path(__file__).resolve().parent.parent
KNOB = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0)
CURVES: dict[str, list[SmoothingSettings]] = {
    **{
        f"posestream, predict {ms} ms": [
            SmoothingSettings(smoothness=s, predict_ms=float(ms)) for s in KNOB
        ]
        for ms in (0, 20, 40)
    },
    "without the outlier gate": [
        SmoothingSettings(smoothness=s, predict_ms=0.0, outliers=False) for s in KNOB
    ],
    "plain One Euro": [
        lag.PlainOneEuro(
            smoothness=0.5, predict_ms=0.0, outliers=False,
            rotation_cutoff_hz=1.0, rotation_beta=beta,
        )
        for beta in (0.3, 0.7, 1.5, 3.0, 6.0, 12.0)
    ],
    "no filter": [SmoothingSettings(smoothness=0.0)],
}  # fmt: skip
STYLES = ("o-", "s-", "^-", "d-", "x--", "k*")


def main() -> None:
    """Measure, write the figures, draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bvh", type=Path)
    parser.add_argument("--backend", default="mediapipe")
    parser.add_argument("--every", type=int, default=1, help="only every n-th clip")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images/latency.png")
    parser.add_argument("--json", type=Path, default=ROOT / "docs/results/latency.json")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "Mean of empty slice")
    motions = lag.clips(options.bvh, measure(options.backend))[:: options.every]
    truth = lag.exact_places(motions)
    figures = {
        name: [lag.figures(motions, settings, truth)._asdict() for settings in row]
        for name, row in CURVES.items()
    }
    rounded = json.loads(json.dumps(figures), parse_float=lambda x: round(float(x), 2))
    command = f"python tools/draw_latency.py {options.bvh.name} --every {options.every}"
    result = {"command": command, "clips": len(motions), "knob": KNOB, "curves": rounded}
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    draw(figures, options.out)


def draw(figures: dict[str, list[dict[str, float]]], out: Path) -> None:
    """Two panels over lag: error in motion, jitter at rest."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    _, panels = plt.subplots(1, 2, figsize=(9.6, 4.2), dpi=80)
    labels = {"moving_error_mm": "error in motion, mm", "jitter_mm": "jitter at rest, mm"}
    for panel, (key, label) in zip(panels, labels.items(), strict=True):
        for (name, points), style in zip(figures.items(), STYLES, strict=True):
            x, y = np.array([(p["lag_ms"], p[key]) for p in points]).T
            panel.plot(x, y, style, label=name, markersize=6)
        for p, knob in zip(figures["posestream, predict 0 ms"], KNOB, strict=True):
            panel.annotate(f"{knob:g}", (p["lag_ms"], p[key]), fontsize=8, xytext=(4, 4),
                           textcoords="offset points")  # fmt: skip
        panel.set(xlabel="lag behind the exact motion, ms", ylabel=label)
        panel.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    plt.tight_layout()
    plt.savefig(out)


if __name__ == "__main__":
    main()
