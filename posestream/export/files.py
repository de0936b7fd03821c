"""Which files there are of a source, and their content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from posestream.errors import AvatarError
from posestream.export.avatar_glb import AvatarFile, avatar_glb, read_avatar
from posestream.export.body import own_rig
from posestream.export.bvh import bvh_text
from posestream.export.motion import PersonMotion
from posestream.export.settings import ExportSettings
from posestream.export.skeleton_glb import skeleton_glb, vrma
from posestream.skeleton.bvh import BvhSkeleton, read_bvh_skeleton
from posestream.skeleton.rig import Rig, load_rig

FORMATS: Final = ("jsonl", "bvh", "glb", "vrma")
PERSONAL: Final = ("bvh", "glb", "vrma")
"""Formats with a file per person."""
_MOST_FPS: Final = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Whom motions are written for: an avatar, or each person's own body."""

    rig: Rig | None = None
    glb: AvatarFile | None = None
    bvh: BvhSkeleton | None = None


def read_target(avatar: str, formats: Sequence[str]) -> Target:
    """What the formats need of the avatar's file; "" is none.

    Raises AvatarError: it cannot be read, or not be written in one of the formats.
    """
    if not avatar or not {"bvh", "glb"} & set(formats):
        return Target()
    path = Path(avatar)
    rig = load_rig(path)
    if rig.generation == "bvh":
        if "glb" in formats:
            raise AvatarError(
                f"'{path.name}' has no skin for glb: give a .vrm or .glb avatar, or leave out glb."
            )
        return Target(rig, bvh=read_bvh_skeleton(path))
    return Target(rig, glb=read_avatar(path, rig) if "glb" in formats else None)


def contents(
    motion: PersonMotion, format_: str, target: Target, settings: ExportSettings, fps: float | None
) -> bytes:
    """The file of one person in one of the ``PERSONAL`` formats; ``fps``: of the source."""
    if format_ == "bvh":
        rate = min(settings.bvh_fps or fps or motion.fps, _MOST_FPS)
        rig = target.rig or own_rig(motion)
        text = bvh_text(motion, rig, unit=settings.bvh_unit, fps=rate, skeleton=target.bvh)
        return text.encode()
    if format_ == "glb":
        return skeleton_glb(motion) if target.glb is None else avatar_glb(motion, target.glb)
    return vrma(motion)


def file_name(stem: str, motion: PersonMotion, format_: str) -> str:
    """Of a person's file: who, and from which second of the source on."""
    return f"{stem}_person{motion.number}_from{motion.start_s:.2f}s.{format_}"


def existing(folder: Path, stem: str, format_: str) -> Iterator[Path]:
    """Files of a source that are there, the first person's first."""
    name = re.compile(rf"{re.escape(stem)}_person(\d+)_from[\d.]+s\.{format_}")
    try:
        found = [(int(m[1]), p) for p in folder.iterdir() if (m := name.fullmatch(p.name))]
    except OSError:
        return
    yield from (path for _, path in sorted(found))


def written(folder: Path, stem: str, format_: str) -> list[Path]:
    """The finished files of a source in a format; none while they are unfinished.

    A person's files are put in place last person first: where the first one is, all are.
    """
    if format_ == "jsonl":
        path = folder / f"{stem}.jsonl"
        return [path] if path.exists() else []
    found = list(existing(folder, stem, format_))
    return found if found and "_person1_from" in found[0].name else []
