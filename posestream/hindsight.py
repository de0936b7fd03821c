"""A second look at a finished take: smoothing that knows what comes later, then feet on the floor.

The live chain calms motion with what is past alone, and predicts. Here its two last stages run
once more over everything that the stages before them gave: nothing lags, and who was hidden
for a while moves from where they were last seen to where they are seen again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, Bool
from posestream.calming import SURENESS, in_world
from posestream.geometry import rotation as rot
from posestream.ground.legs import SHANKS
from posestream.ground.settings import GroundSettings
from posestream.ground.stage import Grounder
from posestream.retarget.bones import SOLVED, on_parents
from posestream.retarget.pose import Pose
from posestream.retarget.within import legs_within_limits, within_limits
from posestream.settings import Settings
from posestream.skeleton.humanoid import BONES, NUM_BONES
from posestream.skeleton.joints import JOINT
from posestream.skeleton.kinematics import positions, world_rotations
from posestream.smooth.both_ways import (
    root_filter,
    rotation_filter,
    smooth_rotations,
    smooth_vectors,
)
from posestream.types import AvatarFrame, Tracks, TrackState

_HIDDEN: Final = 0.02
"""Weight of a pose that is held or made up beside one that is seen."""
_SURE: Final = SURENESS == 1.0
_SIDES: Final = ("Left", "Right")
_JOINTS_OF: Final[dict[str, tuple[str, ...]]] = {
    "Neck": ("neck", "head"), "Head": ("head", "nose"),
    "Hips": ("pelvis", "left_hip", "right_hip"), "Spine": ("pelvis", "neck"),
    "Chest": ("pelvis", "neck"), "UpperChest": ("left_shoulder", "right_shoulder"),
    "Shoulder": ("shoulder",), "UpperArm": ("shoulder", "elbow"), "LowerArm": ("elbow", "wrist"),
    "Hand": ("wrist", "index", "pinky"), "UpperLeg": ("hip", "knee"),
    "LowerLeg": ("knee", "ankle"), "Foot": ("ankle", "toe"),
}  # fmt: skip


def _joints_of(bone: str) -> list[int]:
    side = next((s for s in _SIDES if bone.startswith(s)), "")
    names = _JOINTS_OF[bone.removeprefix(side)]
    return [JOINT[f"{side.lower()}_{n}" if side else n] for n in names]


_SCORED: Final = [_joints_of(BONES[bone]) for bone in SOLVED]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One frame as it was before smoothing."""

    frame: AvatarFrame
    root_m: F64  # (N, 3)
    quat: NDArray[np.float32]  # (N, S, 4) in the world
    weight: NDArray[np.float32]  # (N, S + 1) of the rotations, and of the root
    offset_m: F64  # (N, B, 3)
    known: Bool  # (N, 2) shanks
    camera_m: F64  # (3,)


class Hindsight:
    """Remembers a take while it runs, gives its frames afterwards. 4 kB per person and frame."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._takes: list[_Seen] = []

    def add(self, frame: AvatarFrame, tracks: Tracks, pose: Pose, camera_m: F64) -> None:
        """Take up what the pipeline made of a frame; the root and pose are not yet smoothed."""
        seen = tracks.state == TrackState.TRACKED
        weight = np.stack([tracks.score[:, joints].min(axis=1) for joints in _SCORED], axis=1)
        weight *= pose.bone_valid[:, SOLVED]
        weight = np.concatenate([weight, np.ones((len(tracks), 1))], axis=1) * seen[:, None]
        self._takes.append(
            _Seen(
                _small(frame), pose.root_world_m,
                in_world(pose.quat_local_xyzw[:, SOLVED]).astype("f4"),
                np.clip(weight, _HIDDEN, 1.0).astype("f4"), pose.offset_m,
                pose.bone_valid[:, SHANKS] & seen[:, None], camera_m,
            )
        )  # fmt: skip

    def frames(self) -> Iterator[AvatarFrame]:
        """Every frame, smoothed both ways in time, feet on the floor."""
        calm = self._smoothed()
        seated = self._settings.retarget.seated
        grounder = Grounder(GroundSettings(feet="off") if seated else self._settings.ground)
        for take, (root, solved) in zip(self._takes, calm, strict=True):
            yield _avatars(take, root, solved, grounder, self._settings.retarget.limits)

    def _smoothed(self) -> list[tuple[F64, F64]]:
        """Roots (N, 3) and the solved bones' world rotations (N, S, 4) of every frame."""
        out = [(t.root_m.copy(), t.quat.astype(np.float64)) for t in self._takes]
        if self._settings.smooth.off:
            return out
        rows: dict[int, list[tuple[int, int]]] = {}
        for i, take in enumerate(self._takes):
            for row, track_id in enumerate(take.frame.track_id.tolist()):
                rows.setdefault(track_id, []).append((i, row))
        for person in rows.values():
            for (i, row), root, quat in zip(person, *self._person(person), strict=True):
                out[i][0][row], out[i][1][row] = root, quat
        return out

    def _person(self, rows: list[tuple[int, int]]) -> tuple[F64, F64]:
        """Smoothed roots (T, 3) and rotations (T, S, 4) of one person."""
        takes, smooth = self._takes, self._settings.smooth.smoothness
        t_s = np.array([takes[i].frame.t_capture_ns for i, _ in rows]) * 1e-9
        root = np.array([takes[i].root_m[row] for i, row in rows])
        quat = np.array([takes[i].quat[row] for i, row in rows], dtype=np.float64)
        weight = np.array([takes[i].weight[row] for i, row in rows], dtype=np.float64)
        good = np.isfinite(root).all(axis=-1) & np.isfinite(quat).all(axis=(1, 2))
        good[1:] &= np.diff(t_s) > 0.0
        if not good.any():
            return root, quat
        t_s, weight, turns = t_s[good], weight[good], rot.continuous(rot.normalize(quat[good]))
        places, knob = root[good][:, None], rotation_filter(smooth)
        root[good] = smooth_vectors(t_s, places, weight[:, -1:], root_filter(smooth))[:, 0]
        calm, calmer = (
            smooth_rotations(t_s, turns, weight[:, :-1], k) for k in (knob, knob.unsure)
        )
        apart = rot.to_rotvec(rot.multiply(rot.inverse(calmer), calm))
        quat[good] = rot.multiply(calmer, rot.from_rotvec(apart * _SURE))
        if self._settings.retarget.limits:
            quat[good] = within_limits(quat[good])[0]
        return root, quat


def _small(frame: AvatarFrame) -> AvatarFrame:
    """The frame without its places, which are found anew."""
    nothing: F64 = np.broadcast_to(0.0, (len(frame), NUM_BONES, 3))
    return replace(frame, places=nothing)


def _avatars(take: _Seen, root: F64, solved: F64, grounder: Grounder, limits: bool) -> AvatarFrame:
    frame = take.frame
    if len(frame) == 0:
        return frame
    quat = frame.quat_local_xyzw.copy()
    quat[:, SOLVED] = on_parents(solved)
    body = grounder.body_of(take.offset_m, frame.hip_height_m)
    t_s = frame.t_capture_ns * 1e-9
    root, quat = grounder.apply(frame.track_id, t_s, root, quat, body, take.known, take.camera_m)
    if limits:
        quat = legs_within_limits(quat)
    return replace(
        frame, root_world_m=root, root_quat_world_xyzw=quat[:, 0], quat_local_xyzw=quat,
        places=positions(root, world_rotations(quat), take.offset_m),
    )  # fmt: skip
