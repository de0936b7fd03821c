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
    gt: Path,
    frames: Path,
    backend: str,
    align: Align,
    settings: Settings | None = None,
    sheet: Path | None = None,
) -> Figures:
    """Figures of a back end over the sequences with pictures; ``sheet`` shows the worst."""
    from posestream.evaluation.mupots_frames import cases, predict, sequence_folders
    from posestream.evaluation.people import maker
    from posestream.evaluation.sheet import Case, draw_worst

    truth = read_truth(gt)
    outcomes: list[Outcome] = []
    drawn: list[Case] = []
    for folder in sequence_folders(frames, truth):
        log.info("%s: %d pictures", folder.name, len(folder.pictures))
        found = predict(folder, maker(backend, settings))
        outcomes.append(evaluate_sequence(truth, found, align))
        if sheet is not None:
            drawn += cases(folder, truth.sequences[folder.name], found)
    if sheet is not None:
        draw_worst(drawn, sheet)
    return {"align": align, "backend": backend, **summarise(outcomes)}
