"""The retargeting stage: tracks in, humanoid poses out."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry.fast import mul, seen_from
from posestream.retarget.body import NUM_GROUPS, body, learn_lengths
from posestream.retarget.bones import (
    FEET,
    FOREARMS,
    HANDS,
    HEAD,
    LEGS,
    LOWER,
    NECK,
    NUM_SOLVED,
    SHOULDERS,
    SOLVED,
    SPINE,
    UPPER,
)  # fmt: skip
from posestream.retarget.cascade import Cascade
from posestream.retarget.ends import solve_ends
from posestream.retarget.facing import Facing, solve_facing
from posestream.retarget.head import solve_head
from posestream.retarget.limbs import shoulder_swing, solve_limbs
from posestream.retarget.memory import Memory, State, step_s
from posestream.retarget.observe import Observation, observe
from posestream.retarget.pose import Pose, feet_on_floor, mirrored
from posestream.retarget.rest import rest_pose
from posestream.retarget.settings import KnownBodies, RetargetSettings
from posestream.retarget.torso import Torso, anchor_hips, hips_place, solve_torso
from posestream.skeleton.humanoid import NUM_BONES
from posestream.types import Tracks

_SURE = 1e3  # observations that a calibration is worth


class Retargeter:
    """Turns everybody's joints into poses; remembers each track for what a frame leaves open."""

    def __init__(self, settings: RetargetSettings | None = None) -> None:
        self._settings = settings or RetargetSettings()
        self._rest = rest_pose(self._settings.seated)
        rest = self._rest[SOLVED]
        self._memory = Memory(rest, rest[UPPER])
        self._cascade = Cascade(self._settings, rest)
        self._frame = 0
        self._bodies = _known_bodies(self._settings)
        self._body: tuple[F64, F64, F64] | None = None  # of these ratios: offsets, hip heights

    def solve(self, tracks: Tracks, t_s: float) -> Pose:
        """Poses of all tracks at time ``t_s`` (seconds, any origin, rising).

        Joints are world positions in metres; NaN, absurd or low-scored ones count as hidden.
        A hidden limb holds, sinks to rest and returns without a jump.
        """
        state = self._memory.recall(tracks.track_id, t_s)
        if len(tracks) == 0:
            return Pose.empty()
        pose = self._solve(tracks, state, t_s)
        return mirrored(pose) if self._settings.mirror else pose

    def _solve(self, tracks: Tracks, state: State, t_s: float) -> Pose:
        self._frame += 1
        dt_s, fresh = step_s(state, t_s)
        seen = observe(tracks.xyz_world_m, tracks.score, self._settings.min_score)
        state.ratio, state.ratio_count = learn_lengths(
            seen, state.ratio, state.ratio_count, self._frame
        )
        if self._bodies:
            self._take_known(tracks, state)
        offset, hip_height = self._body_of(state)
        wanted, measured = self._wanted(seen, offset, state, dt_s, fresh)
        local, world = self._cascade.run(wanted, measured, state, dt_s, fresh)
        root = hips_place(seen, world, offset, state.root_m)
        root = np.where(np.isfinite(root), root, offset[:, 0])
        state.root_m, state.t_s = root, np.full(len(root), t_s)
        pose = Pose(root, *self._all_bones(local, measured), hip_height, offset, world)
        return feet_on_floor(pose) if self._settings.seated else pose

    def _take_known(self, tracks: Tracks, state: State) -> None:
        """Calibrated proportions instead of what was learnt, for who sits in these slots."""
        ratio, count = state.ratio.copy(), state.ratio_count.copy()
        for row, slot in enumerate(tracks.slot.tolist()):
            if slot in self._bodies:
                ratio[row], count[row] = self._bodies[slot], _SURE
        if not np.array_equal(ratio, state.ratio):
            state.ratio = ratio
        state.ratio_count = count

    def _body_of(self, state: State) -> tuple[F64, F64]:
        """T-pose vectors (N, B, 3) and hip heights (N,), kept while the ratios are the same."""
        if self._body is None or self._body[0] is not state.ratio:
            self._body = state.ratio, *body(state.ratio, state.ratio_count)
        return self._body[1:]

    def _all_bones(self, local: F64, measured: Bool) -> tuple[F64, Bool]:
        """Local rotations (N, B, 4) and validity (N, B): unsolved bones rest, never measured."""
        quat = np.empty((len(local), NUM_BONES, 4))
        quat[:] = self._rest
        quat[:, SOLVED] = local
        valid = np.zeros((len(local), NUM_BONES), dtype=np.bool_)
        valid[:, SOLVED] = measured
        return quat, valid

    def _wanted(
        self, seen: Observation, offset: F64, state: State, dt_s: F64, fresh: Bool
    ) -> tuple[F64, Bool]:
        """World rotations (N, S, 4) that this frame asks for, and which are measured (N, S)."""
        wanted = np.zeros((len(offset), NUM_SOLVED, 4))
        measured = np.zeros((len(offset), NUM_SOLVED), dtype=np.bool_)
        facing = solve_facing(seen)
        if self._settings.seated:  # after the lean was read: the anchor is a place, not a joint
            anchor_hips(seen, offset, state.root_m, dt_s)
        torso = self._torso(facing, state, dt_s, fresh)
        spine_ok = facing.chest_ok & seen.across_ok[:, 1]
        wanted[:, 0], measured[:, 0] = torso.hips, facing.hips_ok
        wanted[:, SPINE], measured[:, SPINE] = torso.spine, spine_ok[:, None]
        head = solve_head(seen, facing, torso.spine[:, 2])
        wanted[:, NECK], measured[:, NECK] = head.neck, head.neck_ok
        wanted[:, HEAD], measured[:, HEAD] = head.head, head.head_ok
        self._limbs(seen, torso, state, (dt_s, fresh), wanted, measured)
        return wanted, measured

    def _torso(self, facing: Facing, state: State, dt_s: F64, fresh: Bool) -> Torso:
        if not self._settings.seated:
            return solve_torso(facing, state.local[:, 0])
        return solve_torso(facing, state.local[:, 0], follow_s=dt_s, fresh=fresh)

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
        swing = shoulder_swing(seen_from(chest, seen.limb[:, :2, 0]), arms_ok)
        parent = np.empty((len(chest), 4, 4))
        parent[:, :2], parent[:, 2:] = mul(chest, swing), torso.hips[:, None]
        limbs = solve_limbs(seen, parent, state.limb, time[1], time[0])
        state.limb = limbs.in_parent
        wanted[:, SHOULDERS], measured[:, SHOULDERS] = parent[:, :2], arms_ok
        wanted[:, UPPER], measured[:, UPPER] = limbs.upper, limbs.upper_ok
        wanted[:, LOWER], measured[:, LOWER] = limbs.lower, limbs.lower_ok
        self._ends(seen, limbs.lower, state, time, wanted, measured)
        if self._settings.seated:
            for legs in (*LEGS, FEET):
                measured[:, legs] = False

    def _ends(
        self,
        seen: Observation,
        lower: F64,
        state: State,
        time: tuple[F64, Bool],
        wanted: F64,
        measured: Bool,
    ) -> None:
        ends = solve_ends(seen, lower, state.twist_rad, *time)
        if self._settings.hands:
            wanted[:, FOREARMS], state.twist_rad = ends.forearm, ends.twist_rad
            wanted[:, HANDS], measured[:, HANDS] = ends.end[:, :2], ends.end_ok[:, :2]
        if self._settings.feet:
            wanted[:, FEET], measured[:, FEET] = ends.end[:, 2:], ends.end_ok[:, 2:]


def _known_bodies(settings: RetargetSettings) -> dict[int, F64]:
    """Calibrated ratios (G,) by slot; those of other numbers of groups are of no use."""
    known = settings.bodies if isinstance(settings, KnownBodies) else {}
    return {slot: np.array(body) for slot, body in known.items() if len(body) == NUM_GROUPS}
