"""The datasets by name: their pictures with what human beings labelled in them.

What may be missing from a picture's labels is told by ``Annotated.exhaustive``: where it is
False, people without labels may stand anywhere, and only the neighbourhood of the labelled
ones is known to be empty.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool, Image
from posestream.errors import TrainingError
from posestream.skeleton.joints import NUM_JOINTS
from posestream.training.real import conventions
from posestream.training.real.archives import (
    Pictures,
    moved,
    read_labels,
    same_length,
    shrink_factor,
    shrunk,
)
from posestream.training.sample import IGNORED

EXAM: Final = ("mupots", "mupots_frames", "videos", "mmpose_samples")
"""Folders that nothing may be learnt from."""
_VALIDATION_SHARE: Final = 0.2
_LEAST_LIKE_USERS: Final = ("street_", "coco")  # of the people: come last


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """A picture with the labels of N people; joints in ``BODY`` order."""

    name: str
    picture: Image  # (H, W, 3) BGR
    xy_px: F64  # (N, BODY, 2) NaN where unlabelled
    seen: Bool  # (N, BODY) labelled as visible, or labelled in a set that does not tell
    box_px: F64  # (N, 4) x0, y0, x1, y1
    mask: Image | None = None  # (H, W) 0 nobody, n + 1 person n, 255 somebody without labels
    exhaustive: bool = False
    hidden_told: bool = False  # whether an unlabelled joint was left out for being hidden
    labelled: bool = True  # False: whoever is there has to be found

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.picture.shape[1], self.picture.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Pictures in the order in which they are packed, upright people first."""

    name: str
    names: Sequence[str]
    read: Callable[[int], Annotated] = field(repr=False)
    all_kept: bool = True  # False: pictures of whose people nothing is learnt are left out

    def __len__(self) -> int:
        return len(self.names)


def open_dataset(name: str, data: Path) -> dict[str, Dataset]:
    """A dataset's parts by shard name: itself, or its train and val part.

    Raises TrainingError for an unknown name, a folder kept for examinations, or damaged files.
    """
    if any(name.split(".")[0].startswith(exam) for exam in EXAM):
        raise TrainingError(f"{name} is kept for examinations: nothing may be learnt from it.")
    if name not in OPENERS:
        raise TrainingError(f"There is no dataset {name}: choose of {', '.join(OPENERS)}.")
    if not (data / name).is_dir():
        raise TrainingError(f"{data / name} is no folder: name the data's folder with --data.")
    whole = OPENERS[name](data / name)
    return _split(whole) if name in SPLIT else {name: whole}


def is_validation(picture_name: str) -> bool:
    """Whether a picture belongs to the fifth that is never trained on; of its name alone."""
    return zlib.crc32(picture_name.encode()) / 2**32 < _VALIDATION_SHARE


def _split(whole: Dataset) -> dict[str, Dataset]:
    def part(name: str, wanted: bool) -> Dataset:
        rows = [i for i, n in enumerate(whole.names) if is_validation(n) == wanted]
        return Dataset(name, [whole.names[i] for i in rows], lambda i: whole.read(rows[i]))

    return {
        f"{whole.name}.{kind}": part(f"{whole.name}.{kind}", kind == "val")
        for kind in ("train", "val")
    }


def _upright_first(xy_px: F64) -> list[int]:
    """Rows (N, BODY, 2): those whose ankles are below the knees below the hips below the neck."""
    from posestream.training.real.posture import upright_2d

    return [int(i) for i in np.argsort(~upright_2d(xy_px), kind="stable")]


def _lspet(folder: Path) -> Dataset:
    path = folder / "labels.npz"
    labels = read_labels(path, joints=(None, 14, 3), names=(None,))
    same_length(path, labels, "joints", "names")
    pictures = Pictures(*sorted(folder.glob("lspet_*.zip")))
    xyv = labels["joints"].astype(np.float64)
    xyv[..., 2] *= 2.0  # what is labelled was visible
    xy, seen = conventions.to_body(xyv, conventions.LSP14)
    order = _upright_first(xy)
    names = [str(labels["names"][i]) for i in order]

    def read(index: int) -> Annotated:
        person = order[index]
        return _annotated(
            names[index], pictures.colour(names[index]), xy[[person]], seen[[person]],
            hidden_told=True,
        )  # fmt: skip

    return Dataset("lspet", names, read)


def _mpii(folder: Path) -> Dataset:
    path = folder / "labels.npz"
    labels = read_labels(path, joints=(None, 16, 3), img=(None,), names=(None,))
    same_length(path, labels, "joints", "img")
    pictures = Pictures(folder / "images.zip")
    xyv = labels["joints"].astype(np.float64)
    xyv[..., 2] *= 2.0
    xy, seen = conventions.to_body(xyv, conventions.MPII16)
    names = [str(name) for name in labels["names"]]

    def read(index: int) -> Annotated:
        people = labels["img"] == index
        return _annotated(names[index], pictures.colour(names[index]), xy[people], seen[people])

    return Dataset("mpii_sub", names, read)


def _coco(folder: Path) -> Dataset:
    path = folder / "labels.npz"
    labels = read_labels(
        path, kp=(None, 17, 3), bbox=(None, 4), img=(None,), names=(None,), iscrowd=(None,),
        num_kp=(None,), mask_value=(None,), source=(None,),
    )  # fmt: skip
    same_length(path, labels, "kp", "bbox", "img", "iscrowd", "num_kp", "mask_value")
    pictures, masks = Pictures(folder / "images.zip"), Pictures(folder / "masks.zip")
    xy, seen = conventions.to_body(labels["kp"].astype(np.float64), conventions.COCO17)
    box = corners(labels["bbox"].astype(np.float64))
    names = [str(name) for name in labels["names"]]
    told = (labels["num_kp"] > 0) & (labels["iscrowd"] == 0)

    def read(index: int) -> Annotated:
        here = labels["img"] == index
        known, unknown = np.flatnonzero(here & told), np.flatnonzero(here & ~told)
        values = masks.indices(names[index].replace(".jpg", ".png"))
        mask = np.where(values == IGNORED, IGNORED, 0).astype(np.uint8)
        for person in unknown:
            painted = values == labels["mask_value"][person]
            mask[painted] = IGNORED
            if not painted.any():
                fill_box(mask, box[person], IGNORED)
        for number, person in enumerate(known):
            mask[values == labels["mask_value"][person]] = number + 1
        return _annotated(
            names[index], pictures.colour(names[index]), xy[known], seen[known], box[known], mask,
            exhaustive=str(labels["source"][index]) != "pelota",
        )  # fmt: skip

    return Dataset("coco_multi", names, read)


def _people(folder: Path) -> Dataset:
    """Pictures without labels; those with labels are in coco_multi, which others must not hold."""
    path = folder / "labels_coco.npz"
    held = _coco_ids(folder.parent / "coco_multi")
    held |= {str(name)[-16:] for name in read_labels(path, name=(None,))["name"]}
    pictures = Pictures(*sorted(folder.glob("*.zip")))
    names = [name for name in pictures.names if name[-16:] not in held]
    names.sort(key=lambda name: name.startswith(_LEAST_LIKE_USERS))

    def read(index: int) -> Annotated:
        return _annotated(names[index], pictures.colour(names[index]), *_nobody(), labelled=False)

    return Dataset("people", names, read, all_kept=False)


def _coco_ids(folder: Path) -> set[str]:
    """Ends of the names in coco_multi, of which a part is never trained on: other sets yield."""
    if not folder.is_dir():
        return set()
    return {str(n)[-16:] for n in read_labels(folder / "labels.npz", names=(None,))["names"]}


def _ccp(folder: Path) -> Dataset:
    labels = read_labels(folder / "index.npz", bbox=(None, 4), fg_frac=(None,))
    same_length(folder / "index.npz", labels, "bbox", "fg_frac")
    photos, masks = Pictures(folder / "ccp_photos.zip"), Pictures(folder / "ccp_labels.zip")
    rows = np.flatnonzero(labels["fg_frac"] > 0.05)
    names = [f"{row + 1:04d}.jpg" for row in rows]
    box = labels["bbox"][rows].astype(np.float64)

    def read(index: int) -> Annotated:
        mask = (masks.indices(names[index].replace(".jpg", ".png")) > 0).astype(np.uint8)
        xy = np.full((1, NUM_JOINTS, 2), np.nan)
        seen = np.zeros((1, NUM_JOINTS), np.bool_)
        return _annotated(names[index], photos.colour(names[index]), xy, seen, box[[index]], mask)

    return Dataset("ccp", names, read, all_kept=False)


def _rooms(folder: Path) -> Dataset:
    pictures = Pictures(*sorted(folder.glob("rooms_*.zip")))
    names = pictures.names

    def read(index: int) -> Annotated:
        return _annotated(names[index], pictures.colour(names[index]), *_nobody(), exhaustive=True)

    return Dataset("rooms", names, read)


def _nobody() -> tuple[F64, Bool]:
    return np.empty((0, NUM_JOINTS, 2)), np.empty((0, NUM_JOINTS), np.bool_)


def _annotated(
    name: str,
    picture: Image,
    xy: F64,
    seen: Bool,
    box: F64 | None = None,
    mask: Image | None = None,
    exhaustive: bool = False,
    hidden_told: bool = False,
    labelled: bool = True,
) -> Annotated:
    """Shrunken to the size that is kept. Raises TrainingError if mask and picture differ."""
    if mask is not None and mask.shape != picture.shape[:2]:
        raise TrainingError(f"The mask of {name} is not of its picture's size.")
    factor = shrink_factor(picture)
    if box is None:
        box = np.concatenate([np.nanmin(xy, axis=1), np.nanmax(xy, axis=1)], axis=1)
    small = shrunk(picture, factor)
    mask = None if mask is None else shrunk(mask, factor, labels=True)
    xy = moved(xy, factor)
    return Annotated(name, small, xy, seen, box * factor, mask, exhaustive, hidden_told, labelled)


def corners(xywh: F64) -> F64:
    """(N, 4) x, y, width, height to x0, y0, x1, y1."""
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)


def fill_box(mask: Image, box_px: F64, value: int) -> None:
    """Paint a box (4,) where the mask is still empty."""
    x0, y0 = np.maximum(np.floor(box_px[:2]).astype(int), 0)
    x1, y1 = np.ceil(box_px[2:]).astype(int) + 1
    part = mask[y0:y1, x0:x1]
    part[part == 0] = value


OPENERS: Final[dict[str, Callable[[Path], Dataset]]] = {
    "lspet": _lspet, "ccp": _ccp, "coco_multi": _coco, "mpii_sub": _mpii, "people": _people,
    "rooms": _rooms,
}  # fmt: skip
SPLIT: Final = ("coco_multi", "mpii_sub")
