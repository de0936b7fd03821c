"""Judge a weight file on a configuration's held-out pictures, and show where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from posestream.errors import TrainingError
from posestream.nn import weights
from posestream.nn.hdnet import Hdnet
from posestream.training.config import TrainConfig
from posestream.training.held_out import skeleton_of
from posestream.training.start import device_for
from posestream.training.validate import Validator, Verdict

_SHOWN: Final = 18


def judge_file(config: TrainConfig, path: Path, worst: Path | None = None) -> Verdict:
    """The verdict; ``worst`` becomes a picture of the worst cases.

    Raises WeightsError for a file that is not ours, TrainingError for missing pictures.
    """
    validator = Validator(config)
    if not len(validator):
        raise TrainingError("The configuration names no validation.sources: add some.")
    device, bf16 = device_for(config), config.optimiser.precision == "bf16"
    network = weights.load(path).to(device)
    if worst is not None and isinstance(network, Hdnet):
        raise TrainingError("hdnet finds nobody whose joints could be drawn: leave out --worst.")
    verdict = validator.judge(network, device, bf16)
    if worst is not None and not isinstance(network, Hdnet):
        from posestream.training.worst import draw_cases, save, worst_cases

        judged = validator.finds(network, device, bf16, verdict.decode)
        save(worst, draw_cases(worst_cases(judged, skeleton_of(network), _SHOWN)))
    return verdict
