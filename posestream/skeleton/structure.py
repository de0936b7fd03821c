"""Finding a humanoid in a node tree without humanoid data: by names, then by shape."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.skeleton.bone_names import bones_of, with_spine, words
from posestream.skeleton.nodes import NodeTree

_LEG: Final = ("UpperLeg", "LowerLeg", "Foot", "Toes")
_SIDES: Final[tuple[str | None, ...]] = ("Left", "Right")
_ARM: Final = ("UpperArm", "LowerArm", "Hand")


def humanoid_from_nodes(tree: NodeTree, joints: list[int]) -> dict[str, int]:
    """Bone name to node, by names; where these do not give the limbs, by the tree's shape."""
    joints = sorted(joints, key=tree.depth)
    named = bones_of((j, tree.names[j]) for j in joints)
    if all(f"{s}{b}" in named for s in ("Left", "Right") for b in (*_LEG[:3], *_ARM)):
        return with_spine(named)
    shaped = _Shape(tree, frozenset(joints)).bones(joints)
    return shaped if len(shaped) > len(named) else named


class _Shape:
    """Hips: the first joint with two equal legs and a spine; chest: two arms and a neck."""

    def __init__(self, tree: NodeTree, joints: frozenset[int]) -> None:
        self.tree, self.joints = tree, joints

    def bones(self, joints: list[int]) -> dict[str, int]:
        hips = next((j for j in joints if self._forks(j)), None)
        if hips is None:
            return {}
        trunk = max(self._below(hips), key=self._size)
        spine = self._chain_to_fork(trunk)
        chest = spine[-1]
        limbs = self._below(chest)
        if not self._forks(chest):
            return {}
        neck = min(limbs, key=lambda n: abs(self._side_offset(n, chest)))
        bones = {"Hips": hips, **dict(zip(("Spine", "Chest", "UpperChest"), spine, strict=False))}
        bones |= self._pair([n for n in self._below(hips) if n != trunk], _LEG)
        bones |= self._pair([n for n in limbs if n != neck], _ARM)
        throat = self._chain(neck)
        bones |= {"Neck": throat[0], "Head": throat[-1]} if len(throat) > 1 else {"Head": neck}
        return bones

    def _below(self, node: int) -> list[int]:
        return [c for c in self.tree.children[node] if c in self.joints]

    def _forks(self, node: int) -> bool:
        return sum(len(self._chain(c)) >= 2 for c in self._below(node)) >= 3

    def _size(self, node: int) -> int:
        count, stack = 0, [node]
        while stack:
            count += 1
            stack += self._below(stack.pop())
        return count

    def _chain(self, node: int) -> list[int]:
        """The node and its longest line of descendants."""
        line = [node]
        while below := self._below(line[-1]):
            line.append(max(below, key=self._size))
        return line

    def _chain_to_fork(self, node: int) -> list[int]:
        line = [node]
        while not self._forks(line[-1]) and (below := self._below(line[-1])):
            line.append(max(below, key=self._size))
        return line

    def _side_offset(self, node: int, centre: int) -> float:
        delta = self.tree.position_m[node] - self.tree.position_m[centre]
        return float(np.hypot(delta[0], delta[2]))

    def _pair(self, starts: list[int], names: tuple[str, ...]) -> dict[str, int]:
        bones: dict[str, int] = {}
        starts = sorted(starts, key=lambda n: len(self._chain(n)), reverse=True)[:2]
        sides: list[str | None] = [words(self.tree.names[n])[0] for n in starts]
        if sorted(str(s) for s in sides) != ["Left", "Right"]:  # by place: glTF's left is +X
            starts = sorted(starts, key=lambda n: -self.tree.position_m[n, 0])
            sides = [*_SIDES[: len(starts)]]
        for start, side in zip(starts, sides, strict=True):
            chain = self._chain(start)
            with_shoulder = names is _ARM and len(chain) >= 4
            labels = ("Shoulder", *names) if with_shoulder else names
            bones |= {f"{side}{name}": n for name, n in zip(labels, chain, strict=False)}
        return bones
