"""Boxes and ids of the people tracked in one frame, on scripted people."""

from __future__ import annotations

import numpy as np

from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.estimate.registry import create
from posestream.evaluation.hand_counts import boxes_of
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.types import TrackState
from tools.evaluate_counts import live_tracks


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
