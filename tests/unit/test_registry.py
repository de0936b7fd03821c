"""Back ends by name: chosen explicitly, imported only then."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posestream.errors import BackendError
from posestream.estimate import registry
from posestream.estimate.base import EstimateSettings
from posestream.skeleton.joints import NUM_JOINTS
from posestream.types import Camera, Estimate, Frame, People2D

CAMERA = Camera(np.eye(3), (4, 3))
IMAGE = np.zeros((3, 4, 3), dtype=np.uint8)


def test_auto_takes_the_truth_where_there_is_one():
    people = People2D(np.ones((1, NUM_JOINTS, 2)), np.ones((1, NUM_JOINTS)), np.ones(1))
    truth = Estimate(people)
    estimator = registry.create("auto", EstimateSettings(), source_knows_truth=True)
    assert estimator.name == "fake"
    assert estimator.estimate(Frame(0, 0, IMAGE, CAMERA, truth)) is truth
    estimator.close()


def test_the_fake_back_end_says_what_it_needs():
    estimator = registry.create("fake", EstimateSettings())
    with pytest.raises(BackendError, match="synthetic:"):
        estimator.estimate(Frame(0, 0, IMAGE, CAMERA))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(BackendError, match="auto, mediapipe, rrmp, torch, fake"):
        registry.create("openpose", EstimateSettings())


def test_a_missing_back_end_names_the_command_that_installs_it(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(BackendError, match=r"pip install 'posestream\[mediapipe\]'"):
        registry.create("auto", EstimateSettings())
    assert not {entry.name: entry.ok for entry in registry.available()}["mediapipe"]


def test_asking_imports_no_engine():
    code = (
        "import sys; from posestream.estimate.registry import available; available();"
        "print([m for m in ('cv2', 'mediapipe', 'torch') if m in sys.modules])"
    )
    repository = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
