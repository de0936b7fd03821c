"""Judge a weight file on a configuration's held-out pictures."""

from __future__ import annotations

from pathlib import Path

from posestream.errors import TrainingError
from posestream.nn import weights
from posestream.training.config import TrainConfig
from posestream.training.start import device_for
from posestream.training.validate import Validator, Verdict


def judge_file(config: TrainConfig, path: Path) -> Verdict:
    """Raises WeightsError for a file that is not ours, TrainingError for missing pictures."""
    validator = Validator(config)
    if not len(validator):
        raise TrainingError("The configuration names no validation.sources: add some.")
    device = device_for(config)
    network = weights.load(path).to(device)
    return validator.judge(network, device, config.optimiser.precision == "bf16")
