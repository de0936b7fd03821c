"""Our people against people counted by hand on every 15th frame: lost, extra, switched.

A counted person is *found* if a live track's box (around its 2D joints) overlaps the hand-drawn
one; held tracks do not count as live. People marked ``ignore`` may be found or not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from posestream.arrays import F64

MIN_IOU = 0.25
"""Boxes round joints are narrower than boxes round bodies, and hand-drawn ones are rough."""


@dataclass(slots=True)
class Counts:
    """Sums over the counted frames of one video."""

    frames: int = 0
    people: int = 0  # counted by hand, not ignored
    found: int = 0
    extra: int = 0
    switches: int = 0
    _track_of: dict[int, int] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Counted people without a live track."""
        return self.people - self.found

    def as_dict(self) -> dict[str, int]:
        """The figures to report."""
        return {
            "frames": self.frames,
            "people": self.people,
            "found": self.found,
            "lost": self.lost,
            "extra": self.extra,
            "switches": self.switches,
        }

    def add(self, people: list[dict[str, Any]], boxes_px: F64, track_id: list[int]) -> None:
        """Compare one counted frame with the live tracks (boxes (M, 4), ids) of that frame."""
        self.frames += 1
        pairs = match([person["box_px"] for person in people], boxes_px)
        for i, person in enumerate(people):
            if person.get("ignore", False):
                continue
            self.people += 1
            if i not in pairs:
                continue
            self.found += 1
            track, hand_id = track_id[pairs[i]], int(person["id"])
            self.switches += self._track_of.get(hand_id, track) != track
            self._track_of[hand_id] = track
        self.extra += len(track_id) - len(pairs)


def total(parts: Sequence[dict[str, int]]) -> dict[str, int]:
    """Sums over several videos' figures."""
    return {key: sum(part[key] for part in parts) for key in Counts().as_dict()}


def read(path: Path) -> dict[int, list[dict[str, Any]]]:
    """Frame number to the people counted there."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return {int(frame["frame"]): frame["people"] for frame in data["frames"]}


def boxes_of(xy_px: F64) -> F64:
    """(M, 4) boxes x0 y0 x1 y1 round the known joints (M, J, 2)."""
    if len(xy_px) == 0:
        return np.zeros((0, 4))
    return np.concatenate([np.nanmin(xy_px, axis=1), np.nanmax(xy_px, axis=1)], axis=-1)


def iou(a: F64, b: F64) -> F64:
    """Intersection over union of boxes a (N, 4) with boxes b (M, 4), as (N, M)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.prod(np.clip(high - low, 0.0, None), axis=-1)
    area_a = np.prod(a[:, 2:] - a[:, :2], axis=-1)
    area_b = np.prod(b[:, 2:] - b[:, :2], axis=-1)
    return np.asarray(overlap / np.maximum(area_a[:, None] + area_b[None] - overlap, 1e-9))


def match(hand_boxes_px: list[list[float]], track_boxes_px: F64) -> dict[int, int]:
    """Counted person → track, greedily by the largest overlap of at least ``MIN_IOU``."""
    if not hand_boxes_px or len(track_boxes_px) == 0:
        return {}
    overlap = iou(np.array(hand_boxes_px, dtype=np.float64), track_boxes_px)
    pairs: dict[int, int] = {}
    while overlap.max() >= MIN_IOU:
        i, j = np.unravel_index(int(overlap.argmax()), overlap.shape)
        pairs[int(i)] = int(j)
        overlap[i, :] = -1.0
        overlap[:, j] = -1.0
    return pairs
