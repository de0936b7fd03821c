"""A contact sheet of synthetic pictures with their labels drawn, to be looked at.

``python -m posestream.training.synth.contact_sheet SHARDS... --out FILE``: skeletons have the
person's left green and right orange; hidden joints are hollow.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from posestream.arrays import Image
from posestream.errors import PosestreamError
from posestream.evaluation.sheet import tiled
from posestream.training.real.archives import moved
from posestream.training.real.sheet import draw
from posestream.training.sample import Sample
from posestream.training.shards import ShardSet


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m posestream.training.synth.contact_sheet")
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--width", type=int, default=224, help="of one picture, pixels")
    parser.add_argument("--plain", action="store_true", help="without labels")
    options = parser.parse_args(arguments)
    try:
        samples = ShardSet(options.shards)
        count = min(options.count, len(samples))
        cells = [cell(samples[k], options.width, not options.plain) for k in range(count)]
    except PosestreamError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    quality = [cv2.IMWRITE_JPEG_QUALITY, 62]
    cv2.imwrite(str(options.out), tiled(cells, options.columns), quality)
    return 0


def cell(sample: Sample, width: int, labels: bool) -> Image:
    """One picture, ``width`` pixels wide."""
    scale = width / sample.picture.shape[1]
    size = (width, round(sample.picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(sample.picture, size, interpolation=method), np.uint8)
    if labels:
        for xy, visible in zip(sample.xy_px, sample.visible, strict=True):
            draw(picture, moved(xy, scale), visible)
    return picture


if __name__ == "__main__":
    sys.exit(main())
