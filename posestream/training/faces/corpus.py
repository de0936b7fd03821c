"""Which portraits are made of everybody, and which values they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.perform.expressions import SIDE_RAD, UP_RAD
from posestream.types import ARKIT_EXPRESSIONS

SITTINGS: Final = ("faces", "gaze")
"""Names of a person's sittings."""

_MIXTURES: Final = 45
_GLANCES: Final = 16
_HEAD_RAD: Final = (0.5, 0.3, 0.15)  # left, down, aside: the farthest turns
_PLAIN_RAD: Final = 0.2

_UNIT_RAD: Final = {way: float(np.radians(deg)) for way, deg in
                    (("Up", 9.26), ("Down", 10.54), ("In", 13.9), ("Out", 13.9))}  # fmt: skip
"""How far the model's own face units turn an eye."""
_FULL_RAD: Final = {"Up": UP_RAD, "Down": UP_RAD, "In": SIDE_RAD, "Out": SIDE_RAD}

_BOTH: Final = ("mouthSmile", "mouthFrown", "mouthStretch", "mouthLowerDown", "mouthUpperUp",
                "mouthPress")  # fmt: skip
_MOUTHS: Final = (
    "jawOpen", "mouthFunnel", "mouthPucker", "mouthSmile", "mouthFrown", "mouthStretch",
    "mouthLeft", "mouthRight", "mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthRollLower",
    "mouthRollUpper", "cheekPuff", "jawForward", "mouthClose",
)  # fmt: skip
_TWINS: Final = ("eyeBlink", "mouthSmile", "browDown", "mouthFrown", "mouthStretch", "eyeWide",
                 "browOuterUp")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Portrait:
    """What a picture shows: amounts of face units, the eyes' turn beyond these, the head's."""

    units: Mapping[str, float] = field(default_factory=dict, hash=False)
    eyes_rad: tuple[float, float] = (0.0, 0.0)  # to the person's left, up
    head_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)  # to the person's left, down, aside


def sittings(person: int, face_units: Sequence[str]) -> dict[str, list[Portrait]]:
    """All portraits of a person by sitting; each sitting begins with the neutral face."""
    return {
        SITTINGS[0]: list(_faces(np.random.default_rng(person), face_units)),
        SITTINGS[1]: list(_gazes(np.random.default_rng(100 + person))),
    }


def truth(portrait: Portrait) -> F64:
    """(len(ARKIT_EXPRESSIONS),) the values that the portrait stands for."""
    return np.array([_value(portrait, name) for name in ARKIT_EXPRESSIONS])


def is_plain(portrait: Portrait) -> bool:
    """Whether little is driven, and the head nearly straight."""
    left, down, _ = portrait.head_rad
    return len(portrait.units) <= 4 and max(abs(left), abs(down)) < _PLAIN_RAD


def _value(portrait: Portrait, name: str) -> float:
    amount = float(portrait.units.get(name, 0.0))
    if not name.startswith("eyeLook"):
        return amount
    way = name.removeprefix("eyeLook").removesuffix("Left").removesuffix("Right")
    left, up = portrait.eyes_rad
    if way in ("In", "Out"):
        beyond = left if name in ("eyeLookOutLeft", "eyeLookInRight") else -left
    else:
        beyond = up if way == "Up" else -up
    return (amount * _UNIT_RAD[way] + max(0.0, beyond)) / _FULL_RAD[way]


def _faces(rng: np.random.Generator, face_units: Sequence[str]) -> Iterator[Portrait]:
    """Neutral faces, every unit alone, both sides of some, and mixtures."""
    yield Portrait()
    for _ in range(5):
        yield Portrait(head_rad=_turn(rng))
    singles: list[dict[str, float]] = [
        {name: 1.0} for name in face_units if not name.startswith("eyeLook")
    ]
    singles += [_looking(0.0, up) for up in (1.0, -1.0)]
    singles += [_looking(left, 0.0) for left in (1.0, -1.0)]
    singles += [_both(name, 1.0) for name in _TWINS]
    for units in singles:
        yield Portrait(units, head_rad=_turn(rng, 0.3))
    for _ in range(_MIXTURES):
        yield Portrait(_mixture(rng), head_rad=_turn(rng))


def _gazes(rng: np.random.Generator) -> Iterator[Portrait]:
    """The eyes in every direction, farther than the face units turn them; some half shut."""
    for left, up in ((0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)):
        yield _gaze(left, up)
    for _ in range(_GLANCES):
        left, up = (float(share) for share in rng.uniform(-1.0, 1.0, 2))
        turn = (rng.uniform(-0.45, 0.45), rng.uniform(-0.25, 0.25), rng.uniform(-0.1, 0.1))
        yield _gaze(left, up, turn)
    for name, amount in (("eyeBlink", 0.5), ("eyeSquint", 1.0), ("eyeWide", 1.0)):
        left, up = (float(share) for share in rng.uniform(-1.0, 1.0, 2))
        turn = (rng.uniform(-0.3, 0.3), rng.uniform(-0.2, 0.2), 0.0)
        yield _gaze(left, up, turn, _both(name, amount))


def _gaze(
    left: float,
    up: float,
    head_rad: tuple[float, float, float] = (0.0, 0.0, 0.0),
    units: Mapping[str, float] | None = None,
) -> Portrait:
    """Eyes at shares of their full turns: the face units move the lids, the rest is added."""
    sideways = left * (SIDE_RAD - _UNIT_RAD["Out"])
    upwards = up * (UP_RAD - _UNIT_RAD["Up" if up > 0.0 else "Down"])
    return Portrait({**_looking(left, up), **(units or {})}, (sideways, upwards), head_rad)


def _looking(left: float, up: float) -> dict[str, float]:
    sides = ("OutLeft", "InRight") if left > 0.0 else ("InLeft", "OutRight")
    way = "Up" if up > 0.0 else "Down"
    amounts = {f"eyeLook{side}": abs(left) for side in sides}
    amounts |= {f"eyeLook{way}{side}": abs(up) for side in ("Left", "Right")}
    return {name: float(amount) for name, amount in amounts.items() if amount > 0.0}


def _mixture(rng: np.random.Generator) -> dict[str, float]:
    """Up to two things of the mouth, and perhaps something of gaze, lids and brows."""
    units: dict[str, float] = {}
    for name in rng.choice(_MOUTHS, rng.integers(0, 3), replace=False):
        amount = rng.uniform(0.3, 1.0)
        units |= _both(name, amount) if name in _BOTH else {str(name): amount}
    if rng.random() < 0.5:
        units |= _looking(*rng.uniform(-1.0, 1.0, 2))
    chance = rng.random()
    if chance < 0.3:
        units |= _both("eyeBlink", rng.uniform(0.2, 1.0))
    elif chance < 0.5:
        units |= _both("eyeSquint" if chance < 0.4 else "eyeWide", rng.uniform(0.3, 1.0))
    chance = rng.random()
    if chance < 0.25:
        units["browInnerUp"] = rng.uniform(0.3, 1.0)
    elif chance < 0.45:
        units |= _both("browDown", rng.uniform(0.3, 1.0))
    if rng.random() < 0.2:
        units |= _both("browOuterUp", rng.uniform(0.3, 1.0))
    return units


def _both(name: str, amount: float) -> dict[str, float]:
    return {f"{name}Left": amount, f"{name}Right": amount}


def _turn(rng: np.random.Generator, share: float = 1.0) -> tuple[float, float, float]:
    left, down, aside = (share * float(rng.uniform(-limit, limit)) for limit in _HEAD_RAD)
    return left, down, aside
