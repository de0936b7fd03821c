"""From one look at hands and face to what the avatar takes over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import rotation as rot
from posestream.geometry.camera import normalized_rays
from posestream.geometry.fast import between
from posestream.marks import FaceMarks, HandMarks, Marks
from posestream.perform.expressions import (
    eye_rotations,
    face_model,
    frame_values,
    mouth,
    read_face,
    vowels,
)
from posestream.perform.face_features import features
from posestream.perform.face_frame import PlacedFace, place_face
from posestream.perform.fingers import NUM_FINGER_BONES
from posestream.perform.hand_model import read_hand
from posestream.perform.neutral import NeutralFace
from posestream.perform.settings import PerformSettings
from posestream.types import EXPRESSIONS, Camera

_FORWARD: Final = np.array([0.0, 0.0, 1.0])
_CAM_HEAD: Final = np.array([1.0, 0.0, 0.0, 0.0])  # half a turn about x: y down, z away
_NEAR: Final = 2.5
"""In lengths of a hand: a hand farther from the body's wrist is not this person's."""


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """Hands and face at one instant; what is not seen is at rest."""

    t_s: float
    hand_seen: Bool  # (2,) left, right
    palm_cam_xyzw: F64  # (2, 4) of the hand bone in camera axes
    finger_xyzw: F64  # (2, 15, 4) local
    face_seen: bool
    head_cam_xyzw: F64  # (4,) in camera axes
    eye_xyzw: F64  # (2, 4) local to the head, left, right
    expressions: F64  # (E,)


class Solver:
    """Turns marks into performances; remembers the neutral face. One thread uses it."""

    def __init__(self, settings: PerformSettings) -> None:
        self._settings = settings
        self.neutral = NeutralFace(settings.neutral_s)

    def configure(self, settings: PerformSettings) -> None:
        """Take over changed settings."""
        self._settings = settings
        self.neutral.calm_s = settings.neutral_s

    def solve(self, marks: Marks, camera: Camera, wrist_px: F64) -> Performance:
        """``wrist_px`` (2, 2): the body's left and right wrist, NaN where not seen."""
        seen = np.zeros(2, dtype=np.bool_)
        palm, finger = rot.identity(2), rot.identity(2, NUM_FINGER_BONES)
        for side, hand in enumerate(own_hands(marks.hands, wrist_px)):
            if hand is not None:
                pose = read_hand(hand.xy_px, hand.xyz_m, "left" if side == 0 else "right")
                ray = _ray_turn(hand.xy_px.mean(axis=0), camera)
                palm[side], finger[side] = rot.multiply(ray, pose.palm_xyzw), pose.finger_xyzw
                seen[side] = True
        head, eyes, values = self._face(marks, camera)
        return Performance(
            marks.t_capture_ns * 1e-9,
            seen,
            palm,
            finger,
            marks.face is not None,
            head,
            eyes,
            values,
        )

    def _face(self, marks: Marks, camera: Camera) -> tuple[F64, F64, F64]:
        """Head in camera axes, eyes, expressions; no expression until the neutral is known."""
        nothing = rot.identity(), rot.identity(2), np.zeros(len(EXPRESSIONS))
        if marks.face is None:
            return nothing
        face = place(marks.face)
        now = features(face.point)
        self.neutral.see(marks.t_capture_ns * 1e-9, face, now)
        turn = rot.multiply(_CAM_HEAD, face.turn_xyzw)
        ray = _ray_turn(marks.face.xyz_px[:, :2].mean(axis=0), camera)
        head = rot.multiply(ray, turn)
        neutral = self.neutral.face
        if neutral is None:
            return head, nothing[1], nothing[2]
        read = read_face(now, face.turn_xyzw, neutral, self._settings.strength)
        spoken = vowels(read.arkit, *mouth(face.point), neutral, read.stretch)
        return head, eye_rotations(read.arkit), frame_values(read.arkit, spoken)


def place(face: FaceMarks) -> PlacedFace:
    """The face in head axes, by the model that ships with the package."""
    model = face_model()
    return place_face(face.xyz_px, model.canonical, model.weight)


def own_hands(hands: tuple[HandMarks, ...], wrist_px: F64) -> list[HandMarks | None]:
    """The left and the right hand of who has these wrists (2, 2); the model's word if unknown."""
    chosen: list[HandMarks | None] = [None, None]
    cost = [np.inf, np.inf]
    for hand in hands:
        length = float(rot.norm(hand.xy_px[9] - hand.xy_px[0])) + 1.0
        away = rot.norm(wrist_px - hand.xy_px[0]) / length
        for side in (0, 1):
            doubt = hand.score if (hand.side == "left") != (side == 0) else 0.0
            known = bool(np.isfinite(away[side]))
            if known and away[side] > _NEAR:
                continue
            own = float(away[side]) if known else 1.0
            if own + 2.0 * doubt < cost[side]:
                chosen[side], cost[side] = hand, own + 2.0 * doubt
    if chosen[0] is not None and chosen[0] is chosen[1]:  # one hand is only one
        chosen[int(cost[0] < cost[1])] = None
    return chosen


def _ray_turn(xy_px: F64, camera: Camera) -> F64:
    """Rotation from the optical axis to the ray along which something is seen."""
    ray = normalized_rays(xy_px[None], camera.K_px, camera.distortion)[0]
    return between(_FORWARD, rot.normalize(np.append(ray, 1.0)))
