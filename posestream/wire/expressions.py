"""Expression names of the receivers, and what our expressions become under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from posestream.arrays import F64
from posestream.types import ARKIT_EXPRESSIONS

ExpressionSet = Literal["vrm0", "vrm1", "arkit", "perfect-sync"]

VRM0: Final[dict[str, tuple[str, ...]]] = {
    "aa": ("A",), "ih": ("I",), "ou": ("U",), "ee": ("E",), "oh": ("O",),
    "blink": ("Blink",), "blinkLeft": ("Blink_L",), "blinkRight": ("Blink_R",),
    "happy": ("Joy",), "angry": ("Angry",), "sad": ("Sorrow",), "relaxed": ("Fun",),
    "surprised": ("Surprised",),
    "lookUp": ("LookUp",), "lookDown": ("LookDown",),
    "lookLeft": ("LookLeft",), "lookRight": ("LookRight",),
}  # fmt: skip
"""VRM 1.0 names to VRM 0.x. 0.x knows no surprise; many avatars carry a clip of that name."""

ARKIT: Final[dict[str, tuple[str, ...]]] = {
    "aa": ("jawOpen",), "ih": ("mouthStretchLeft", "mouthStretchRight"), "ou": ("mouthPucker",),
    "ee": ("mouthSmileLeft", "mouthSmileRight"), "oh": ("mouthFunnel",),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "blinkLeft": ("eyeBlinkLeft",), "blinkRight": ("eyeBlinkRight",),
    "happy": ("mouthSmileLeft", "mouthSmileRight"), "angry": ("browDownLeft", "browDownRight"),
    "sad": ("mouthFrownLeft", "mouthFrownRight"),
    "relaxed": ("mouthSmileLeft", "mouthSmileRight"), "surprised": ("browInnerUp",),
    "lookUp": ("eyeLookUpLeft", "eyeLookUpRight"),
    "lookDown": ("eyeLookDownLeft", "eyeLookDownRight"),
    "lookLeft": ("eyeLookOutLeft", "eyeLookInRight"),
    "lookRight": ("eyeLookInLeft", "eyeLookOutRight"),
}  # fmt: skip
"""VRM 1.0 names to the nearest of ARKit's 52; coarse, for shapes that were not measured."""

_MEASURED: Final = frozenset(ARKIT_EXPRESSIONS)


class ExpressionMap:
    """Expressions of our frames, by position, to a receiver's names."""

    __slots__ = ("_weights", "names")

    def __init__(self, ours: Sequence[str], target: ExpressionSet) -> None:
        measured = _MEASURED.intersection(ours)
        renamed = [_rename(name, target, measured) for name in ours]
        self.names = tuple(dict.fromkeys(name for names in renamed for name in names))
        self._weights = np.zeros((len(ours), len(self.names)))
        for row, names in enumerate(renamed):
            for name in names:
                self._weights[row, self.names.index(name)] = 1.0

    def __call__(self, values: F64) -> F64:
        """(..., E) of ours to (..., len(names)), each in [0, 1]."""
        return np.asarray(np.clip(values @ self._weights, 0.0, 1.0))


def _rename(name: str, target: ExpressionSet, measured: frozenset[str]) -> tuple[str, ...]:
    """What becomes of one name; nothing where the receiver gets the same under another."""
    if target in ("vrm0", "vrm1"):
        if name in measured:
            return ()
        return VRM0.get(name, (name,)) if target == "vrm0" else (name,)
    names = (name,) if name in measured else ARKIT.get(name, (name,))
    names = tuple(n for n in names if n == name or n not in measured)
    return names if target == "arkit" else tuple(n[:1].upper() + n[1:] for n in names)
