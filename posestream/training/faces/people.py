"""Those who sit for the portraits: nobody real, as different as a few bodies can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from posestream.training.synth.figure import Garment

_BROW_RGB: Final = (60, 42, 32)


@dataclass(frozen=True, slots=True)
class Sitter:
    """A person: numbers for ``BodyFactory.make``, a skin, eyebrows and perhaps hair."""

    phenotype: Mapping[str, float] = field(hash=False)
    skin: str
    brows: str
    hair: str | None = None

    def wardrobe(self) -> tuple[Garment, ...]:
        """Hair, if any, then eyebrows."""
        brows = Garment(f"eyebrows/{self.brows}/{self.brows}", _BROW_RGB)
        if self.hair is None:
            return (brows,)
        hair = Garment(f"hair/{self.hair}/{self.hair}", f"{self.hair}_diffuse.webp", "hair")
        return hair, brows


SITTERS: Final = (
    Sitter({"gender": 0.0, "age": 0.55, "weight": 0.5},
           "young_lightskinned_male_diffuse2.jpg", "eyebrow001", "short02"),
    Sitter({"gender": 1.0, "age": 0.55, "weight": 0.45},
           "young_lightskinned_female_diffuse2.jpg", "eyebrow002"),
    Sitter({"gender": 0.0, "age": 0.8, "weight": 0.7},
           "middleage_darkskinned_male_diffuse.jpg", "eyebrow001", "short01"),
    Sitter({"gender": 1.0, "age": 0.75, "weight": 0.6},
           "middleage_lightskinned_female_diffuse2.jpg", "eyebrow002"),
    Sitter({"gender": 0.3, "age": 0.6, "weight": 0.4},
           "young_lightskinned_male_diffuse3.jpg", "eyebrow002", "short03"),
    Sitter({"gender": 0.8, "age": 0.5, "weight": 0.65, "muscle": 0.7},
           "young_lightskinned_female_diffuse3.jpg", "eyebrow001"),
    Sitter({"gender": 0.0, "age": 0.6, "weight": 0.6},
           "young_darkskinned_male_diffuse.jpg", "eyebrow002", "short04"),
    Sitter({"gender": 0.1, "age": 0.7, "weight": 0.55},
           "middleage_lightskinned_male_diffuse2.jpg", "eyebrow001"),
)  # fmt: skip

HELD_OUT: Final = (6, 7)
"""Sitters from whom nothing is learnt: the model is judged on them."""
