"""Which portraits are made of everybody, and which values they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.perform.expressions import READ, SIDE_RAD, UP_RAD

VOWELS: Final[Mapping[str, Mapping[str, float]]] = {
    "A": {"jawOpen": 0.9},
    "I": {"jawOpen": 0.08, "mouthStretchLeft": 0.8, "mouthStretchRight": 0.8,
          "mouthLowerDownLeft": 0.4, "mouthLowerDownRight": 0.4, "mouthUpperUpLeft": 0.2,
          "mouthUpperUpRight": 0.2},
    "U": {"mouthPucker": 0.9, "jawOpen": 0.1},
    "E": {"jawOpen": 0.4, "mouthStretchLeft": 0.6, "mouthStretchRight": 0.6,
          "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2},
    "O": {"mouthFunnel": 0.8, "jawOpen": 0.3},
}  # fmt: skip
"""How a mouth says a vowel, in face units."""

CASES: Final[tuple[tuple[str, ...], ...]] = (
    ("eyeBlinkLeft",), ("eyeBlinkRight",), ("eyeBlinkLeft", "eyeBlinkRight"),
    ("eyeLookUpLeft", "eyeLookUpRight"), ("eyeLookDownLeft", "eyeLookDownRight"),
    ("eyeLookInLeft", "eyeLookOutRight"), ("eyeLookOutLeft", "eyeLookInRight"),
    ("jawOpen",), ("mouthSmileLeft",), ("mouthSmileRight",),
    ("mouthSmileLeft", "mouthSmileRight"), ("mouthFunnel",), ("mouthPucker",),
    ("browInnerUp",), ("browDownLeft",), ("browDownRight",), ("browDownLeft", "browDownRight"),
)  # fmt: skip
"""What is driven fully, and alone, where the model is examined."""

_MIXTURES: Final = 60
_GLANCES: Final = 14
_LOOKS: Final = 2
"""How often each examined thing is portrayed."""
_HEAD_RAD: Final = (0.5, 0.3, 0.15)  # left, down, aside: the farthest turns
_EXAM_RAD: Final = 0.175  # ten degrees
_PLAIN_RAD: Final = 0.2

_BOTH: Final = ("mouthSmile", "mouthFrown", "mouthStretch", "mouthLowerDown", "mouthUpperUp",
                "mouthPress", "mouthDimple")  # fmt: skip
_MOUTHS: Final = (
    "jawOpen", "mouthFunnel", "mouthPucker", "mouthSmile", "mouthFrown", "mouthStretch",
    "mouthLeft", "mouthRight", "mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthRollLower",
    "mouthRollUpper", "cheekPuff", "jawForward", "mouthClose", "mouthDimple", "noseSneerLeft",
    "noseSneerRight", "jawLeft", "jawRight", "mouthSmileLeft", "mouthSmileRight",
)  # fmt: skip
_TWINS: Final = ("mouthFrown", "mouthStretch", "eyeWide", "eyeSquint", "browOuterUp",
                 "cheekSquint", "mouthUpperUp", "mouthLowerDown", "noseSneer")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Portrait:
    """What a picture shows: amounts of face units, the eyes' and the head's turns."""

    units: Mapping[str, float] = field(default_factory=dict, hash=False)
    eyes_rad: tuple[float, float] = (0.0, 0.0)  # to the person's left, up
    head_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)  # to the person's left, down, aside
    lids: float = 1.0  # how far they follow the eyes up and down; 1: as they mostly do
    vowel: str | None = None  # of VOWELS
    neutral: bool = False  # at rest


def sittings(person: int, face_units: Sequence[str], examined: bool) -> list[Portrait]:
    """All portraits of a person; the first shows the neutral face, straight ahead."""
    rng = np.random.default_rng(person)
    return list(_exam(rng) if examined else _lessons(rng, face_units))


def truth(portrait: Portrait) -> F64:
    """(len(READ),) the values that the portrait stands for."""
    return np.array([_value(portrait, name) for name in READ])


def is_plain(portrait: Portrait) -> bool:
    """Whether little is driven, and the head nearly straight."""
    left, down, _ = portrait.head_rad
    few = portrait.vowel is not None or len(portrait.units) + any(portrait.eyes_rad) <= 2
    return few and max(abs(left), abs(down)) < _PLAIN_RAD


def _value(portrait: Portrait, name: str) -> float:
    if name == "mouthStretch":
        sides = [float(portrait.units.get(f"{name}{side}", 0.0)) for side in ("Left", "Right")]
        return 0.5 * sum(sides)
    if not name.startswith("eyeLook"):
        return float(portrait.units.get(name, 0.0))
    left, up = portrait.eyes_rad
    if "Up" in name or "Down" in name:
        return max(0.0, up if "Up" in name else -up) / UP_RAD
    outwards = name in ("eyeLookOutLeft", "eyeLookInRight")
    return max(0.0, left if outwards else -left) / SIDE_RAD


def _exam(rng: np.random.Generator) -> Iterator[Portrait]:
    """Neutral faces, every examined thing alone, and the vowels."""
    yield Portrait(neutral=True)
    for _ in range(5):
        yield Portrait(head_rad=_turn(rng, 0.7), neutral=True)
    for _ in range(_LOOKS):
        for names in CASES:
            yield _driven(names, _nearly_straight(rng))
    for vowel, units in VOWELS.items():
        yield Portrait(units, head_rad=_nearly_straight(rng), vowel=vowel)


def _driven(names: tuple[str, ...], head_rad: tuple[float, float, float]) -> Portrait:
    if not names[0].startswith("eyeLook"):
        return Portrait(dict.fromkeys(names, 1.0), head_rad=head_rad)
    left = up = 0.0
    if "Up" in names[0] or "Down" in names[0]:
        up = UP_RAD if "Up" in names[0] else -UP_RAD
    else:
        left = SIDE_RAD if "eyeLookOutLeft" in names else -SIDE_RAD
    return Portrait(eyes_rad=(left, up), head_rad=head_rad)


def _lessons(rng: np.random.Generator, face_units: Sequence[str]) -> Iterator[Portrait]:
    """Neutral faces, every unit alone, both sides of some, vowels, gaze and mixtures."""
    yield Portrait(neutral=True)
    for share in (0.2, 0.4, 0.7, 1.0, 1.0):
        yield Portrait(head_rad=_turn(rng, share), neutral=True)
    for name in face_units:
        if not name.startswith("eyeLook"):
            yield Portrait({name: 1.0}, head_rad=_turn(rng, 0.4))
    for name in _TWINS:
        yield Portrait(_both(name, 1.0), head_rad=_turn(rng, 0.4))
    for names in CASES:
        yield _driven(names, _turn(rng, 0.4))
    for vowel, units in VOWELS.items():
        strength = rng.uniform(0.7, 1.1)
        said = {name: strength * amount for name, amount in units.items()}
        yield Portrait(said, head_rad=_turn(rng, 0.5), vowel=vowel)
    for name, amount in (("eyeBlink", 0.5), ("eyeSquint", 1.0), ("eyeWide", 1.0), ("", 0.0)):
        for _ in range(_GLANCES // 4):
            yield Portrait(
                _both(name, amount) if name else {}, _glance(rng), _turn(rng), _lids(rng)
            )
    for _ in range(_MIXTURES):
        eyes = _glance(rng) if rng.random() < 0.5 else (0.0, 0.0)
        yield Portrait(_mixture(rng), eyes, _turn(rng), _lids(rng))


def _glance(rng: np.random.Generator) -> tuple[float, float]:
    return SIDE_RAD * float(rng.uniform(-1.0, 1.0)), UP_RAD * float(rng.uniform(-1.0, 1.0))


def _lids(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.7, 1.2))


def _mixture(rng: np.random.Generator) -> dict[str, float]:
    """Up to two things of the mouth, and perhaps something of lids and brows."""
    units: dict[str, float] = {}
    for name in rng.choice(_MOUTHS, rng.integers(0, 3), replace=False):
        amount = float(rng.uniform(0.3, 1.0))
        units |= _both(str(name), amount) if name in _BOTH else {str(name): amount}
    chance = rng.random()
    if chance < 0.25:
        units |= _both("eyeBlink", rng.uniform(0.2, 1.0))
    elif chance < 0.35:
        units[str(rng.choice(("eyeBlinkLeft", "eyeBlinkRight")))] = float(rng.uniform(0.3, 1.0))
    elif chance < 0.55:
        units |= _both("eyeSquint" if chance < 0.45 else "eyeWide", rng.uniform(0.3, 1.0))
    chance = rng.random()
    if chance < 0.25:
        units["browInnerUp"] = float(rng.uniform(0.3, 1.0))
    elif chance < 0.4:
        units |= _both("browDown", rng.uniform(0.3, 1.0))
    elif chance < 0.55:
        units[str(rng.choice(("browDownLeft", "browDownRight")))] = float(rng.uniform(0.4, 1.0))
    if rng.random() < 0.2:
        units |= _both("browOuterUp", rng.uniform(0.3, 1.0))
    return units


def _both(name: str, amount: float) -> dict[str, float]:
    return {f"{name}Left": float(amount), f"{name}Right": float(amount)}


def _turn(rng: np.random.Generator, share: float = 1.0) -> tuple[float, float, float]:
    left, down, aside = (share * float(rng.uniform(-limit, limit)) for limit in _HEAD_RAD)
    return left, down, aside


def _nearly_straight(rng: np.random.Generator) -> tuple[float, float, float]:
    left, down, aside = (float(v) for v in rng.uniform(-_EXAM_RAD, _EXAM_RAD, 3))
    return left, 0.7 * down, 0.5 * aside
