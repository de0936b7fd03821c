"""Contact sheets of samples with their labels drawn, to be looked at.

``python -m posestream.training.real.sheet SHARDS... --out FILE.png``: of each sample the picture
with 2D skeletons (the person's left green, right orange, hidden joints hollow), silhouettes
tinted, unknown areas hatched dark, and beside it every 3D pose from the front and from its left.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import PosestreamError
from posestream.evaluation.sheet import tiled
from posestream.skeleton.joints import BODY, JOINT, LIMBS
from posestream.training.real.archives import moved, shrunk
from posestream.training.sample import IGNORED, Sample
from posestream.training.shards import ShardSet

_CELL_PX: Final = 224
_LINES: Final = (*LIMBS, ("head", "head_top"), ("head", "nose"), ("pelvis", "spine"))
_TINTS: Final = ((255, 120, 0), (0, 200, 255), (200, 0, 200), (0, 160, 0), (120, 120, 255))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m posestream.training.real.sheet")
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        samples = ShardSet(options.shards)
        rng = np.random.default_rng(options.seed)
        rows = rng.permutation(len(samples))[: options.count]
        cv2.imwrite(str(options.out), sheet([samples[int(row)] for row in rows]))
    except PosestreamError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def sheet(samples: Sequence[Sample], columns: int = 8) -> Image:
    """One picture of all the samples."""
    cells = [cell(sample) for sample in samples]
    return tiled(cells, columns)


def cell(sample: Sample) -> Image:
    """The picture with its labels, and the 3D poses from the front and from the left below."""
    scale = _CELL_PX / max(sample.picture.shape[:2])
    picture = shrunk(sample.picture, scale)
    size = picture.shape[1::-1]
    if sample.owner is not None:
        _tint(picture, shrunk(sample.owner, scale, labels=True))
    for xy, visible in zip(sample.xy_px, sample.visible, strict=True):
        draw(picture, moved(xy, scale), visible)
    canvas = np.full((_CELL_PX + _CELL_PX // 2, _CELL_PX, 3), 40, np.uint8)
    canvas[: size[1], : size[0]] = picture
    _poses(canvas[_CELL_PX:], sample)
    cv2.putText(canvas, sample.source[-30:], (2, _CELL_PX - 3), 0, 0.3, (255, 255, 255))
    return canvas


def draw(canvas: Image, xy_px: F64, visible: np.ndarray | None = None) -> None:  # type: ignore[type-arg]
    """A skeleton (BODY, 2)."""
    for a, b in _LINES:
        ends = xy_px[[JOINT[a], JOINT[b]]]
        if np.isfinite(ends).all():
            start, end = (tuple(int(v) for v in np.rint(p)) for p in ends)
            cv2.line(canvas, start, end, _colour(b), 1, cv2.LINE_AA)
    for joint in np.flatnonzero(np.isfinite(xy_px).all(axis=1)):
        shown = visible is None or bool(visible[joint])
        centre = tuple(int(v) for v in np.rint(xy_px[joint]))
        cv2.circle(canvas, centre, 2, _colour(BODY[joint]), -1 if shown else 1, cv2.LINE_AA)


def _colour(name: str) -> tuple[int, int, int]:
    if name.startswith("left"):
        return (80, 255, 80)
    return (0, 140, 255) if name.startswith("right") else (255, 255, 255)


def _tint(picture: Image, owner: Image) -> None:
    for value in np.unique(owner):
        here = owner == value
        if value == IGNORED:
            picture[here] = picture[here] // 3
        elif value:
            tint = np.array(_TINTS[(int(value) - 1) % len(_TINTS)])
            picture[here] = (0.75 * picture[here] + 0.25 * tint).astype(np.uint8)


def _poses(canvas: Image, sample: Sample) -> None:
    """Up to three people: front view and view from the person's camera's left, depth beneath."""
    for number, xyz in enumerate(sample.xyz_root_m[:3]):
        if not np.isfinite(xyz).any():
            continue
        for view, axes in enumerate(([0, 1], [2, 1])):
            centre = np.array([18 + 74 * number + 36 * view, 52])
            draw(canvas, xyz[:, axes] * 48.0 + centre)
        depth = sample.depth_m[number]
        text = f"{depth:.1f} m" if np.isfinite(depth) else ""
        cv2.putText(canvas, text, (8 + 74 * number, 108), 0, 0.3, (255, 255, 255))


if __name__ == "__main__":
    sys.exit(main())
