"""MuPoTS-3D from files to figures."""

from __future__ import annotations

import logging
from pathlib import Path

from posestream.evaluation.mupots import Align, Outcome, evaluate_sequence
from posestream.evaluation.mupots_data import read_predictions, read_truth
from posestream.evaluation.mupots_figures import Figures, summarise
from posestream.settings import Settings

log = logging.getLogger(__name__)


def evaluate_predictions(gt: Path, predictions: Path, align: Align) -> Figures:
    """Figures of saved predictions, over the sequences that their file holds."""
    truth = read_truth(gt)
    found = read_predictions(predictions, truth)
    outcomes = [evaluate_sequence(truth, sequence, align) for sequence in found]
    return {"align": align, **summarise(outcomes)}


def evaluate_frames(
    gt: Path, frames: Path, backend: str, align: Align, settings: Settings | None = None
) -> Figures:
    """Figures of a back end over the sequences with pictures."""
    from posestream.evaluation.mupots_frames import predict, sequence_folders
    from posestream.evaluation.people import maker

    truth = read_truth(gt)
    outcomes: list[Outcome] = []
    for folder in sequence_folders(frames, truth):
        log.info("%s: %d pictures", folder.name, len(folder.pictures))
        found = predict(folder, maker(backend, settings))
        outcomes.append(evaluate_sequence(truth, found, align))
    return {"align": align, "backend": backend, **summarise(outcomes)}
