"""A back end's predictions on folders of MuPoTS-3D pictures.

Each folder is named by its sequence (``TS1`` …) and holds pictures named by the number of
their frame, and ``meta.json`` with ``K`` (3, 3) of these pictures and
``affine_gt_px_to_small`` (2, 3), which takes the truth's pixels to theirs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posestream.arrays import F64, Image
from posestream.capture.images import pictures_in, read_picture
from posestream.errors import PosestreamError
from posestream.evaluation.mupots_data import (
    PELVIS,
    MupotsTruth,
    SequencePredictions,
    SequenceTruth,
)
from posestream.evaluation.people import MakeFinder, People, stacked
from posestream.evaluation.sheet import Case
from posestream.skeleton.joints import JOINT, MUPOTS17, NUM_JOINTS
from posestream.types import Camera

_FROM_BODY = np.array([JOINT[name] for name in MUPOTS17])


@dataclass(frozen=True, slots=True, eq=False)
class SequenceFolder:
    """Pictures of one sequence, by frame."""

    name: str
    pictures: dict[int, Path]
    K_px: F64
    small_from_truth: F64  # (2, 3)
    fps: float


def sequence_folders(root: Path, truth: MupotsTruth) -> list[SequenceFolder]:
    """Every folder of a sequence below ``root``. Raises PosestreamError if there is none."""
    if not root.is_dir():
        raise PosestreamError(f"There is no folder {root}: check the name.")
    numbers = sorted(
        int(p.name[2:]) for p in root.iterdir() if p.name[:2] == "TS" and p.name[2:].isdecimal()
    )
    folders = [root / f"TS{number}" for number in numbers]
    if not folders:
        raise PosestreamError(f"{root} has no folders TS1 … TS20 of pictures: name their parent.")
    unknown = [folder.name for folder in folders if folder.name not in truth.sequences]
    if unknown:
        raise PosestreamError(f"The truth knows nothing of {unknown[0]} in {root}.")
    return [_sequence_folder(folder) for folder in folders]


def _sequence_folder(folder: Path) -> SequenceFolder:
    meta = _meta(folder / "meta.json")
    try:
        K = np.array(meta["K"], dtype=np.float64).reshape(3, 3)
        affine = np.array(meta["affine_gt_px_to_small"], dtype=np.float64).reshape(2, 3)
        fps = float(meta.get("fps_of_video", 30.0))
        pictures = {int(path.stem): path for path in pictures_in(folder)}
    except (KeyError, TypeError, ValueError) as error:
        raise PosestreamError(
            f"{folder} is not a folder of MuPoTS pictures: meta.json needs K and "
            f"affine_gt_px_to_small, and pictures are named by frame ({error})."
        ) from None
    if fps <= 0.0 or not np.isfinite(K).all() or abs(np.linalg.det(affine[:, :2])) < 1e-12:
        raise PosestreamError(f"{folder}/meta.json holds values that no camera can have.")
    return SequenceFolder(folder.name, pictures, K, affine, fps)


def _meta(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PosestreamError(f"There is no {path}: it must tell the camera's K.") from None
    except (OSError, ValueError) as error:
        raise PosestreamError(f"{path} is not readable JSON: {error}.") from None
    if not isinstance(meta, dict):
        raise PosestreamError(f"{path} is not a JSON object.")
    return meta


def predict(folder: SequenceFolder, make: MakeFinder) -> SequencePredictions:
    """Run a fresh back end over the sequence, in order, as over a video."""
    finder = make()
    try:
        found = [
            finder.find(image := picture(path), _camera(folder, image), frame, folder.fps)
            for frame, path in sorted(folder.pictures.items())
        ]
    finally:
        finder.close()
    return as_predictions(folder, stacked(found))


def picture(path: Path) -> Image:
    """Raises PosestreamError if it cannot be read."""
    image = read_picture(path)
    if image is None:
        raise PosestreamError(f"{path} cannot be read as a picture: is it damaged?")
    return image


def _camera(folder: SequenceFolder, image: Image) -> Camera:
    return Camera(folder.K_px, (image.shape[1], image.shape[0]))


def as_predictions(folder: SequenceFolder, people: People) -> SequencePredictions:
    """In the truth's joints, units and pixels."""
    forward = folder.small_from_truth
    to_truth = np.linalg.inv(forward[:, :2])
    xyz_mm = 1000.0 * people.xyz_root_m[:, :, _FROM_BODY]
    return SequencePredictions(
        name=folder.name,
        frame=np.array(sorted(folder.pictures), dtype=np.int64),
        xyz_root_mm=xyz_mm - xyz_mm[:, :, PELVIS, None],
        score=people.score,
        xy_px=np.asarray((people.xy_px[:, :, _FROM_BODY] - forward[:, 2]) @ to_truth.T),
        root_mm=1000.0 * people.root_cam_m,
    )


def cases(folder: SequenceFolder, truth: SequenceTruth, found: SequencePredictions) -> list[Case]:
    """Every picture with its people, in the picture's own pixels."""
    assert found.xy_px is not None
    out = []
    for i, (frame, path) in enumerate(sorted(folder.pictures.items())):
        real = truth.xy_px[frame][truth.valid[frame]]
        out.append(Case(path, _drawn(real, folder), _drawn(found.xy_px[i], folder)))
    return out


def _drawn(xy_px: F64, folder: SequenceFolder) -> F64:
    """(P, J, 2) from the truth's joints and pixels; people of NaN left out."""
    forward = folder.small_from_truth
    there = xy_px[np.isfinite(xy_px).all(axis=-1).any(axis=-1)]
    out = np.full((len(there), NUM_JOINTS, 2), np.nan)
    out[:, _FROM_BODY] = there @ forward[:, :2].T + forward[:, 2]
    return out
