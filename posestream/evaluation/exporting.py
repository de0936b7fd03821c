"""``posestream export``: weight files to ONNX, fp32 and int8, and what int8 loses.

int8 is calibrated on one half of the pictures and judged on the other. Which layers stay in
single precision is decided by measurement: the fewest that lose hardly more than the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from posestream.capture.images import pictures_in, read_picture
from posestream.errors import BackendError, CaptureError
from posestream.estimate.weight_files import HEAD, MAPS
from posestream.evaluation.int8_loss import Loss, compare_maps, compare_people, feeds_of
from posestream.evaluation.patch_feeds import distances_apart, patch_feeds
from posestream.nn import export, weights
from posestream.nn.hdnet import Hdnet
from posestream.nn.quantize import layer_groups, quantize
from posestream.nn.rrmp import Rrmp
from posestream.nn.unified import Unified
from posestream.types import Frame

MAX_PICTURES: Final = 200
_PICTURE: Final = (448, 256)  # what a network sees, if nothing else is said
_PATCH: Final = (256, 256)
_COARSEST: Final = 32  # pixels per cell of hdnet's smallest maps
_TRIALS: Final = ((), ("last",), ("first", "last"), ("last", "heads"), ("first", "last", "heads"))
_PATCH_TRIALS: Final = ((), ("first",))
_NEARLY: Final = 1.25  # a trial this near to the best is as good
_NEGLIGIBLE: Final = 0.03  # of an output's size: no reason to keep anything in fp32
Size = tuple[int, int]


class Exported(NamedTuple):
    """The files of one network."""

    maps: Path
    head: Path | None


def export_weights(
    file: Path,
    out: Path,
    size_px: Size | None = None,
    calibrate: Sequence[Path] = (),
    name: str = "",
) -> dict[str, Any]:
    """Write all files of one weight file; with pictures to calibrate on, also in int8.

    The files are called after ``name`` or the weight file. Returns the report.
    Raises PosestreamError if a file or folder is not usable.
    """
    network = weights.load(file)
    name = name or file.stem
    kind = weights.kind_of(network)
    report: dict[str, Any] = {"weights": file.name, "kind": kind}
    if isinstance(network, Hdnet):
        report |= _export_hdnet(network, out / f"{name}.onnx", size_px or _PATCH)
        if calibrate:
            file, report["int8"] = export_hdnet_int8(out / f"{name}.onnx", frames_of(calibrate))
            report["files"].append(file.name)
        return report
    size_px = size_px or _PICTURE
    files = Exported(out / f"{name}{MAPS}", None)
    if isinstance(network, Unified):
        files = Exported(files.maps, out / f"{name}{HEAD}")
    report |= {"size_px": list(size_px), "parity": _export(network, files, size_px)}
    if (thresholds := weights.load_thresholds(file)) is not None:
        export.describe(files.maps, "thresholds", thresholds)
        report["thresholds"] = msgspec.to_builtins(thresholds)
    report["files"] = [path.name for path in files if path is not None]
    if calibrate:
        small, report["int8"] = export_int8(files, frames_of(calibrate))
        report["files"] += [path.name for path in small if path is not None]
    return report


def frames_of(folders: Sequence[Path]) -> list[Frame]:
    """At most ``MAX_PICTURES`` pictures, evenly spread. Raises CaptureError if there are few."""
    from posestream.capture.base import CaptureSettings, camera_for

    paths = [path for folder in folders for path in pictures_in(folder)]
    step = max(1, -(-len(paths) // MAX_PICTURES))
    images = [image for path in paths[::step] if (image := read_picture(path)) is not None]
    if len(images) < 2:
        raise CaptureError("int8 needs two readable pictures at least: name another folder.")
    sizes = [(image.shape[1], image.shape[0]) for image in images]
    cameras = [camera_for(size_px, CaptureSettings()) for size_px in sizes]
    return [Frame(i, i, *pair) for i, pair in enumerate(zip(images, cameras, strict=True))]


def export_int8(files: Exported, frames: Sequence[Frame]) -> tuple[Exported, dict[str, Any]]:
    """The maps in int8, beside a copy of the depth head, and the report on the loss."""
    maps = files.maps.with_name(files.maps.name.replace(MAPS, f"-int8{MAPS}"))
    head = None
    if files.head is not None:
        head = maps.with_name(maps.name.replace(MAPS, HEAD))
        head.write_bytes(files.head.read_bytes())
    learn, judge = (feeds_of(files.maps, part) for part in (frames[::2], frames[1::2]))
    groups = layer_groups(files.maps)
    losses: dict[tuple[str, ...], dict[str, Loss]] = {}
    for trial in _TRIALS:
        quantize(files.maps, maps, learn, _nodes(groups, trial))
        losses[trial] = compare_maps(files.maps, maps, judge)
    chosen = choose({trial: _worst(loss) for trial, loss in losses.items()})
    quantize(files.maps, maps, learn, _nodes(groups, chosen))
    small = Exported(maps, head)
    return small, {
        "calibrated_on": len(learn),
        "judged_on": len(judge),
        "trials": _trial_report({trial: _worst(loss) for trial, loss in losses.items()}),
        "kept_in_fp32": list(chosen),
        "maps": {name: loss._asdict() for name, loss in losses[chosen].items()},
        "people": compare_people(files, small, frames[1::2]),
    }


def export_hdnet_int8(file: Path, frames: Sequence[Frame]) -> tuple[Path, dict[str, Any]]:
    """HDNet in int8, and the report on the loss. Only its convolutions: they take the time.

    Raises CaptureError if hardly anybody is found in the pictures.
    """
    small = file.with_name(f"{file.stem}-int8{file.suffix}")
    feeds = patch_feeds(file, frames)
    learn, judge = feeds[::2], feeds[1::2]
    groups = layer_groups(file)
    losses: dict[tuple[str, ...], float] = {}
    for trial in _PATCH_TRIALS:
        quantize(file, small, learn, _nodes(groups, trial), only=("Conv",))
        losses[trial] = distances_apart(file, small, judge)
    chosen = choose(losses)
    quantize(file, small, learn, _nodes(groups, chosen), only=("Conv",))
    return small, {
        "calibrated_on": len(learn),
        "judged_on": len(judge),
        "trials": _trial_report(losses),
        "kept_in_fp32": list(chosen),
        "maps": {name: loss._asdict() for name, loss in compare_maps(file, small, judge).items()},
        "distance_apart": distances_apart(file, small, judge),
    }


def _trial_report(losses: dict[tuple[str, ...], float]) -> dict[str, float]:
    return {"+".join(trial) or "all int8": round(loss, 5) for trial, loss in losses.items()}


def choose(loss: dict[tuple[str, ...], float]) -> tuple[str, ...]:
    """The first trial, of those with the fewest groups first, that is nearly the best."""
    best = min(loss.values())
    return next(trial for trial, value in loss.items() if value <= max(_NEARLY * best, _NEGLIGIBLE))


def _worst(losses: dict[str, Loss]) -> float:
    return max(loss.relative_rms for loss in losses.values())


def _nodes(groups: dict[str, list[str]], trial: tuple[str, ...]) -> list[str]:
    return [node for group in trial for node in groups[group]]


def _export(network: Rrmp | Unified, files: Exported, size_px: Size) -> dict[str, float]:
    """Write the files in single precision and compare them with torch."""
    width, height = size_px
    rng = np.random.default_rng(0)
    image = rng.uniform(-1.0, 1.0, (1, 3, height, width)).astype(np.float32)
    if isinstance(network, Rrmp):
        export.export_rrmp(network, files.maps, size_px)
        return export.parity(export.RrmpGraph(network), files.maps, {"image": image})
    assert files.head is not None
    export.export_unified(network, files.maps, files.head, size_px)
    cells = height // network.stride, width // network.stride
    rays = rng.normal(0.0, 0.3, (1, 2, *cells)).astype(np.float32)
    given = {"image": image} | ({"rays": rays} if network.config.camera else {})
    result = export.parity(export.UnifiedGraph(network), files.maps, given)
    people = export.random_people_feed(network, cells, rng)
    return result | export.parity(export.DepthGraph(network), files.head, people)


def _export_hdnet(network: Hdnet, file: Path, size_px: Size) -> dict[str, Any]:
    side = size_px[0]
    if size_px[1] != side or side % _COARSEST:
        raise BackendError(
            f"hdnet sees squares whose side is a multiple of {_COARSEST}: give another --size."
        )
    export.export_hdnet(network, file, side)
    rng = np.random.default_rng(0)
    image = rng.uniform(-1.0, 1.0, (2, 3, side, side)).astype(np.float32)
    mask = np.ones((2, 1, side // network.stride, side // network.stride), np.float32)
    parity = export.parity(network, file, {"image": image, "mask": mask})
    return {"size_px": list(size_px), "files": [file.name], "parity": parity}
