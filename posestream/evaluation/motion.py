"""What the stages after the network make of a back end's errors, on motion whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import numpy as np

from posestream.arrays import F64
from posestream.evaluation import lag, video_measures
from posestream.geometry import rotation as rot
from posestream.ground.legs import SHANKS, body_of
from posestream.ground.settings import GroundSettings
from posestream.ground.stage import Grounder
from posestream.retarget.within import legs_within_limits
from posestream.skeleton.humanoid import BONE
from posestream.skeleton.kinematics import PARENT_INDEX, positions, world_rotations
from posestream.smooth.settings import SmoothingSettings

_LIMBS: Final = [
    (f"{s}{a}", f"{s}{b}")
    for s in ("Left", "Right")
    for a, b in (
        ("UpperArm", "LowerArm"),
        ("LowerArm", "Hand"),
        ("UpperLeg", "LowerLeg"),
        ("LowerLeg", "Foot"),
    )
]
ENDS: Final = np.array([[BONE[a] for a, _ in _LIMBS], [BONE[b] for _, b in _LIMBS]])
FEET: Final = [BONE["LeftFoot"], BONE["RightFoot"]]
JOINTS: Final = [BONE["Head"], *np.unique(ENDS)]
SOLES: Final = [BONE["LeftToes"], BONE["RightToes"], *FEET]
THICK_M: Final = np.array([0.02, 0.02, 0.04, 0.04])  # from the soles to these joints, at least
Feet = Literal["off", "soft", "locked"]
Motion = tuple[F64, F64, F64]
"""Roots (T, 3), local rotations (T, B, 4), own body (T, B, 3)."""
RAW: Final = SmoothingSettings(smoothness=0.0)
SETTLED_S: Final = 0.5
Figures = dict[str, float]


def ours(clip: lag.Clip, settings: SmoothingSettings, feet: Feet, exact: bool = False) -> Motion:
    """The live chain after tracking."""
    chain, grounder, one = lag.chain_of(settings), Grounder(GroundSettings(feet=feet)), lag.ONE
    out = []
    for t_s, _, pose in lag.poses(clip, settings, exact):
        root, quat = chain.apply(one, t_s, pose.root_world_m, pose.quat_local_xyzw, one == 0)
        body = body_of(pose.offset_m, pose.hip_height_m)
        known = pose.bone_valid[:, SHANKS]
        root, quat = grounder.apply(one, t_s, root, quat, body, known, lag.CAMERA_M)
        if feet != "off":
            quat = legs_within_limits(quat)
        out.append((root[0], quat[0], pose.offset_m[0]))
    root, quat, offset = (np.array(column) for column in zip(*out, strict=True))
    return root, quat, offset


def processed(clip: lag.Clip) -> Motion:
    """What ``posestream process`` writes."""
    shown = list(lag.with_hindsight(clip, SmoothingSettings(), GroundSettings()))
    root = np.array([f.root_world_m[0] for f in shown])
    quat = np.array([f.quat_local_xyzw[0] for f in shown])
    place = np.array([f.position_world_m[0] for f in shown])
    way = place - place[:, PARENT_INDEX]
    return root, quat, rot.rotate(rot.inverse(world_rotations(quat)[:, PARENT_INDEX]), way)


def exact_motion(clip: lag.Clip) -> Motion:
    """What would be shown if nothing erred."""
    return ours(clip, RAW, "off", exact=True)


def rows_of_ours() -> dict[str, Callable[[lag.Clip], Motion]]:
    """What is measured, by name: nothing done, one filter, live, hindsight."""
    euro = lag.PlainOneEuro(smoothness=0.5, predict_ms=0.0, outliers=False,
                            rotation_cutoff_hz=1.0, rotation_beta=1.5)  # fmt: skip
    return {
        "direct rotations": lambda c: ours(c, RAW, "off"),
        "One Euro only": lambda c: ours(c, euro, "off"),
        "live, feet off": lambda c: ours(c, SmoothingSettings(), "off"),
        "live": lambda c: ours(c, SmoothingSettings(), "locked"),
        "live, no gate": lambda c: ours(c, SmoothingSettings(outliers=False), "locked"),
        "live, predict 20 ms": lambda c: ours(c, SmoothingSettings(predict_ms=20.0), "locked"),
        "process": processed,
    }


def measured(
    clips: Sequence[lag.Clip],
    exact: Sequence[Motion],
    rows: dict[str, Callable[[lag.Clip], Motion]],
) -> dict[str, Figures]:
    """Means over clips of every row; flips are summed.

    ``skate_mm_s`` takes all clips alike, a dash with two frames of standing like a bow with a
    hundred; ``skate_pooled_mm_s`` takes all those frames alike.
    """
    table = {}
    for name, row in rows.items():
        found = [figures(c, row(c), e) for c, e in zip(clips, exact, strict=True)]
        table[name] = over_clips(found)
    return table


def over_clips(found: Sequence[Figures]) -> Figures:
    """One row from the figures of all clips."""
    column = {key: np.array([f[key] for f in found]) for key in found[0]}
    frames = column.pop("frames_standing")
    skate = np.nan_to_num(column["skate_mm_s"])
    row = {
        key: float(np.nansum(values) if key == "flips" else np.nanmean(values))
        for key, values in column.items()
    }
    row["skate_pooled_mm_s"] = float((skate * frames).sum() / max(frames.sum(), 1.0))
    return {key: round(value, 2) for key, value in row.items()}


def figures(clip: lag.Clip, shown: Motion, exact: Motion) -> dict[str, float]:
    """Degrees, mm, mm/s, counts and ms of one clip."""
    calm = slice(int(SETTLED_S * len(clip.t_s) / clip.t_s[-1]), None)
    quat, true = world_rotations(shown[1])[calm], world_rotations(exact[1])[calm]
    place, there = (places(motion)[calm] for motion in (shown, exact))
    way, true_way = (rot.normalize(p[:, ENDS[1]] - p[:, ENDS[0]]) for p in (place, there))
    off = np.degrees(np.arccos(np.clip((way * true_way).sum(-1), -1.0, 1.0)))
    bones = ENDS[0]
    step, true_step = (np.degrees(rot.angle_between(q[1:, bones], q[:-1, bones]))
                       for q in (quat, true))  # fmt: skip
    t_s = clip.t_s[calm]
    speed, true_speed = (np.linalg.norm(np.diff(p[:, FEET][..., [0, 2]], axis=0), axis=-1)
                         / np.diff(t_s)[:, None] for p in (place, there))  # fmt: skip
    low = there[1:, FEET, 1] < np.percentile(there[:, FEET, 1], 5.0) + 0.05
    still, standing = _around(true_step) < 0.4, low & (true_speed < 0.1)
    away = np.linalg.norm(place[:, JOINTS] - there[:, JOINTS], axis=-1)
    deep = np.maximum(THICK_M - place[:, SOLES, 1], 0.0).max(axis=1)
    return {
        "direction_deg": float(np.median(off)), "direction_p95_deg": float(np.percentile(off, 95)),
        "joints_mm": 1e3 * float(away.mean()),
        "skate_mm_s": _mean(1e3 * speed[standing]),
        "frames_standing": float(standing.sum()),
        "penetration_mm": 1e3 * float(deep.mean()),
        "rest_jitter_deg": _mean(step[still]),
        "rest_jitter_median_deg": float(np.median(step[still])) if still.any() else np.nan,
        "flips": float(((step > 60.0) & (true_step < 20.0)).sum()),
        "lag_ms": 1e3 * video_measures.lag_s(t_s, *(p[:, ENDS[1]] - p[:, :1]
                                                    for p in (there, place))),
    }  # fmt: skip


def places(motion: Motion) -> F64:
    """(T, B, 3)."""
    return positions(motion[0], world_rotations(motion[1]), motion[2])


def _around(step: F64) -> F64:
    """Means over nine frames."""
    padded = np.pad(step, ((4, 4), (0, 0)), mode="edge")
    return np.asarray(np.mean([padded[i : i + len(step)] for i in range(9)], axis=0))


def _mean(values: F64) -> float:
    return float(values.mean()) if values.size else float("nan")
