"""What the generator is given: folders of motion, clothes, photos; and what may not be there."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from posestream.arrays import Image
from posestream.errors import TrainingError
from posestream.training.synth.assets import AssetFolder
from posestream.training.synth.bodies import BodyFactory
from posestream.training.synth.mocap import Clip, Split, load_clips

_HELD_OUT_EVERY: Final = 10  # of ten houses or clothes' photos one is seen in no training picture
_PATCH_PX: Final = 64
_CLOTHES: Final = (4, 5, 11, 13, 14, 22, 24, 25, 26, 31, 38, 42, 46, 48, 49, 51, 54, 55)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What one split may use."""

    assets: AssetFolder
    clips: Sequence[Clip]
    rooms: Sequence[bytes]  # JPEG
    clothes: Sequence[tuple[bytes, bytes]]  # photo as JPEG, labels as PNG
    permissive: bool


def load_material(data: Path, split: Split, permissive: bool) -> Material:
    """Read what the folder has. Raises TrainingError if clothes or all motion are missing."""
    folder = data / "makehuman_assets"
    if not (folder / "geometry.zip").is_file():
        raise TrainingError(
            f"{data} has no makehuman_assets with clothes and hair: "
            "give the folder of training data with --shared."
        )
    clips = [c for c in load_clips(data) if c.split == split and (c.free or not permissive)]
    if not clips:
        raise TrainingError(f"{data} has no captured motion (mocap_deepmimic, h36m_expmap).")
    if permissive:
        return Material(AssetFolder(folder), clips, (), (), True)
    return Material(AssetFolder(folder), clips, _rooms(data, split), _clothes(data, split), False)


def body_factory() -> BodyFactory:
    """The body model. Raises TrainingError that says what to install."""
    try:
        return BodyFactory()
    except ImportError as error:
        raise TrainingError(
            f'Synthetic people need the package anny ({error}): pip install "posestream[synth]".'
        ) from None


def _belongs(number: int, split: Split) -> bool:
    return (number % _HELD_OUT_EVERY == 0) == (split == "val")


def _rooms(data: Path, split: Split) -> list[bytes]:
    """Photos of rooms, split by house."""
    path = data / "rooms" / "rooms_00.zip"
    if not path.is_file():
        raise TrainingError(f"{path} is missing: without photos of rooms use --permissive.")
    with zipfile.ZipFile(path) as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jpg"))
        return [archive.read(n) for n in names if _belongs(int(Path(n).name.split("_")[0]), split)]


def _clothes(data: Path, split: Split) -> list[tuple[bytes, bytes]]:
    folder = data / "ccp"
    if not (folder / "ccp_photos.zip").is_file():
        raise TrainingError(f"{folder} is missing: without photos of clothes use --permissive.")
    with (
        zipfile.ZipFile(folder / "ccp_photos.zip") as photos,
        zipfile.ZipFile(folder / "ccp_labels.zip") as labels,
    ):
        there = set(labels.namelist())
        return [
            (photos.read(n), labels.read(n.replace(".jpg", ".png")))
            for n in sorted(photos.namelist())
            if n.replace(".jpg", ".png") in there and _belongs(int(Path(n).stem), split)
        ]


def photo(data: bytes) -> Image:
    """(H, W, 3) BGR."""
    import cv2

    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def cloth_patches(rng: np.random.Generator, material: Material, count: int) -> list[Image]:
    """Mirrored tiles (128, 128, 4) RGBA cut from photographed clothes; none if not allowed."""
    found: list[Image] = []
    for number in rng.permutation(len(material.clothes))[: 4 * count]:
        if len(found) < count:
            found += _patch(rng, *material.clothes[int(number)])
    return found


def _patch(rng: np.random.Generator, jpeg: bytes, png: bytes) -> list[Image]:
    """The largest square within one garment of a photo."""
    import io

    import cv2
    from PIL import Image as Pillow

    labels = np.array(Pillow.open(io.BytesIO(png)))
    worn = [k for k in np.unique(labels).tolist() if k in _CLOTHES]
    if not worn:
        return []
    kind = worn[int(rng.integers(len(worn)))]
    mask = np.pad((labels == kind).astype(np.uint8), 1)
    # the chessboard distance to the edge is half the side of the square that fits
    reach = cv2.distanceTransform(mask, cv2.DIST_C, 3)
    half = int(reach.max()) - 1
    if half < 9:
        return []
    y, x = np.unravel_index(int(reach.argmax()), reach.shape)
    square = photo(jpeg)[y - 1 - half : y - 1 + half, x - 1 - half : x - 1 + half, ::-1]
    tile = cv2.resize(np.ascontiguousarray(square), (_PATCH_PX, _PATCH_PX))
    mirrored = np.concatenate([tile, tile[:, ::-1]], axis=1)
    mirrored = np.concatenate([mirrored, mirrored[::-1]], axis=0)
    return [np.concatenate([mirrored, np.full((*mirrored.shape[:2], 1), 255, np.uint8)], axis=-1)]
