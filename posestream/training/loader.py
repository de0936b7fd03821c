"""Training pictures by number: number i is a pure function of the run's seed and i.

So a run can be continued exactly, any number of processes makes the same pictures, and of W
machines each takes every W-th.
"""

from __future__ import annotations

import signal
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from posestream.errors import TrainingError
from posestream.training.appearance import vary
from posestream.training.augment import place
from posestream.training.config import Source, TrainConfig
from posestream.training.example import Arrays, Batch, build_example, join
from posestream.training.sample import Sample
from posestream.training.sources import Pictures, for_this_process, open_pictures


class Recipe:
    """Makes sample number i."""

    def __init__(self, config: TrainConfig) -> None:
        """Opens every source. Raises TrainingError where there is nothing to open."""
        self.config = config
        data = config.data
        folder = Path(data.folder)
        self._sources: list[tuple[Source, Pictures]] = [
            (s, open_pictures(s.name, folder, s.shards, s.backgrounds, s.composite, s.pictures))
            for s in data.sources
        ]
        ratios = np.array([s.ratio for s in data.sources])
        self._upto = np.cumsum(ratios / ratios.sum())

    def sample(self, number: int) -> tuple[Sample, int, np.random.Generator]:
        """Augmented sample, the person in its middle or -1, and what is left of its chance."""
        rng = np.random.default_rng([self.config.optimiser.seed, number])
        row = int(np.searchsorted(self._upto[:-1], rng.random(), side="right"))
        source, pictures = self._sources[row]
        data = self.config.data
        augment = source.augment or data.augment
        sample, who = place(pictures.draw(rng, data.size_px), data.size_px, augment, rng)
        return vary(sample, augment, rng), who, rng

    def example(self, number: int) -> Arrays:
        """Arrays of sample number i. Raises TrainingError if it is damaged."""
        sample, who, rng = self.sample(number)
        return build_example(sample, who, self.config.network, self.config.data, rng)

    def private(self) -> None:
        """Share no open file with the process that this one was forked from."""
        self._sources = [(s, for_this_process(p)) for s, p in self._sources]


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a batch could not be made; errors do not travel well between processes."""

    message: str


class _Batches(Dataset[Any]):
    """Whole batches by the numbers of their samples."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def __getitem__(self, numbers: range) -> Batch | _Failure:
        try:
            return join([self.recipe.example(i) for i in numbers])
        except TrainingError as error:
            return _Failure(str(error))
        except OSError as error:
            return _Failure(f"A shard can no longer be read ({error}).")


class Share(NamedTuple):
    """Which part of the pictures one process takes."""

    world: int = 1
    rank: int = 0


class Numbers:
    """Sample numbers of each part that a process sees of each batch, from a step on.

    A batch is dealt out to ``accumulate`` parts of every process, so that as many processes
    with one part each see what one process with as many parts sees.
    """

    def __init__(self, first: int, steps: int, batch: int, accumulate: int, share: Share) -> None:
        self._first, self._steps, self._batch = first, steps, batch
        self._accumulate, self._share = accumulate, share

    def __iter__(self) -> Iterator[range]:
        parts = self._accumulate * self._share.world
        for step in range(self._first, self._steps):
            for k in range(self._share.rank, parts, self._share.world):
                yield range(step * self._batch + k, (step + 1) * self._batch, parts)

    def __len__(self) -> int:
        return max(0, self._steps - self._first) * self._accumulate


class Waiting:
    """Iterates over batches and measures how long the network waited for them."""

    def __init__(self, batches: Iterator[Batch | _Failure]) -> None:
        self._batches = batches
        self.seconds = 0.0

    def close(self) -> None:
        """End the processes; without it they would outlive the run's end, deaf to SIGTERM."""
        self._batches = iter(())

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        begun = time.perf_counter()
        try:
            batch = next(self._batches)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise TrainingError(
                "A process that makes pictures was killed: lower machine.workers or free memory."
            ) from error
        self.seconds += time.perf_counter() - begun
        if isinstance(batch, _Failure):
            raise TrainingError(batch.message)
        return batch


def open_batches(
    config: TrainConfig, recipe: Recipe, first_step: int, share: Share, pin: bool = False
) -> Waiting:
    """Parts of batches for this process from a step on, made ahead by ``machine.workers``."""
    o, machine = config.optimiser, config.machine
    numbers = Numbers(first_step, o.steps, o.batch, o.accumulate, share)
    several = machine.workers > 0
    with warnings.catch_warnings():  # about more workers than cores: as the user wishes
        warnings.simplefilter("ignore")
        loader = DataLoader(
            _Batches(recipe),
            sampler=numbers,
            batch_size=None,
            num_workers=machine.workers,
            prefetch_factor=machine.prefetch if several else None,
            worker_init_fn=_begin if several else None,
            pin_memory=pin,
        )
        batches = iter(loader)
    return Waiting(batches)


def _begin(worker: int) -> None:
    """In each process: one thread, files of its own, signals left to the main process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    info = torch.utils.data.get_worker_info()
    if info is not None:
        info.dataset.recipe.private()  # type: ignore[attr-defined]
