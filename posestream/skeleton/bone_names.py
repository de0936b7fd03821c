"""Humanoid bones by the names that modelling tools give them.

Mixamo, Rigify, VRoid, Unreal, Blender, Bandai Namco, CMU and common plain names. A name is
cut into words, its side taken out, the rest looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_NOISE: Final = frozenset(("mixamorig", "bip", "bip001", "bip01", "j", "c", "def", "skeleton"))
_SIDES: Final = {"l": "Left", "left": "Left", "r": "Right", "right": "Right"}
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

_MIDDLE: Final[dict[str, tuple[str, ...]]] = {
    "Hips": ("hips", "hip", "pelvis"),
    "Spine": ("spine", "spine001", "spine01", "spine0", "waist", "lowerback", "abdomen"),
    "Chest": ("chest", "spine1", "spine002", "spine02", "torso"),
    "UpperChest": ("upperchest", "spine2", "spine003", "spine03"),
    "Neck": ("neck", "neck1", "neck01", "spine004"),
    "Head": ("head", "spine006"),
    "Jaw": ("jaw",),
}
_SIDED: Final[dict[str, tuple[str, ...]]] = {
    "UpperLeg": ("upperleg", "upleg", "thigh", "upperleg01", "hipjoint"),
    "LowerLeg": ("lowerleg", "calf", "shin", "knee", "lowerleg01"),
    "Foot": ("foot", "ankle"),
    "Toes": ("toes", "toe", "toebase", "ball"),
    "Shoulder": ("shoulder", "clavicle", "collar"),
    "UpperArm": ("upperarm", "arm", "upperarm01"),
    "LowerArm": ("lowerarm", "forearm", "elbow", "lowerarm01"),
    "Hand": ("hand", "wrist"),
    "Eye": ("eye", "faceeye"),
}
_PART: Final = {alias: bone for bone, aliases in _SIDED.items() for alias in aliases}
_CENTRE: Final = {alias: bone for bone, aliases in _MIDDLE.items() for alias in aliases}
_FINGER: Final = re.compile(
    r"^(?:hand|f)?(thumb|index|middle|ring|little|pinky)(?:finger)?"
    r"0*([123]|proximal|intermediate|distal)$"
)
_PHALANX: Final = {"1": "Proximal", "2": "Intermediate", "3": "Distal"}


def words(name: str) -> tuple[str | None, str]:
    """Side ("Left", "Right" or None) and the remaining words joined, in lower case."""
    bare = re.split(r"[:|]", name)[-1]
    parts = [word.lower() for word in _WORD.findall(bare)]
    side = next((_SIDES[word] for word in parts if word in _SIDES), None)
    return side, "".join(w for w in parts if w not in _SIDES and w not in _NOISE)


def bone_of(name: str) -> str | None:
    """The humanoid bone that a name means, None if unknown or ambiguous."""
    side, rest = words(name)
    if side is None:
        return _CENTRE.get(rest)
    if rest in _PART:
        return side + _PART[rest]
    finger = _FINGER.match(rest)
    if finger is None:
        return None
    digit, phalanx = finger.groups()
    digit = "little" if digit == "pinky" else digit
    return side + digit.capitalize() + _PHALANX.get(phalanx, phalanx.capitalize())


def bones_of(names: Mapping[int, str] | Iterable[tuple[int, str]]) -> dict[str, int]:
    """Bones found among numbered names; of several candidates the first stays."""
    numbered = list(names.items() if isinstance(names, Mapping) else names)
    found: dict[str, int] = {}
    legs: list[tuple[str, int]] = []
    for number, name in numbered:
        bone = bone_of(name)
        if bone is not None:
            found.setdefault(bone, number)
        side, rest = words(name)
        if side is not None and rest == "leg":
            legs.append((side, number))
    for side, number in legs:  # "LeftLeg" is Mixamo's shank and others' thigh
        bone = f"{side}LowerLeg" if f"{side}UpperLeg" in found else f"{side}UpperLeg"
        found.setdefault(bone, number)
    if "Hips" not in found:
        found.update(_rigify_hips(numbered, found))
    return found


def _rigify_hips(numbered: list[tuple[int, str]], found: dict[str, int]) -> dict[str, int]:
    """Rigify calls the hips "spine" and the spine "spine.001"."""
    by_word = {words(name)[1]: number for number, name in reversed(numbered)}
    if "spine001" not in by_word or "spine" not in by_word:
        return {}
    return {"Hips": by_word["spine"], "Spine": by_word["spine001"]}
