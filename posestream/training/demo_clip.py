"""Render the bundled clip and its ground truth again.

``python -m posestream.training.demo_clip --assets DIR --out posestream/assets`` needs the
packages anny, moderngl and opencv-python, EGL (Debian: libegl1 libegl-mesa0 libgl1-mesa-dri)
and ffmpeg with x264. The same machine gives the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import CaptureError, PosestreamError
from posestream.training.synth import demo_scene, scene, truth
from posestream.training.synth.assets import AssetFolder
from posestream.training.synth.demo_scene import FPS, NUM_FRAMES, SIZE_PX, Actor
from posestream.training.synth.render import Renderer
from posestream.training.synth.rig import bone_transforms, joints_world

_ROOM_SEED: Final = 3
_LIGHT_SEED: Final = 5
_NOISE_LEVEL: Final = 1.3  # grey levels
_QUALITY: Final = "22"  # x264 constant rate factor


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m posestream.training.demo_clip")
    parser.add_argument("--assets", type=Path, required=True, help="folder of MakeHuman assets")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--draft", action="store_true", help="quick: harder light, jagged edges")
    options = parser.parse_args(arguments)
    try:
        make(options.assets, options.out, options.draft)
    except PosestreamError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def make(assets: Path, out: Path, draft: bool = False) -> None:
    """Write ``demo.mp4`` and ``demo_truth.npz``."""
    out.mkdir(parents=True, exist_ok=True)
    camera = demo_scene.camera()
    labels: list[truth.Label] = []
    with _encoder(out / "demo.mp4") as encoder:
        assert encoder.stdin is not None
        for picture, found in _frames(AssetFolder(assets), draft):
            encoder.stdin.write(picture.tobytes())
            labels.append(found)
            print(f"\rframe {len(labels)}/{NUM_FRAMES}", end="", file=sys.stderr)
    print(file=sys.stderr)
    if encoder.returncode != 0:
        raise CaptureError("ffmpeg could not encode the clip: see its message above.")
    truth.save(out / "demo_truth.npz", labels, camera, FPS)


def _frames(assets: AssetFolder, draft: bool) -> Iterator[tuple[Image, truth.Label]]:
    camera = demo_scene.camera()
    actors = demo_scene.cast(assets, np.arange(NUM_FRAMES) / FPS)
    figures = [actor.figure for actor in actors]
    lights = scene.soft_light(_LIGHT_SEED, 5 if draft else 20)
    room = scene.room(_ROOM_SEED)
    renderer = Renderer(camera, room, figures, lights, oversample=1 if draft else 2)
    for index in range(NUM_FRAMES):
        transforms = [_transforms(actor, index) for actor in actors]
        clean, depth_m = renderer.draw(transforms)
        joints = np.stack([joints_world(a.rig, T) for a, T in zip(actors, transforms, strict=True)])
        yield sensor(clean, index), truth.label(joints, camera, depth_m)


def _transforms(actor: Actor, index: int) -> F64:
    motion = actor.motion
    return bone_transforms(actor.rig, motion.root_world_m[index], motion.quat_local_xyzw[index])


def sensor(picture: Image, seed: int) -> Image:
    """What a webcam makes of a picture: a little blur and noise."""
    import cv2

    soft = cv2.GaussianBlur(picture, (0, 0), 0.45).astype(np.float32)
    noise = np.random.default_rng(seed).normal(0.0, _NOISE_LEVEL, soft.shape).astype(np.float32)
    return np.asarray(np.clip(np.rint(soft + noise), 0, 255), dtype=np.uint8)


def _encoder(path: Path) -> subprocess.Popen[bytes]:
    program = shutil.which("ffmpeg")
    if program is None:
        raise CaptureError("ffmpeg is not installed: install it (with x264) and try again.")
    width, height = SIZE_PX
    command = [
        program, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgr24",
        "-s", f"{width}x{height}", "-r", f"{FPS:g}", "-i", "-", "-c:v", "libx264",
        "-profile:v", "baseline", "-level", "3.1", "-pix_fmt", "yuv420p", "-preset", "veryslow",
        "-crf", _QUALITY, "-g", "60", "-threads", "1", "-bitexact", "-movflags", "+faststart",
        str(path),
    ]  # fmt: skip
    return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
