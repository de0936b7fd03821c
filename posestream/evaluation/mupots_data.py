"""MuPoTS-3D: the truth, and predictions published or saved as files.

Both are ``.npz`` files with arrays per sequence, named ``TS1_…`` to ``TS20_…``; F frames, P
people, 17 joints (``skeleton.joints.MUPOTS17``), millimetres, camera axes, pixels of the
original pictures. A file of predictions holds, absent people and unknown joints being NaN,

- either ``TSn_xyz_cam_mm`` (F, P, 17, 3), and if known ``TSn_xy_px`` (F, P, 17, 2; otherwise
  the 3D joints are projected) and ``TSn_score`` (F, P);
- or ``TSn_pose`` (F, P, 17, 3) relative to the pelvis with ``TSn_rootz`` (F, P) its depth and
  ``TSn_rootz_ref`` the true depth that it is to be compared with, as published by Cheng et al.
  (CVPR 2021): people are then placed on the true person's own ray, and paired by pose.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.errors import PosestreamError
from posestream.geometry.camera import project
from posestream.skeleton.joints import MUPOTS17

JOINTS: Final = len(MUPOTS17)
PELVIS: Final = MUPOTS17.index("pelvis")
UNANNOTATED: Final[Mapping[str, int]] = {"TS1": 1, "TS10": 1}
"""Sequences with people in view whom the annotation leaves out."""
_MAX_BYTES = 2**30  # of one array, unpacked
_SMALLEST_BODY_MM = 20.0  # smaller poses are not in millimetres


@dataclass(frozen=True, slots=True, eq=False)
class SequenceTruth:
    """Who really was there. Only people marked ``valid`` count."""

    name: str
    xy_px: F64  # (F, P, 17, 2)
    annot3_mm: F64  # (F, P, 17, 3) in the camera's frame
    univ3_mm: F64  # (F, P, 17, 3) the same, on the universal skeleton
    valid: Bool  # (F, P)
    occluded: Bool  # (F, P, 17)


@dataclass(frozen=True, slots=True, eq=False)
class MupotsTruth:
    """Sequences by name, and the kinematic tree (17,), the root being its own parent."""

    sequences: Mapping[str, SequenceTruth]
    K_px: Mapping[str, F64]
    parents: I64


@dataclass(frozen=True, slots=True, eq=False)
class SequencePredictions:
    """People found in the frames that were looked at; rows of NaN where fewer were."""

    name: str
    frame: I64 | None  # (F,) numbers of the frames; None: all of them
    xyz_root_mm: F64  # (F, P, 17, 3)
    score: F64  # (F, P)
    xy_px: F64 | None = None  # (F, P, 17, 2)
    root_mm: F64 | None = None  # (F, P, 3)
    depth_ratio: F64 | None = None  # (F, P) of predicted to true depth, where no root is known

    @property
    def metric(self) -> bool:
        """Whether bodies have the size of people."""
        size = np.linalg.norm(self.xyz_root_mm, axis=-1)
        known = size[np.isfinite(size) & (size > 0.0)]
        return not known.size or float(np.median(known)) >= _SMALLEST_BODY_MM


def read_truth(path: Path) -> MupotsTruth:
    """Raises PosestreamError if the file is missing or is not MuPoTS-3D truth."""
    arrays = _Arrays(path, "MuPoTS truth")
    names = arrays.sequences("annot3")
    sequences = {name: _sequence_truth(arrays, name) for name in names}
    K = arrays.get("K", None, 3, 3).astype(np.float64)
    parents = arrays.get("parents", JOINTS).astype(np.int64)
    if max(int(name[2:]) for name in names) > len(K):
        raise arrays.wrong("it has fewer cameras than sequences")
    if np.any(parents < 0) or np.any(parents >= JOINTS) or parents[PELVIS] != PELVIS:
        raise arrays.wrong("its tree of joints is not rooted in the pelvis")
    return MupotsTruth(sequences, {name: K[int(name[2:]) - 1] for name in names}, parents)


def _sequence_truth(arrays: _Arrays, name: str) -> SequenceTruth:
    annot3 = arrays.get(f"{name}_annot3", None, None, JOINTS, 3).astype(np.float64)
    size = annot3.shape[:2]
    return SequenceTruth(
        name=name,
        xy_px=arrays.get(f"{name}_annot2", *size, JOINTS, 2).astype(np.float64),
        annot3_mm=annot3,
        univ3_mm=arrays.get(f"{name}_univ3", *size, JOINTS, 3).astype(np.float64),
        valid=arrays.get(f"{name}_valid", *size).astype(np.bool_),
        occluded=arrays.get(f"{name}_occluded", *size, JOINTS).astype(np.bool_),
    )


def read_predictions(path: Path, truth: MupotsTruth) -> list[SequencePredictions]:
    """Every sequence of the file, in either format.

    Raises PosestreamError if the file is missing, of neither format, or does not fit the truth.
    """
    arrays = _Arrays(path, "predictions")
    whole, relative = arrays.sequences("xyz_cam_mm", 0), arrays.sequences("pose", 0)
    if not whole and not relative:
        raise arrays.wrong("it has neither TSn_xyz_cam_mm nor TSn_pose")
    found = []
    for name in whole or relative:
        if name not in truth.sequences:
            raise arrays.wrong(f"the truth has no {name}")
        frames = len(truth.sequences[name].valid)
        if whole:
            found.append(_in_camera(arrays, name, frames, truth.K_px[name]))
        else:
            found.append(_relative(arrays, name, frames))
    return found


def _in_camera(arrays: _Arrays, name: str, frames: int, K_px: F64) -> SequencePredictions:
    xyz_mm = arrays.get(f"{name}_xyz_cam_mm", frames, None, JOINTS, 3).astype(np.float64)
    people = xyz_mm.shape[1]
    root_mm = xyz_mm[:, :, PELVIS]
    xy_px = (
        arrays.get(f"{name}_xy_px", frames, people, JOINTS, 2).astype(np.float64)
        if f"{name}_xy_px" in arrays
        else project(xyz_mm, K_px)
    )
    return SequencePredictions(
        name=name,
        frame=None,
        xyz_root_mm=xyz_mm - root_mm[:, :, None],
        score=arrays.scores(name, frames, people),
        xy_px=xy_px,
        root_mm=root_mm,
    )


def _relative(arrays: _Arrays, name: str, frames: int) -> SequencePredictions:
    pose = arrays.get(f"{name}_pose", frames, None, JOINTS, 3).astype(np.float64)
    people = pose.shape[1]
    depth, reference = (
        arrays.get(f"{name}_{key}", frames, people).astype(np.float64)
        for key in ("rootz", "rootz_ref")
    )
    return SequencePredictions(
        name=name,
        frame=None,
        xyz_root_mm=pose - pose[:, :, PELVIS, None],
        score=arrays.scores(name, frames, people),
        depth_ratio=depth / np.where(reference != 0.0, reference, np.nan),
    )


class _Arrays:
    """An ``.npz`` file whose arrays are checked as they are taken out."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        try:
            content = io.BytesIO(path.read_bytes())  # numpy would leave a damaged file open
            loaded = np.load(content, allow_pickle=False)
        except FileNotFoundError:
            raise PosestreamError(f"There is no file {path}: check the name.") from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise self.wrong(f"it is not a readable .npz file ({error})") from None
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise self.wrong("it holds a single array instead of named ones")
        self._file = loaded
        self._check_sizes()

    def __contains__(self, key: str) -> bool:
        return key in self._file.files

    def wrong(self, why: str) -> PosestreamError:
        """The sentence for the user."""
        return PosestreamError(f"{self._path} cannot be used as {self._what}: {why}.")

    def sequences(self, key: str, least: int = 1) -> list[str]:
        """Names of the sequences that have this array, in order of their numbers."""
        ends = f"_{key}"
        names = [k[: -len(ends)] for k in self._file.files if k.endswith(ends)]
        numbers = sorted(int(n[2:]) for n in names if n[:2] == "TS" and n[2:].isdecimal())
        if len(numbers) < least:
            raise self.wrong(f"it has no arrays TSn_{key}")
        return [f"TS{number}" for number in numbers]

    def get(self, key: str, *shape: int | None) -> NDArray[Any]:
        """An array of that shape (None: any length)."""
        if key not in self:
            raise self.wrong(f"it has no array {key}")
        try:
            array: NDArray[Any] = self._file[key]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise self.wrong(f"the array {key} cannot be read ({error})") from None
        fits = len(array.shape) == len(shape) and all(
            want is None or have == want for have, want in zip(array.shape, shape, strict=True)
        )
        if not fits or array.dtype.kind not in "fiub":
            wanted = tuple("any" if s is None else s for s in shape)
            raise self.wrong(f"{key} is {array.dtype} {array.shape} instead of numbers {wanted}")
        return array

    def scores(self, name: str, frames: int, people: int) -> F64:
        """How sure each person is: 1 where the file does not say."""
        if f"{name}_score" not in self:
            return np.ones((frames, people))
        return self.get(f"{name}_score", frames, people).astype(np.float64)

    def _check_sizes(self) -> None:
        archive = self._file.zip
        if archive is not None and any(i.file_size > _MAX_BYTES for i in archive.infolist()):
            raise self.wrong("an array in it is larger than 1 GiB")
