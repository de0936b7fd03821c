"""Folders of labelled pictures: ``labels.json`` beside them, joints by name.

``labels.json`` holds ``dataset``, ``joints`` (names) and ``images``: each with ``file``, and if
known ``K`` (3, 3) and ``dist_opencv_k1k2p1p2k3``, and ``persons``: ``kp2d`` [x, y, flag] per joint,
``kp3d_cam_mm`` [x, y, z] per joint, ``bbox_xywh``, ``area``, all but the first optional. A joint is
labelled if its flag is above 0 (AI Challenger: below 3).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from posestream.arrays import F64
from posestream.errors import PosestreamError
from posestream.skeleton.joints import JOINT, NUM_JOINTS

_ALIASES: Final[dict[str, dict[str, str]]] = {
    "Human3.6M": {"thorax": "neck", "head": "head_top"},
    "MPII": {"thorax": "neck"},
    "crowdpose": {"head": "head_top"},
    "exlpose": {"head": "head_top"},
}
"""Names that mean another of our joints there: crown of the head, mid-point of the shoulders."""
_NECKS: Final = ("upper_neck", "head_bottom", "neck")  # lower end of the head segment
_PARTLY: Final = frozenset({"MPII"})  # label one person and leave others out
_BODY_SHARE: Final = 0.53  # of a box's area, where the body's own is not given


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """G labelled people, joints of ``skeleton.joints.BODY``; unlabelled ones NaN."""

    path: Path
    K_px: F64 | None
    distortion: F64
    xy_px: F64  # (G, J, 2)
    xyz_cam_mm: F64  # (G, J, 3)
    area_px2: F64  # (G,)
    head_px: F64  # (G,) length of the head, NaN where not labelled
    boxes_px: F64  # (B, 4) of everybody marked, also without joints


@dataclass(frozen=True, slots=True, eq=False)
class SampleSet:
    """Pictures of one dataset. ``complete``: nobody in view is left out."""

    name: str
    complete: bool
    pictures: tuple[LabelledPicture, ...]


def read_sets(folder: Path) -> list[SampleSet]:
    """The set in this folder, or those in the folders below it that have labelled joints.

    Raises PosestreamError if there are none, or one cannot be read.
    """
    if not folder.is_dir():
        raise PosestreamError(f"There is no folder {folder}: check the name.")
    files = [folder / "labels.json"]
    if not files[0].is_file():
        files = sorted(folder.glob("*/labels.json"))
    sets = [one for path in files if (one := _read_set(path)) is not None]
    if not sets:
        raise PosestreamError(f"{folder} has no labels.json with labelled joints in it or below.")
    return sets


def _read_set(path: Path) -> SampleSet | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if "joints" not in data:
            return None
        dataset = str(data["dataset"])
        names = [_ALIASES.get(dataset, {}).get(name, name) for name in data["joints"]]
        pictures = tuple(
            _picture(path.parent, image, data["joints"], names, dataset) for image in data["images"]
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PosestreamError(
            f"{path} is not a file of labels: {type(error).__name__} {error}."
        ) from None
    return SampleSet(path.parent.name, dataset not in _PARTLY, pictures)


def _picture(
    folder: Path, image: dict[str, Any], own_names: list[str], names: list[str], dataset: str
) -> LabelledPicture:
    people = [_labelled(person, len(names), dataset) for person in image["persons"]]
    with_joints = [i for i, xy in enumerate(people) if np.isfinite(xy).any()]
    boxes = [_box(person, xy) for person, xy in zip(image["persons"], people, strict=True)]
    xyz = [_joints_3d(image["persons"][i], len(names)) for i in with_joints]
    areas = [_area(image["persons"][i], boxes[i]) for i in with_joints]
    K = image.get("K")
    return LabelledPicture(
        path=folder / str(image["file"]),
        K_px=None if K is None else np.array(K, dtype=np.float64).reshape(3, 3),
        distortion=np.array(image.get("dist_opencv_k1k2p1p2k3", [0.0] * 5), dtype=np.float64),
        xy_px=_as_body([people[i] for i in with_joints], names, 2),
        xyz_cam_mm=_as_body(xyz, names, 3),
        area_px2=np.array(areas),
        head_px=np.array([_head(people[i], own_names, names) for i in with_joints]),
        boxes_px=np.array([box for box in boxes if np.isfinite(box).all()]).reshape(-1, 4),
    )


def _labelled(person: dict[str, Any], joints: int, dataset: str) -> F64:
    """(joints, 2), NaN where not labelled."""
    marks = np.array(person["kp2d"], dtype=np.float64).reshape(joints, 3)
    flag = marks[:, 2]
    known = (flag > 0.0) & (flag < 3.0) if dataset == "aic" else flag > 0.0
    return np.where(known[:, None], marks[:, :2], np.nan)


def _joints_3d(person: dict[str, Any], joints: int) -> F64:
    xyz = person.get("kp3d_cam_mm")
    if xyz is None:
        return np.full((joints, 3), np.nan)
    return np.array(xyz, dtype=np.float64).reshape(joints, 3)


def _as_body(people: list[F64], names: list[str], axes: int) -> F64:
    out = np.full((len(people), NUM_JOINTS, axes), np.nan)
    for i, joints in enumerate(people):
        for name, point in zip(names, joints, strict=True):
            if name in JOINT:
                out[i, JOINT[name]] = point
    return out


def _box(person: dict[str, Any], xy_px: F64) -> F64:
    """(4,) corners: as given, else round the joints; NaN without either."""
    if "bbox_xywh" in person:
        x, y, width, height = (float(v) for v in person["bbox_xywh"])
        return np.array([x, y, x + width, y + height])
    known = xy_px[np.isfinite(xy_px).all(axis=1)]
    if not len(known):
        return np.full(4, np.nan)
    return np.concatenate([known.min(axis=0), known.max(axis=0)])


def _area(person: dict[str, Any], box: F64) -> float:
    if "area" in person:
        return float(person["area"])
    return float(_BODY_SHARE * np.prod(box[2:] - box[:2]))


def _head(xy_px: F64, own_names: list[str], names: list[str]) -> float:
    """Length from the crown to the neck, as labelled by this set."""
    lower = next((name for name in _NECKS if name in own_names), None)
    if lower is None or "head_top" not in names:
        return float("nan")
    return float(np.linalg.norm(xy_px[names.index("head_top")] - xy_px[own_names.index(lower)]))
