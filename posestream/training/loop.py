"""One training loop for every network: steps, curves, checkpoints, validation, a clean end."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from posestream.errors import TrainingError
from posestream.nn import weights
from posestream.training import checkpoint
from posestream.training.averaging import Average, optimiser_for, rate_at
from posestream.training.best import Best
from posestream.training.config import TrainConfig
from posestream.training.cpu_convolutions import ease
from posestream.training.curves import Curves
from posestream.training.example import Batch
from posestream.training.loader import Recipe, Waiting, open_batches
from posestream.training.objective import losses, total
from posestream.training.progress import Progress
from posestream.training.ranks import Ranks
from posestream.training.signals import stop_signals
from posestream.training.start import arithmetic, clear_gradients, device_for, learning, new_network
from posestream.training.validate import Validator, table

_PARTS: Final = {
    "rrmp": ("heatmaps", "pafs", "locations"),
    "unified": ("heatmaps", "pafs", "locations", "bins", "bin_index"),
    "hdnet": ("heatmaps", "pose", "bins", "bin_index"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a piece of a run ended."""

    step: int
    finished: bool
    pictures_per_s: float
    waiting_share: float
    best_score: float | None


def train(config: TrainConfig, folder: Path) -> Outcome:
    """Train, or go on where the folder's checkpoint ends.

    Raises TrainingError for unusable data, checkpoints, losses that are not finite, full disks.
    """
    device = device_for(config)
    ranks = Ranks(device.type == "cuda")
    try:
        with arithmetic(config, device, ranks):
            return _Run(config, folder, device, ranks).go()
    finally:
        ranks.close()


@dataclass
class _Sums:
    """Means of what happened since the last row."""

    parts: dict[str, float] = field(default_factory=dict)
    norm: float = 0.0
    steps: int = 0

    def add(self, parts: dict[str, float], norm: float) -> None:
        for name, value in parts.items():
            self.parts[name] = self.parts.get(name, 0.0) + value
        self.norm += norm
        self.steps += 1

    def means(self) -> dict[str, float]:
        values = {**self.parts, "gradient": self.norm}
        return {name: value / self.steps for name, value in values.items()}


class _Run:
    def __init__(
        self, config: TrainConfig, folder: Path, device: torch.device, ranks: Ranks
    ) -> None:
        self.config, self.folder, self.device, self.ranks = config, folder, device, ranks
        o = config.optimiser
        ranks.check_batch(o.batch, o.accumulate)
        state = checkpoint.load(folder / checkpoint.NAME, config)
        self.recipe = Recipe(config)
        self.validator = Validator(config) if ranks.leads else None
        self.network = new_network(config).to(device)
        self.average = Average(self.network, o.ema)
        if device.type == "cpu":
            ease(self.network)
        self.optimiser = optimiser_for(self.network, o)
        self.step, self.seconds, best_score = 0, 0.0, None
        if state is not None:
            self._restore(state)
            self.step, self.seconds, best_score = state.step, state.seconds, state.best_score
        self.first_step = self.step
        self.best = Best(folder, best_score)
        self.forward = torch.compile(self.network) if config.machine.compile else self.network
        self.parts = _PARTS[config.network.kind]
        self.curves = self._curves() if ranks.leads else None
        self.progress = Progress(o.steps, self.step, ranks.leads)
        self.begun = time.perf_counter()
        self.judging_s = 0.0
        self._judged_at = -1

    def _restore(self, state: checkpoint.State) -> None:
        self.network.load_state_dict(state.network)
        self.average.network.load_state_dict(state.average)
        self.optimiser.load_state_dict(state.optimiser)

    def _curves(self) -> Curves:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(
                f"{self.folder} cannot be made ({error.strerror}): name another --out folder."
            ) from error
        columns = ("pictures", "minutes", "rate", *self.parts, "gradient", "per_s", "waiting")
        return Curves(self.folder, columns, self.step)

    def go(self) -> Outcome:
        """Steps until the end, the time limit, or a signal."""
        steps = self.config.optimiser.steps
        pin = self.device.type == "cuda"
        batches = open_batches(self.config, self.recipe, self.step, self.ranks.share, pin)
        try:
            with stop_signals() as stop:
                self._steps(steps, batches, stop)
        finally:
            batches.close()
        seconds = time.perf_counter() - self.begun - self.judging_s
        done = (self.step - self.first_step) * self.config.optimiser.batch
        self._save()
        finished = self.step >= steps
        if finished and done and self._judged_at != self.step:
            self._judge()
            self._save()
        if self.curves is not None:
            self.curves.draw(self.parts)
        self.progress.close()
        waiting = batches.seconds / seconds if seconds > 0.0 else 0.0
        return Outcome(self.step, finished, done / max(seconds, 1e-9), waiting, self.best.score)

    def _steps(self, steps: int, batches: Waiting, stop: dict[str, bool]) -> None:
        machine, sums = self.config.machine, _Sums()
        mark = (time.perf_counter(), 0.0, self.step)
        while self.step < steps:
            parts, norm, ended = self._step(batches, stop)
            sums.add(parts, norm)
            self.step += 1
            if self.step % machine.log_every == 0 or self.step == steps:
                mark = self._row(sums.means(), mark, batches)
                sums = _Sums()
            if ended:
                return
            every = self.config.validation.every
            if every and self.step % every == 0:
                mark = self._pause(mark, self._judge)
            if self.step % machine.checkpoint_every == 0:
                mark = self._pause(mark, self._save)

    def _pause(self, mark: tuple[float, float, int], work: Any) -> tuple[float, float, int]:
        """Do something that is no training; it does not count in pictures per second."""
        begun = time.perf_counter()
        work()
        taken = time.perf_counter() - begun
        self.judging_s += taken
        return mark[0] + taken, mark[1], mark[2]

    def _step(
        self, batches: Waiting, stop: dict[str, bool]
    ) -> tuple[dict[str, float], float, bool]:
        """One step of the optimiser: (losses, norm of the gradient, whether to stop)."""
        o, number = self.config.optimiser, self.step
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(number, o)
        learning(self.network, self.config.network.trunk_held)
        clear_gradients(self.network)
        parts: dict[str, float] = {}
        for _ in range(o.accumulate):
            for name, value in self._backward(next(batches), number).items():
                parts[name] = parts.get(name, 0.0) + value / o.accumulate
        (ended,) = self.ranks.average(self.network, float(self._must_stop(stop)))
        norm = float(torch.nn.utils.clip_grad_norm_(self.network.parameters(), o.clip))
        if not math.isfinite(norm) or not all(map(math.isfinite, parts.values())):
            self._refuse(parts, number)
        self.optimiser.step()
        self.average.follow(self.network, number)
        return parts, norm, ended > 0.0

    def _backward(self, batch: Batch, step: int) -> dict[str, float]:
        o = self.config.optimiser
        there = {k: v.to(self.device, non_blocking=True) for k, v in batch.items()}
        half = o.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            parts = losses(self.network, there, self.config.loss, self.forward)
        loss: Tensor = total(parts, self.config.loss, step) / o.accumulate
        loss.backward()  # type: ignore[no-untyped-call]
        return dict(
            zip(parts, torch.stack([p.detach() for p in parts.values()]).tolist(), strict=True)
        )

    def _refuse(self, parts: dict[str, float], step: int) -> None:
        """Stop without touching the last checkpoint."""
        batch = self.config.optimiser.batch
        odd = [n for n, v in parts.items() if not math.isfinite(v)] or ["gradient"]
        raise TrainingError(
            f"The {' and '.join(odd)} loss is not finite in step {step} (pictures "
            f"{step * batch} to {(step + 1) * batch - 1}): lower optimiser.rate or examine "
            "the data; the last checkpoint is kept."
        )

    def _must_stop(self, stop: dict[str, bool]) -> bool:
        limit = 60.0 * self.config.machine.minutes
        return stop["now"] or (limit > 0.0 and time.perf_counter() - self.begun >= limit)

    def _row(
        self, means: dict[str, float], mark: tuple[float, float, int], batches: Waiting
    ) -> tuple[float, float, int]:
        now = time.perf_counter()
        seconds, steps = max(now - mark[0], 1e-9), self.step - mark[2]
        batch = self.config.optimiser.batch
        values = {
            "pictures": float(self.step * batch),
            "minutes": (self.seconds + now - self.begun) / 60.0,
            "rate": rate_at(self.step - 1, self.config.optimiser),
            **means,
            "per_s": steps * batch / seconds,
            "waiting": (batches.seconds - mark[1]) / seconds,
        }
        if self.curves is not None:
            self.curves.add(self.step, values)
            self.progress.show(self.step, values, self.parts)
        return now, batches.seconds, self.step

    def _judge(self) -> None:
        """Validate the average; keep its weights if they are the best so far."""
        self._judged_at = self.step
        self.ranks.mean_buffers(self.average.network)
        if self.validator is not None and len(self.validator) and self.curves is not None:
            half = self.config.optimiser.precision == "bf16"
            verdict = self.validator.judge(self.average.network, self.device, half)
            self.progress.say(table(verdict))
            self.curves.judged(self.step, verdict.plain())
            self.curves.draw(self.parts)
            self.best.offer(self.average.network, verdict, self.step, self.config)
        self.ranks.wait()

    def _save(self) -> None:
        """Checkpoint and newest weights."""
        self.ranks.mean_buffers(self.network)
        self.ranks.mean_buffers(self.average.network)
        if self.curves is not None:
            seconds = self.seconds + time.perf_counter() - self.begun
            state = checkpoint.State(
                self.step, seconds, self.best.score, self.network.state_dict(),
                self.average.network.state_dict(), self.optimiser.state_dict(),
            )  # fmt: skip
            checkpoint.save(self.folder / checkpoint.NAME, self.config, state)
            weights.save(self.folder / "last.pt", self.average.network)
        self.ranks.wait()
