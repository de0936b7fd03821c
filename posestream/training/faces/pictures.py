"""Draws everybody's portraits into a folder, and keeps with them what they show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from posestream.arrays import Image
from posestream.errors import TrainingError
from posestream.training.faces.corpus import SITTINGS, Portrait, sittings
from posestream.training.faces.people import SITTERS
from posestream.training.synth.assets import AssetFolder

_QUALITY: Final = 93
_LIST: Final = "portraits.json"


def folder_of(pictures: Path, person: int, sitting: str) -> Path:
    """Where a sitting's pictures and marks are."""
    return pictures / f"{person}-{sitting}"


def draw(pictures: Path, assets: Path) -> None:
    """Draw whatever sittings the folder lacks. Raises TrainingError without anny."""
    missing = [person for person in range(len(SITTERS)) if _lacks(pictures, person)]
    if not missing:
        return
    try:
        from posestream.training.faces.portrait import Studio, face_units
        from posestream.training.synth.bodies import BodyFactory

        factory, units = BodyFactory(), face_units()
    except ImportError as error:
        raise TrainingError(
            f"Portraits cannot be drawn ({error}): pip install 'posestream[synth]'."
        ) from error
    source = AssetFolder(assets)
    for person in missing:
        studio = Studio(SITTERS[person], person, factory, source)
        for name, portraits in sittings(person, units).items():
            folder = folder_of(pictures, person, name)
            folder.mkdir(parents=True, exist_ok=True)
            for index, portrait in enumerate(portraits):
                _write(folder / _file(index), studio.draw(portrait))
            (folder / _LIST).write_bytes(msgspec.json.encode(portraits))
            print(f"{folder}: {len(portraits)} pictures", flush=True)


def portraits_of(folder: Path) -> list[Portrait]:
    """What a drawn sitting's pictures show. Raises TrainingError if it is not complete."""
    try:
        return msgspec.json.decode((folder / _LIST).read_bytes(), type=list[Portrait])
    except (OSError, msgspec.DecodeError) as error:
        raise TrainingError(f"{folder} holds no finished sitting ({error}): draw anew.") from error


def pictures_of(folder: Path) -> Iterator[Image]:
    """The sitting's pictures (H, W, 3) BGR, in order. Raises TrainingError for a broken one."""
    import cv2

    for index in range(len(portraits_of(folder))):
        picture = cv2.imread(str(folder / _file(index)))
        if picture is None:
            raise TrainingError(f"{folder / _file(index)} cannot be read: draw anew.")
        yield picture  # type: ignore[misc]


def _lacks(pictures: Path, person: int) -> bool:
    return not all((folder_of(pictures, person, name) / _LIST).is_file() for name in SITTINGS)


def _file(index: int) -> str:
    return f"{index:03d}.jpg"


def _write(path: Path, picture: Image) -> None:
    import cv2

    if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]):
        raise TrainingError(f"{path} cannot be written: is the disk full?")
