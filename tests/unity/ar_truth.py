"""Writes where scripted people really are in the picture, for the C# test of the AR overlay.

Per line: frame number, then x y in pixels of hips, neck, head and both wrists of everybody
whose pelvis is in the picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from posestream.capture.base import CaptureSettings
from posestream.capture.synthetic import SyntheticSource, parse_options
from posestream.geometry import rigid
from posestream.geometry.camera import project
from posestream.skeleton.joints import JOINT

POINTS = [JOINT[name] for name in ("pelvis", "neck", "head", "left_wrist", "right_wrist")]


def main(options: str, frames: int, path: Path) -> None:
    source = SyntheticSource(parse_options(options), CaptureSettings())
    T_cam_world = rigid.inverse(source.camera.T_world_cam)
    lines = []
    for index in range(frames):
        xyz_world_m = source.people.joints_world_m(index / float(source.fps or 30.0))
        xyz_cam_m = rigid.apply(T_cam_world, xyz_world_m[:, POINTS])
        xy_px = project(xyz_cam_m, source.camera.K_px, source.camera.distortion)
        inside = np.isfinite(xy_px).all(axis=(1, 2))
        lines.append(" ".join([str(index), *(f"{v:.3f}" for v in xy_px[inside].ravel())]))
    path.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
