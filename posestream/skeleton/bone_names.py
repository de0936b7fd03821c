"""Humanoid bones by the names that modelling tools give them.

Mixamo, Rigify, MakeHuman, VRoid, Unreal, Blender, Bandai Namco, CMU, Biovision and common plain
names. A name is cut into words, its side taken out, the rest looked up. Where several joints
have names for one bone, the more usual name wins, then the one further up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_NOISE: Final = frozenset(
    ("mixamorig", "bip", "bip001", "bip01", "j", "c", "adj", "def", "skeleton")
)
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
    "UpperLeg": ("upperleg", "upleg", "thigh", "upperleg01", "hip", "hipjoint"),
    "LowerLeg": ("lowerleg", "calf", "shin", "knee", "lowerleg01"),
    "Foot": ("foot", "ankle"),
    "Toes": ("toes", "toe", "toebase", "ball", "toe11"),
    "Shoulder": ("clavicle", "collar", "shoulder"),
    "UpperArm": ("upperarm", "arm", "upperarm01"),
    "LowerArm": ("lowerarm", "forearm", "elbow", "lowerarm01"),
    "Hand": ("hand", "wrist"),
    "Eye": ("eye", "faceeye"),
}
_PART: Final = {
    alias: (bone, rank) for bone, aliases in _SIDED.items() for rank, alias in enumerate(aliases)
}
_CENTRE: Final = {
    alias: (bone, rank) for bone, aliases in _MIDDLE.items() for rank, alias in enumerate(aliases)
}
_FINGER: Final = re.compile(
    r"^(?:hand|f)?(thumb|index|middle|ring|little|pinky)(?:finger)?"
    r"0*([123]|proximal|intermediate|distal)$"
)
_NUMBERED_FINGER: Final = re.compile(r"^finger([1-5])([123])$")  # MakeHuman: the thumb is 1
_PHALANX: Final = {"1": "Proximal", "2": "Intermediate", "3": "Distal"}
_DIGITS: Final = ("Thumb", "Index", "Middle", "Ring", "Little")
_DEFORMING: Final = "def-"  # Rigify's bones that carry the skin, beside its controls
_LEAST_DEFORMING: Final = 10

Numbered = Mapping[int, str] | Iterable[tuple[int, str]]


def words(name: str) -> tuple[str | None, str]:
    """Side ("Left", "Right" or None) and the remaining words joined, in lower case."""
    bare = re.split(r"[:|]", name)[-1]
    parts = [word.lower() for word in _WORD.findall(bare)]
    side = next((_SIDES[word] for word in parts if word in _SIDES), None)
    return side, "".join(w for w in parts if w not in _SIDES and w not in _NOISE)


def bone_of(name: str) -> str | None:
    """The humanoid bone that a name means, None if unknown or ambiguous."""
    ranked = _ranked(name)
    return None if ranked is None else ranked[0]


def _ranked(name: str) -> tuple[str, int] | None:
    """The bone and how unusual this name is for it."""
    side, rest = words(name)
    if side is None:
        return _CENTRE.get(rest)
    if rest in _PART:
        bone, rank = _PART[rest]
        return side + bone, rank
    numbered = _NUMBERED_FINGER.match(rest)
    if numbered is not None:
        return side + _DIGITS[int(numbered[1]) - 1] + _PHALANX[numbered[2]], 0
    finger = _FINGER.match(rest)
    if finger is None:
        return None
    digit, phalanx = finger.groups()
    digit = "little" if digit == "pinky" else digit
    return side + digit.capitalize() + _PHALANX.get(phalanx, phalanx.capitalize()), 0


def bones_of(names: Numbered) -> dict[str, int]:
    """Bones found among numbered names, parents before children."""
    numbered = _without_controls(list(names.items() if isinstance(names, Mapping) else names))
    best: dict[str, tuple[int, int]] = {}
    legs: list[tuple[str, int]] = []
    for number, name in numbered:
        ranked = _ranked(name)
        if ranked is not None and ranked[1] < best.get(ranked[0], (len(name) + 99, 0))[0]:
            best[ranked[0]] = ranked[1], number
        side, rest = words(name)
        if side is not None and rest == "leg":
            legs.append((side, number))
    found = {bone: number for bone, (_, number) in best.items()}
    for side, number in legs:  # "LeftLeg" is Mixamo's shank and others' thigh
        bone = f"{side}LowerLeg" if f"{side}UpperLeg" in found else f"{side}UpperLeg"
        found.setdefault(bone, number)
    by_word = {words(name): number for number, name in reversed(numbered)}
    for settle in (_rigify_hips, _makehuman_trunk, _biovision_arms):
        found.update(settle(by_word, found))
    return found


def with_spine(found: dict[str, int]) -> dict[str, int]:
    """The same; where the only spine bone is called chest or the like, it serves as the Spine."""
    for name in ("Chest", "UpperChest"):
        if "Spine" not in found and name in found:
            found["Spine"] = found.pop(name)
    return found


def _without_controls(numbered: list[tuple[int, str]]) -> list[tuple[int, str]]:
    deforming = [(n, name) for n, name in numbered if name.lower().startswith(_DEFORMING)]
    known = sum(_ranked(name) is not None for _, name in deforming)
    return deforming if known >= _LEAST_DEFORMING else numbered


_Words = Mapping[tuple[str | None, str], int]


def _rigify_hips(by_word: _Words, found: dict[str, int]) -> dict[str, int]:
    """Rigify calls the hips "spine" and the spine "spine.001"."""
    hips, spine = by_word.get((None, "spine")), by_word.get((None, "spine001"))
    if "Hips" in found or hips is None or spine is None:
        return {}
    return {"Hips": hips, "Spine": spine}


def _makehuman_trunk(by_word: _Words, found: dict[str, int]) -> dict[str, int]:
    """MakeHuman counts the spine from the neck down, and calls the hips "root"."""
    root, lowest = by_word.get((None, "root")), by_word.get((None, "spine05"))
    if "Hips" in found or root is None or lowest is None:
        return {}
    trunk = {"Hips": root, "Spine": lowest}
    for bone, name in (("Chest", "spine03"), ("UpperChest", "spine01")):
        if (None, name) in by_word:
            trunk[bone] = by_word[None, name]
    return trunk


def _biovision_arms(by_word: _Words, found: dict[str, int]) -> dict[str, int]:
    """Where no upper arm is named, the shoulder is one, and the collar the shoulder."""
    arms = {}
    for side in ("Left", "Right"):
        shoulder = by_word.get((side, "shoulder"))
        if f"{side}UpperArm" in found or f"{side}LowerArm" not in found or shoulder is None:
            continue
        arms[f"{side}UpperArm"] = shoulder
        if found[f"{side}Shoulder"] == shoulder:
            del found[f"{side}Shoulder"]
    return arms
