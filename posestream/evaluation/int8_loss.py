"""What a network in int8 loses against single precision: on its maps, and in people found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from posestream.arrays import F64
from posestream.estimate.backends.onnx import OnnxEngine
from posestream.estimate.backends.rrmp import RrmpEstimator
from posestream.evaluation.matching import assign, extent, mean_distance
from posestream.lift.rrmp import LiftSettings
from posestream.locate.geometric import LocateSettings
from posestream.nn.quantize import Feed
from posestream.nn.session import open_session
from posestream.placing import place_people
from posestream.types import Frame

_FARTHEST = 0.35  # of a person's height
_LEAST_JOINTS = 3


class Loss(NamedTuple):
    """Of one output, over all pictures."""

    mean_abs: float
    max_abs: float
    relative_rms: float  # root mean square of the difference as a share of the output's own


class Files(Protocol):
    """The files of one network."""

    @property
    def maps(self) -> Path:
        """See ``weight_files``."""
        ...

    @property
    def head(self) -> Path | None:
        """See ``weight_files``."""
        ...


class _Found(NamedTuple):
    xy_px: F64  # (N, J, 2)
    xyz_root_m: F64  # (N, J, 3)
    depth_m: F64  # (N,)


def feeds_of(maps: Path, frames: Sequence[Frame]) -> list[Feed]:
    """The network's inputs for the pictures, as the back end makes them."""
    engine = OnnxEngine(maps, None, 0, (448, 256))
    estimator = RrmpEstimator(engine)
    feeds: list[Feed] = []
    for frame in frames:
        image, rays, _ = estimator.inputs(frame)
        feeds.append({"image": image} | ({} if rays is None else {"rays": rays}))
    estimator.close()
    return feeds


def compare_maps(first: Path, second: Path, feeds: Sequence[Feed]) -> dict[str, Loss]:
    """Per output of two files, how the second differs from the first."""
    runs = [open_session(path, 0) for path in (first, second)]
    names = [output.name for output in runs[0].get_outputs()]
    sums = np.zeros((len(names), 4))  # |difference|, its square, the first's square, number
    most = np.zeros(len(names))
    for feed in feeds:
        for i, (a, b) in enumerate(zip(*(run.run(names, dict(feed)) for run in runs), strict=True)):
            difference = np.abs(b - a)
            sums[i] += difference.sum(), (difference**2).sum(), (a**2).sum(), a.size
            most[i] = max(most[i], difference.max())
    mean, rms = sums[:, 0] / sums[:, 3], np.sqrt(sums[:, 1] / np.maximum(sums[:, 2], 1e-12))
    rows = zip(mean.tolist(), most.tolist(), rms.tolist(), strict=True)
    return {name: Loss(*row) for name, row in zip(names, rows, strict=True)}


def compare_people(first: Files, second: Files, frames: Sequence[Frame]) -> dict[str, Any]:
    """People and joints found by each of two networks, and how far apart they are."""
    counts = np.zeros((2, 2), dtype=np.int64)  # network; people, joints
    both = 0
    xy_px, xyz_mm, depth_share = [], [], []
    for a, b in zip(_found(first, frames), _found(second, frames), strict=True):
        for row, found in zip(counts, (a, b), strict=True):
            row += len(found.depth_m), np.isfinite(found.xy_px[..., 0]).sum()
        size = np.maximum(extent(a.xy_px), 1e-9)[:, None]
        pairs = assign(mean_distance(a.xy_px, b.xy_px, _LEAST_JOINTS) / size, _FARTHEST)
        mine = np.flatnonzero(pairs >= 0)
        theirs = pairs[mine]
        both += len(mine)
        xy_px.append(_distances(a.xy_px[mine], b.xy_px[theirs]))
        xyz_mm.append(1000.0 * _distances(a.xyz_root_m[mine], b.xyz_root_m[theirs]))
        depth_share.append(np.abs(b.depth_m[theirs] / a.depth_m[mine] - 1.0))
    return {
        "fp32": {"people": int(counts[0, 0]), "joints": int(counts[0, 1])},
        "int8": {"people": int(counts[1, 0]), "joints": int(counts[1, 1])},
        "people_in_both": both,
        "apart": {"xy_px": _mean(xy_px), "xyz_mm": _mean(xyz_mm), "depth": _mean(depth_share)},
    }


def _found(files: Files, frames: Sequence[Frame]) -> list[_Found]:
    estimator = RrmpEstimator(OnnxEngine(files.maps, files.head, 0, (448, 256)))
    found = []
    for frame in frames:
        estimate = estimator.estimate(frame)
        placed = place_people(estimate, frame.camera, "rrmp", LiftSettings(), LocateSettings())
        people = placed.people
        xyz = placed.root3d.xyz_root_m
        found.append(_Found(estimate.people2d.xy_px, xyz, people.root_cam_m[:, 2]))
    estimator.close()
    return found


def _distances(a: F64, b: F64) -> F64:
    return np.asarray(np.linalg.norm(a - b, axis=-1).ravel())


def _mean(parts: Sequence[F64]) -> float | None:
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else None
