"""The networks' maps to people in 2D: peaks, limbs, groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.estimate.grouping import group
from posestream.estimate.humps import part
from posestream.estimate.kinship import Evidence, trust
from posestream.estimate.limb_links import (
    LinkRules,
    Links,
    candidate_links,
    matched,
    read_fields,
)
from posestream.estimate.peaks import Peaks, find_peaks
from posestream.estimate.untangle import unclear, untangle
from posestream.geometry.cells import cells_to_px
from posestream.nn.thresholds import Thresholds
from posestream.skeleton.network import NetworkSkeleton
from posestream.types import People2D

_LEAST_TRUST: Final = 0.2  # on maps whose 3D disagrees with itself, nobody exchanges joints
_OWN: Final = "0: as chosen for the weights"


class DecodeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How joints and people are read from heatmaps and affinity fields."""

    min_joint: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=1.0, description=f"Least height of a heatmap's peak; {_OWN}."),
    ] = 0.0
    peak_distance_cells: Annotated[
        float, msgspec.Meta(ge=0.0, le=8.0, description="Peaks nearer than this are one.")
    ] = 1.0
    max_peaks: Annotated[
        int, msgspec.Meta(ge=1, le=64, description="At most this many peaks per joint.")
    ] = 20
    min_limb: Annotated[
        float, msgspec.Meta(ge=0.0, le=1.0, description=f"Least agreement along a limb; {_OWN}.")
    ] = 0.0
    min_limb_share: Annotated[
        float, msgspec.Meta(ge=0.0, le=1.0, description="Least share of a limb that agrees.")
    ] = 0.7
    limb_samples: Annotated[
        int, msgspec.Meta(ge=2, le=64, description="Points at which a limb is examined.")
    ] = 12
    location_weight: Annotated[
        float, msgspec.Meta(ge=0.0, le=1.0, description="What a limb loses if its 3D disagrees.")
    ] = 0.3
    share_score: Annotated[
        float, msgspec.Meta(ge=0.0, le=1.0, description="Agreement that makes two share a peak.")
    ] = 0.7
    matching: Annotated[
        Literal["hungarian", "greedy"], msgspec.Meta(description="How limbs find their ends.")
    ] = "hungarian"
    min_joints: Annotated[
        int,
        msgspec.Meta(ge=0, le=17, description=f"Whoever shows fewer joints is nobody; {_OWN}."),
    ] = 0

    def over(self, thresholds: Thresholds | None = None) -> DecodeSettings:
        """With a network's own thresholds, or the usual ones, where a setting is 0."""
        known = msgspec.structs.asdict(thresholds or Thresholds())
        own = {name: value for name, value in known.items() if not getattr(self, name)}
        return msgspec.structs.replace(self, **own) if own else self


@dataclass(frozen=True, slots=True, eq=False)
class NetworkPeople:
    """People on the maps, best first; J joints in network order."""

    xy_cells: F64  # (N, J, 2), NaN where missing
    score: F64  # (N, J), 0 where missing
    person_score: F64  # (N,)
    shared: Bool  # (N, J) two people's joints fell into this peak

    def __len__(self) -> int:
        return int(self.xy_cells.shape[0])


def find_people(
    heatmaps: NDArray[np.float32],
    pafs: NDArray[np.float32],
    skeleton: NetworkSkeleton,
    settings: DecodeSettings | None = None,
    locations: NDArray[np.float32] | None = None,
    max_people: int = 16,
) -> NetworkPeople:
    """The best ``max_people`` on heatmaps (J+1, h, w) and part affinity fields (2L, h, w).

    Location maps (3J, h, w), if given, help to tell apart limbs that lie side by side.
    """
    s = (settings or DecodeSettings()).over()
    peaks = find_peaks(
        heatmaps[: skeleton.num_joints], s.min_joint, s.max_peaks, s.peak_distance_cells
    )
    peaks = part(heatmaps, peaks)
    fields = read_fields(pafs, peaks, skeleton, s.limb_samples)
    rules = LinkRules(s.min_limb, s.min_limb_share, s.location_weight)
    links = candidate_links(fields, peaks, skeleton, rules, locations)
    used = matched(links, skeleton.num_limbs, s.matching)
    rows, shared = group(peaks, links, used, s.share_score, skeleton.num_joints)
    trusted = trust(links, used)
    if locations is not None and trusted > _LEAST_TRUST:
        evidence = Evidence(peaks, fields, locations, skeleton, s.min_limb)
        if unclear(rows, shared, links, len(peaks.joint), s.min_joints):
            rows, shared = untangle(rows, shared, evidence, trusted, s.min_joints)
    return _people(peaks, links, used, rows, shared, s.min_joints, max_people)


def _people(
    peaks: Peaks,
    links: Links,
    used: Bool,
    rows: I64,
    shared: Bool,
    min_joints: int,
    max_people: int,
) -> NetworkPeople:
    """Rows of peak numbers to people, weak ones left out, the best first."""
    found = rows >= 0
    own = found & ~shared
    keep = own.sum(axis=1) >= min_joints
    rows, shared, found = rows[keep], shared[keep], found[keep]
    score = np.append(peaks.score, 0.0)[rows]
    many = found.sum(axis=1)
    person = score.sum(axis=1) / np.maximum(many, 1) * _support(links, used, rows, len(peaks.joint))
    size = person * np.sqrt(many / rows.shape[1])
    best = np.argsort(-size, kind="stable")[:max_people]
    xy = np.append(peaks.xy, [[np.nan, np.nan]], axis=0)[rows]
    return NetworkPeople(xy[best], score[best], person[best], shared[best])


def _support(links: Links, used: Bool, rows: I64, peaks: int) -> F64:
    """(N,) mean agreement of the limbs whose two ends a person owns."""
    owner = np.full(peaks, -1)
    person, joint = np.nonzero(rows >= 0)
    owner[rows[person, joint]] = person
    mine = used & (owner[links.start] == owner[links.end]) & (owner[links.start] >= 0)
    who = owner[links.start[mine]]
    total = np.bincount(who, links.score[mine], minlength=len(rows))
    return np.asarray(total / np.maximum(np.bincount(who, minlength=len(rows)), 1))


def to_people2d(
    people: NetworkPeople, skeleton: NetworkSkeleton, stride_px: float, min_score: float = 0.0
) -> People2D:
    """People in pixels of the picture. ``stride_px``: picture pixels per cell.

    The maps' first cell must begin at the picture's corner: padding right and below only.
    """
    xy = skeleton.to_body(cells_to_px(people.xy_cells, stride_px))
    score = np.nan_to_num(skeleton.to_body(people.score))
    known = score > min_score
    return People2D(
        np.where(known[..., None], xy, np.nan), np.where(known, score, 0.0), people.person_score
    )
