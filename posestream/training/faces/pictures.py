"""Draws everybody's portraits into a folder, and keeps with them what they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from posestream.arrays import Image
from posestream.errors import TrainingError
from posestream.training.drawn import folder_of, read_pictures, write_picture
from posestream.training.faces.corpus import Portrait, sittings
from posestream.training.faces.people import HELD_OUT, SITTERS
from posestream.training.synth.assets import AssetFolder

if TYPE_CHECKING:
    from posestream.training.faces.portrait import Studio

_QUALITY: Final = 93
_LIST: Final = "portraits.json"


def draw(pictures: Path, assets: Path, people: Iterable[int] = tuple(SITTERS)) -> None:
    """Draw whatever portraits of ``people`` the folder lacks. Raises TrainingError without anny."""
    missing = [person for person in people if not (folder_of(pictures, person) / _LIST).is_file()]
    if not missing:
        return
    try:
        from posestream.training.faces.portrait import Studio, face_units
        from posestream.training.synth.bodies import BodyFactory

        factory, units = BodyFactory(details=True), face_units()
    except ImportError as error:
        raise TrainingError(
            f"Portraits cannot be drawn ({error}): pip install 'posestream[synth]'."
        ) from error
    source = AssetFolder(assets)
    for person in missing:
        studio = Studio(SITTERS[person], factory, source)
        portraits = sittings(person, units, examined=person in HELD_OUT)
        _take(studio, portraits, folder_of(pictures, person), person)


def _take(studio: Studio, portraits: list[Portrait], folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    look = _Camera.chosen(rng)
    folder.mkdir(parents=True, exist_ok=True)
    for index, portrait in enumerate(portraits):
        write_picture(folder, index, look.photograph(studio.draw(portrait), rng), _QUALITY)
    (folder / _LIST).write_bytes(msgspec.json.encode(portraits))
    print(f"{folder}: {len(portraits)} pictures", flush=True)


class _Camera(NamedTuple):
    """What an everyday camera does to a picture."""

    gamma: float
    blur_px: float
    noise: float

    @classmethod
    def chosen(cls, rng: np.random.Generator) -> _Camera:
        return cls(*(float(v) for v in rng.uniform((0.75, 0.4, 0.5), (1.25, 1.0, 4.0))))

    def photograph(self, picture: Image, rng: np.random.Generator) -> Image:
        import cv2

        soft = cv2.GaussianBlur(picture, (0, 0), self.blur_px).astype(np.float64)
        bright = 255.0 * (soft / 255.0) ** self.gamma
        noisy = bright + rng.normal(0.0, self.noise, picture.shape)
        return np.asarray(np.clip(noisy, 0.0, 255.0), dtype=np.uint8)


def portraits_of(folder: Path) -> list[Portrait]:
    """What a drawn sitting's pictures show. Raises TrainingError if it is not complete."""
    try:
        return msgspec.json.decode((folder / _LIST).read_bytes(), type=list[Portrait])
    except (OSError, msgspec.DecodeError) as error:
        raise TrainingError(f"{folder} holds no finished sitting ({error}): draw anew.") from error


def pictures_of(folder: Path) -> Iterator[Image]:
    """The pictures (H, W, 3) BGR, in order. Raises TrainingError for a broken one."""
    return read_pictures(folder, len(portraits_of(folder)))
