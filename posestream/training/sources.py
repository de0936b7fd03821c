"""Where training pictures come from: shards as they are, and people put before backgrounds."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from posestream.errors import TrainingError
from posestream.training.composite import CompositeSettings, Compositor
from posestream.training.sample import Sample
from posestream.training.shards import ShardSet


class Pictures(Protocol):
    """A source that makes the picture that the random numbers say."""

    def draw(self, rng: np.random.Generator, size_px: tuple[int, int]) -> Sample:
        """One sample. Raises TrainingError if it is damaged."""


class StoredPictures:
    """Pictures of shards; ``Pictures``."""

    def __init__(self, shards: ShardSet, most: int = 0) -> None:
        self._shards = shards
        self._count = min(most or len(shards), len(shards))

    def draw(self, rng: np.random.Generator, size_px: tuple[int, int]) -> Sample:
        """Any of them, each as likely."""
        return self._shards[int(rng.integers(self._count))]


class Composites:
    """Cut-out people before backgrounds; ``Pictures``."""

    def __init__(
        self, people: ShardSet, backgrounds: ShardSet, settings: CompositeSettings | None
    ) -> None:
        self._compositor = Compositor(people, backgrounds, settings)

    def draw(self, rng: np.random.Generator, size_px: tuple[int, int]) -> Sample:
        """A new picture."""
        return self._compositor.compose(rng, size_px)


def open_pictures(
    name: str,
    folder: Path,
    shards: Sequence[str],
    backgrounds: Sequence[str] = (),
    settings: CompositeSettings | None = None,
    most: int = 0,
) -> Pictures:
    """A source, ready. Raises TrainingError if a pattern names no readable shard."""
    opened = shard_set(name, folder, shards)
    if not backgrounds:
        return StoredPictures(opened, most)
    return Composites(opened, shard_set(name, folder, backgrounds), settings)


def shard_set(name: str, folder: Path, patterns: Iterable[str]) -> ShardSet:
    """All shards that the patterns name, sorted. Raises TrainingError if one names none."""
    paths: list[Path] = []
    for pattern in patterns:
        path = Path(folder, pattern)
        root = Path(path.anchor)
        found = sorted(root.glob(str(path.relative_to(root))))
        if not found:
            raise TrainingError(
                f"The source {name!r} finds no shard at {path}: make it, or correct the pattern."
            )
        paths += found
    shards = ShardSet(paths)
    if not len(shards):
        raise TrainingError(f"The shards of the source {name!r} are empty: make them anew.")
    return shards


def for_this_process(pictures: Pictures) -> Pictures:
    """A copy that shares no open file with the process that this one was forked from."""
    return copy.deepcopy(pictures)
