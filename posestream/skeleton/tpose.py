"""From the pose in which an avatar was saved to the T-pose that normalised rotations refer to.

Limbs are always straightened onto the T-pose. The torso is touched only where it is far
off, because the slight curve of a well-made spine belongs to the avatar; hands, fingers and
the head follow their parents; feet keep their pitch, because shoes may have heels.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import rotation as rot
from posestream.skeleton.humanoid import BONE, ORDER

_DOWN: Final = np.array([0.0, -1.0, 0.0])
_UP: Final = np.array([0.0, 1.0, 0.0])
_FORWARD: Final = np.array([0.0, 0.0, 1.0])
_FOOT: Final = np.array([0.0, -0.42, 0.907])
_OUT: Final = {"Left": np.array([1.0, 0.0, 0.0]), "Right": np.array([-1.0, 0.0, 0.0])}

_TORSO_TOLERANCE_RAD: Final = np.radians(20.0)
_SPINE_TOLERANCE_RAD: Final = np.radians(40.0)
_FOOT_PITCH_RAD: Final = (np.radians(-5.0), np.radians(80.0))


def tpose_correction(present: Bool, parents: F64, place_m: F64, whole: bool) -> F64:
    """World-axis rotation of each bone (B, 4) from the file's rest pose to the T-pose.

    Args:
        present: (B,).
        parents: (B,) index of each bone's nearest present parent.
        place_m: (B, 3) bone positions in the file's rest pose, our axes.
        whole: the file's rest pose means nothing (BVH): correct the torso however little.
    """
    rest = _Rest(present, place_m, 0.0 if whole else 1.0)
    C = rot.identity(len(present))
    for bone in ORDER:
        C[bone] = rest.corrected(int(bone), C[int(parents[bone])])
    return C


class _Rest:
    def __init__(self, present: Bool, place_m: F64, tolerance: float) -> None:
        self.place, self.present, self.tolerance = place_m, present, tolerance
        self.chest = next(
            BONE[name] for name in ("UpperChest", "Chest", "Spine", "Hips") if present[BONE[name]]
        )

    def corrected(self, bone: int, above: F64) -> F64:
        """The bone's correction, given its parent's."""
        if not self.present[bone]:
            return above
        if bone in _AIM:
            child, aim, tolerance_rad = _AIM[bone]
            return self._swing(bone, child, aim, tolerance_rad, above)
        if bone == BONE["Hips"]:
            return self._frame("UpperLeg", bone, rot.IDENTITY)
        if bone == self.chest:
            both = all(self.present[BONE[f"{side}Shoulder"]] for side in _OUT)
            return self._frame("Shoulder" if both else "UpperArm", bone, above)
        if bone in _SPINE:
            tolerance_rad = self.tolerance * _SPINE_TOLERANCE_RAD
            return self._swing(bone, self._next_up(bone), _UP, tolerance_rad, above)
        if bone in _FEET:
            return self._foot(bone, above)
        return above

    def _direction(self, bone: int, child: int) -> F64 | None:
        if not self.present[child]:
            return None
        d = self.place[child] - self.place[bone]
        return rot.normalize(d) if rot.norm(d) > 1e-5 else None

    def _next_up(self, bone: int) -> int:
        chain = [BONE[n] for n in ("Spine", "Chest", "UpperChest", "Neck", "Head")]
        after = [b for b in chain if self.present[b] and b != bone]
        later = [b for b in after if bone not in chain or chain.index(b) > chain.index(bone)]
        return later[0] if later else bone

    def _swing(self, bone: int, child: int, aim: F64, tolerance_rad: float, above: F64) -> F64:
        d = self._direction(bone, child)
        if d is None:
            return above
        now = rot.rotate(above, d)
        if np.arccos(np.clip(now @ aim, -1.0, 1.0)) <= tolerance_rad:
            return above
        return rot.multiply(rot.between(now, aim), above)

    def _frame(self, limb: str, bone: int, above: F64) -> F64:
        """Turn the bone so that its pair of limbs lies along X and the spine along Y."""
        left, right = BONE[f"Left{limb}"], BONE[f"Right{limb}"]
        across = self.place[left] - self.place[right]
        up = self._direction(bone, self._next_up(bone))
        if not (self.present[left] and self.present[right]) or up is None:
            return above
        x = rot.normalize(across)
        z = rot.cross(x, up)
        if rot.norm(x) < 0.5 or rot.norm(z) < 0.2:
            return above
        z = rot.normalize(z)
        aligned = rot.inverse(rot.from_axes(x, rot.cross(z, x), z))
        small = rot.angle_between(aligned, above) <= self.tolerance * _TORSO_TOLERANCE_RAD
        return above if small else aligned

    def _foot(self, bone: int, above: F64) -> F64:
        d = self._direction(bone, _FEET[bone])
        if d is None:
            return above
        flat = np.array([d[0], 0.0, d[2]])
        pitch = np.arctan2(-d[1], rot.norm(flat))
        ahead = rot.norm(flat) > 1e-3 and rot.normalize(flat)[2] > 0.3
        if ahead and _FOOT_PITCH_RAD[0] < pitch < _FOOT_PITCH_RAD[1]:
            return rot.between(rot.normalize(flat), _FORWARD)
        now = rot.rotate(above, d)
        return rot.multiply(rot.between(now, rot.normalize(_FOOT)), above)


_SPINE: Final = tuple(BONE[n] for n in ("Spine", "Chest", "UpperChest", "Neck"))
_FEET: Final = {BONE[f"{s}Foot"]: BONE[f"{s}Toes"] for s in _OUT}
_AIM: Final[dict[int, tuple[int, F64, float]]] = {
    BONE[side + bone]: (BONE[side + child], aim, tolerance_rad)
    for side, out in _OUT.items()
    for bone, child, aim, tolerance_rad in (
        ("Shoulder", "UpperArm", out, np.radians(50.0)),
        ("UpperArm", "LowerArm", out, 0.0),
        ("LowerArm", "Hand", out, 0.0),
        ("UpperLeg", "LowerLeg", _DOWN, 0.0),
        ("LowerLeg", "Foot", _DOWN, 0.0),
    )
}
