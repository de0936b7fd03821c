"""From the teacher's landmarks to a body of plausible size.

Axes: x right, y down, z along the view ray through the person. The landmark model sees a crop
and knows no camera, so its pose is that of a camera which looks straight at the person, far
away (weak perspective). A composite turns it by the angle of its own view ray
(``composite_scene.turned``). Of a plain photo neither camera nor view ray is known, and the
pose stays as it is: half of the field of view, 25 degrees, bounds the error at the very edge.

Size: the model's bodies are too small. A body's stature follows from its segments by the usual
proportions, summed over trunk, arms and legs so that no single joint decides; the whole body is
scaled to a stature drawn for that person from a normal distribution, by the picture's name
alone.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.estimate.backends.mediapipe_people import body_joints, body_scores
from posestream.skeleton.joints import BLAZEPOSE33, JOINT
from posestream.training.real.conventions import derive
from posestream.training.real.teacher import Lesson

_SEGMENTS: Final = (
    ("neck", "pelvis", 0.288), ("left_hip", "left_knee", 0.245), ("right_hip", "right_knee", 0.245),
    ("left_knee", "left_ankle", 0.246), ("right_knee", "right_ankle", 0.246),
    ("left_shoulder", "left_elbow", 0.186), ("right_shoulder", "right_elbow", 0.186),
    ("left_elbow", "left_wrist", 0.146), ("right_elbow", "right_wrist", 0.146),
)  # fmt: skip
"""Share of the stature (Drillis and Contini; trunk between shoulder and hip height)."""
_EARS_TO_CROWN: Final = 0.076  # of the stature, along the face
_LEAN_RAD: Final = np.radians(3.0)
"""The model leans bodies towards the camera: on rendered people, whose truth is known, by 2.6
degrees at neck and head, 3.2 at the ankles."""
_MARK: Final = {name: i for i, name in enumerate(BLAZEPOSE33)}
_STATURE_M: Final = {"ccp": (1.67, 0.06)}  # mostly women
_ANYBODY_M: Final = (1.71, 0.09)
_TALLEST_SHARE: Final = 2.2  # of deviations that a drawn stature may have


def body_of(lesson: Lesson, stature_m: float) -> tuple[F64, F64, F64]:
    """Places (BODY, 2), joints (BODY, 3) of a body so tall, scores (BODY,); NaN where unknown.

    The crown has no place: it follows from the scale.
    """
    marks_m = _set_upright(lesson.xyz_m)
    xyz = body_joints(marks_m[None])
    xy = body_joints(lesson.xy_px[None])
    for points in (xyz, xy):
        points[:, JOINT["spine"]] = np.nan
    xyz, xy = derive(xyz), derive(xy)
    xyz = xyz[0] - xyz[0, JOINT["pelvis"]]
    xyz *= stature_m / max(stature(xyz), 1e-6)
    crown = _EARS_TO_CROWN * stature_m * _face_up(marks_m)
    xyz[JOINT["head_top"]] = xyz[JOINT["head"]] + crown
    score = body_scores(lesson.score[None])[0]
    score[JOINT["head_top"]] = score[JOINT["head"]]
    return xy[0], xyz, score


def _set_upright(marks_m: F64) -> F64:
    """Turn marks (33, 3) about the picture's x axis against the model's lean."""
    sine, cosine = np.sin(_LEAN_RAD), np.cos(_LEAN_RAD)
    x, y, z = marks_m.T
    return np.stack([x, cosine * y + sine * z, cosine * z - sine * y], axis=1)


def stature(xyz_m: F64) -> float:
    """Standing height that goes with the segments of a body (BODY, 3)."""
    lengths = [np.linalg.norm(xyz_m[JOINT[b]] - xyz_m[JOINT[a]]) for a, b, _ in _SEGMENTS]
    return float(np.sum(lengths) / sum(share for *_, share in _SEGMENTS))


def drawn_stature_m(dataset: str, person: str) -> float:
    """A plausible stature; the same for the same name."""
    mean, deviation = _STATURE_M.get(dataset, _ANYBODY_M)
    rng = np.random.default_rng(zlib.crc32(person.encode()))
    return float(mean + deviation * np.clip(rng.normal(), -_TALLEST_SHARE, _TALLEST_SHARE))


def _face_up(marks_m: F64) -> F64:
    """Unit vector from mouth to eyes, square to the line of the ears."""
    up = _middle(marks_m, "left_eye", "right_eye") - _middle(marks_m, "mouth_left", "mouth_right")
    across = marks_m[_MARK["left_ear"]] - marks_m[_MARK["right_ear"]]
    across = across / max(float(np.linalg.norm(across)), 1e-9)
    up = up - (up @ across) * across
    return np.asarray(up / max(float(np.linalg.norm(up)), 1e-9))


def _middle(marks: F64, a: str, b: str) -> F64:
    return np.asarray(0.5 * (marks[_MARK[a]] + marks[_MARK[b]]))
