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
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from posestream.arrays import F64
from posestream.evaluation import lag, motion
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, BONES, NUM_BONES
from posestream.skeleton.joints import BLAZEPOSE33, JOINT, swap_sides
from tools import clip_tables

ROOT = Path(__file__).resolve().parent.parent
SWAP = [BONE[swap_sides(name)] for name in BONES]
LERP, DAMPED = 0.3, {"Hips": 0.7, "Spine": 0.45}  # of the authors' example; the chest has 0.25
OURS = ("live", "process")
DRAWN = {
    "direction_deg": "direction, °", "joints_mm": "joints, mm",
    "rest_jitter_deg": "rest jitter, °/frame", "skate_mm_s": "skate, mm/s, of clips",
    "skate_pooled_mm_s": "skate, mm/s, of frames",
}  # fmt: skip


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


def kalidokit_motion(exact: motion.Motion, angles: dict[str, F64], example: bool) -> motion.Motion:
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


def table(clips: list[lag.Clip]) -> dict[str, dict[str, float]]:
    """Means over clips; flips are summed."""
    solved = dict(zip(map(id, clips), by_kalidokit(clips), strict=True))
    truth = [motion.exact_motion(clip) for clip in clips]
    exact = dict(zip(map(id, clips), truth, strict=True))
    rows = motion.rows_of_ours() | {
        f"Kalidokit, as {name}": partial(_solved_by_kalidokit, exact, solved, example)
        for name, example in (("solved", False), ("its example", True))
    }
    found = motion.measured(clips, truth, rows)
    draw(found)
    return found


def _solved_by_kalidokit(
    exact: dict[int, motion.Motion],
    solved: dict[int, dict[str, F64]],
    example: bool,
    clip: lag.Clip,
) -> motion.Motion:
    return kalidokit_motion(exact[id(clip)], solved[id(clip)], example)


def draw(found: dict[str, dict[str, float]]) -> None:
    """Bars of each row, beside one another: docs/images/motion.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    _, panels = plt.subplots(1, len(DRAWN), figsize=(12.0, 3.2), dpi=80, sharey=True)
    names = list(found)[::-1]
    for panel, (key, label) in zip(panels, DRAWN.items(), strict=True):
        colours = [
            "tab:orange" if "Kali" in n else "tab:blue" if n in OURS else "0.7" for n in names
        ]
        bars = panel.barh(names, [found[name][key] for name in names], color=colours)
        panel.bar_label(bars, fmt="%.3g", fontsize=8, padding=2)
        panel.set_title(label, fontsize=9)
        panel.margins(x=0.22)
        panel.tick_params(labelsize=8)
    plt.tight_layout()
    plt.savefig(ROOT / "docs/images/motion.png")


if __name__ == "__main__":
    clip_tables.run(__doc__, "motion", table)
