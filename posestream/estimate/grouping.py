"""Peaks and links to people.

Links are taken in the order of how plain they are, those without a rival first; two parts of
bodies merge unless both have the same joint. Where two people's joints fall into one peak, the
peak is shared: the second person gets a copy where it holds that person's parts together.
"""

from __future__ import annotations

import numpy as np

from posestream.arrays import I64, Bool
from posestream.estimate.limb_links import Links
from posestream.estimate.peaks import Peaks

_SHARING_ROUNDS = 3


class _Parts:
    """Disjoint parts of bodies, each a set of peaks with no joint twice."""

    def __init__(self, joint: list[int]) -> None:
        self.joint = joint
        self.part = list(range(len(joint)))
        self.members = [[i] for i in range(len(joint))]
        self.joints = [1 << j for j in joint]  # bit set per part

    def fits(self, a: int, b: int) -> bool:
        """Whether parts a and b have no joint in common."""
        return not self.joints[a] & self.joints[b]

    def merge(self, a: int, b: int) -> None:
        """Part b becomes part of a."""
        for peak in self.members[b]:
            self.part[peak] = a
        self.members[a] += self.members[b]
        self.joints[a] |= self.joints[b]
        self.members[b], self.joints[b] = [], 0

    def copy_of(self, peak: int) -> int:
        """A second peak like this one, in a part of its own; its number and its part's."""
        self.joint.append(self.joint[peak])
        self.part.append(len(self.members))
        self.members.append([len(self.joint) - 1])
        self.joints.append(1 << self.joint[peak])
        return len(self.joint) - 1


def group(
    peaks: Peaks, links: Links, matched: Bool, share_score: float, num_joints: int
) -> tuple[I64, Bool]:
    """People as rows of peak numbers (N, J), -1 where a joint is missing; and what is shared.

    ``matched`` marks the links that count. The others serve, from ``share_score`` on, to tell
    which peaks stand for two people. Parts of a single joint are left out.
    """
    parts = _Parts(peaks.joint.tolist())
    pairs = list(zip(links.start.tolist(), links.end.tolist(), strict=True))
    plainest_first = np.argsort(-links.margin, kind="stable")
    for i in plainest_first[matched[plainest_first]].tolist():
        start, end = pairs[i]
        a, b = parts.part[start], parts.part[end]
        if a != b and parts.fits(a, b):
            parts.merge(a, b)
    strongest_first = np.argsort(-links.score, kind="stable")
    strong = strongest_first[links.score[strongest_first] >= share_score].tolist()
    # parts only grow together: a link within one stays there
    between = [p for p in map(pairs.__getitem__, strong) if parts.part[p[0]] != parts.part[p[1]]]
    origin = _share(parts, between, len(peaks.joint))
    return _rows(parts, origin, num_joints)


def _share(parts: _Parts, links: list[tuple[int, int]], count: int) -> list[int]:
    """Copy peaks that hold another person's parts together; the origin of every peak."""
    origin = list(range(count))
    for _ in range(_SHARING_ROUNDS):
        wanted = _wanted(parts, links)
        copies = [_copy(parts, peak, others) for peak, others in wanted.items()]
        origin += [peak for peak in copies if peak >= 0]
        if not any(peak >= 0 for peak in copies):
            break
    return origin


def _wanted(parts: _Parts, links: list[tuple[int, int]]) -> dict[int, list[int]]:
    """Peaks with links to parts other than their own, where that joint is free."""
    wanted: dict[int, list[int]] = {}
    for pair in links:
        for peak, other in (pair, pair[::-1]):
            mine, theirs = parts.part[peak], parts.part[other]
            bit = 1 << parts.joint[peak]
            rival = mine != theirs and parts.joints[mine] & (1 << parts.joint[other])
            if rival and not parts.joints[theirs] & bit:
                wanted.setdefault(peak, []).append(other)
    return wanted


def _copy(parts: _Parts, peak: int, others: list[int]) -> int:
    """Join the others by a copy of the peak if at least two links want it; peak or -1."""
    bit = 1 << parts.joint[peak]
    others = [o for o in others if not parts.joints[parts.part[o]] & bit]
    taken, ends = bit, []
    for other in others:
        part = parts.part[other]
        if part in ends or not parts.joints[part] & taken:
            ends.append(part)
            taken |= parts.joints[part]
    if len(ends) < 2:
        return -1
    new = parts.part[parts.copy_of(peak)]
    for part in dict.fromkeys(ends):
        parts.merge(new, part)
    return peak


def _rows(parts: _Parts, origin: list[int], num_joints: int) -> tuple[I64, Bool]:
    people = [m for m in parts.members if len(m) > 1]
    rows = [[-1] * num_joints for _ in people]
    shared = [[False] * num_joints for _ in people]
    for row, copied, members in zip(rows, shared, people, strict=True):
        for peak in members:
            joint = parts.joint[peak]
            row[joint], copied[joint] = origin[peak], origin[peak] != peak
    shape = len(people), num_joints
    return (
        np.array(rows, dtype=np.int64).reshape(shape),
        np.array(shared, dtype=np.bool_).reshape(shape),
    )
