"""The containers that pass between the stages: frozen, slotted, shapes checked when built.

N people, J body joints (``skeleton.joints.BODY``), B humanoid bones
(``skeleton.humanoid.BONES``), E expressions. A missing joint is NaN with score 0; zero
people is an ordinary frame. Frames of reference: ``cam`` is OpenCV's (x right, y down, z
forward), ``root`` is relative to the pelvis in camera axes, ``world`` is right-handed, Y
up, metres, with its origin on the floor under the camera. ``T_a_b`` maps b to a.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool, Image
from posestream.errors import ShapeError
from posestream.skeleton.humanoid import NUM_BONES
from posestream.skeleton.joints import NUM_JOINTS
from posestream.skeleton.network import JointSetName

VRM_EXPRESSIONS: tuple[str, ...] = (
    "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight",
    "happy", "angry", "sad", "relaxed", "surprised",
    "lookUp", "lookDown", "lookLeft", "lookRight",
)  # fmt: skip
"""The presets of VRM 1.0."""

ARKIT_EXPRESSIONS: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeBlinkRight",
    "eyeLookUpLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft",
    "eyeLookUpRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight",
    "jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthFunnel", "mouthPucker",
    "browInnerUp", "browDownLeft", "browDownRight",
)  # fmt: skip
"""Those of ARKit's blend shapes that faces are measured in."""

EXPRESSIONS: tuple[str, ...] = VRM_EXPRESSIONS + ARKIT_EXPRESSIONS
"""Expression names of an AvatarFrame unless it says otherwise."""


def _check(name: str, array: NDArray[Any], *shape: int | None) -> None:
    if array.shape == shape:
        return
    if array.ndim != len(shape) or any(
        want is not None and have != want for have, want in zip(array.shape, shape, strict=True)
    ):
        raise ShapeError(f"{name} has shape {array.shape}, expected {shape}.")


class TrackState(IntEnum):
    """What is known of a person in this frame."""

    TRACKED = 0  # seen in this frame
    HELD = 1  # not seen: the last pose is held or extrapolated while confidence fades
    LOST = 2  # leaves with this frame: sent once so that receivers can despawn


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera with distortion (OpenCV's model) and its pose in the world."""

    K_px: F64  # (3, 3)
    size_px: tuple[int, int]  # (width, height)
    distortion: F64 = field(default_factory=lambda: np.zeros(5))  # (k,)
    T_world_cam: F64 = field(default_factory=lambda: level_camera_pose(0.0))  # (4, 4)

    def __post_init__(self) -> None:
        _check("K_px", self.K_px, 3, 3)
        _check("distortion", self.distortion, None)
        _check("T_world_cam", self.T_world_cam, 4, 4)


def level_camera_pose(height_m: float) -> F64:
    """T_world_cam (4, 4) of a level camera: x = x_cam, y = height - y_cam, z = -z_cam."""
    T = np.diag([1.0, -1.0, -1.0, 1.0])
    T[1, 3] = height_m
    return T


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and when its light fell in."""

    index: int
    t_capture_ns: int  # monotonic clock
    image: Image  # (H, W, 3) BGR
    camera: Camera
    truth: Estimate | None = None  # exact people, from sources that know them

    def __post_init__(self) -> None:
        _check("image", self.image, None, None, 3)


@dataclass(frozen=True, slots=True, eq=False)
class People2D:
    """Joints in pixels of the original picture."""

    xy_px: F64  # (N, J, 2)
    score: F64  # (N, J) in [0, 1]
    person_score: F64  # (N,)
    look: Callable[[], F64] | None = None  # finds (N, L) what clothes look like, NaN if unknown

    def __post_init__(self) -> None:
        n = self.xy_px.shape[0]
        _check("xy_px", self.xy_px, n, NUM_JOINTS, 2)
        _check("score", self.score, n, NUM_JOINTS)
        _check("person_score", self.person_score, n)

    def __len__(self) -> int:
        return int(self.xy_px.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class PeopleRoot:
    """3D joints relative to the pelvis, camera axes, metres."""

    xyz_root_m: F64  # (N, J, 3)

    def __post_init__(self) -> None:
        _check("xyz_root_m", self.xyz_root_m, None, NUM_JOINTS, 3)

    def __len__(self) -> int:
        return int(self.xyz_root_m.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class PoseMaps:
    """Dense network output, before read-out."""

    heatmaps: NDArray[np.float32]  # (J+1, h, w)
    pafs: NDArray[np.float32]  # (2L, h, w)
    locations: NDArray[np.float32]  # (3J, h, w)
    stride_px: float
    features: NDArray[np.float32] | None = None  # (C, h, w)
    joints: JointSetName = "mupots17"


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What every back end returns. ``root3d`` is None where it must be read from ``maps``."""

    people2d: People2D
    root3d: PeopleRoot | None = None
    maps: PoseMaps | None = None
    root_cam_m: F64 | None = None  # (N, 3), from back ends that know the truth
    depth_m: F64 | None = None  # (N,) of the root along the axis, learnt; NaN where unknown
    depth_std_m: F64 | None = None  # (N,) there wherever ``depth_m`` is

    def __post_init__(self) -> None:
        n = len(self.people2d)
        if self.root3d is not None and len(self.root3d) != n:
            raise ShapeError(f"{len(self.root3d)} people in 3D, {n} in 2D.")
        if self.root_cam_m is not None:
            _check("root_cam_m", self.root_cam_m, n, 3)
        if self.depth_m is not None and self.depth_std_m is not None:
            _check("depth_m", self.depth_m, n)
            _check("depth_std_m", self.depth_std_m, n)


@dataclass(frozen=True, slots=True, eq=False)
class PeopleCam:
    """People placed in front of the camera, metres."""

    root_cam_m: F64  # (N, 3)
    xyz_cam_m: F64  # (N, J, 3)
    score: F64  # (N, J)
    depth_score: F64  # (N,) in [0, 1]
    depth_std_m: F64  # (N,)

    def __post_init__(self) -> None:
        n = self.root_cam_m.shape[0]
        _check("root_cam_m", self.root_cam_m, n, 3)
        _check("xyz_cam_m", self.xyz_cam_m, n, NUM_JOINTS, 3)
        _check("score", self.score, n, NUM_JOINTS)
        _check("depth_score", self.depth_score, n)
        _check("depth_std_m", self.depth_std_m, n)

    def __len__(self) -> int:
        return int(self.root_cam_m.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """People with identities, in the world. Held people keep their last joints."""

    track_id: I64  # (N,) never reused within a run
    slot: I64  # (N,) smallest free number, stable while the person is there
    state: I64  # (N,) TrackState
    confidence: F64  # (N,) in [0, 1]; fades while held
    xyz_world_m: F64  # (N, J, 3)
    score: F64  # (N, J)
    detection: I64  # (N,) row in this frame's people, -1 if none

    def __post_init__(self) -> None:
        n = self.track_id.shape[0]
        for name in ("track_id", "slot", "state", "confidence", "detection"):
            _check(name, getattr(self, name), n)
        _check("xyz_world_m", self.xyz_world_m, n, NUM_JOINTS, 3)
        _check("score", self.score, n, NUM_JOINTS)

    def __len__(self) -> int:
        return int(self.track_id.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class AvatarFrame:
    """Every person's avatar at one instant: what is recorded, sent and replayed.

    Rotations are normalised: identity in the T-pose of ``skeleton.humanoid``, axes of the
    world frame. The root is the Hips bone; ``quat_local_xyzw[:, 0]`` repeats
    ``root_quat_world_xyzw``, as if the world were the parent of the Hips.
    """

    index: int
    t_capture_ns: int
    slot: I64  # (N,)
    track_id: I64  # (N,)
    state: I64  # (N,) TrackState
    confidence: F64  # (N,)
    root_world_m: F64  # (N, 3) Hips
    root_quat_world_xyzw: F64  # (N, 4)
    quat_local_xyzw: F64  # (N, B, 4)
    places: F64 | Callable[[], F64]  # ``position_world_m``, or what finds it when it is wanted
    bone_valid: Bool  # (N, B)
    hip_height_m: F64  # (N,) of this person standing upright: receivers scale travel by it
    expressions: F64  # (N, E) in [0, 1], or (N, 0)

    def __post_init__(self) -> None:
        n = self.slot.shape[0]
        for name in ("slot", "track_id", "state", "confidence", "hip_height_m"):
            _check(name, getattr(self, name), n)
        _check("root_world_m", self.root_world_m, n, 3)
        _check("root_quat_world_xyzw", self.root_quat_world_xyzw, n, 4)
        _check("quat_local_xyzw", self.quat_local_xyzw, n, NUM_BONES, 4)
        if isinstance(self.places, np.ndarray):
            _check("places", self.places, n, NUM_BONES, 3)
        _check("bone_valid", self.bone_valid, n, NUM_BONES)
        _check("expressions", self.expressions, n, *self.expressions.shape[-1:])

    @property
    def position_world_m(self) -> F64:
        """(N, B, 3) of each bone, with the person's own proportions."""
        if not isinstance(self.places, np.ndarray):
            object.__setattr__(self, "places", self.places())
        assert isinstance(self.places, np.ndarray)
        return self.places

    def __len__(self) -> int:
        return int(self.slot.shape[0])

    @staticmethod
    def empty(index: int, t_capture_ns: int) -> AvatarFrame:
        """A frame in which nobody is seen."""
        ints = np.zeros(0, dtype=np.int64)
        return AvatarFrame(
            index, t_capture_ns, ints, ints, ints, np.zeros(0), np.zeros((0, 3)),
            np.zeros((0, 4)), np.zeros((0, NUM_BONES, 4)), np.zeros((0, NUM_BONES, 3)),
            np.zeros((0, NUM_BONES), dtype=np.bool_), np.zeros(0), np.zeros((0, 0)),
        )  # fmt: skip
