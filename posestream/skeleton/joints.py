"""Joint sets: the body joints every stage works on, and the sets that back ends deliver.

``BODY`` is the set between the stages. A back end that knows fewer joints leaves the rest
NaN with score 0. Left and right are the person's own.
"""

from __future__ import annotations

from typing import Final

BODY: Final[tuple[str, ...]] = (
    "pelvis",
    "spine",
    "neck",
    "head",
    "head_top",
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_thumb",
    "right_thumb",
    "left_index",
    "right_index",
    "left_pinky",
    "right_pinky",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_heel",
    "right_heel",
    "left_toe",
    "right_toe",
)
"""pelvis: mid-point of the hip joints. neck: base of the neck (mid-point of the shoulder
joints). head: centre of the head (mid-point of the ears). thumb, index, pinky: the first
knuckle of each. toe: ball of the big toe."""

NUM_JOINTS: Final = len(BODY)
JOINT: Final[dict[str, int]] = {name: i for i, name in enumerate(BODY)}
ROOT: Final = JOINT["pelvis"]

LIMBS: Final[tuple[tuple[str, str], ...]] = (
    ("pelvis", "neck"),
    ("neck", "head"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
    ("left_ankle", "left_toe"),
    ("right_ankle", "right_toe"),
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
)
"""Segments to draw and to measure; each is (proximal, distal)."""

COCO: Final[tuple[str, ...]] = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

MUPOTS17: Final[tuple[str, ...]] = (
    "head_top", "neck", "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle", "pelvis", "spine", "head",
)  # fmt: skip

BLAZEPOSE33: Final[tuple[str, ...]] = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer",
    "right_eye_inner", "right_eye", "right_eye_outer", "left_ear", "right_ear",
    "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee",
    "left_ankle", "right_ankle", "left_heel", "right_heel", "left_toe", "right_toe",
)  # fmt: skip


def swap_sides(name: str) -> str:
    """The joint's or bone's name on the other side of the body."""
    for a, b in (("left", "right"), ("right", "left"), ("Left", "Right"), ("Right", "Left")):
        if name.startswith(a):
            return b + name[len(a) :]
    return name
