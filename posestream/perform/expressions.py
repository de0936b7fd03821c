"""Expression values of a face, in ARKit's names, and what becomes of them in VRM's.

A small network sees what has changed against the person's own neutral face; its estimates get a
little slack at both ends. It was fitted to rendered heads whose expressions are known
(``assets/README.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from posestream.arrays import F64
from posestream.assets import FACE_MODEL
from posestream.geometry import rotation as rot
from posestream.geometry.fast import clamp, smoothstep
from posestream.perform.face_features import changes
from posestream.perform.small_network import SmallNetwork
from posestream.types import ARKIT_EXPRESSIONS, EXPRESSIONS, VRM_EXPRESSIONS

_SLACK: Final = (0.22, 0.78)
"""Estimates that become 0 and 1: noise stays out, and whoever does not pull hard gets there."""
_LID_CLOSES: Final = (0.4, 0.8)
"""Blinks between which the iris goes out of sight, and the gaze with it."""
_JAW_DRAGS: Final = 0.6
"""How far a wide open mouth takes the mesh's brows down with it."""
_GAZE_DRAGS: Final = 0.75
"""The same of eyes that are turned far."""
_GIVES_WAY: Final = 0.5
SIDE_RAD: Final = float(np.radians(30.0))
"""How far an eye has turned where eyeLookIn or eyeLookOut is 1; up and down: the next."""
UP_RAD: Final = float(np.radians(25.0))

READ: Final = (*ARKIT_EXPRESSIONS, "mouthStretch")
"""What the network tells: a mouth drawn wide is no value of its own, but says I and E."""
_A: Final = {name: i for i, name in enumerate(ARKIT_EXPRESSIONS)}
_NUM_ARKIT: Final = len(ARKIT_EXPRESSIONS)
_BLINKS: Final = [_A["eyeBlinkLeft"], _A["eyeBlinkRight"]]
_BROWS: Final = [_A["browInnerUp"], _A["browDownLeft"], _A["browDownRight"]]
_ROUND: Final = [_A["mouthFunnel"], _A["mouthPucker"]]
_LOOKS: Final = np.array(
    [[_A[f"eyeLook{way}{side}"] for way in ("Up", "Down", "In", "Out")]
     for side in ("Left", "Right")]
)  # fmt: skip
_WIDTH_POINTS: Final = (61, 291)
_GAP_POINTS: Final = (13, 14)


@dataclass(frozen=True, slots=True, eq=False)
class FaceModel:
    """Everything that was measured on rendered heads."""

    canonical: F64  # (478, 3) a neutral face in head axes, outer corners of the eyes 1 apart
    weight: F64  # (478,) how firmly each point sits on the skull
    network: SmallNetwork  # from ``face_features.changes`` to READ


@dataclass(frozen=True, slots=True, eq=False)
class Neutral:
    """A person's face at rest."""

    features: F64  # (F,)
    turn_xyzw: F64  # (4,) of the head meanwhile
    mouth_width: float


@cache
def face_model() -> FaceModel:
    """The model that ships with the package."""
    with np.load(FACE_MODEL, allow_pickle=False) as data:
        part = {name: data[name].astype(np.float64) for name in data.files}
    network = SmallNetwork(part["w1"], part["b1"], part["w2"], part["b2"])
    return FaceModel(part["canonical"], part["weight"], network)


class FaceRead(NamedTuple):
    """What is read from a face, all in [0, 1]."""

    arkit: F64  # (len(ARKIT_EXPRESSIONS),)
    stretch: float  # how wide the mouth is drawn


def read_face(
    now: F64,
    turn_xyzw: F64,
    neutral: Neutral,
    strength: float = 1.0,
    model: FaceModel | None = None,
) -> FaceRead:
    """Values from features (F,) and the head's turn (4,), by the shipped model or another."""
    rest, rest_rad = neutral.features, rot.to_rotvec(neutral.turn_xyzw)
    turns = np.stack([rot.to_rotvec(turn_xyzw), rest_rad])
    both = changes(np.stack([now, rest]), turns, rest, rest_rad)
    moved, still = (model or face_model()).network(both)
    low, high = _SLACK
    values = clamp(((moved - still) * strength - low) / (high - low), 0.0, 1.0)
    return FaceRead(_untangled(values[:_NUM_ARKIT]), float(values[_NUM_ARKIT]))


def _untangled(values: F64) -> F64:
    """What the mesh gets wrong, put right: what one part of the face drags along in another.

    A closed eye looks nowhere and moves its brow; both eyes look one way; eyes turned far
    and an open jaw take the brows down.
    """
    openness = 1.0 - smoothstep(values[_BLINKS], *_LID_CLOSES)
    up, down, inwards, outwards = values[_LOOKS].T
    to_left = 0.5 * float((outwards - inwards) @ np.array([1.0, -1.0]))
    upwards = 0.5 * float((up - down).sum())
    looks = [[upwards, -upwards, -to_left, to_left], [upwards, -upwards, to_left, -to_left]]
    out = values.copy()
    out[_LOOKS] = np.maximum(np.array(looks), 0.0) * openness.min()
    out[_BROWS] *= np.append(openness.min(), openness)
    weaker = _ROUND[int(np.argmin(values[_ROUND]))]  # a mouth is rounded in one way at a time
    out[weaker] = max(0.0, values[weaker] - _GIVES_WAY * float(values[_ROUND].max()))
    gaze = min(max(abs(upwards), abs(to_left)), 1.0)
    out[_BROWS[1:]] *= (1.0 - _JAW_DRAGS * values[_A["jawOpen"]]) * (1.0 - _GAZE_DRAGS * gaze)
    return out


def vowels(
    values: F64, mouth_width: float, lip_gap: float, neutral: Neutral, stretch: float = 0.0
) -> F64:
    """(5,) a i u e o, at most 1 together.

    Args:
        values: ARKit values.
        mouth_width: between the corners.
        lip_gap: between the inner lips, both in units of the face.
        neutral: the same face at rest.
        stretch: how wide the mouth is drawn.
    """
    jaw, funnel, pucker = (float(values[_A[n]]) for n in ("jawOpen", "mouthFunnel", "mouthPucker"))
    wide = max(stretch, _ramp(mouth_width / max(neutral.mouth_width, 1e-6) - 1.0, 0.04, 0.22))
    parted = _ramp(lip_gap, 0.01, 0.06)
    opened = max(jaw, _ramp(lip_gap, 0.10, 0.40))
    rounded = max(funnel, pucker)
    flat = 1.0 - rounded
    a = opened * flat * (1.0 - 0.6 * wide * (1.0 - opened))
    i = wide * parted * flat * (1.0 - _ramp(opened, 0.1, 0.45))
    e = wide * flat * _ramp(opened, 0.05, 0.3) * (1.0 - _ramp(opened, 0.45, 0.9))
    o = max(funnel, pucker * _ramp(opened, 0.15, 0.5))
    u = pucker * (1.0 - _ramp(opened, 0.15, 0.5)) * (1.0 - 0.8 * funnel)
    return _one_at_a_time(np.array([a, i, u, e, o]))


def _one_at_a_time(amounts: F64) -> F64:
    """A mouth says one vowel: the strongest stays, the others give way to it."""
    strongest = float(amounts.max())
    if strongest <= 0.0:
        return amounts
    return amounts * (amounts / strongest) * min(1.0, strongest / float(amounts.sum()) + 0.3)


def mouth(point: F64) -> tuple[float, float]:
    """Width of the mouth and gap between the inner lips, of points (478, 3) in head axes."""
    left, right = point[list(_WIDTH_POINTS)]
    upper, lower = point[list(_GAP_POINTS)]
    return float(rot.norm(left - right)), max(float(upper[1] - lower[1]), 0.0)


def frame_values(arkit: F64, spoken: F64) -> F64:
    """(E,) in the order of ``types.EXPRESSIONS`` from ARKit values and the five vowels.

    ``blink`` stays 0, because receivers add it to ``blinkLeft`` and ``blinkRight``; so do the
    emotions, which nobody can tell from a face's shape alone.
    """
    vrm = dict(zip(("aa", "ih", "ou", "ee", "oh"), spoken.tolist(), strict=True))
    vrm["blinkLeft"], vrm["blinkRight"] = arkit[_BLINKS].tolist()
    up, down, inwards, outwards = arkit[_LOOKS].T
    vrm["lookUp"], vrm["lookDown"] = float(up.mean()), float(down.mean())
    vrm["lookLeft"] = 0.5 * float(outwards[0] + inwards[1])
    vrm["lookRight"] = 0.5 * float(inwards[0] + outwards[1])
    assert EXPRESSIONS[: len(VRM_EXPRESSIONS)] == VRM_EXPRESSIONS
    return np.concatenate([[vrm.get(name, 0.0) for name in VRM_EXPRESSIONS], arkit])


def eye_rotations(arkit: F64) -> F64:
    """(2, 4) local rotations of the left and the right eye bone."""
    up, down, inwards, outwards = arkit[_LOOKS].T
    to_left = SIDE_RAD * (outwards - inwards) * np.array([1.0, -1.0])
    turn = rot.from_axis_angle(np.array([0.0, 1.0, 0.0]), to_left)
    return rot.multiply(turn, rot.from_axis_angle(np.array([1.0, 0.0, 0.0]), UP_RAD * (down - up)))


def _ramp(x: float, low: float, high: float) -> float:
    return min(max((x - low) / (high - low), 0.0), 1.0)
