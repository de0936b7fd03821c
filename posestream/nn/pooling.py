"""Features of every person's joints from one picture's maps (HDNet eq. 4, for all at once).

A joint's heatmap is nothing beyond a few cells round its peak. So instead of weighing the whole
map for each person, only a window round each joint is read: N people cost N × J small windows.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from posestream.skeleton.network import NetworkSkeleton

MaskKind = Literal["none", "box", "limb"]
_FAR = 1e6
_ADJOINING = 5  # at most so many limbs of the tree meet in one joint


class PersonPooling(nn.Module):
    """Heatmap-weighted mean of features in each joint's window, masked to the person.

    ``box`` leaves out what lies outside the person's box, widened by ``margin`` cells; ``limb``
    keeps only cells within ``margin`` of a limb of the person that ends in the joint, which
    parts people whose boxes overlap.
    """

    window: Tensor
    neighbours: Tensor

    def __init__(
        self,
        skeleton: NetworkSkeleton,
        mask: MaskKind = "limb",
        reach: int = 2,
        margin: float = 1.5,
    ) -> None:
        super().__init__()
        self.mask, self.margin = mask, margin
        steps = torch.arange(-reach, reach + 1)
        dy, dx = torch.meshgrid(steps, steps, indexing="ij")
        window = torch.stack([dx, dy], dim=-1).reshape(-1, 2)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("neighbours", _neighbours(skeleton), persistent=False)

    def forward(
        self, features: Tensor, heatmaps: Tensor, xy: Tensor, score: Tensor, picture: Tensor
    ) -> Tensor:
        """(N, J, C + 1): pooled features and the joint's score.

        ``features`` (B, C, h, w), ``heatmaps`` (B, J or J+1, h, w), people's joints ``xy``
        (N, J, 2) in cells (anything where missing), ``score`` (N, J) with 0 where missing,
        ``picture`` (N,) which of the B each person is in. Missing joints give zeros.
        """
        h, w = features.shape[-2:]
        seen = score > 0.0
        xy = torch.where(seen[..., None], xy, 0.0)
        cells = torch.round(xy).to(torch.int64)[:, :, None] + self.window  # (N, J, K, 2)
        x, y = cells[..., 0], cells[..., 1]
        inside = (x >= 0) & (x < w) & (y >= 0) & (y < h) & seen[..., None]
        place = y.clamp(0, h - 1) * w + x.clamp(0, w - 1)  # (N, J, K)
        weight = self._heat(heatmaps, place, picture) + 1e-3
        weight = weight * inside * self._mask(cells.to(xy.dtype), xy, seen)
        weight = weight / weight.sum(dim=2, keepdim=True).clamp_min(1e-6)
        flat = features.flatten(2).transpose(1, 2).reshape(-1, features.shape[1])
        read = flat[place + (picture * (h * w))[:, None, None]]  # (N, J, K, C)
        pooled = torch.matmul(weight[:, :, None], read)[:, :, 0]
        return torch.cat([pooled, score[..., None]], dim=2)

    def _heat(self, heatmaps: Tensor, place: Tensor, picture: Tensor) -> Tensor:
        """(N, J, K) heat of each joint's own map in its window."""
        joints, area = place.shape[1], heatmaps.shape[-2] * heatmaps.shape[-1]
        channel = torch.arange(joints, device=place.device)[:, None] * area
        start = (picture * (heatmaps.shape[1] * area))[:, None, None]
        return heatmaps.reshape(-1)[place + channel + start].clamp_min(0.0)

    def _mask(self, cells: Tensor, xy: Tensor, seen: Tensor) -> Tensor:
        """(N, J, K) or broadcastable: 1 where a cell may be the person's."""
        if self.mask == "none":
            return torch.ones_like(cells[..., 0])
        if self.mask == "box":
            known = seen[..., None]
            low = torch.where(known, xy, _FAR).amin(dim=1)[:, None, None] - self.margin
            high = torch.where(known, xy, -_FAR).amax(dim=1)[:, None, None] + self.margin
            return ((cells >= low) & (cells <= high)).all(dim=-1).to(cells.dtype)
        end = xy[:, self.neighbours]  # (N, J, A, 2)
        there = seen[:, self.neighbours][..., None]
        along = torch.where(there, end - xy[:, :, None], torch.zeros_like(end))
        offset = cells - xy[:, :, None]  # (N, J, K, 2)
        return self._is_near(offset, along).to(cells.dtype)

    def _is_near(self, offset: Tensor, along: Tensor) -> Tensor:
        """(N, J, K) whether cells ``offset`` (N, J, K, 2) from a joint lie at one of its limbs.

        ``along`` (N, J, A, 2) are the limbs. The square of the distance to each is a quadratic
        in the share of the limb: two products per cell and limb instead of vectors.
        """
        squared = (along * along).sum(-1, keepdim=True)  # (N, J, A, 1)
        dot = torch.matmul(along, offset.transpose(2, 3))  # (N, J, A, K)
        share = (dot / squared.clamp_min(1e-6)).clamp(0.0, 1.0)
        less = (share * (share * squared - 2.0 * dot)).amin(dim=2)
        return (offset * offset).sum(-1) + less <= self.margin**2


def _neighbours(skeleton: NetworkSkeleton) -> Tensor:
    """(J, A) joints that a limb of the tree joins to each; the joint itself as padding."""
    table = [[joint] * _ADJOINING for joint in range(skeleton.num_joints)]
    for joint in range(skeleton.num_joints):
        ends = [
            b if a == joint else a
            for a, b in skeleton.limbs[: skeleton.num_tree]
            if joint in (a, b)
        ]
        for place, other in enumerate(ends[:_ADJOINING]):
            table[joint][place] = other
    return torch.tensor(table)
