"""The retargeting stage: tracks in, humanoid poses out."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import inv, mul, rotate
from posestream.retarget.body import body, learn_lengths
from posestream.retarget.cascade import Cascade
from posestream.retarget.ends import solve_ends
from posestream.retarget.head import solve_head
from posestream.retarget.limbs import shoulder_swing, solve_limbs
from posestream.retarget.memory import Memory, State, step_s
from posestream.retarget.observe import Observation, observe
from posestream.retarget.pose import Pose, mirrored
from posestream.retarget.rest import rest_pose
from posestream.retarget.settings import RetargetSettings
from posestream.retarget.torso import Torso, anchor_hips, hips_place, solve_torso
from posestream.skeleton.humanoid import BONE, NUM_BONES
from posestream.types import Tracks


def _index(*names: str) -> F64:
    return np.array([BONE[name] for name in names])


_SPINE: Final = _index("Spine", "Chest", "UpperChest")
_SHOULDERS: Final = _index("LeftShoulder", "RightShoulder")
_UPPER: Final = _index("LeftUpperArm", "RightUpperArm", "LeftUpperLeg", "RightUpperLeg")
_LOWER: Final = _index("LeftLowerArm", "RightLowerArm", "LeftLowerLeg", "RightLowerLeg")
_HANDS: Final = _index("LeftHand", "RightHand")
_FEET: Final = _index("LeftFoot", "RightFoot")
_NECK, _HEAD = BONE["Neck"], BONE["Head"]


class Retargeter:
    """Turns everybody's joints into poses; remembers each track for what a frame leaves open."""

    def __init__(self, settings: RetargetSettings | None = None) -> None:
        self._settings = settings or RetargetSettings()
        rest = rest_pose(self._settings.seated)
        self._memory = Memory(rest, rest[_UPPER])
        self._cascade = Cascade(self._settings, rest)
        self._frame = 0

    def solve(self, tracks: Tracks, t_s: float) -> Pose:
        """Poses of all tracks at time ``t_s`` (seconds, any origin, rising).

        Joints are world positions in metres; NaN, absurd or low-scored ones count as hidden.
        A hidden limb holds, sinks to rest and returns without a jump.
        """
        rows = self._memory.rows(tracks.track_id, t_s)
        if len(tracks) == 0:
            return Pose.empty()
        state = self._memory.gather(rows)
        pose = self._solve(tracks, state, t_s)
        self._memory.store(rows, state)
        return mirrored(pose) if self._settings.mirror else pose

    def _solve(self, tracks: Tracks, state: State, t_s: float) -> Pose:
        self._frame += 1
        dt_s, fresh = step_s(state, t_s)
        seen = observe(tracks.xyz_world_m, tracks.score, self._settings.min_score)
        state.ratio, state.ratio_count = learn_lengths(
            seen, state.ratio, state.ratio_count, self._frame
        )
        offset, hip_height = body(state.ratio, state.ratio_count)
        wanted, measured = self._wanted(seen, offset, state, dt_s, fresh)
        local, world = self._cascade.run(wanted, measured, state, dt_s, fresh)
        root = hips_place(seen, world, offset, state.root_m)
        root = np.where(np.isfinite(root), root, offset[:, 0])
        state.root_m, state.t_s = root, np.full(len(root), t_s)
        return Pose(root, local, measured, hip_height, offset)

    def _wanted(
        self, seen: Observation, offset: F64, state: State, dt_s: F64, fresh: Bool
    ) -> tuple[F64, Bool]:
        """World rotations (N, B, 4) that this frame asks for, and which are measured (N, B)."""
        wanted = np.zeros((len(offset), NUM_BONES, 4))
        measured = np.zeros((len(offset), NUM_BONES), dtype=np.bool_)
        torso = self._torso(seen, offset, state, dt_s, fresh)
        chest = torso.spine[:, 2]
        wanted[:, 0], measured[:, 0] = torso.hips, torso.hips_ok
        wanted[:, _SPINE], measured[:, _SPINE] = torso.spine, torso.spine_ok[:, None]
        head = solve_head(seen, chest)
        wanted[:, _NECK], measured[:, _NECK] = head.neck, head.neck_ok
        wanted[:, _HEAD], measured[:, _HEAD] = head.head, head.head_ok
        self._limbs(seen, torso, state, (dt_s, fresh), wanted, measured)
        return wanted, measured

    def _torso(self, seen: Observation, offset: F64, state: State, dt_s: F64, fresh: Bool) -> Torso:
        if not self._settings.seated:
            return solve_torso(seen, state.local[:, 0])
        anchor_hips(seen, offset, state.root_m, dt_s)
        return solve_torso(seen, state.local[:, 0], follow_s=dt_s, fresh=fresh)

    def _limbs(
        self,
        seen: Observation,
        torso: Torso,
        state: State,
        time: tuple[F64, Bool],
        wanted: F64,
        measured: Bool,
    ) -> None:
        chest = torso.spine[:, 2, None]
        arms_ok = seen.limb_ok[:, :2, 0]
        swing = shoulder_swing(rotate(inv(chest), seen.limb[:, :2, 0]), arms_ok)
        shoulders = mul(chest, swing)
        hips = np.repeat(torso.hips[:, None], 2, axis=1)
        parent = np.concatenate([shoulders, hips], axis=1)
        limbs = solve_limbs(seen, parent, state.limb, time[1], time[0])
        state.limb = limbs.in_parent
        wanted[:, _SHOULDERS], measured[:, _SHOULDERS] = shoulders, arms_ok
        wanted[:, _UPPER], measured[:, _UPPER] = limbs.upper, limbs.upper_ok
        wanted[:, _LOWER], measured[:, _LOWER] = limbs.lower, limbs.lower_ok
        self._ends(seen, limbs.lower, state, wanted, measured)
        if self._settings.seated:
            measured[:, _UPPER[2:]] = measured[:, _LOWER[2:]] = measured[:, _FEET] = False

    def _ends(
        self, seen: Observation, lower: F64, state: State, wanted: F64, measured: Bool
    ) -> None:
        ends = solve_ends(seen, lower, state.twist_rad)
        if self._settings.hands:
            wanted[:, _LOWER[:2]], state.twist_rad = ends.forearm, ends.twist_rad
            wanted[:, _HANDS], measured[:, _HANDS] = ends.end[:, :2], ends.end_ok[:, :2]
        if self._settings.feet:
            wanted[:, _FEET], measured[:, _FEET] = ends.end[:, 2:], ends.end_ok[:, 2:]
