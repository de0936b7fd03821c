"""Coming back without a pop: what separates the old output from the new fades away.

Where a signal starts anew (a person returns, settings change), the difference to the last
output is kept as an offset that shrinks to nothing in ``BLEND_S``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import some
from posestream.smooth import tangent

BLEND_S: Final = 0.2


@dataclass(slots=True)
class Blend:
    """Offsets of N people: root (3, N) metres, rotations (3, N B) in the new one's axes."""

    root: F64
    rotation: F64
    left_s: F64  # (N,) until the offset is gone

    @property
    def active(self) -> bool:
        """Whether anybody is still being blended."""
        return some(self.left_s > 0.0)

    def take(self, rows: I64, columns: I64) -> Blend:
        """The offsets of some people only."""
        return Blend(self.root[:, rows], self.rotation[:, columns], self.left_s[rows])

    def clear(self, who: Bool) -> None:
        """No offset for these people (N,)."""
        self.left_s[who] = 0.0

    def capture(self, who: Bool, old: tuple[F64, F64], new: tuple[F64, F64], dt_s: float) -> None:
        """Keep the offset from ``new`` to ``old`` (roots (3, N), quaternions (4, N B)).

        It is whole in this frame, which ``apply`` ends by passing ``dt_s``.
        """
        columns = np.repeat(who, old[1].shape[1] // who.size)
        self.root[:, who] = old[0][:, who] - new[0][:, who]
        self.rotation[:, columns] = tangent.log(
            tangent.difference(new[1][:, columns], old[1][:, columns])
        )
        self.left_s[who] = BLEND_S + dt_s

    def apply(self, root: F64, quat: F64, dt_s: float) -> tuple[F64, F64]:
        """Root and rotations with what is left of the offsets after ``dt_s`` more."""
        self.left_s = np.maximum(self.left_s - dt_s, 0.0)
        x = self.left_s / BLEND_S
        weight = x * x * (3.0 - 2.0 * x)
        per_bone = np.repeat(weight, quat.shape[1] // weight.size)
        turned = tangent.product(quat, tangent.exp(self.rotation * per_bone))
        return root + self.root * weight, turned


def no_blend(people: int, bones: int) -> Blend:
    """Nobody is blended."""
    return Blend(np.zeros((3, people)), np.zeros((3, people * bones)), np.zeros(people))
