"""The marks on people held out, as a small file that tests are held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Image
from posestream.perform.expressions import READ
from posestream.training.faces.corpus import Portrait, truth
from posestream.training.faces.judge import Examinee
from posestream.training.faces.marks import sitting_in
from posestream.training.faces.pictures import pictures_of, portraits_of

_FILE: Final = "faces.npz"
_STEP_PX: Final = 1 / 8
"""Marks are kept as whole numbers of this."""
_EDGE_PX: Final = 50
_SMALL_PX: Final = (256, 256)


def examinee(folder: Path) -> Examinee:
    """Somebody's drawn portraits with their marks at the last look."""
    portraits = portraits_of(folder)
    return Examinee(sitting_in(folder).xyz_px[:, -1], tuple(_case(p) for p in portraits))


def save_exam(people: Sequence[Examinee], out: Path) -> None:
    """Write ``faces.npz`` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    arrays = {"case": np.array(people[0].case)}
    for number, person in enumerate(people):
        assert person.case == people[0].case
        steps = np.rint(np.nan_to_num(person.xyz_px / _STEP_PX)).astype(np.int16)
        steps[1:] -= steps[0]  # small numbers make a small file
        arrays[f"person{number}"] = steps
    np.savez_compressed(out / _FILE, **arrays)


def save_pictures(folder: Path, out: Path) -> None:
    """Write the first picture of each case of somebody's drawn portraits, small, into a folder."""
    import cv2

    out.mkdir(parents=True, exist_ok=True)
    written: set[str] = set()
    for portrait, picture in zip(portraits_of(folder), pictures_of(folder), strict=True):
        case = _case(portrait)
        if case not in written:
            written.add(case)
            cv2.imwrite(str(out / f"{case}.jpg"), small(picture), [cv2.IMWRITE_JPEG_QUALITY, 88])


def small(picture: Image) -> Image:
    """The middle of a portrait at 256 x 256 pixels."""
    import cv2

    middle = picture[_EDGE_PX:-_EDGE_PX, _EDGE_PX:-_EDGE_PX]
    resized = cv2.resize(middle, _SMALL_PX, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)


def load_exam(folder: Path) -> list[Examinee]:
    """The people of ``faces.npz`` in a folder."""
    with np.load(folder / _FILE, allow_pickle=False) as kept:
        case = tuple(str(name) for name in kept["case"])
        people = [kept[name] for name in sorted(kept.files) if name != "case"]
    return [Examinee(_whole(steps) * _STEP_PX, case) for steps in people]


def _whole(steps: I64) -> F64:
    whole = steps.astype(np.float64)
    whole[1:] += whole[0]
    return whole


def _case(portrait: Portrait) -> str:
    if portrait.vowel is not None:
        return portrait.vowel
    if portrait.neutral:
        return "neutral"
    values = zip(READ, truth(portrait), strict=True)
    return "+".join(name for name, value in values if value > 0.5)
