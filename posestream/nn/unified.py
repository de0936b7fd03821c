"""RRMP and HDNet in one pass: every person's 2D, 3D and distance from one look at the picture.

The trunk is RRMP's. Depth features are the trunk's own, with the camera as ray coordinates;
they are pooled at each person's joints (HDNet eq. 4), go through the skeleton's graph network
(eq. 5) and end in bins of d/f at the input's scale (eq. 6, 7). One more person costs one more
row of a small matrix.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from posestream.geometry.depth_bins import PICTURE_BINS, DepthBins
from posestream.nn.blocks import ConvBnAct, ResidualSeparable, round_channels
from posestream.nn.graph import DepthHead, GraphConfig
from posestream.nn.pooling import MaskKind, PersonPooling
from posestream.nn.rrmp import Rrmp, RrmpConfig, RrmpOutput
from posestream.skeleton.network import network_skeleton

_WIDE = 128  # depth features at width 1


class UnifiedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shape of the network."""

    rrmp: Annotated[RrmpConfig, msgspec.Meta(description="The trunk and its stages.")] = (
        RrmpConfig()
    )
    mask: Annotated[MaskKind, msgspec.Meta(description="What of the picture is a person's.")] = (
        "limb"
    )
    camera: Annotated[bool, msgspec.Meta(description="Give the network each cell's ray.")] = True
    height: Annotated[
        bool, msgspec.Meta(description="Let a person's height, if known, help to tell distance.")
    ] = False
    graph: Annotated[GraphConfig, msgspec.Meta(description="The graph network.")] = GraphConfig()
    bins: Annotated[DepthBins, msgspec.Meta(description="Depth bins.")] = PICTURE_BINS


class UnifiedOutput(NamedTuple):
    """RRMP's output, and the features that the depth head pools."""

    rrmp: RrmpOutput
    depth_features: Tensor  # (B, D, h, w)


class People(NamedTuple):
    """Grouped people, given to the depth head."""

    xy: Tensor  # (N, J, 2) cells, anything where missing
    score: Tensor  # (N, J), 0 where missing
    picture: Tensor  # (N,) int64, which picture of the batch
    height: Tensor | None = None  # (N, 2): log(height / 1.7 m) and 1, or zeros where unknown


class Unified(nn.Module):
    """The network: ``forward`` for the maps, ``depth`` for the people found on them."""

    stride = Rrmp.stride

    def __init__(self, config: UnifiedConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or UnifiedConfig()
        skeleton = network_skeleton(config.rrmp.joints)
        self.rrmp = Rrmp(config.rrmp)
        d = self.depth_channels = round_channels(_WIDE * config.rrmp.width)
        rays = 2 if config.camera else 0
        self.depth_branch = nn.Sequential(
            ConvBnAct(self.rrmp.channels + rays, d, 1), ResidualSeparable(d, dilation=2)
        )
        self.pooling = PersonPooling(skeleton, config.mask)
        extra = 2 if config.height else 0
        self.head = DepthHead(d + 1, config.bins.count, config.graph, skeleton, extra)

    def forward(self, image: Tensor, rays: Tensor | None = None) -> UnifiedOutput:
        """``rays`` (B, 2, h, w): ``ray_maps`` of the camera; needed where ``config.camera``."""
        out: RrmpOutput = self.rrmp(image)
        deep = out.backbone
        if self.config.camera and rays is not None:
            deep = torch.cat([deep, rays], dim=1)
        return UnifiedOutput(out, self.depth_branch(deep))

    def depth(self, depth_features: Tensor, heatmaps: Tensor, people: People) -> Tensor:
        """Bin logits (N, N_B) of all people of the batch at once."""
        pooled = self.pooling(depth_features, heatmaps, people.xy, people.score, people.picture)
        extra = people.height if self.config.height else None
        logits: Tensor = self.head(pooled, extra)
        return logits


def ray_maps(K_px: Tensor, shape: tuple[int, int], stride: int = Unified.stride) -> Tensor:
    """(B, 2, h, w) ray coordinates of the cells' centres for K (B, 3, 3) at the input's scale."""
    h, w = shape
    u = (torch.arange(w, device=K_px.device) + 0.5) * stride - 0.5
    v = (torch.arange(h, device=K_px.device) + 0.5) * stride - 0.5
    x = (u - K_px[:, 0, 2, None]) / K_px[:, 0, 0, None]
    y = (v - K_px[:, 1, 2, None]) / K_px[:, 1, 1, None]
    x, y = x[:, None, :].expand(-1, h, w), y[:, :, None].expand(-1, h, w)
    return torch.stack([x, y], dim=1).to(torch.float32)
