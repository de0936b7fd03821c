"""Tools that people use today, timed as they are meant to be used."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import cv2

from posestream.estimate.registry import available
from posestream.types import Frame

Rival = Callable[[Frame], int]
"""Estimates one frame and says how many people it found."""


def rivals() -> Iterator[tuple[str, Rival]]:
    """Name and function of every rival that is installed here."""
    if any(item.name == "mediapipe" and item.ok for item in available()):
        yield "mediapipe-single", _mediapipe_single()
        yield "mediapipe-tasks", _mediapipe_tasks()


def _mediapipe_single() -> Rival:
    """``mp.solutions.pose``, full model, tracking from frame to frame: its defaults."""
    from posestream.estimate.backends.mediapipe_noise import chatter_removed

    with chatter_removed():
        from mediapipe.python.solutions import pose

        model = pose.Pose(model_complexity=1)

    def estimate(frame: Frame) -> int:
        with chatter_removed():
            result: Any = model.process(cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB))
        return int(result.pose_landmarks is not None)

    return estimate


def _mediapipe_tasks() -> Rival:
    """Tasks ``PoseLandmarker`` for four people, video mode, models as the wheel ships them."""
    from posestream.estimate.backends.mediapipe_noise import chatter_removed

    with chatter_removed():
        import mediapipe as mp
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=_task_bundle()),
            running_mode=vision.RunningMode.VIDEO,
            num_poses=4,
        )
        landmarker = vision.PoseLandmarker.create_from_options(options)
    clock_ms = [0]

    def estimate(frame: Frame) -> int:
        clock_ms[0] += 33
        rgb = cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)
        with chatter_removed():
            result = landmarker.detect_for_video(
                mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb), clock_ms[0]
            )
        return len(result.pose_landmarks)

    return estimate


def _task_bundle() -> bytes:
    """The bundle that the task wants, made of the wheel's two model files with their metadata."""
    from mediapipe.tasks.python.metadata.metadata_writers import metadata_writer

    models = Path(distribution("mediapipe").locate_file("mediapipe/modules"))  # type: ignore[arg-type]
    parts = {
        "pose_detector.tflite": ("pose_detection/pose_detection.tflite", 127.5, 127.5),
        "pose_landmarks_detector.tflite": ("pose_landmark/pose_landmark_full.tflite", 0.0, 255.0),
    }
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as archive:
        for name, (path, mean, std) in parts.items():
            writer = metadata_writer.MetadataWriter.create(bytearray((models / path).read_bytes()))
            writer.add_image_input([mean], [std])
            archive.writestr(name, writer.populate()[0])
    return bundle.getvalue()
