"""Shards of synthetic pictures: each shard and picture follows from the seed and its number."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from posestream.errors import TrainingError
from posestream.training.sample import Sample
from posestream.training.shards import ShardSet, ShardWriter
from posestream.training.synth import textures
from posestream.training.synth.bodies import BodyFactory
from posestream.training.synth.crowd import CrowdRenderer
from posestream.training.synth.labelling import label
from posestream.training.synth.material import (
    Material,
    body_factory,
    cloth_patches,
    load_material,
    photo,
)
from posestream.training.synth.mocap import Split
from posestream.training.synth.person import Person
from posestream.training.synth.scenery import Store, make_store, set_up
from posestream.training.synth.sensor import degrade
from posestream.training.synth.staging import Troupe
from posestream.training.synth.wardrobe import Wardrobe

SHARD_PICTURES: Final = 250
_CAST: Final = 32  # people of one shard
_PATCHES: Final = 60
_ROOMS: Final = 80
_WHOLE_SHARD: Final = 2**40  # a shard is never split by its size
_SHARD_PIXELS: Final = SHARD_PICTURES * 448 * 256


@dataclass(frozen=True, slots=True)
class SynthSettings:
    """What to make; ``name`` is that of the shards."""

    out: Path
    data: Path
    pictures: int
    name: str = "train"
    seed: int = 0
    size_px: tuple[int, int] = (448, 256)
    people: tuple[int, int] = (1, 10)
    permissive: bool = False

    @property
    def split(self) -> Split:
        """Held-out material is used if and only if the last part of the name is ``val``."""
        return "val" if self.name.split(".")[-1].startswith("val") else "train"

    @property
    def per_shard(self) -> int:
        """Pictures in a shard: fewer when they are larger, so that it stays under 50 MiB."""
        return max(1, min(SHARD_PICTURES, _SHARD_PIXELS // (self.size_px[0] * self.size_px[1])))

    def count(self, shard: int) -> int:
        """How many pictures a shard holds; the last may have fewer."""
        return min(self.per_shard, self.pictures - shard * self.per_shard)


class Generator:
    """Makes the pictures of any shard; holds one rendering context."""

    def __init__(self, settings: SynthSettings) -> None:
        self._settings = settings
        self._material: Material = load_material(settings.data, settings.split, settings.permissive)
        self._renderer = CrowdRenderer(settings.size_px)
        self._factory: BodyFactory = body_factory()

    def _random(self, *numbers: int) -> np.random.Generator:
        held_out = 1 if self._settings.split == "val" else 0
        return np.random.default_rng([self._settings.seed, held_out, *numbers])

    def shard(self, number: int) -> Iterator[Sample]:
        """The pictures of a shard."""
        cast, store = self._prepare(number)
        settings = self._settings
        troupe = Troupe(cast, self._material.clips, settings.size_px, *settings.people)
        first = number * settings.per_shard
        for index in range(first, first + settings.count(number)):
            yield self._picture(self._random(2, index), troupe, store, index)

    def _prepare(self, number: int) -> tuple[list[Person], Store]:
        rng = self._random(1, number)
        patches = cloth_patches(rng, self._material, _PATCHES)
        wardrobe = Wardrobe(self._factory, self._material.assets, patches)
        cast = [wardrobe.person(self._random(0, number, k)) for k in range(_CAST)]
        rooms = self._material.rooms
        chosen = rng.permutation(len(rooms))[:_ROOMS]
        store = make_store(rng, [photo(rooms[int(k)]) for k in chosen])
        self._renderer.store(cast, store.pictures, textures.folds(rng))
        return cast, store

    def _picture(
        self, rng: np.random.Generator, troupe: Troupe, store: Store, index: int
    ) -> Sample:
        """Draw until somebody is seen who is worth a label."""
        name = f"synth{'_free' if self._settings.permissive else ''}:{self._settings.seed}:{index}"
        while True:
            layout = troupe.layout(rng)
            shot = set_up(rng, layout, troupe.people, store)
            rendered = self._renderer.render(shot)
            sample = label(
                rendered, layout.camera, [p.posed.xyz_world_m for p in layout.people],
                [troupe.people[p.number].height_m for p in layout.people], name,
            )  # fmt: skip
            if len(sample) >= self._settings.people[0]:
                sample.picture[:] = degrade(rng, sample.picture)
                return sample


@dataclass(frozen=True, slots=True)
class Done:
    """What a run has made."""

    made: int
    seconds: float


def generate(settings: SynthSettings, workers: int = 1) -> Done:
    """Write the shards that are not yet there, ``workers`` at once.

    Raises TrainingError if a package, OpenGL, material or room on the disk is missing.
    """
    started = time.monotonic()
    missing = [n for n in range(-(-settings.pictures // settings.per_shard))
               if not _is_complete(settings, n)]  # fmt: skip
    if min(workers, len(missing)) < 2:
        made = _make(settings, missing)
    else:
        with get_context("spawn").Pool(min(workers, len(missing))) as pool:
            jobs = [(settings, missing[k::workers]) for k in range(workers)]
            made = sum(pool.starmap(_make, jobs, chunksize=1))
    return Done(made, time.monotonic() - started)


def _make(settings: SynthSettings, numbers: Sequence[int]) -> int:
    """Write these shards; returns how many pictures they hold."""
    if not numbers:
        return 0
    made, generator = 0, Generator(settings)
    with tqdm(total=sum(settings.count(n) for n in numbers), unit="picture") as bar:
        for number in numbers:
            bar.set_description(f"{settings.name}-{number:05d}")
            with ShardWriter(
                settings.out, settings.name, max_bytes=_WHOLE_SHARD, first_shard=number
            ) as writer:
                for sample in generator.shard(number):
                    writer.add(sample)
                    bar.update()
            made += settings.count(number)
    return made


def _is_complete(settings: SynthSettings, number: int) -> bool:
    path = settings.out / f"{settings.name}-{number:05d}.tar"
    if not path.is_file():
        return False
    try:
        return len(ShardSet([path])) >= settings.count(number)
    except TrainingError:
        return False
