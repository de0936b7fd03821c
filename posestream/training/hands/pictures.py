"""Takes everybody's hands into a folder, and keeps with the pictures what they show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import TrainingError
from posestream.training.drawn import folder_of, read_pictures, write_picture
from posestream.training.hands.people import HELD_OUT, OWNERS
from posestream.training.hands.poses import Shot, shots
from posestream.training.synth.assets import AssetFolder

_QUALITY: Final = 92
_LIST: Final = "shots.json"
_POINTS: Final = "points.npy"


def draw(pictures: Path, assets: Path) -> None:
    """Take whatever shots the folder lacks. Raises TrainingError without anny."""
    missing = [
        owner for owner in range(len(OWNERS)) if not (folder_of(pictures, owner) / _LIST).is_file()
    ]
    if not missing:
        return
    try:
        from posestream.training.hands.studio import HandStudio
        from posestream.training.synth.bodies import BodyFactory

        factory = BodyFactory()
    except ImportError as error:
        raise TrainingError(
            f"Hands cannot be drawn ({error}): pip install 'posestream[synth]'."
        ) from error
    source = AssetFolder(assets)
    for owner in missing:
        studio = HandStudio(OWNERS[owner], owner, factory, source)
        folder = folder_of(pictures, owner)
        folder.mkdir(parents=True, exist_ok=True)
        wanted = shots(owner, examined=owner in HELD_OUT)
        taken = [studio.take(shot) for shot in wanted]
        for index, one in enumerate(taken):
            write_picture(folder, index, one.picture, _QUALITY)
        np.save(folder / _POINTS, np.stack([one.xyz_cam_m for one in taken]))
        (folder / _LIST).write_bytes(msgspec.json.encode(wanted))
        print(f"{folder}: {len(wanted)} pictures", flush=True)


def shots_of(folder: Path) -> list[Shot]:
    """What a folder's pictures show. Raises TrainingError if it is not complete."""
    try:
        return msgspec.json.decode((folder / _LIST).read_bytes(), type=list[Shot])
    except (OSError, msgspec.DecodeError) as error:
        raise TrainingError(f"{folder} is not finished ({error}): draw anew.") from error


def points_of(folder: Path) -> F64:
    """(P, 21, 3) where the points are, camera axes, metres."""
    return np.asarray(np.load(folder / _POINTS, allow_pickle=False))


def pictures_of(folder: Path) -> Iterator[Image]:
    """The pictures (H, W, 3) BGR, in order. Raises TrainingError for a broken one."""
    return read_pictures(folder, len(shots_of(folder)))
