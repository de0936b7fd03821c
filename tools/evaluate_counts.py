"""Compares our tracks with the people counted by hand in tests/data/hand_counts.

    python tools/evaluate_counts.py --videos DIR [--backend mediapipe] [--json FILE]

DIR holds the videos; those that are not there are named and left out. Columns: counted
frames, people counted in them, found and lost ones of those, tracks on nobody, and identity
switches (see posestream/evaluation/hand_counts.py).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from posestream.arrays import F64  # noqa: E402
from posestream.capture import open_source  # noqa: E402
from posestream.capture.base import CaptureSettings  # noqa: E402
from posestream.errors import PosestreamError  # noqa: E402
from posestream.estimate.registry import create  # noqa: E402
from posestream.evaluation.hand_counts import Counts, boxes_of, read  # noqa: E402
from posestream.pipeline import Pipeline, StepDetails  # noqa: E402
from posestream.settings import Settings  # noqa: E402
from posestream.types import TrackState  # noqa: E402

COUNTS = ROOT / "tests" / "data" / "hand_counts"
COLUMNS = ("frames", "people", "found", "lost", "extra", "switches")

Live = tuple[F64, list[int]]
"""Boxes (M, 4) in pixels and ids of the people tracked in one frame."""


def live_tracks(details: StepDetails) -> Live:
    """Who is seen in this frame; held people are not.

    Boxes are cut at the picture's edge like the hand-drawn ones: back ends guess where
    joints beyond it would be.
    """
    tracks = details.tracks
    seen = (tracks.state == TrackState.TRACKED) & (tracks.detection >= 0)
    xy_px = details.people2d.xy_px[tracks.detection[seen]]
    known = np.isfinite(xy_px).all(axis=-1).any(axis=-1)
    height, width = details.frame.image.shape[:2]
    boxes_px = np.clip(boxes_of(xy_px[known]), 0.0, [width, height, width, height])
    return boxes_px, tracks.track_id[seen][known].tolist()


def run(video: Path, backend: str) -> Iterator[StepDetails]:
    """The whole chain over every frame of a video, with the settings that users get."""
    settings = Settings()
    source = open_source(str(video), CaptureSettings(pace="fast"))
    estimator = create(backend, settings.estimate)
    try:
        pipeline = Pipeline(estimator, settings)
        while (frame := source.read()) is not None:
            pipeline.step(frame)
            assert pipeline.details is not None
            yield pipeline.details
    finally:
        estimator.close()
        source.close()


def evaluate(video: Path, counted: Path, backend: str) -> Counts:
    """Our people against one file of counted people; in a frame not delivered all are lost."""
    people = read(counted)
    live = {
        details.frame.index: live_tracks(details)
        for details in run(video, backend)
        if details.frame.index in people
    }
    counts = Counts()
    for index in sorted(people):
        counts.add(people[index], *live.get(index, (np.zeros((0, 4)), [])))
    return counts


def evaluate_all(videos: Path, backend: str) -> dict[str, dict[str, int]]:
    """Prints a row per video as soon as it is known; returns them, with the sums."""
    rows: dict[str, dict[str, int]] = {}
    print(f"{'video':40s}" + "".join(f"{column:>9s}" for column in COLUMNS))
    for counted in sorted(COUNTS.glob("*.json")):
        video = videos / json.loads(counted.read_text(encoding="utf-8"))["video"]
        if not video.is_file():
            print(f"{video.name}: not in {videos}, left out", file=sys.stderr)
            continue
        rows[video.name] = evaluate(video, counted, backend).as_dict()
        _print(video.name, rows[video.name])
    total = {column: sum(row[column] for row in rows.values()) for column in COLUMNS}
    _print("all", total)
    return {**rows, "all": total}


def _print(name: str, row: dict[str, int]) -> None:
    print(f"{name:40s}" + "".join(f"{row[column]:9d}" for column in COLUMNS), flush=True)


def main() -> int:
    summary, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--videos", type=Path, required=True, help="folder with the videos")
    parser.add_argument("--backend", default="mediapipe", help="back end that finds the people")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    try:
        rows = evaluate_all(options.videos, options.backend)
    except PosestreamError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json is not None:
        command = "python tools/evaluate_counts.py --videos DIR --backend " + options.backend
        report = {"command": command, "videos": rows}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
