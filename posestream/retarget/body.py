"""A person's own bone lengths, as ratios to our skeleton's, learnt while running."""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Bool
from posestream.geometry import rotation as rot
from posestream.geometry.fast import dot, every
from posestream.retarget.observe import Observation
from posestream.retarget.rest import REST_TORSO_M
from posestream.skeleton.humanoid import BONE, BONES, NUM_BONES, REST_HIP_HEIGHT_M, REST_OFFSET_M
from posestream.skeleton.joints import JOINT

_GROUPS: Final = (
    "upper_arm", "forearm", "thigh", "shank", "hips", "shoulders", "torso", "foot", "all",
)  # fmt: skip
NUM_GROUPS: Final = len(_GROUPS) - 1  # "all" is the mean of the others
_G: Final = {name: i for i, name in enumerate(_GROUPS)}

_ADAPT: Final = 0.06  # weight of a new sample once a person is known
_EVERY: Final = 4  # frames between samples of a person who is known
_KNOWN: Final = 20  # samples
_JUMP: Final = 0.15  # a frame that differs by more than this counts as this much
_PLAUSIBLE: Final = (0.3, 2.0)

_OF_BONE: Final[dict[str, tuple[str, str, str]]] = {
    # which group scales the x, y and z of the vector that leads to the bone
    "Spine": ("torso",) * 3, "Chest": ("torso",) * 3, "UpperChest": ("torso",) * 3,
    "Neck": ("torso",) * 3, "Shoulder": ("shoulders", "torso", "torso"),
    "UpperArm": ("shoulders", "torso", "torso"), "LowerArm": ("upper_arm",) * 3,
    "Hand": ("forearm",) * 3, "UpperLeg": ("hips", "torso", "torso"),
    "LowerLeg": ("thigh",) * 3, "Foot": ("shank",) * 3, "Toes": ("foot",) * 3,
}  # fmt: skip


def _group_index() -> F64:
    index = np.full((NUM_BONES, 3), _G["all"])
    for i, bone in enumerate(BONES):
        part = bone.removeprefix("Left").removeprefix("Right")
        index[i] = [_G[g] for g in _OF_BONE.get(part, ("all",) * 3)]
    return index


def _rest_length(bone: str) -> float:
    return float(rot.norm(REST_OFFSET_M[BONE[bone]]))


_INDEX: Final = _group_index()
_REST_M: Final = np.array(
    [
        _rest_length("LeftLowerArm"), _rest_length("LeftHand"),
        _rest_length("LeftLowerLeg"), _rest_length("LeftFoot"),
        2.0 * REST_OFFSET_M[BONE["LeftUpperLeg"], 0],
        2.0 * (REST_OFFSET_M[BONE["LeftShoulder"], 0] + REST_OFFSET_M[BONE["LeftUpperArm"], 0]),
        float(rot.norm(REST_TORSO_M)), _rest_length("LeftToes"),
    ]
)  # fmt: skip
_TRUNK_BONES: Final = [
    BONE[name] for name in ("Spine", "Chest", "UpperChest", "Neck", "Head")
]  # fmt: skip
_CROWN_M: Final = 0.19  # above the head's joint
_TOES: Final = [JOINT["left_toe"], JOINT["right_toe"]]
_ANKLES: Final = [JOINT["left_ankle"], JOINT["right_ankle"]]
_HIPS_Y_M: Final = -float(REST_OFFSET_M[BONE["LeftUpperLeg"], 1])
_SOLE_M: Final = REST_HIP_HEIGHT_M - _HIPS_Y_M - _REST_M[2] - _REST_M[3]


def learn_lengths(seen: Observation, ratio: F64, count: F64, frame: int) -> tuple[F64, F64]:
    """New ratios and counts (N, G): a running mean that single frames can push only a little.

    Once everybody is known, only every few frames, counted by ``frame``, are sampled.
    """
    if frame % _EVERY and every(np.maximum.reduce(count, axis=1) >= _KNOWN):
        return ratio, count
    new, known = measured_ratios(seen)
    gain = np.maximum(1.0 / (count + 1.0), _ADAPT)
    step = np.where(count > 0, np.clip(new - ratio, -_JUMP, _JUMP), new - ratio)
    return np.where(known, ratio + gain * step, ratio), count + known


def measured_ratios(seen: Observation) -> tuple[F64, Bool]:
    """What one frame says: ratios (N, G) and which of them are known and plausible."""
    length, known = _lengths(seen)
    ratio = length / _REST_M
    return ratio, known & (ratio > _PLAUSIBLE[0]) & (ratio < _PLAUSIBLE[1])


def stature_m(ratio: F64, count: F64) -> F64:
    """(N,) metres from the floor to the crown of people of these proportions, upright."""
    offset, hip_height = body(ratio, count)
    trunk = offset[:, _TRUNK_BONES, 1].sum(axis=1)
    overall = np.asarray(offset[:, BONE["Head"], 1] / REST_OFFSET_M[BONE["Head"], 1])
    return np.asarray(hip_height + trunk + _CROWN_M * overall)


def _lengths(seen: Observation) -> tuple[F64, Bool]:
    """Measured lengths (N, G), both sides averaged, and their validity."""
    sides = seen.limb_m.reshape(-1, 2, 2, 2)  # (N, arms|legs, left|right, upper|lower)
    ok = seen.limb_ok.reshape(-1, 2, 2, 2)
    mean = (sides * ok).sum(axis=2) / np.maximum(ok.sum(axis=2), 1)
    torso = seen.neck - seen.pelvis
    toes = seen.point[:, _TOES] - seen.point[:, _ANKLES]
    feet_ok = seen.ok[:, _TOES] & seen.ok[:, _ANKLES]
    feet = (np.sqrt(dot(toes, toes)) * feet_ok).sum(-1) / np.maximum(feet_ok.sum(-1), 1)
    length = np.concatenate(
        [mean.reshape(-1, 4), seen.width_m[:, :2],
         np.sqrt(dot(torso, torso))[:, None], feet[:, None]], axis=1,
    )  # fmt: skip
    known = np.concatenate(
        [ok.any(axis=2).reshape(-1, 4), seen.across_ok[:, :2],
         (seen.pelvis_ok & seen.neck_ok)[:, None], feet_ok.any(-1)[:, None]], axis=1,
    )  # fmt: skip
    return length, known


def body(ratio: F64, count: F64) -> tuple[F64, F64]:
    """T-pose vectors from each bone's parent (N, B, 3) and standing hip height (N,), metres.

    What was never seen is scaled as the rest of the person is.
    """
    seen = count > 0
    overall = np.where(
        seen.any(axis=1), (ratio * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1), 1.0
    )
    full = np.concatenate([np.where(seen, ratio, overall[:, None]), overall[:, None]], axis=1)
    offset = REST_OFFSET_M * full[:, _INDEX]
    leg = full[:, [_G["thigh"], _G["shank"]]] @ _REST_M[2:4]
    hip_height = leg + _HIPS_Y_M * full[:, _G["torso"]] + _SOLE_M * full[:, _G["shank"]]
    offset[:, 0, 1] = hip_height
    return offset, hip_height
