"""Those who sit for the portraits: nobody real, as different as made bodies can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from posestream.training.synth.figure import Garment

Rgb = tuple[int, int, int]

_SKINS: Final = (
    "young_lightskinned_male_diffuse", "young_lightskinned_male_diffuse2",
    "young_lightskinned_male_diffuse3", "young_lightskinned_female_diffuse2",
    "middleage_lightskinned_female_diffuse2", "middleage_lightskinned_male_diffuse",
    "middleage_darkskinned_male_diffuse", "young_darkskinned_male_diffuse",
)  # fmt: skip
_BROWS: Final = (1, 2, 4, 5, 7, 8, 10, 11, 12)
_BROW_RGB: Final[tuple[Rgb, ...]] = ((60, 42, 32), (28, 22, 20), (104, 76, 48), (132, 122, 112))
_HAIR: Final = ("short01", "short02", None, "short04", None)
_IRIS_RGB: Final[tuple[Rgb, ...]] = (
    (96, 62, 38), (58, 36, 24), (70, 96, 120), (84, 104, 70), (110, 116, 122), (122, 88, 46),
)  # fmt: skip
_PAIRED: Final = (
    "cheek-volume-incr", "cheek-bones-incr", "cheek-inner-incr", "eye-corner1-up",
    "eye-corner2-up", "eye-height1-incr", "eye-height2-incr", "eye-height3-incr",
    "eye-scale-incr", "eye-eyefold-up", "eye-epicanthus-out", "eye-bag-incr", "eye-trans-out",
    "eye-trans-up",
)  # fmt: skip
_SINGLE: Final = (
    "chin-jaw-drop-incr", "chin-height-incr", "chin-prominent-incr", "chin-width-incr",
    "chin-bones-incr", "eyebrows-angle-up", "eyebrows-trans-up", "eyebrows-trans-forward",
    "forehead-temple-incr", "forehead-trans-forward", "forehead-scale-vert-incr",
    "forehead-nubian-incr", "head-scale-vert-incr", "head-scale-horiz-incr", "head-fat-incr",
    "head-scale-depth-incr", "mouth-scale-horiz-incr", "mouth-scale-vert-incr",
    "mouth-lowerlip-volume-incr", "mouth-upperlip-volume-incr", "mouth-lowerlip-height-incr",
    "mouth-upperlip-height-incr", "mouth-angles-up", "mouth-trans-forward", "mouth-trans-up",
    "mouth-cupidsbow-incr", "mouth-philtrum-volume-incr", "nose-scale-horiz-incr",
    "nose-scale-vert-incr", "nose-scale-depth-incr", "nose-hump-incr", "nose-point-up",
    "nose-width2-incr", "nose-volume-incr", "nose-trans-up", "nose-curve-convex",
    "nose-nostrils-width-incr", "nose-flaring-incr",
)  # fmt: skip
_CHANGE: Final = 0.3
_MOST: Final = 0.7
_UNEVEN: Final = 0.08
"""How far one side of a face differs from the other."""


@dataclass(frozen=True, slots=True)
class Sitter:
    """A person: arguments of ``BodyFactory.make``, skin, eyebrows, eyes and perhaps hair."""

    seed: int  # of light, camera and poses
    phenotype: Mapping[str, float] = field(hash=False)
    changes: Mapping[str, float] = field(hash=False)
    skin: str
    tint: float = 1.0  # of the skin: below 1 darker
    brows: int = 1
    brow_rgb: Rgb = _BROW_RGB[0]
    hair: str | None = None
    iris_rgb: Rgb = _IRIS_RGB[0]

    def wardrobe(self) -> tuple[Garment, ...]:
        """Hair, if any, then eyebrows."""
        name = f"eyebrow{self.brows:03d}"
        brows = Garment(f"eyebrows/{name}/{name}", self.brow_rgb)
        if self.hair is None:
            return (brows,)
        hair = Garment(f"hair/{self.hair}/{self.hair}", f"{self.hair}_diffuse.webp", "hair")
        return hair, brows


def _changes(rng: np.random.Generator) -> dict[str, float]:
    """Local changes of the head's shape, both sides nearly alike."""

    def amount(spread: float = _CHANGE) -> float:
        return float(np.clip(rng.normal(0.0, spread), -_MOST, _MOST))

    changes = {name: amount() for name in _SINGLE}
    for name in _PAIRED:
        both = amount()
        changes |= {f"{side}-{name}": both + amount(_UNEVEN) for side in "lr"}
    return changes


def _anybody(seed: int) -> Sitter:
    rng = np.random.default_rng(seed)
    descent = rng.dirichlet(np.ones(3))
    phenotype = dict(zip(("african", "asian", "caucasian"), descent.tolist(), strict=True))
    phenotype |= {
        "gender": float(rng.uniform()), "age": float(rng.uniform(0.45, 0.95)),
        "weight": float(rng.uniform(0.3, 0.8)), "muscle": float(rng.uniform(0.3, 0.7)),
    }  # fmt: skip
    return Sitter(
        seed, phenotype, _changes(rng), f"{_SKINS[seed % len(_SKINS)]}.jpg",
        float(rng.uniform(0.75, 1.1)), int(rng.choice(_BROWS)),
        _BROW_RGB[rng.integers(len(_BROW_RGB))], _HAIR[rng.integers(len(_HAIR))],
        _IRIS_RGB[rng.integers(len(_IRIS_RGB))],
    )  # fmt: skip


def _examinee(
    seed: int, skin: str, tint: float, brows: int, hair: str | None, **who: float
) -> Sitter:
    rng = np.random.default_rng(seed)
    iris = _IRIS_RGB[seed % len(_IRIS_RGB)]
    brow_rgb = _BROW_RGB[seed % len(_BROW_RGB)]
    return Sitter(seed, who, _changes(rng), f"{skin}.jpg", tint, brows, brow_rgb, hair, iris)


_OLD: Final = "old_darkskinned_male_diffuse"
_MAN: Final = "middleage_lightskinned_male_diffuse2"
_WOMAN: Final = "young_lightskinned_female_diffuse3"
_EXAMINEES: Final = (
    _examinee(101, _WOMAN, 1.0, 3, None, gender=1.0, age=0.5, weight=0.4, caucasian=1.0,
              african=0.0, asian=0.0),
    _examinee(102, _MAN, 1.0, 6, "short02", gender=0.0, age=0.6, weight=0.6, caucasian=1.0,
              african=0.0, asian=0.0),
    _examinee(103, _OLD, 0.9, 9, "short04", gender=0.0, age=0.95, weight=0.5, african=1.0,
              asian=0.0, caucasian=0.0),
    _examinee(104, _WOMAN, 0.95, 6, "short01", gender=1.0, age=0.6, weight=0.5, asian=1.0,
              african=0.0, caucasian=0.0),
    _examinee(105, _WOMAN, 0.6, 9, "short01", gender=0.9, age=0.55, weight=0.7, african=0.9,
              asian=0.1, caucasian=0.0),
    _examinee(106, _MAN, 0.85, 3, None, gender=0.1, age=0.75, weight=0.8, asian=0.5,
              caucasian=0.5, african=0.0),
    _examinee(107, _WOMAN, 0.9, 9, "short02", gender=0.8, age=0.9, weight=0.6, caucasian=0.7,
              asian=0.3, african=0.0),
    _examinee(108, _OLD, 1.15, 6, None, gender=0.3, age=0.5, weight=0.35, african=0.4,
              asian=0.3, caucasian=0.3),
)  # fmt: skip
"""Young and old women and men of several descents, with skins and eyebrows of their own."""

HELD_OUT: Final = tuple(range(12, 12 + len(_EXAMINEES)))
"""Sitters from whom nothing is learnt: the model is judged on them."""

_LEARNT_FROM: Final = (0, 1, 3, 4, 5, 6, 7, 9, 10, 11, 20, 22, 26, 27)

SITTERS: Final[Mapping[int, Sitter]] = {seed: _anybody(seed) for seed in _LEARNT_FROM} | dict(
    zip(HELD_OUT, _EXAMINEES, strict=True)
)
"""By number, from which looks and poses follow."""
