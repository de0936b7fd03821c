"""Captured motion from packed files, as poses that any body can wear.

Three packs are read, whichever a folder has: ``h36m_expmap`` (research only), ``mocap_other``
(CC BY-NC) and ``mocap_deepmimic`` (MIT; some clips CC BY-NC). All have y up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64
from posestream.geometry import rotation
from posestream.training.synth.limbs import Limbs, foot_rotation

Split = Literal["train", "val"]

HELD_OUT_DEEPMIMIC: Final = frozenset(
    {"dance_b", "getup_faceup", "jog", "kick", "long_walk3", "stealthy_walk0"}
)
"""Clips under the MIT licence that no training picture shows."""
HELD_OUT_SUBJECTS: Final = frozenset({"S9", "S11"})
"""Human3.6M's test subjects, whose motion no training picture shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One recording. ``pose(frame)`` reads a pose; ``joints(frame)`` its joints as recorded."""

    name: str
    pack: str
    free: bool  # may be used for any purpose
    split: Split
    num_frames: int
    pose: Callable[[int], Limbs]


@dataclass(frozen=True, slots=True)
class _Names:
    """Where a pack's skeleton has its joints; of arms and legs left, then right."""

    arms: tuple[tuple[int, int, int], tuple[int, int, int]]
    legs: tuple[tuple[int, int, int], tuple[int, int, int]]
    lowest: tuple[int, ...]  # joints that may touch the floor
    standing_m: float  # how high the lowest of them is when the person stands


def load_clips(data: Path) -> list[Clip]:
    """Clips of all packs in the folder, in a fixed order; packs that are not there are left out."""
    clips: list[Clip] = []
    for file, read in (
        (data / "h36m_expmap" / "h36m_25fps.npz", _h36m),
        (data / "mocap_other" / "bandai_15fps.npz", _bandai),
        (data / "mocap_deepmimic" / "deepmimic_30fps.npz", _deepmimic),
    ):
        if file.is_file():
            with np.load(file, allow_pickle=False) as pack:
                clips += read(pack)
    return clips


def _limbs(
    hips: F64, chest: F64, head: F64, xyz_m: F64, feet: F64, names: _Names
) -> Limbs:  # fmt: skip
    """Directions between joints (K, 3); rotations as the pack has them."""
    arms, legs = (
        rotation.normalize(np.diff(xyz_m[np.array(chain)], axis=1))
        for chain in (names.arms, names.legs)
    )
    low = float(xyz_m[list(names.lowest), 1].min()) - names.standing_m
    return Limbs(hips, chest, head, arms, legs, feet, max(0.0, low))


# Human3.6M: rotation vectors of a skeleton that faces +z at rest as the humanoid does.
_H36M: Final = _Names(
    ((17, 18, 19), (25, 26, 27)), ((6, 7, 8), (1, 2, 3)), (3, 4, 8, 9, 0, 2, 7, 19, 27), 0.02
)
_H36M_PARENT: Final = (
    -1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 12, 16, 17, 18, 19, 20, 19, 22,
    12, 24, 25, 26, 27, 28, 27, 30,
)  # fmt: skip
_H36M_MM: Final[dict[int, tuple[float, float, float]]] = {
    1: (-132.9, 0, 0), 2: (0, -442.9, 0), 3: (0, -454.2, 0), 4: (0, 0, 162.8),
    6: (132.9, 0, 0), 7: (0, -442.9, 0), 8: (0, -454.2, 0), 9: (0, 0, 162.8),
    12: (0, 233.4, 0), 13: (0, 257.1, 0), 14: (0, 121.1, 0), 15: (0, 115.0, 0),
    16: (0, 257.1, 0), 17: (0, 151.0, 0), 18: (0, 278.9, 0), 19: (0, 251.7, 0),
    24: (0, 257.1, 0), 25: (0, 151.0, 0), 26: (0, 278.9, 0), 27: (0, 251.7, 0),
}  # fmt: skip
_H36M_FLAT_RAD: Final = 0.27


@dataclass(frozen=True, slots=True, eq=False)
class _H36MReader:
    values: NDArray[np.int32]  # (T, C + 7) quantised: C angles, quaternion wxyz, place in mm
    columns: I64

    def joints(self, frame: int) -> tuple[list[F64], F64]:
        """Rotations and places (32, 3) m; the pack's row vectors make its rotations inverse."""
        row = self.values[frame].astype(np.float64)
        k = len(self.columns)
        vectors = np.zeros(96)
        vectors[self.columns] = row[:k] / 400.0
        local = rotation.inverse(rotation.from_rotvec(vectors.reshape(32, 3)))
        turn = [rotation.inverse(rotation.normalize(row[[k + 1, k + 2, k + 3, k]]))] * 32
        xyz = np.tile(row[k + 4 : k + 7] / 1000.0, (32, 1))
        for joint in range(1, 32):
            parent = _H36M_PARENT[joint]
            along = np.array(_H36M_MM.get(joint, (0.0, 0.0, 0.0))) / 1000.0
            xyz[joint] = xyz[parent] + rotation.rotate(turn[parent], along)
            turn[joint] = rotation.multiply(turn[parent], local[joint])
        return turn, xyz

    def __call__(self, frame: int) -> Limbs:
        turn, xyz = self.joints(frame)
        feet = [
            foot_rotation(xyz[toe] - xyz[ankle], xyz[ankle] - xyz[knee], _H36M_FLAT_RAD)
            for knee, ankle, toe in ((7, 8, 9), (2, 3, 4))
        ]
        return _limbs(turn[0], turn[12], turn[14], xyz, np.stack(feet), _H36M)


def _h36m(pack: Any) -> list[Clip]:
    values = np.cumsum(_join(pack), axis=1, dtype=np.int32)
    clips, start = [], 0
    for name, length, level in zip(*(pack[k].tolist() for k in ("names", "lens", "level_ok")),
                                   strict=True):  # fmt: skip
        part = values[:, start : start + length].T
        # each clip's deltas start afresh
        part = part - (values[:, start - 1] if start else 0)
        start += length
        if level:
            held_out = name.split("_")[0] in HELD_OUT_SUBJECTS
            clips.append(
                Clip(name, "h36m", False, "val" if held_out else "train", length,
                     _H36MReader(part, pack["dims"] - 3))
            )  # fmt: skip
    return clips


def _join(pack: Any) -> NDArray[np.int32]:
    return np.asarray((pack["hi"].astype(np.int32) << 8) + pack["lo"].astype(np.int32))


# Bandai-Namco: places and rotations whose bones point along x at rest, as the head's up.
_BANDAI: Final = _Names(((6, 7, 8), (10, 11, 12)), ((13, 14, 15), (17, 18, 19)), (15, 16, 19, 20), 0.05)  # fmt: skip  # noqa: E501
_BANDAI_REST: Final[F64] = np.array([0.5, 0.5, 0.5, 0.5])
_BANDAI_FLAT_RAD: Final = 0.69


@dataclass(frozen=True, slots=True, eq=False)
class _BandaiReader:
    values: NDArray[np.int32]  # (T, 63 + 84): places in mm, quaternions wxyz

    def joints(self, frame: int) -> tuple[F64, F64]:
        """Rotations (21, 4) and places (21, 3) m."""
        row = self.values[frame].astype(np.float64)
        wxyz = row[63:].reshape(21, 4)
        return rotation.normalize(wxyz[:, [1, 2, 3, 0]]), row[:63].reshape(21, 3) / 1000.0

    def __call__(self, frame: int) -> Limbs:
        turn, xyz = self.joints(frame)
        head = rotation.multiply(turn[4], rotation.inverse(_BANDAI_REST))
        hips = _upright_frame(xyz[13] - xyz[17], xyz[1] - xyz[0])
        chest = _upright_frame(xyz[6] - xyz[10], xyz[3] - xyz[2])
        feet = [
            foot_rotation(xyz[toe] - xyz[ankle], xyz[ankle] - xyz[knee], _BANDAI_FLAT_RAD)
            for knee, ankle, toe in ((14, 15, 16), (18, 19, 20))
        ]
        return _limbs(hips, chest, head, xyz, np.stack(feet), _BANDAI)


def _upright_frame(left: F64, up: F64) -> F64:
    x = rotation.normalize(left)
    z = rotation.normalize(rotation.cross(x, up))
    return rotation.from_axes(x, rotation.cross(z, x), z)


def _bandai(pack: Any) -> list[Clip]:
    total = np.cumsum(_join(pack), axis=1, dtype=np.int32)
    values = (total + 32768) % 65536 - 32768
    ends = np.cumsum(pack["lens"])
    return [
        Clip(name, "bandai", False, "train", int(length),
             _BandaiReader(values[:, end - length : end].T))
        for name, length, end in zip(pack["names"].tolist(), pack["lens"], ends, strict=True)
    ]  # fmt: skip


# DeepMimic: faces +x at rest, its right hand towards +z.
_DEEPMIMIC: Final = _Names(
    ((12, 13, 14), (6, 7, 8)), ((9, 10, 11), (3, 4, 5)), (5, 11, 0, 4, 10, 8, 14, 2), 0.06
)
_DEEPMIMIC_REST: Final[F64] = rotation.from_axis_angle(
    np.array([0.0, 1.0, 0.0]), np.array(np.pi / 2)
)
_DEEPMIMIC_TREE: Final[tuple[tuple[int, tuple[float, float, float], int, int], ...]] = (
    # parent, offset in metres, first column of its rotation, columns (4 wxyz, 1 about z, 0 none)
    (-1, (0.0, 0.0, 0.0), 3, 4), (0, (0.0, 0.236151, 0.0), 7, 4),
    (1, (0.0, 0.223894, 0.0), 11, 4),
    (0, (0.0, 0.0, 0.084887), 15, 4), (3, (0.0, -0.421546, 0.0), 19, 1),
    (4, (0.0, -0.40987, 0.0), 20, 4),
    (1, (-0.02405, 0.2435, 0.18311), 24, 4), (6, (0.0, -0.274788, 0.0), 28, 1),
    (7, (0.0, -0.258947, 0.0), 0, 0),
    (0, (0.0, 0.0, -0.084887), 29, 4), (9, (0.0, -0.421546, 0.0), 33, 1),
    (10, (0.0, -0.40987, 0.0), 34, 4),
    (1, (-0.02405, 0.2435, -0.18311), 38, 4), (12, (0.0, -0.274788, 0.0), 42, 1),
    (13, (0.0, -0.258947, 0.0), 0, 0),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _DeepMimicReader:
    values: NDArray[np.int16]  # (T, 43)

    def joints(self, frame: int) -> tuple[F64, F64]:
        """Rotations (15, 4) and places (15, 3) m."""
        row = self.values[frame].astype(np.float64) / np.where(np.arange(43) < 3, 1e3, 1e4)
        turn, xyz = rotation.identity(15), np.tile(row[:3], (15, 1))
        for joint, (parent, offset, column, count) in enumerate(_DEEPMIMIC_TREE):
            q = rotation.identity()
            if count == 4:
                q = rotation.normalize(row[[column + 1, column + 2, column + 3, column]])
            elif count == 1:
                q = rotation.from_rotvec(np.array([0.0, 0.0, row[column]]))
            if parent >= 0:
                xyz[joint] = xyz[parent] + rotation.rotate(turn[parent], np.array(offset))
                q = rotation.multiply(turn[parent], q)
            turn[joint] = q
        return turn, xyz

    def __call__(self, frame: int) -> Limbs:
        turn, xyz = self.joints(frame)
        turn = rotation.multiply(turn, _DEEPMIMIC_REST)
        return _limbs(turn[0], turn[1], turn[2], xyz, turn[[11, 5]], _DEEPMIMIC)


def _deepmimic(pack: Any) -> list[Clip]:
    ends = np.cumsum(pack["lens"])
    names: Sequence[str] = pack["names"].tolist()
    return [
        Clip(name, "deepmimic", str(licence) == "MIT",
             "val" if name in HELD_OUT_DEEPMIMIC else "train", int(length),
             _DeepMimicReader(pack["frames"][end - length : end]))
        for name, length, end, licence in zip(
            names, pack["lens"], ends, pack["licence"].tolist(), strict=True
        )
    ]  # fmt: skip
