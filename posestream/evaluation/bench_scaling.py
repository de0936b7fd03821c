"""``posestream bench``: the presets that ship, and how cost grows with what there is of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from posestream import config
from posestream.assets import DEMO_CLIP
from posestream.errors import BackendError
from posestream.estimate.registry import available, resolve
from posestream.evaluation.bench_chain import Chain, Run, frames_of, timed
from posestream.geometry.camera import scale_intrinsics
from posestream.settings import Settings
from posestream.types import Camera, Frame

CROWDS: Final = (1, 2, 4, 10)
HEIGHTS_PX: Final = (240, 480, 720, 1080)
CLIENTS: Final = (1, 10, 100)
_FRAMES, _MOTION_FRAMES = 100, 150
_SECONDS = 4.0
_OURS: Final = ("mediapipe", "rrmp")


def bench_presets() -> dict[str, Run]:
    """Each configuration that ships, on the bundled clip; why not, where it cannot run here."""
    frames = frames_of(str(DEMO_CLIP), _FRAMES)
    return {
        name: _preset(config.load(str(path)), frames)
        for name, path in sorted(config.preset_files().items())
    }


def _preset(settings: Settings, frames: list[Frame]) -> Run:
    backend = resolve(settings.estimate.backend)
    try:
        return {"backend": backend, **timed(frames, Chain(backend, settings))}
    except BackendError as error:
        return {"backend": backend, "skipped": str(error)}


def bench_people() -> list[Run]:
    """What follows the network, by the number of people, whose exact joints are given."""
    return [{"people": people, **_motion(people)} for people in CROWDS]


def _motion(people: int) -> Run:
    seconds = _MOTION_FRAMES / 30
    source = f"synthetic:people={people},seconds={seconds:g},width=320,height=180"
    run = timed(frames_of(source, _MOTION_FRAMES), Chain("fake", _crowded(people)))
    run.pop("fps")  # without a network it says nothing
    return run


def _crowded(people: int) -> Settings:
    return config.load(None, [f"estimate.max_people={people}"])


def bench_resolution() -> list[Run]:
    """The whole chain, by the height of the camera's picture."""
    frames = frames_of(str(DEMO_CLIP), _FRAMES)
    runs = []
    for height in HEIGHTS_PX:
        pictures = list(_resized(frames, height))
        for backend in _here():
            run = timed(pictures, Chain(backend))
            runs.append({"backend": backend, "height_px": height, **run})
    return runs


def _resized(frames: list[Frame], height_px: int) -> Iterator[Frame]:
    width, height = frames[0].camera.size_px
    scale = height_px / height
    size_px = round(width * scale), height_px
    K_px = scale_intrinsics(frames[0].camera.K_px, scale, scale)
    camera = Camera(K_px, size_px, frames[0].camera.distortion, frames[0].camera.T_world_cam)
    for frame in frames:
        image = cv2.resize(frame.image, size_px).astype(np.uint8, copy=False)
        yield replace(frame, image=image, camera=camera, truth=None)


def bench_threads() -> list[Run]:
    """The whole chain, by the threads that the back end may use."""
    frames = frames_of(str(DEMO_CLIP), _FRAMES)
    most = min(os.cpu_count() or 1, 16)
    counts = sorted({1, 2, most // 2 or 1, most} & set(range(1, most + 1)))
    runs = []
    for backend in _here():
        for threads in counts:
            run = timed(frames, Chain(backend, _threaded(threads)))
            runs.append({"backend": backend, "threads": threads, **run})
    return runs


def _threaded(threads: int) -> Settings:
    return config.load(None, [f"estimate.threads={threads}", f"estimate.rrmp.threads={threads}"])


def bench_by_clients() -> list[Run]:
    """WebSocket clients at 60 frames a second of two people, from encoding to receipt."""
    from posestream.publish import load

    return [
        asdict(asyncio.run(load.measure(clients=n, rate_hz=60, people=2, seconds=_SECONDS)))
        for n in CLIENTS
    ]


def _here() -> list[str]:
    return [item.name for item in available() if item.ok and item.name in _OURS]


def as_lines(result: dict[str, Any]) -> list[str]:
    """For people: one line per run."""
    lines = []
    for part in ("presets", "people", "resolution", "threads"):
        if part in result:
            lines.append(f"\nby {part}")
            lines += [_line(name, run) for name, run in _named(result[part])]
    for run in result.get("by_clients", ()):
        lines.append(f"  clients {run}")
    return lines


def _named(runs: dict[str, Run] | list[Run]) -> list[tuple[str, Run]]:
    if isinstance(runs, dict):
        return [(Path(name).stem, run) for name, run in runs.items()]
    keys = ("backend", "people", "height_px", "threads")
    return [(" ".join(str(run[key]) for key in keys if key in run), run) for run in runs]


def _line(name: str, run: Run) -> str:
    if "skipped" in run:
        return f"  {name:20s} left out: {run['skipped']}"
    fps = f"{run['fps']:7.1f} fps  " if "fps" in run else ""
    ms = run["frame_ms"]
    return (
        f"  {name:20s} {fps}p50 {ms['p50']:7.2f}  p99 {ms['p99']:7.2f} ms"
        f"  CPU {run['cpu_ms_per_frame']:6.1f} ms"
    )
