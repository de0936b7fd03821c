"""Whose hands are taken: nobody real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with hands: arguments of ``BodyFactory.make`` and a skin."""

    phenotype: Mapping[str, float] = field(hash=False)
    skin: str
    tint: float = 1.0


OWNERS: Final = (
    Owner({"gender": 0.0, "age": 0.55}, "young_lightskinned_male_diffuse2.jpg"),
    Owner({"gender": 1.0, "age": 0.55, "weight": 0.4}, "young_lightskinned_female_diffuse2.jpg"),
    Owner({"gender": 0.1, "age": 0.6}, "young_darkskinned_male_diffuse.jpg"),
    Owner({"gender": 0.9, "age": 0.8, "weight": 0.7}, "middleage_lightskinned_female_diffuse2.jpg",
          0.85),
    Owner({"gender": 0.0, "age": 0.8, "weight": 0.8, "muscle": 0.7},
          "middleage_lightskinned_male_diffuse.jpg", 1.1),
    Owner({"gender": 0.6, "age": 0.5, "muscle": 0.3}, "young_lightskinned_male_diffuse3.jpg",
          0.75),
    Owner({"gender": 1.0, "age": 0.6, "weight": 0.6}, "young_lightskinned_female_diffuse3.jpg"),
    Owner({"gender": 0.0, "age": 0.9, "weight": 0.5}, "old_darkskinned_male_diffuse.jpg", 0.9),
    Owner({"gender": 0.2, "age": 0.6, "weight": 0.35}, "middleage_lightskinned_male_diffuse2.jpg"),
    Owner({"gender": 0.8, "age": 0.5, "weight": 0.75}, "young_lightskinned_female_diffuse3.jpg",
          0.65),
)  # fmt: skip

HELD_OUT: Final = (6, 7, 8, 9)
"""Owners from whom nothing is learnt: the model is judged on their hands."""
