"""``posestream pack``: datasets to shards, in chunks, each made once.

Of every chunk of 500 pictures come ``NAME-0000k.tar`` (the photos as they are),
``cutouts_NAME-0000k.tar`` (people cut out of them) and ``teacher/NAME-0000k.msgpack`` (what the
teacher said, so that labels can be made anew without it). A chunk whose shards are complete is
left alone.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from posestream.arrays import Image
from posestream.errors import TrainingError
from posestream.training.real.bodies import drawn_stature_m
from posestream.training.real.cutouts import can_cut, cut
from posestream.training.real.datasets import Annotated, Dataset, open_dataset
from posestream.training.real.finding import Finder, find
from posestream.training.real.learning import (
    Person,
    believed,
    fits_silhouette,
    human_only,
    learn,
)
from posestream.training.real.lessons import Lessons, lessons_of, teach_labelled
from posestream.training.real.owner import owner_map, silhouettes
from posestream.training.real.teacher import Lesson, Teacher
from posestream.training.sample import Sample
from posestream.training.shards import ShardSet, ShardWriter

CHUNK: Final = 500
_CHUNK_BYTES: Final = 2**30  # a chunk is one shard, however large; 500 pictures are some 30 MB
_NO_TEACHER: Final = ("rooms",)
CUTOUTS: Final = "cutouts_"


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """One photo's sample and the people who could be cut out of it."""

    sample: Sample
    cutouts: list[Sample]


def pack(names: Sequence[str], data: Path, out: Path, limit: int | None = None) -> Counter[str]:
    """Make what is missing of these datasets' shards in ``out``; counts of what was made.

    ``limit`` takes only the first pictures of each. Raises TrainingError, BackendError.
    """
    counts: Counter[str] = Counter()
    parts = [part for name in names for part in open_dataset(name, data).values()]
    with _Teachers() as teachers:
        for part in parts:
            total = len(part) if limit is None else min(limit, len(part))
            for start in range(0, total, CHUNK):
                rows = range(start, min(start + CHUNK, total))
                counts.update(_pack_chunk(part, rows, out, teachers))
    return counts


class _Teachers:
    """A teacher and a finder, each started when it is first wanted."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._teacher: Teacher | None = None
        self._finder: Finder | None = None

    def __call__(self, photo: Annotated) -> list[Lesson | None]:
        """What is to be learnt of each labelled person, or of whoever is found."""
        if self._teacher is None:
            self._teacher = self._open.enter_context(contextlib.closing(Teacher()))
        if photo.labelled:
            return teach_labelled(self._teacher, photo)
        if self._finder is None:
            self._finder = self._open.enter_context(contextlib.closing(Finder()))
        return [*find(photo.picture, self._finder, self._teacher)]

    def __enter__(self) -> _Teachers:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _pack_chunk(part: Dataset, rows: range, out: Path, teachers: _Teachers) -> Counter[str]:
    number = rows.start // CHUNK
    photos = out / f"{part.name}-{number:05d}.tar"
    if photos.is_file():
        _check_complete(photos, part, len(rows))
        return Counter()
    with tqdm(total=2 * len(rows), desc=f"{part.name} {number}", mininterval=1.0) as progress:
        lessons: Lessons = [[] for _ in rows]
        if part.name not in _NO_TEACHER:
            path = out / "teacher" / f"{part.name}-{number:05d}.msgpack"
            lessons = lessons_of(path, part, rows, teachers, lambda: progress.update())
        made = []
        for row, known in zip(rows, lessons, strict=True):
            made.append(pack_photo(part.name, part.read(row), known))
            progress.update()
    people = out / f"{CUTOUTS}{part.name}-{number:05d}.tar"
    cutouts = list(itertools.chain.from_iterable(p.cutouts for p in made))
    if cutouts and not part.name.endswith(".val"):
        _write(people, cutouts)
    if not part.all_kept:
        made = [p for p in made if len(p.sample)]
    if made:
        _write(photos, (p.sample for p in made))  # last: with it the chunk is complete
    return _counts(part.name, made)


def _check_complete(photos: Path, part: Dataset, count: int) -> None:
    """Raises TrainingError if a shard was made with another limit, or is damaged."""
    found = len(ShardSet([photos]))
    if part.all_kept and found != count:
        raise TrainingError(
            f"{photos} holds {found} pictures, not {count}: it was made with another --limit; "
            "delete it, or write to another folder."
        )


def _write(path: Path, samples: Iterable[Sample]) -> None:
    """One shard of this very name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=path.parent) as folder:
        with ShardWriter(Path(folder), path.stem, _CHUNK_BYTES) as writer:
            for sample in samples:
                writer.add(sample)
        Path(folder, f"{path.stem}-00000.tar").replace(path)


def pack_photo(dataset: str, photo: Annotated, lessons: Sequence[Lesson | None]) -> Packed:
    """A photo's sample and its cut-outs, from human labels and the teacher's answers."""
    if not photo.labelled:
        photo = _with_found(photo, len(lessons))
    people, masks = _people(dataset, photo, lessons)
    found = silhouettes(photo, people, masks)
    source = f"{dataset}/{photo.name}"
    sample = _sample(photo, people, source, owner_map(photo, people, found, masks))
    cutouts = [
        cut(photo.picture, person, silhouette.mask, f"{source}#{number}")
        for number, (person, silhouette) in enumerate(zip(people, found, strict=True))
        if silhouette.clean and can_cut(person, silhouette.mask)
    ]
    return Packed(sample, cutouts)


def _people(
    dataset: str, photo: Annotated, lessons: Sequence[Lesson | None]
) -> tuple[list[Person], list[Image | None]]:
    """Everybody with labels, and the teacher's mask of whom it is believed."""
    people: list[Person] = []
    masks: list[Image | None] = []
    for number, lesson in enumerate(lessons):
        person = _person(dataset, photo, number, lesson)
        if person is None and not np.isfinite(photo.xy_px[number]).any():
            continue
        masks.append(lesson.mask if person is not None and lesson is not None else None)
        xy, seen = photo.xy_px[number], photo.seen[number]
        people.append(person or human_only(xy, seen, photo.size_px))
    return people, masks


def _person(dataset: str, photo: Annotated, number: int, lesson: Lesson | None) -> Person | None:
    """The person with the teacher's help; None where it is not believed."""
    xy, seen = photo.xy_px[number], photo.seen[number]
    if lesson is None:
        return None
    if not photo.labelled:
        trusted = True
    elif np.isfinite(xy).any():
        trusted = believed(lesson, xy)
    else:
        mask = None if photo.mask is None else (photo.mask == number + 1).astype(np.uint8)
        trusted = mask is not None and fits_silhouette(lesson, mask)
    if not trusted:
        return None
    stature = drawn_stature_m(dataset, f"{photo.name}#{number}")
    person = learn(lesson, xy, seen, stature, photo.hidden_told)
    return person if person.taught else None


def _with_found(photo: Annotated, count: int) -> Annotated:
    """The photo with as many people, of whom only the teacher knows anything."""
    joints = photo.xy_px.shape[1]
    places = np.full((count, joints, 2), np.nan)
    seen = np.zeros((count, joints), dtype=np.bool_)
    return replace(photo, xy_px=places, seen=seen, box_px=np.zeros((count, 4)))


def _sample(photo: Annotated, people: Sequence[Person], source: str, owner: Image) -> Sample:
    joints = photo.xy_px.shape[1]
    return Sample(
        picture=photo.picture,
        xy_px=np.array([p.xy_px for p in people]).reshape(-1, joints, 2),
        visible=np.array([p.visible for p in people], dtype=np.bool_).reshape(-1, joints),
        xyz_root_m=np.array([p.xyz_m for p in people]).reshape(-1, joints, 3),
        depth_m=np.full(len(people), np.nan),
        height_m=np.array([p.height_m for p in people], dtype=np.float64),
        owner=owner,
        source=source,
    )


def _counts(name: str, made: Sequence[Packed]) -> Counter[str]:
    taught = sum(int(np.isfinite(p.sample.height_m).sum()) for p in made)
    return Counter(
        {
            f"{name}: pictures": len(made),
            f"{name}: people": sum(len(p.sample) for p in made),
            f"{name}: people with 3D": taught,
            f"{name}: cut-outs": sum(len(p.cutouts) for p in made),
        }
    )
