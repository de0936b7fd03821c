"""Our motion beside Kalidokit's on the same noisy landmarks: python tools/measure_motion.py FOLDER

FOLDER holds BVH files. A back end's errors, measured on the bundled clip, are laid over them.
Kalidokit 1.1.5 runs under node (npm install in tools/kalidokit), as its authors' example uses it.
Everybody stands where the exact person stands, so that only limbs count.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from posestream.arrays import F64
from posestream.calming import Calmer
from posestream.evaluation import lag, video_measures
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.ground.legs import SHANKS, body_of
from posestream.ground.settings import GroundSettings
from posestream.ground.stage import Grounder
from posestream.skeleton.humanoid import BONE, BONES, NUM_BONES
from posestream.skeleton.joints import BLAZEPOSE33, JOINT, swap_sides
from posestream.skeleton.kinematics import PARENT_INDEX, positions, world_rotations
from posestream.smooth.settings import SmoothingSettings
from tools import clip_tables

ROOT = Path(__file__).resolve().parent.parent
LIMBS = [
    (f"{s}{a}", f"{s}{b}")
    for s in ("Left", "Right")
    for a, b in (
        ("UpperArm", "LowerArm"),
        ("LowerArm", "Hand"),
        ("UpperLeg", "LowerLeg"),
        ("LowerLeg", "Foot"),
    )
]
ENDS = np.array([[BONE[a] for a, _ in LIMBS], [BONE[b] for _, b in LIMBS]])
FEET = [BONE["LeftFoot"], BONE["RightFoot"]]
SWAP = [BONE[swap_sides(name)] for name in BONES]
LERP, DAMPED = 0.3, {"Hips": 0.7, "Spine": 0.45}  # of the authors' example; the chest has 0.25
Feet = Literal["off", "soft", "locked"]
Motion = tuple[F64, F64, F64]  # roots (T, 3), local rotations (T, B, 4), own body (T, B, 3)


def ours(clip: lag.Clip, settings: SmoothingSettings, feet: Feet, exact: bool = False) -> Motion:
    """The live chain after tracking."""
    chain, grounder, one = Calmer(settings), Grounder(GroundSettings(feet=feet)), lag.ONE
    out = []
    for t_s, _, pose in lag.poses(clip, settings, exact):
        root, quat = chain.apply(one, t_s, pose.root_world_m, pose.quat_local_xyzw, one == 0)
        body = body_of(pose.offset_m, pose.hip_height_m)
        known = pose.bone_valid[:, SHANKS]
        root, quat = grounder.apply(one, t_s, root, quat, body, known, lag.CAMERA_M)
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


def landmarks(clip: lag.Clip) -> list[dict[str, list[list[float]]]]:
    """The 33 landmarks as MediaPipe gives them: metres from the hips, and in the picture."""
    near = {"mouth_left": "nose", "mouth_right": "nose"}
    rows = [JOINT[_known(near.get(name, name))] for name in BLAZEPOSE33]
    joints = np.nan_to_num(clip.noisy_m, nan=0.0)[:, rows]
    hips = joints[:, [23, 24]].mean(axis=1, keepdims=True)
    world = (joints - hips) * [1.0, -1.0, -1.0]
    # The example takes heights and widths in the picture for the size of the person alone.
    seen = joints - clip.joints_m[:, JOINT["pelvis"]][:, None] * [1.0, 0.0, 1.0]
    depth = lag.CAMERA_M[2] - seen[..., 2]
    across, down = 0.5 + 0.6 * seen[..., 0] / depth, 0.5 - (seen[..., 1] - 1.0) / depth
    image = np.stack([across, down, world[..., 2]], axis=-1)
    score = clip.score[:, rows][..., None]
    both = (np.concatenate([p, score], axis=-1).round(5) for p in (world, image))
    return [{"world": w.tolist(), "image": i.tolist()} for w, i in zip(*both, strict=True)]


def _known(name: str) -> str:
    for part in ("_inner", "_outer"):
        name = name.replace(part, "")
    return name if name in JOINT else "nose"


def by_kalidokit(clips: list[lag.Clip]) -> list[dict[str, F64]]:
    """Angles (T, 3) of every bone that Kalidokit solves."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.json", Path(folder) / "found.json"
        given.write_text(json.dumps([landmarks(clip) for clip in clips]))
        script = ROOT / "tools" / "kalidokit" / "solve.mjs"
        subprocess.run(["node", str(script), str(given), str(found)], check=True)
        answer = json.loads(found.read_text())
    return [dict(zip(answer["bones"], np.array(c).swapaxes(0, 1), strict=True))
            for c in answer["clips"]]  # fmt: skip


def kalidokit_motion(exact: Motion, angles: dict[str, F64], example: bool) -> Motion:
    """Its rotations on the exact person's body, mirrored back; damped as in the example or not."""
    quat = rot.identity(len(exact[0]), NUM_BONES)
    scaled = {bone: (a * DAMPED.get(bone, 1.0) if example else a) for bone, a in angles.items()}
    if example:
        scaled["Chest"] = angles["Spine"] * 0.25
    for bone, angle in scaled.items():
        x, y, z = (rot.from_axis_angle(axis, angle[:, i]) for i, axis in enumerate(np.eye(3)))
        quat[:, BONE[bone]] = rot.multiply(rot.multiply(x, y), z)
    quat = frames.world_from_vrm0_quat(quat)
    if example:
        for t in range(1, len(quat)):
            quat[t] = rot.slerp(quat[t - 1], quat[t], LERP)
    quat = frames.mirror_quat(quat[:, SWAP])  # it shows a mirror image
    return exact[0], quat, exact[2]


def figures(clip: lag.Clip, shown: Motion, exact: Motion) -> dict[str, float]:
    """Degrees, mm/s, counts and ms of one clip."""
    calm = slice(int(0.5 * len(clip.t_s) / clip.t_s[-1]), None)
    quat, true = world_rotations(shown[1])[calm], world_rotations(exact[1])[calm]
    place, there = (_places(motion)[calm] for motion in (shown, exact))
    way, true_way = (rot.normalize(p[:, ENDS[1]] - p[:, ENDS[0]]) for p in (place, there))
    off = np.degrees(np.arccos(np.clip((way * true_way).sum(-1), -1.0, 1.0)))
    bones = ENDS[0]
    step, true_step = (np.degrees(rot.angle_between(q[1:, bones], q[:-1, bones]))
                       for q in (quat, true))  # fmt: skip
    t_s = clip.t_s[calm]
    speed, true_speed = (np.linalg.norm(np.diff(p[:, FEET][..., [0, 2]], axis=0), axis=-1)
                         / np.diff(t_s)[:, None] for p in (place, there))  # fmt: skip
    low = there[1:, FEET, 1] < np.percentile(there[:, FEET, 1], 5.0) + 0.05
    still = _around(true_step) < 0.4
    return {
        "direction_deg": float(np.median(off)), "direction_p95_deg": float(np.percentile(off, 95)),
        "skate_mm_s": _mean(1e3 * speed[low & (true_speed < 0.1)]),
        "rest_jitter_deg": _mean(step[still]),
        "flips": float(((step > 60.0) & (true_step < 20.0)).sum()),
        "lag_ms": 1e3 * video_measures.lag_s(t_s, *(p[:, ENDS[1]] - p[:, :1]
                                                    for p in (there, place))),
    }  # fmt: skip


def _places(motion: Motion) -> F64:
    return positions(motion[0], world_rotations(motion[1]), motion[2])


def _around(step: F64) -> F64:
    """Means over nine frames."""
    padded = np.pad(step, ((4, 4), (0, 0)), mode="edge")
    return np.asarray(np.mean([padded[i : i + len(step)] for i in range(9)], axis=0))


def _mean(values: F64) -> float:
    return float(values.mean()) if values.size else float("nan")


def table(clips: list[lag.Clip]) -> dict[str, dict[str, float]]:
    """Means over clips; flips are summed."""
    euro = lag.PlainOneEuro(smoothness=0.5, predict_ms=0.0, outliers=False,
                            rotation_cutoff_hz=1.0, rotation_beta=1.5)  # fmt: skip
    solved = dict(zip(map(id, clips), by_kalidokit(clips), strict=True))
    raw = SmoothingSettings(smoothness=0.0)
    exact = {id(c): ours(c, raw, "off", exact=True) for c in clips}
    variants: dict[str, Callable[[lag.Clip], Motion]] = {
        "direct rotations": lambda c: ours(c, raw, "off"),
        "One Euro only": lambda c: ours(c, euro, "off"),
        "live, feet off": lambda c: ours(c, SmoothingSettings(), "off"),
        "live": lambda c: ours(c, SmoothingSettings(), "locked"),
        "live, no prediction": lambda c: ours(c, SmoothingSettings(predict_ms=0.0), "locked"),
        "live, no prediction, no gate": lambda c: ours(
            c, SmoothingSettings(predict_ms=0.0, outliers=False), "locked"
        ),
        "process": processed,
        "Kalidokit, as solved": lambda c: kalidokit_motion(exact[id(c)], solved[id(c)], False),
        "Kalidokit, as its example": lambda c: kalidokit_motion(exact[id(c)], solved[id(c)], True),
    }
    out = {}
    for name, variant in variants.items():
        found = [figures(c, variant(c), exact[id(c)]) for c in clips]
        out[name] = {
            key: round(_over_clips(key, [figures_of[key] for figures_of in found]), 2)
            for key in found[0]
        }
    return out


def _over_clips(key: str, values: list[float]) -> float:
    return float(np.nansum(values) if key == "flips" else np.nanmean(values))


if __name__ == "__main__":
    clip_tables.run(__doc__, "motion", table)
