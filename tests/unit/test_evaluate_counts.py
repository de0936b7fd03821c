"""People tracked against people counted by hand, on scripted people."""

from __future__ import annotations

import json

import numpy as np
import pytest

from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.errors import PosestreamError
from posestream.estimate.registry import create
from posestream.evaluation.hand_counts import boxes_of
from posestream.evaluation.report import video_table
from posestream.evaluation.video import evaluate_videos, live_tracks
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.types import TrackState


def steps(frames=30):
    settings = Settings()
    source = open_source("synthetic:people=3,seconds=2", CaptureSettings(pace="fast"))
    pipeline = Pipeline(create("fake", settings.estimate), settings)
    for _ in range(frames):
        frame = source.read()
        pipeline.step(frame)
        yield frame, pipeline.details
    source.close()


def test_boxes_are_the_true_people_cut_at_the_edge_under_their_tracks_ids():
    for frame, details in steps():
        boxes_px, ids = live_tracks(details)
        tracks = details.tracks
        seen = tracks.state == TrackState.TRACKED
        assert ids == tracks.track_id[seen].tolist()
        width, height = frame.camera.size_px
        truth_px = np.clip(boxes_of(frame.truth.people2d.xy_px), 0, [width, height, width, height])
        for box in boxes_px:
            assert np.abs(truth_px - box).max(axis=1).min() < 1e-9
    assert len(ids) == 3


def test_who_is_only_held_is_not_live():
    *_, (frame, details) = steps()
    assert len(live_tracks(details)[1]) == 3
    pipeline = Pipeline(create("fake", Settings().estimate), Settings())
    for earlier, _ in steps():
        pipeline.step(earlier)
    pipeline.coast(frame)
    assert TrackState.TRACKED not in pipeline.details.tracks.state.tolist()
    assert live_tracks(pipeline.details)[1] == []


SOURCE = "synthetic:people=2,seconds=1,fps=15"  # its file of counts is this name with .json


def counted(folder, frames):
    path = folder / f"{SOURCE}.json"
    path.write_text(json.dumps({"frames": frames}), encoding="utf-8")
    return folder


def people_of(frame):
    boxes_px = boxes_of(frame.truth.people2d.xy_px).tolist()
    return [{"id": hand_id, "box_px": box} for hand_id, box in enumerate(boxes_px)]


def test_counts_are_reported_per_video_and_in_sum(tmp_path):
    source = open_source(SOURCE, CaptureSettings(pace="fast"))
    frames = [source.read() for _ in range(13)]
    source.close()
    nowhere = {"id": 9, "box_px": [0, 0, 1, 1]}
    folder = counted(
        tmp_path,
        [
            {"frame": 6, "people": people_of(frames[6])},
            {"frame": 12, "people": [people_of(frames[12])[0], nowhere]},
            {"frame": 99, "people": people_of(frames[12])},  # never delivered
        ],
    )
    result = evaluate_videos([SOURCE, "synthetic:people=1,seconds=1"], "fake", folder)
    sums = {"frames": 3, "people": 6, "found": 3, "lost": 3, "extra": 1, "switches": 0}
    assert result["sources"][SOURCE]["counts"] == result["counts"] == sums
    assert result["lost_share"] == 0.5
    assert result["extra_per_frame"] == 1 / 3
    *_, last = video_table(result).splitlines()
    assert last.split() == ["all", "3", "6", "3", "3", "1", "0"]


@pytest.mark.parametrize(
    "frames",
    [[{"frame": 0}], [{"frame": 0, "people": [{"id": 0}]}], [{"people": []}], 3,
     [{"frame": 6, "people": [{"id": 0, "box_px": ["a", 0, 1, 1]}]}]],
)  # fmt: skip
def test_a_file_that_counts_nobody_properly_is_named(tmp_path, frames):
    with pytest.raises(PosestreamError, match="not a file of counted people"):
        evaluate_videos([SOURCE], "fake", counted(tmp_path, frames))
