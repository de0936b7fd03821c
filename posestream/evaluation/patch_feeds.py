"""What HDNet sees of people in pictures: to calibrate its int8 on, and to judge it by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from posestream.errors import CaptureError
from posestream.estimate.backends.engine import F32
from posestream.estimate.backends.hdnet import HdnetEstimator, PatchFacts
from posestream.estimate.backends.hdnet_onnx import OnnxPatches
from posestream.estimate.base import EstimateSettings, Estimator
from posestream.estimate.network_settings import HdnetSettings
from posestream.estimate.registry import create
from posestream.geometry.depth_bins import depth_from_logits
from posestream.nn.quantize import Feed
from posestream.types import Frame

_LEAST: Final = 2


class _Notebook:
    """Stands in HDNet's place and keeps every patch it is given."""

    def __init__(self, facts: PatchFacts) -> None:
        self.facts = facts
        self.feeds: list[Feed] = []

    def depth(self, image: F32, mask: F32) -> F32:
        """Nothing, of as many people; see ``PatchEngine``."""
        self.feeds += [
            {"image": image[i : i + 1], "mask": mask[i : i + 1]} for i in range(len(image))
        ]
        return np.zeros(
            (len(image), 1 if self.facts.bins is None else self.facts.bins.count), np.float32
        )

    def close(self) -> None:
        """Nothing to release."""


def patch_feeds(file: Path, frames: Sequence[Frame], people: Estimator | None = None) -> list[Feed]:
    """The file's inputs for everybody whom our own network, or ``people``, finds.

    Raises CaptureError if those are fewer than two.
    """
    engine = OnnxPatches(file, 1)
    notebook = _Notebook(engine.facts)
    engine.close()
    estimator = HdnetEstimator(
        people or create("rrmp", EstimateSettings()), notebook, HdnetSettings()
    )
    for frame in frames:
        estimator.estimate(frame)
    estimator.close()
    if len(notebook.feeds) < _LEAST:
        raise CaptureError(
            "hdnet's int8 needs pictures with at least two people in all: name another folder."
        )
    return notebook.feeds


def distances_apart(first: Path, second: Path, feeds: Sequence[Feed]) -> float:
    """Mean difference of the distances that two files read from the feeds, as a share."""
    a, b = (_distances(file, feeds) for file in (first, second))
    return float(np.mean(np.abs(b / a - 1.0)))


def _distances(file: Path, feeds: Sequence[Feed]) -> F32:
    """(P,) d/f of each feed."""
    engine = OnnxPatches(file, 0)
    answer = np.concatenate([engine.depth(feed["image"], feed["mask"]) for feed in feeds])
    bins = engine.facts.bins
    engine.close()
    if bins is None:
        return np.asarray(answer[:, 0])
    one = np.ones(len(answer))
    return depth_from_logits(answer.astype(np.float64), one, bins)[0].astype(np.float32)
