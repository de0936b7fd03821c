"""Writes where people really are in the picture, for the C# tests of the AR overlay.

    ar_truth.py synthetic OPTIONS FRAMES FILE     scripted people
    ar_truth.py clip FILE                         the bundled clip

Per line: frame number, then x y in pixels of hips, neck, head and both wrists of everybody
whose pelvis is in the picture. The clip's file has one line more, before all others: -1, then
x y z in metres from each person's Head bone to the middle between the ears, where the head is
labelled (in the bone's normalised axes, Unity's).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posestream import config
from posestream.arrays import F64
from posestream.assets import DEMO_CLIP
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings, Source
from posestream.capture.labels import labels_of
from posestream.capture.synthetic import SyntheticSource, parse_options
from posestream.estimate.registry import create
from posestream.geometry import rigid
from posestream.geometry import rotation as rot
from posestream.geometry.camera import project
from posestream.pipeline import Pipeline
from posestream.skeleton.humanoid import BONE
from posestream.skeleton.joints import JOINT, ROOT
from posestream.skeleton.kinematics import world_rotations
from posestream.types import AvatarFrame, Camera

POINTS = [JOINT[name] for name in ("pelvis", "neck", "head", "left_wrist", "right_wrist")]
UNITY = np.array([-1.0, 1.0, 1.0])


def line(index: int, xyz_world_m: F64, camera: Camera) -> str:
    """One frame's people, (N, J, 3)."""
    xyz_cam_m = rigid.apply(rigid.inverse(camera.T_world_cam), xyz_world_m[:, POINTS])
    xy_px = project(xyz_cam_m, camera.K_px, camera.distortion)
    inside = np.isfinite(xy_px).all(axis=(1, 2))
    return " ".join([str(index), *(f"{v:.3f}" for v in xy_px[inside].ravel())])


def synthetic(options: str, frames: int) -> Iterator[str]:
    source = SyntheticSource(parse_options(options), CaptureSettings())
    for index in range(frames):
        xyz_world_m = source.people.joints_world_m(index / float(source.fps or 30.0))
        yield line(index, xyz_world_m, source.camera)


def clip() -> Iterator[str]:
    labels = labels_of(DEMO_CLIP)
    assert labels is not None
    source = open_source(str(DEMO_CLIP), CaptureSettings(pace="fast"), labelled=True)
    ears_m = ears_from_head(source, labels.xyz_world_m) * UNITY
    yield " ".join(["-1", *(f"{v:.5f}" for v in ears_m.ravel())])
    for index, xyz_world_m in enumerate(labels.xyz_world_m):
        yield line(index, xyz_world_m, labels.camera)


def ears_from_head(source: Source, xyz_world_m: F64) -> F64:
    """(N, 3): the median over the clip, as a part of each person's proportions."""
    settings = config.load("ar-multi-person", ["smooth.smoothness=0"])
    pipeline = Pipeline(create("fake", settings.estimate), settings)
    found: list[list[F64]] = [[] for _ in range(xyz_world_m.shape[1])]
    while (frame := source.read()) is not None:
        avatars = pipeline.step(frame)
        truth = xyz_world_m[frame.index]
        head = world_rotations(avatars.quat_local_xyzw)[:, BONE["Head"]]
        for row, person in enumerate(nearest(avatars, truth)):
            ears = truth[person, JOINT["head"]] - avatars.position_world_m[row, BONE["Head"]]
            found[person].append(rot.rotate(rot.inverse(head[row]), ears))
    return np.array([np.median(each, axis=0) for each in found])


def nearest(avatars: AvatarFrame, xyz_world_m: F64) -> list[int]:
    """Which of the real people each avatar is."""
    far_m = avatars.root_world_m[:, None] - xyz_world_m[None, :, ROOT]
    return [int(person) for person in np.linalg.norm(far_m, axis=-1).argmin(axis=1)]


if __name__ == "__main__":
    kind, *more, path = sys.argv[1:]
    lines = clip() if kind == "clip" else synthetic(more[0], int(more[1]))
    Path(path).write_text("\n".join(lines), encoding="utf-8")
