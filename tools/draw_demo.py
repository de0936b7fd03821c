"""Draw docs/images/demo.png: the bundled clip, its joints, and the avatars in the room.

python tools/draw_demo.py [--frame 120] [--source FILE] [--out docs/images/demo.png]
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from posestream.arrays import F64, Image
from posestream.assets import DEMO_CLIP
from posestream.capture import open_source
from posestream.capture.base import CaptureSettings
from posestream.capture.live import every_frame
from posestream.estimate.base import EstimateSettings
from posestream.estimate.registry import create
from posestream.geometry import camera as pinhole
from posestream.geometry import rigid
from posestream.pipeline import Pipeline
from posestream.settings import Settings
from posestream.skeleton.humanoid import BONES, PARENT
from posestream.skeleton.joints import JOINT, LIMBS
from posestream.types import AvatarFrame, Frame

Colour = tuple[int, int, int]
OUT = Path(__file__).resolve().parent.parent / "docs/images/demo.png"

COLOURS = [(66, 133, 244), (219, 138, 52), (88, 180, 90), (170, 90, 200)]  # RGB, by slot
_FINGERS = ("Thumb", "Index", "Middle", "Ring", "Little")
_DRAWN = [
    (PARENT[i], i)
    for i, name in enumerate(BONES)
    if PARENT[i] >= 0 and not any(part in name for part in (*_FINGERS, "Eye", "Jaw"))
]
_THICKNESS_M = {"Arm": 0.075, "Leg": 0.11, "Spine": 0.2, "Chest": 0.24, "Foot": 0.07}


def main() -> None:
    """Run the chain up to the frame and draw what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frame", type=int, default=120)
    parser.add_argument("--source", default=str(DEMO_CLIP))
    parser.add_argument("--out", default=str(OUT))
    options = parser.parse_args()
    pipeline, avatars, frame = _run(options.source, options.frame)
    left = _draw_picture(frame.image.copy(), pipeline)
    right = _draw_room(avatars, *left.shape[:2])
    cv2.imwrite(options.out, np.hstack([left, right]))


def _run(source: str, last: int) -> tuple[Pipeline, AvatarFrame, Frame]:
    settings = Settings()
    opened = open_source(source, CaptureSettings(pace="fast"))
    estimator = create("mediapipe", EstimateSettings())
    pipeline = Pipeline(estimator, settings)
    for frame in every_frame(opened):
        avatars = pipeline.step(frame)
        if frame.index >= last:
            break
    estimator.close()
    opened.close()
    return pipeline, avatars, frame


def _draw_picture(image: Image, pipeline: Pipeline) -> Image:
    assert pipeline.details is not None
    people, tracks = pipeline.details.people2d, pipeline.details.tracks
    for row in range(len(tracks)):
        if tracks.detection[row] < 0:
            continue
        xy = people.xy_px[tracks.detection[row]]
        colour = _bgr(tracks.slot[row])
        for a, b in LIMBS:
            ends = xy[[JOINT[a], JOINT[b]]]
            if np.isfinite(ends).all():
                p, q = ends.round().astype(int).tolist()
                cv2.line(image, p, q, colour, 2, cv2.LINE_AA)
        top = np.nanmin(xy, axis=0)
        _label(image, f"person {tracks.slot[row] + 1}", (np.nanmean(xy[:, 0]), top[1] - 14), colour)
    return image


def _draw_room(avatars: AvatarFrame, height: int, width: int) -> Image:
    image = np.full((height, width, 3), 246, np.uint8)
    near = float(avatars.root_world_m[:, 2].mean()) if len(avatars) else -3.0
    K = pinhole.intrinsics_from_fov((width, height), 52.0)
    eye, target = np.array([2.6, 2.3, near + 4.6]), np.array([0.0, 0.85, near])
    T_view_world = rigid.inverse(_look_at(eye, target))
    _draw_floor(image, K, T_view_world, near)
    for row in np.argsort(avatars.root_world_m[:, 2]):
        _draw_avatar(image, avatars, row, K, T_view_world)
    return image


def _look_at(eye: F64, target: F64) -> F64:
    z = (target - eye) / np.linalg.norm(target - eye)
    x = np.cross(z, [0.0, 1.0, 0.0])
    x /= np.linalg.norm(x)
    return rigid.make(np.stack([x, np.cross(z, x), z], axis=1), eye)


def _draw_floor(image: Image, K: F64, T: F64, near: float) -> None:
    for v in np.arange(-3.0, 3.01, 0.5):
        for line in ([[v, 0, near - 3], [v, 0, near + 3]], [[-3, 0, near + v], [3, 0, near + v]]):
            p, q = pinhole.project(rigid.apply(T, np.array(line, float)), K).tolist()
            cv2.line(image, _int(p), _int(q), (218, 214, 210), 1, cv2.LINE_AA)


def _draw_avatar(image: Image, avatars: AvatarFrame, row: int, K: F64, T: F64) -> None:
    xyz = rigid.apply(T, avatars.position_world_m[row])
    xy, colour = pinhole.project(xyz, K), _bgr(avatars.slot[row])
    feet = avatars.position_world_m[row] * [1, 0, 1]
    shadow = pinhole.project(rigid.apply(T, feet), K)
    for parent, bone in _DRAWN:
        cv2.line(image, _int(shadow[parent]), _int(shadow[bone]), (222, 219, 216), 9, cv2.LINE_AA)
    for parent, bone in sorted(_DRAWN, key=lambda pair: -xyz[pair[1], 2]):
        depth = max(xyz[bone, 2], 0.1)
        thick = next((t for n, t in _THICKNESS_M.items() if n in BONES[bone]), 0.08)
        px = max(int(K[0, 0] * thick / depth), 2)
        cv2.line(image, _int(xy[parent]), _int(xy[bone]), _shade(colour), px + 2, cv2.LINE_AA)
        cv2.line(image, _int(xy[parent]), _int(xy[bone]), colour, px, cv2.LINE_AA)
    head = BONES.index("Head")
    radius = int(K[0, 0] * 0.12 / xyz[head, 2])
    centre = _int(xy[head] - [0, radius * 0.8])
    cv2.circle(image, centre, radius + 1, _shade(colour), -1, cv2.LINE_AA)
    cv2.circle(image, centre, radius, colour, -1, cv2.LINE_AA)
    distance = float(np.linalg.norm(avatars.root_world_m[row, [0, 2]]))
    _label(image, f"{distance:.2f} m", (centre[0], centre[1] - radius - 12), colour)


def _label(image: Image, text: str, at: tuple[float, float], colour: Colour) -> None:
    (w, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    x, y = _int(np.array([at[0] - w / 2, max(at[1], 14)]))
    cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 4, cv2.LINE_AA)
    cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)


def _bgr(slot: int) -> Colour:
    red, green, blue = COLOURS[int(slot) % len(COLOURS)]
    return blue, green, red


def _shade(colour: Colour) -> Colour:
    blue, green, red = (int(0.62 * c) for c in colour)
    return blue, green, red


def _int(point: F64) -> tuple[int, int]:
    x, y = np.nan_to_num(point).round().clip(-10000, 10000).astype(int).tolist()
    return x, y


if __name__ == "__main__":
    main()
