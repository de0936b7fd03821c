"""What the avatar shows of hands and face: calmed, held while out of sight, faded to rest."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import frames
from posestream.geometry import rotation as rot
from posestream.geometry.fast import slerp
from posestream.perform.fingers import FINGERS, NUM_FINGER_BONES, PHALANGES
from posestream.perform.settings import PerformSettings
from posestream.perform.solving import Performance
from posestream.skeleton.humanoid import BONE
from posestream.types import EXPRESSIONS

FINGER_BONES: Final = np.array(
    [[BONE[f"{side}{f}{p}"] for f in FINGERS for p in PHALANGES] for side in ("Left", "Right")]
)
"""(2, 15): left hand, right hand."""
EYE_BONES: Final = np.array([BONE["LeftEye"], BONE["RightEye"]])


def _other_side(name: str) -> str:
    return name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")


_MIRRORED: Final = np.array([EXPRESSIONS.index(_other_side(name)) for name in EXPRESSIONS])
_RELAXED_DEG: Final = (0.0, 8.0, 10.0, 12.0, 14.0)  # thumb to little finger, at each joint


def relaxed_fingers() -> F64:
    """(2, 15, 4) of hands that do nothing: slightly curled."""
    angle = np.radians(np.repeat(_RELAXED_DEG, len(PHALANGES)))
    left = rot.from_axis_angle(np.array([0.0, 0.0, -1.0]), angle)
    return np.stack([left, frames.mirror_quat(left)])


class Shown(NamedTuple):
    """Hands and face of one avatar; sides are the avatar's own."""

    finger_xyzw: F64  # (2, 15, 4)
    hand_seen: Bool  # (2,) or not long out of sight
    eye_xyzw: F64  # (2, 4)
    face_seen: bool
    expressions: F64  # (E,)


class Blender:
    """Follows performances from frame to frame."""

    def __init__(self) -> None:
        self._rest = relaxed_fingers()
        self._fingers, self._wanted_fingers = self._rest.copy(), self._rest.copy()
        self._eyes = self._wanted_eyes = rot.identity(2)
        self._values = self._wanted_values = np.zeros(len(EXPRESSIONS))
        self._hand_s, self._face_s = np.full(2, -np.inf), -np.inf
        self._t_s = -np.inf

    def show(
        self, t_s: float, newest: Performance | None, settings: PerformSettings, mirror: bool
    ) -> Shown:
        """What is shown at ``t_s``, seconds, rising; ``newest`` may be older or None."""
        if newest is not None:
            self._take(newest)
        hands = _weight(t_s - self._hand_s, settings)
        face = _weight(np.array(t_s - self._face_s), settings)
        step_s = min(max(t_s - self._t_s, 0.0), 1.0)
        self._t_s = t_s
        pull = 1.0 if settings.smooth_s == 0.0 else -float(np.expm1(-step_s / settings.smooth_s))
        fingers = slerp(
            self._rest, self._wanted_fingers, np.repeat(hands[:, None], NUM_FINGER_BONES, axis=1)
        )
        self._fingers = rot.normalize(slerp(self._fingers, fingers, pull))
        eyes = slerp(rot.identity(2), self._wanted_eyes, face)
        self._eyes = rot.normalize(slerp(self._eyes, eyes, pull))
        self._values = self._values + pull * (face * self._wanted_values - self._values)
        shown = Shown(self._fingers, hands > 0.0, self._eyes, bool(face > 0.0), self._values)
        return mirrored(shown) if mirror else shown

    def _take(self, newest: Performance) -> None:
        seen = newest.hand_seen & (newest.t_s > self._hand_s)
        if seen.any():
            self._hand_s = np.where(seen, newest.t_s, self._hand_s)
            self._wanted_fingers = np.where(
                seen[:, None, None], newest.finger_xyzw, self._wanted_fingers
            )
        if newest.face_seen and newest.t_s > self._face_s:
            self._face_s = newest.t_s
            self._wanted_eyes, self._wanted_values = newest.eye_xyzw, newest.expressions


def mirrored(shown: Shown) -> Shown:
    """The same in a mirror: sides are swapped."""
    return Shown(
        frames.mirror_quat(shown.finger_xyzw[::-1]),
        shown.hand_seen[::-1],
        frames.mirror_quat(shown.eye_xyzw[::-1]),
        shown.face_seen,
        shown.expressions[_MIRRORED],
    )


def _weight(age_s: F64, settings: PerformSettings) -> F64:
    """1 while held, then down to 0."""
    return np.asarray(np.clip(1.0 - (age_s - settings.hold_s) / settings.fade_s, 0.0, 1.0))
