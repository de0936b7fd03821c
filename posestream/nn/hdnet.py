"""HDNet: the distance of one person, from a patch at the picture's own scale.

ResNet-50 with a feature pyramid; separate features for pose and depth; softmax heatmaps within
the person's mask; depth features pooled with the heatmaps (eq. 4); a graph network on the
skeleton (eq. 5); bins of log depth (eq. 6, 7). Every row of table 6 has a switch.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posestream.geometry.depth_bins import PAPER_BINS, DepthBins
from posestream.nn.blocks import ConvBnAct, initialize, round_channels
from posestream.nn.graph import DepthHead, GraphConfig
from posestream.nn.trunks import LightPyramid, ResNet
from posestream.skeleton.network import JointSetName, network_skeleton

_MASKED = -1e4  # logit of a cell that is not the person's; finite, so that no mask means NaN


class HdnetConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shape of the network, and the ablations of table 6."""

    joints: Annotated[JointSetName, msgspec.Meta(description="Joint set.")] = "mupots17"
    trunk: Annotated[
        Literal["resnet50", "light"], msgspec.Meta(description="The paper's trunk, or a light one.")
    ] = "resnet50"
    width: Annotated[
        float, msgspec.Meta(gt=0.0, le=2.0, description="Multiplies all channel counts.")
    ] = 1.0
    target: Annotated[
        Literal["bins", "regression"],
        msgspec.Meta(description="Bins (eq. 6), or d/f itself (“direct regression”)."),
    ] = "bins"
    branches: Annotated[
        Literal["separate", "shared"],
        msgspec.Meta(description="F_depth of its own, or the same as F_pose."),
    ] = "separate"
    pooling: Annotated[
        Literal["heatmaps", "average"],
        msgspec.Meta(description="Pool at the joints (eq. 4), or over everything."),
    ] = "heatmaps"
    graph: Annotated[GraphConfig, msgspec.Meta(description="The graph network.")] = GraphConfig()
    bins: Annotated[DepthBins, msgspec.Meta(description="Depth bins.")] = PAPER_BINS


class HdnetOutput(NamedTuple):
    """Per patch; ``depth`` holds bin logits (B, N_B), or d/f (B, 1) in mm/px."""

    heatmaps: Tensor  # (B, J, h, w), each sums to 1
    uv: Tensor  # (B, J, 2) cells
    depth: Tensor


class Pyramid(nn.Module):
    """Feature pyramid: P2…P5 of equal channels from C2…C5 (HDNet fig. 3a)."""

    def __init__(self, inputs: list[int], channels: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in inputs)
        self.smooth = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in inputs)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        above: Tensor | None = None
        levels: list[Tensor] = []
        for feature, lateral in reversed(list(zip(features, self.lateral, strict=True))):
            level = lateral(feature)
            if above is not None:
                level = level + F.interpolate(above, size=level.shape[-2:], mode="nearest")
            above = level
            levels.insert(0, level)
        return [smooth(level) for smooth, level in zip(self.smooth, levels, strict=True)]


class MultiScale(nn.Module):
    """Two convolutions per scale, upsampled between them, concatenated (HDNet fig. 3b)."""

    def __init__(self, inputs: int, outputs: int, scales: int = 4) -> None:
        super().__init__()
        self.first = nn.ModuleList(ConvBnAct(inputs, outputs) for _ in range(scales))
        self.second = nn.ModuleList(ConvBnAct(outputs, outputs) for _ in range(scales))

    def forward(self, levels: list[Tensor]) -> Tensor:
        size = levels[0].shape[-2:]
        out = [
            second(F.interpolate(first(x), size=size, mode="bilinear", align_corners=False))
            for first, second, x in zip(self.first, self.second, levels, strict=True)
        ]
        return torch.cat(out, dim=1)


def masked_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Heatmaps (B, J, h, w) that sum to 1 within mask (B, 1, h, w)."""
    flat = torch.where(mask > 0.5, logits, _MASKED).flatten(2)
    return torch.softmax(flat, dim=2).reshape(logits.shape)


def soft_argmax(heatmaps: Tensor) -> Tensor:
    """(B, J, 2) mean (u, v) in cells of heatmaps that sum to 1 (HDNet eq. 1)."""
    h, w = heatmaps.shape[-2:]
    u = torch.arange(w, dtype=heatmaps.dtype, device=heatmaps.device)
    v = torch.arange(h, dtype=heatmaps.dtype, device=heatmaps.device)
    return torch.stack([(heatmaps.sum(-2) * u).sum(-1), (heatmaps.sum(-1) * v).sum(-1)], dim=-1)


class Hdnet(nn.Module):
    """The network. Input (B, 3, 256, 256) in [-1, 1]; maps at stride 4."""

    stride = 4

    def __init__(self, config: HdnetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HdnetConfig()
        light = config.trunk == "light"
        skeleton = network_skeleton(config.joints)
        self.trunk = LightPyramid(config.width) if light else ResNet(config.width)
        channels = round_channels((64 if light else 256) * config.width)
        scale = round_channels((32 if light else 64) * config.width)
        self.pyramid = Pyramid(self.trunk.channels, channels)
        self.pose_features = MultiScale(channels, scale)
        own = config.branches == "separate"
        self.depth_features = MultiScale(channels, scale) if own else None
        self.heat = nn.Conv2d(4 * scale, skeleton.num_joints, 1)
        outputs = config.bins.count if config.target == "bins" else 1
        by_joint = skeleton if config.pooling == "heatmaps" else None
        self.depth = DepthHead(4 * scale, outputs, config.graph, by_joint)
        initialize(self)

    def forward(self, image: Tensor, mask: Tensor) -> HdnetOutput:
        """``mask`` (B, 1, h, w): 1 in the person's box."""
        levels = self.pyramid(self.trunk(image))
        pose = self.pose_features(levels)
        heatmaps = masked_softmax(self.heat(pose), mask)
        deep = self.depth_features(levels) if self.depth_features is not None else pose
        return HdnetOutput(heatmaps, soft_argmax(heatmaps), self.depth(self._pool(heatmaps, deep)))

    def _pool(self, heatmaps: Tensor, deep: Tensor) -> Tensor:
        """(B, J, C) by heatmaps (HDNet eq. 4), or (B, 1, C) by their average."""
        if self.config.pooling == "average":
            return deep.mean(dim=(2, 3))[:, None]
        return torch.matmul(heatmaps.flatten(2), deep.flatten(2).transpose(1, 2))


def box_mask(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    """(B, 1, h, w): 1 inside boxes (B, 4) = x0, y0, x1, y1 in cells."""
    x = torch.arange(shape[1], device=boxes.device)
    y = torch.arange(shape[0], device=boxes.device)[:, None]
    x0, y0, x1, y1 = (boxes[:, i, None, None] for i in range(4))
    inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    return inside[:, None].to(torch.float32)
