"""The best weights of a run, in half precision, and the card that says what they are worth."""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path

import msgspec

from posestream.errors import TrainingError
from posestream.nn import weights
from posestream.nn.weights import Network
from posestream.training.config import TrainConfig
from posestream.training.validate import Verdict


class Best:
    """``best.pt`` and ``best.json`` in a run's folder."""

    def __init__(self, folder: Path, score: float | None) -> None:
        self._folder = folder
        self.score = score

    def offer(self, network: Network, verdict: Verdict, step: int, config: TrainConfig) -> bool:
        """Keep the network if it scores more than any before. Raises TrainingError, WeightsError.

        The card holds the decoder's thresholds that were chosen for these weights.
        """
        if not math.isfinite(verdict.score) or (
            self.score is not None and verdict.score <= self.score
        ):
            return False
        weights.save(self._folder / "best.pt", network, verdict.thresholds)
        card = {
            "run": config.name,
            "step": step,
            "pictures": step * config.optimiser.batch,
            "size_px": list(config.data.size_px),
            **verdict.plain(),
            "config": msgspec.to_builtins(config),
        }
        _write(self._folder / "best.json", json.dumps(card, indent=1))
        self.score = verdict.score
        return True


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fresh.write_text(text + "\n", encoding="utf-8", newline="\n")
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise TrainingError(f"{path} cannot be written ({error.strerror}): make room.") from error
