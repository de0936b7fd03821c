"""MediaPipe's hand and face mesh models: the points on one person's hands and face.

Everything comes from the wheel, nothing is fetched. The models follow what they have found
from picture to picture and look anew only where they have lost it.
"""

from __future__ import annotations

import warnings
from typing import Any

import cv2
import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import BackendError
from posestream.estimate.backends import mediapipe_models
from posestream.estimate.backends.mediapipe_noise import chatter_removed
from posestream.marks import FaceMarks, HandMarks, Marks
from posestream.types import Frame

_CONFIDENCE = 0.5


class MarksFinder:
    """Finds up to two hands and one face. One thread uses it at a time."""

    def __init__(self, hands: bool, face: bool) -> None:
        """Load the models that are wanted (about half a second). Raises BackendError."""
        ok, reason = mediapipe_models.check()
        if not ok:
            raise BackendError(reason)
        self._hands: Any = None
        self._face: Any = None
        with warnings.catch_warnings(), chatter_removed():
            warnings.simplefilter("ignore")  # protobuf's and matplotlib's own deprecations
            try:
                self._start(hands, face)
            except (ImportError, RuntimeError, ValueError, OSError) as error:
                raise BackendError(
                    f"MediaPipe's hands and face cannot be started ({error}): run "
                    f"{mediapipe_models.INSTALL}."
                ) from error

    def find(self, frame: Frame) -> Marks:
        """Hands and face in a picture. Raises BackendError if MediaPipe fails."""
        rgb: Image = cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
        rgb.setflags(write=False)  # lets MediaPipe share the pixels instead of copying them
        size = np.array([rgb.shape[1], rgb.shape[0], rgb.shape[1]], dtype=np.float64)
        try:
            hands = () if self._hands is None else _hands(self._hands.process(rgb), size)
            face = None if self._face is None else _face(self._face.process(rgb), size)
        except (RuntimeError, ValueError) as error:
            raise BackendError(f"MediaPipe failed on a picture: {error}.") from error
        return Marks(frame.t_capture_ns, hands, face)

    def close(self) -> None:
        """Release the models. May be called twice."""
        for model in (self._hands, self._face):
            if model is not None:
                model.close()
        self._hands = self._face = None

    def _start(self, hands: bool, face: bool) -> None:
        from mediapipe.python.solutions import face_mesh
        from mediapipe.python.solutions import hands as hand_models

        black: Image = np.zeros((64, 64, 3), dtype=np.uint8)
        if hands:
            self._hands = hand_models.Hands(
                max_num_hands=2,
                min_detection_confidence=_CONFIDENCE,
                min_tracking_confidence=_CONFIDENCE,
            )
            self._hands.process(black)
        if face:
            self._face = face_mesh.FaceMesh(
                max_num_faces=1,
                refine_landmarks=True,
                min_detection_confidence=_CONFIDENCE,
                min_tracking_confidence=_CONFIDENCE,
            )
            self._face.process(black)


def _points(landmarks: Any) -> F64:
    return np.array([(p.x, p.y, p.z) for p in landmarks.landmark])


def _hands(found: Any, size: F64) -> tuple[HandMarks, ...]:
    if not found.multi_hand_landmarks:
        return ()
    hands = []
    for pixel, metric, label in zip(
        found.multi_hand_landmarks, found.multi_hand_world_landmarks, found.multi_handedness,
        strict=True,
    ):  # fmt: skip
        kind = label.classification[0]
        # The model was taught on mirrored pictures: its left hands are right ones here.
        hands.append(
            HandMarks(
                "right" if kind.label == "Left" else "left", float(kind.score),
                _points(pixel)[:, :2] * size[:2] - 0.5,  # pixel centres at integers
                _points(metric),
            )
        )  # fmt: skip
    return tuple(hands)


def _face(found: Any, size: F64) -> FaceMarks | None:
    if not found.multi_face_landmarks:
        return None
    return FaceMarks(_points(found.multi_face_landmarks[0]) * size - np.array([0.5, 0.5, 0.0]))
