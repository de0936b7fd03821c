"""The marks on hands held out, as a small file that tests are held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np

from posestream.marks import Side
from posestream.training.hands.judge import KnownHand
from posestream.training.hands.marks import Hands

_FILE: Final = "hands.npz"


def known_hands(hands: Hands) -> list[KnownHand]:
    """All hands that were found, at the last look."""
    return [
        KnownHand(shot.side, shot.gesture or "", points, xy_px, xyz_m)
        for shot, points, xy_px, xyz_m in zip(
            hands.shots, hands.points_cam_m, hands.xy_px[:, -1], hands.xyz_m[:, -1], strict=True
        )
        if np.isfinite(xy_px).all()
    ]


def save_exam(hands: Sequence[KnownHand], out: Path) -> None:
    """Write ``hands.npz`` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / _FILE,
        side=np.array([hand.side for hand in hands]),
        gesture=np.array([hand.gesture for hand in hands]),
        points_cam_m=np.array([hand.points_cam_m for hand in hands], dtype=np.float32),
        xy_px=np.array([hand.xy_px for hand in hands], dtype=np.float32),
        xyz_m=np.array([hand.xyz_m for hand in hands], dtype=np.float32),
    )


def load_exam(folder: Path) -> list[KnownHand]:
    """The hands of ``hands.npz`` in a folder."""
    with np.load(folder / _FILE, allow_pickle=False) as kept:
        points, xy, xyz = (kept[n].astype(np.float64) for n in ("points_cam_m", "xy_px", "xyz_m"))
        names = zip(kept["side"], kept["gesture"], strict=True)
        return [
            KnownHand(cast("Side", str(side)), str(gesture), points[k], xy[k], xyz[k])
            for k, (side, gesture) in enumerate(names)
        ]
