"""Avatar frames for tests of motion files: mocap retargeted, and wild turns of every bone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from posestream.arrays import F64
from posestream.export.motion import Gatherer, PersonMotion
from posestream.geometry import rotation as rot
from posestream.retarget.settings import RetargetSettings
from posestream.retarget.solve import Retargeter
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.humanoid import NUM_BONES, REST_OFFSET_M
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.types import EXPRESSIONS, AvatarFrame, Tracks, TrackState

ONE = np.zeros(1, dtype=np.int64)


def frame(
    t_s: float,
    root_m: F64,
    quat: F64,
    *,
    offset_m: F64 = REST_OFFSET_M,
    track_id: int = 0,
    state: TrackState = TrackState.TRACKED,
    expressions: F64 | None = None,
) -> AvatarFrame:
    """One person (root (3,), local rotations (B, 4)) at one instant."""
    place = positions(root_m, world_rotations(quat), offset_m)
    return AvatarFrame(
        index=round(t_s * 1000), t_capture_ns=round(t_s * 1e9), slot=ONE,
        track_id=ONE + track_id, state=ONE + int(state), confidence=np.ones(1),
        root_world_m=root_m[None], root_quat_world_xyzw=quat[None, 0], quat_local_xyzw=quat[None],
        places=place[None], bone_valid=np.ones((1, NUM_BONES), dtype=np.bool_),
        hip_height_m=offset_m[:1, 1],
        expressions=np.zeros((1, 0)) if expressions is None else expressions[None],
    )  # fmt: skip


def motion(frames: list[AvatarFrame]) -> PersonMotion:
    """The only person's motion."""
    gatherer = Gatherer()
    for each in frames:
        gatherer.add(each)
    (found,) = gatherer.motions()
    return found


def tumbling(count: int = 60, seed: int = 0, *, uneven: bool = True) -> list[AvatarFrame]:
    """Every bone turns smoothly and far, with expressions, at uneven times; a body of its own."""
    rng = np.random.default_rng(seed)
    step = rng.uniform(0.02, 0.07, count) if uneven else np.full(count, 1.0 / 30.0)
    t_s = 5.0 + np.cumsum(step) - step[0]
    speed, phase = rng.normal(size=(2, NUM_BONES, 3))
    angles = 1.4 * np.sin(t_s[:, None, None] * speed * 4.0 + phase)
    quat = rot.from_rotvec(angles) * rng.choice([-1.0, 1.0], (count, NUM_BONES, 1))
    root = np.stack([np.sin(t_s), 0.9 + 0.1 * np.cos(3.0 * t_s), 0.7 * t_s], axis=1)
    offset = REST_OFFSET_M * rng.uniform(0.8, 1.2, (NUM_BONES, 1))
    faces = rng.uniform(size=(count, len(EXPRESSIONS)))
    return [
        frame(t, r, q, offset_m=offset, expressions=e)
        for t, r, q, e in zip(t_s.tolist(), root, quat, faces, strict=True)
    ]


def mocap(path: Path) -> list[AvatarFrame]:
    """A BVH clip as our own retargeting shows it."""
    clip = read_bvh(path)
    retargeter = Retargeter(RetargetSettings(limits=False))
    frames = []
    for i, joints in enumerate(clip.body_joints()):
        score = np.isfinite(joints).all(axis=-1).astype(np.float64)[None]
        tracks = Tracks(ONE, ONE, ONE, np.ones(1), joints[None], score, ONE)
        pose = retargeter.solve(tracks, i / clip.fps)
        frames.append(
            frame(i / clip.fps, pose.root_world_m[0], pose.quat_local_xyzw[0],
                  offset_m=pose.offset_m[0])
        )  # fmt: skip
    return frames
