"""The teacher's answers on disk: costly to make, so they are kept beside the shards.

One file per chunk of a dataset, written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64
from posestream.errors import TrainingError
from posestream.training.real.datasets import Annotated, Dataset
from posestream.training.real.regions import region_of
from posestream.training.real.teacher import Lesson, Teacher

NUM_MARKS = 33


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    marks: bytes  # (33, 7) float32: x, y, score, X, Y, Z, doubt
    mask: bytes  # PNG


class _Chunk(msgspec.Struct, forbid_unknown_fields=True):
    names: list[str]
    lessons: list[list[_Stored | None]]


Lessons = list[list[Lesson | None]]
"""Of each picture of a chunk, of each of its people."""


def lessons_of(
    path: Path,
    dataset: Dataset,
    rows: range,
    teach: Callable[[Annotated], list[Lesson | None]],
    done: Callable[[], object] = lambda: None,
) -> Lessons:
    """The answers for the pictures ``rows`` of a dataset, from the file or made and written.

    Raises TrainingError if the file cannot be written or tells of other pictures.
    """
    names = [dataset.names[row] for row in rows]
    if path.is_file():
        return _read(path, names)
    made: Lessons = []
    for row in rows:
        made.append(teach(dataset.read(row)))
        done()
    _write(path, names, made)
    return _read(path, names)  # in the file's precision, as any later run will see it


def teach_labelled(teacher: Teacher, photo: Annotated) -> list[Lesson | None]:
    """What the teacher says of each labelled person of a photo."""
    return [
        teacher.teach(photo.picture, region_of(xy, box))
        for xy, box in zip(photo.xy_px, photo.box_px, strict=True)
    ]


def _write(path: Path, names: list[str], lessons: Lessons) -> None:
    chunk = _Chunk(names, [[None if x is None else _store(x) for x in row] for row in lessons])
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.msgpack.encode(chunk))
        temporary.replace(path)
    except OSError as error:
        raise TrainingError(f"{path} cannot be written ({error.strerror}).") from error


def _read(path: Path, names: list[str]) -> Lessons:
    try:
        chunk = msgspec.msgpack.decode(path.read_bytes(), type=_Chunk)
    except (OSError, msgspec.MsgspecError) as error:
        raise TrainingError(f"{path} is damaged: delete it to have it made anew.") from error
    if chunk.names != names:
        raise TrainingError(f"{path} tells of other pictures: delete it to have it made anew.")
    return [[None if x is None else _restore(x, path) for x in row] for row in chunk.lessons]


def _store(lesson: Lesson) -> _Stored:
    columns = (lesson.xy_px, lesson.score[:, None], lesson.xyz_m, lesson.doubt_px[:, None])
    marks = np.concatenate(columns, axis=1).astype("<f4")
    return _Stored(marks.tobytes(), cv2.imencode(".png", lesson.mask)[1].tobytes())


def _restore(stored: _Stored, path: Path) -> Lesson:
    mask = cv2.imdecode(np.frombuffer(stored.mask, np.uint8), cv2.IMREAD_GRAYSCALE)
    flat: NDArray[np.float32] = np.frombuffer(stored.marks, "<f4")
    if mask is None or flat.size != NUM_MARKS * 7:
        raise TrainingError(f"{path} is damaged: delete it to have it made anew.")
    marks: F64 = flat.reshape(NUM_MARKS, 7).astype(np.float64)
    grey = np.asarray(mask, dtype=np.uint8)
    return Lesson(marks[:, :2], marks[:, 2], marks[:, 3:6], grey, marks[:, 6])
