"""Draw docs/images/motion.webp: exact, posestream and Kalidokit side by side, as stick figures.

python tools/draw_motion.py BVH_FOLDER [--clip NAME] [--out docs/images/motion.webp]

All three get the same noisy landmarks of one clip; see tools/measure_motion.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Picture

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from posestream.arrays import F64, Image
from posestream.evaluation import lag, motion
from posestream.evaluation.noise import measure
from posestream.skeleton.bvh import read_bvh
from posestream.skeleton.humanoid import BONES, PARENT
from tools.measure_motion import by_kalidokit, kalidokit_motion

ROOT = Path(__file__).resolve().parent.parent
SIZE_PX, SCALE = (230, 300), 135.0
FINGERS = ("Thumb", "Index", "Middle", "Ring", "Little", "Eye", "Jaw")
STICKS = [(PARENT[i], i) for i, name in enumerate(BONES)
          if PARENT[i] >= 0 and not any(part in name for part in FINGERS)]  # fmt: skip
COLOURS = {"Left": (66, 120, 220), "Right": (215, 110, 40), "": (90, 90, 90)}
LONGEST_S, STEP = 4.0, 2


def main() -> None:
    """Solve the clip three ways and write the animation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bvh", type=Path)
    parser.add_argument("--clip", default="dataset-2_walk_masculine_007")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images/motion.webp")
    options = parser.parse_args()
    clip = chosen(options.bvh, options.clip)
    exact = motion.exact_motion(clip)
    shown = {
        "exact": exact,
        "posestream": motion.rows_of_ours()["live"](clip),
        "Kalidokit": kalidokit_motion(exact, by_kalidokit([clip])[0], example=False),
    }
    pictures = [
        np.hstack([panel(name, motion.places(m)[i], exact[0][i]) for name, m in shown.items()])
        for i in range(0, min(len(clip.t_s), round(LONGEST_S / clip.t_s[1])), STEP)
    ]
    frames = [Picture.fromarray(picture) for picture in pictures]
    frames[0].save(options.out, save_all=True, append_images=frames[1:], loop=0,
                   duration=round(1e3 * STEP * clip.t_s[1]), quality=50, method=2)  # fmt: skip


def chosen(folder: Path, name: str) -> lag.Clip:
    """The clip of that name with the errors that the table lays over it."""
    long = [p.stem for p in sorted(folder.glob("*.bvh"))
            if len((m := read_bvh(p)).body_joints()) >= 2.0 * m.fps]  # fmt: skip
    return lag.clips(folder, measure("mediapipe"))[long.index(name)]


def panel(name: str, place_m: F64, centre_m: F64) -> Image:
    """One figure from the side and above, with what its feet stand on."""
    picture = np.full((SIZE_PX[1], SIZE_PX[0], 3), 250, np.uint8)
    for x in np.arange(np.floor(centre_m[0]) - 2.0, centre_m[0] + 3.0, 0.5):
        line(picture, np.array([[x, 0, -3.0], [x, 0, 3.0]]) + centre_m * (0, 0, 1), centre_m,
             (222, 222, 222), 1)  # fmt: skip
    for z in np.arange(np.floor(centre_m[2]) - 2.0, centre_m[2] + 3.0, 0.5):
        line(picture, np.array([[-3.0, 0, z], [3.0, 0, z]]) + centre_m * (1, 0, 0), centre_m,
             (222, 222, 222), 1)  # fmt: skip
    for parent, bone in STICKS:
        side = next(s for s in COLOURS if BONES[bone].startswith(s))
        line(picture, place_m[[parent, bone]], centre_m, COLOURS[side], 4)
    head = to_px(place_m[[BONES.index("Head")]] + (0.0, 0.09, 0.0), centre_m)[0]
    cv2.circle(picture, (int(head[0]), int(head[1])), 13, COLOURS[""], 3, cv2.LINE_AA)
    cv2.putText(
        picture, name, (10, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (40, 40, 40), 1, cv2.LINE_AA
    )
    return picture


def line(picture: Image, ends_m: F64, centre_m: F64, colour: tuple[int, ...], width: int) -> None:
    """A stick in the world."""
    (x0, y0), (x1, y1) = to_px(ends_m, centre_m).round().astype(int).tolist()
    cv2.line(picture, (x0, y0), (x1, y1), colour, width, cv2.LINE_AA)


def to_px(place_m: F64, centre_m: F64) -> F64:
    """Parallel projection, turned by 35 degrees and seen from a little above."""
    x, y, z = (place_m - centre_m * (1.0, 0.0, 1.0)).T
    turn = np.radians(35.0)
    across, deep = np.cos(turn) * x + np.sin(turn) * z, np.cos(turn) * z - np.sin(turn) * x
    return np.stack([SIZE_PX[0] / 2 + SCALE * across,
                     SIZE_PX[1] - 35 - SCALE * (0.97 * y - 0.25 * deep)], axis=-1)  # fmt: skip


if __name__ == "__main__":
    main()
