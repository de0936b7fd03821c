"""What somebody does, roughly: to weigh upright, seated and gesturing people over gymnasts."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from posestream.arrays import F64, Bool
from posestream.skeleton.joints import JOINT

Posture = Literal["upright", "seated", "gesturing", "acrobat"]
_LEAN: Final = np.cos(np.radians(35.0))  # trunk against the vertical
_THIGH: Final = np.cos(np.radians(50.0))  # a standing person's thighs hang steeper than this
_SHANK: Final = np.cos(np.radians(60.0))


def upright_2d(xy_px: F64) -> Bool:
    """(N,) of places (N, BODY, 2): ankles below knees below hips below shoulders, no splits."""
    y = xy_px[..., 1]
    chain = [
        np.stack([y[:, JOINT[f"{side}_{part}"]] for side in ("left", "right")])
        for part in ("shoulder", "hip", "knee", "ankle")
    ]
    upper, lower = np.array(chain[:-1]), np.array(chain[1:])
    with np.errstate(invalid="ignore"):
        steps = (lower > upper) | np.isnan(lower - upper)
    known = np.isfinite(lower - upper).any(axis=(0, 1))
    return np.asarray(steps.all(axis=(0, 1)) & known)


def posture(xyz_m: F64) -> Posture:
    """Of joints (BODY, 3) in axes with y down; what is unknown does not count against uprightness.

    upright: trunk, thighs and shanks hang. seated: trunk upright, a thigh does not hang, the
    shanks not raised. gesturing: upright or seated with a wrist above its elbow. Else acrobat.
    """
    trunk = _down(xyz_m, "neck", "pelvis")
    thighs = [_down(xyz_m, f"{s}_hip", f"{s}_knee") for s in ("left", "right")]
    shanks = [_down(xyz_m, f"{s}_knee", f"{s}_ankle") for s in ("left", "right")]
    if not trunk >= _LEAN or min(thighs) < -0.5 or min(shanks) < 0.0:
        return "acrobat"
    if any(_down(xyz_m, f"{s}_elbow", f"{s}_wrist") < -0.2 for s in ("left", "right")):
        return "gesturing"
    if min(thighs) >= _THIGH and min(shanks) >= _SHANK:
        return "upright"
    return "seated" if max(thighs) < _THIGH else "upright"


def _down(xyz_m: F64, start: str, end: str) -> float:
    """Cosine between a bone and the downward vertical; 1 where the bone is unknown."""
    bone = xyz_m[JOINT[end]] - xyz_m[JOINT[start]]
    length = float(np.linalg.norm(bone))
    return float(bone[1] / length) if np.isfinite(length) and length > 1e-6 else 1.0
