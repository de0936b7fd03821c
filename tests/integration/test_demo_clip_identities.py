"""The bundled clip's two people cross: each keeps one identity and one slot throughout."""

from __future__ import annotations

import numpy as np
import pytest

from posestream.assets import DEMO_CLIP
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.capture.live import every_frame
from posestream.estimate.registry import create
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.skeleton.joints import ROOT
from posestream.types import TrackState

pytestmark = [pytest.mark.mediapipe, pytest.mark.slow]


def test_identities_survive_the_crossing():
    truth = np.load(DEMO_CLIP.with_name("demo_truth.npz"))
    estimator = create("mediapipe", Settings().estimate)
    pipeline = Pipeline(estimator, Settings())
    seen = {0: set(), 1: set()}
    for frame in every_frame(open_source(str(DEMO_CLIP), CaptureSettings(pace="fast"))):
        avatars = pipeline.step(frame)
        pelvis_px = truth["xy_px"][frame.index, :, ROOT]
        apart = abs(pelvis_px[0, 0] - pelvis_px[1, 0])
        if apart < 80.0:  # one hides the other: who is who is judged before and after
            continue
        tracks = pipeline.details.tracks
        for row in np.flatnonzero(avatars.state == TrackState.TRACKED):
            xy = pipeline.details.people2d.xy_px[tracks.detection[row], ROOT]
            person = int(np.argmin(np.linalg.norm(pelvis_px - xy, axis=-1)))
            seen[person].add((int(tracks.track_id[row]), int(tracks.slot[row])))
    estimator.close()
    assert len(seen[0]) == len(seen[1]) == 1
    assert not seen[0] & seen[1]
